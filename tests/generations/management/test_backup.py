"""`manage.py backup` and `restore`: everything comes back, nothing is sent again."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from accounts import domains, invitations, notify
from accounts.models import (
    Allowance,
    ApiToken,
    LimitWarning,
    Measure,
    Membership,
    Mode,
    Notice,
    NoticeDismissal,
    Period,
    Role,
    Scope,
    Telling,
    TopUp,
    audit,
)
from generations import connections, own_models, quota, sharing
from generations.management import archive
from generations.models import (
    AccountSnapshot,
    AllowanceRequest,
    Batch,
    Change,
    Collection,
    CollectionItem,
    Connection,
    Descent,
    Draft,
    Favourite,
    FavouriteVoice,
    Generation,
    Heartbeat,
    HeldOrder,
    Inquiry,
    Lora,
    ModelRule,
    MonthlyReport,
    Output,
    Preset,
    PresetDefault,
    PriceDecision,
    Receiver,
    RetentionRule,
    SavedSearch,
    State,
    Tag,
    Tagging,
    TeamModel,
    TeamPrice,
    Upload,
    Voice,
    VoiceGrant,
    VoiceSample,
    VoiceUse,
    Way,
)
from generations.models.connection import HOSTS
from generations.models.receiver import new_secret
from generations.pipeline import announce
from tests.conftest import join, tone

TEAM_KEY = "0123456789abcdef0123456789abcdef"

pytestmark = pytest.mark.django_db(transaction=True)


def run(name: str, *arguments: str) -> str:
    said = io.StringIO()
    call_command(name, *arguments, stdout=said, stderr=said)
    return said.getvalue()


def empty() -> None:
    """As a new portal: no rows and no files."""
    for model in (*reversed(archive.MODELS), Heartbeat):
        QuerySet(model).delete()
    for path in Path(default_storage.location).rglob("*"):  # type: ignore[attr-defined]
        if path.is_file():
            path.unlink()


def rows() -> dict[str, list[Any]]:
    """All there is, but for what allauth stamps with the time of saving."""
    kept = {SocialAccount: ("user_id", "provider", "uid", "extra_data")}
    return {
        archive.label(m): list(m._default_manager.order_by("pk").values(*kept.get(m, ())))
        for m in archive.MODELS
    }


@pytest.fixture
def full(bob: Membership, make_generation: Callable[..., Generation]) -> Membership:
    """A portal with something of everything, all of it over."""
    bob.role = Role.MANAGER  # only in memory, for the invitation below
    Allowance.put(
        bob.team,
        scope=Scope.DEFAULT,
        measure=Measure.SPEND,
        period=Period.MONTH,
        mode=Mode.LIMITED,
        limit=Decimal("8.5"),
    )
    ApiToken.issue(bob)
    make_generation(bob, outputs=2, cost_actual=Decimal("0.791"), title="Regen, 雨")
    make_generation(bob, status=State.FAILED, error_message="No.")
    upload = Upload(
        team=bob.team, author=bob.user, name="me.wav", kind="audio", content_type="audio/wav", extension="wav",
        bytes=len(tone()), sha256=Output.objects.values_list("sha256", flat=True)[0],
    )  # fmt: skip
    upload.file.save("uploads/me.wav", ContentFile(tone()))
    whose = {"team": bob.team, "author": bob.user, "model": "minimax--speech-2.8-hd"}
    batch = Batch.objects.create(**whose, title="Two lines", asked=2)
    spoken, made = (
        make_generation(bob, batch=batch, batch_place=1),
        make_generation(bob, kind="voice", title="Bob’s voice"),
    )
    voice = Voice.objects.create(
        team=bob.team,
        owner=bob.user,
        voice_id="bob1",
        name="Bob",
        origin="cloned",
        made_by=made,
        sample=upload,
    )
    Inquiry.objects.create(generation=spoken, asked_by=bob.user, detail={"status": "SUCCESS"})
    Descent.objects.create(child=spoken, parent=made, way=Way.INPUT)
    tag = Tag.objects.create(team=bob.team, name="Rain", folded="rain")
    Tagging.objects.create(tag=tag, generation=spoken)
    Favourite.objects.create(user=bob.user, generation=spoken)
    album = Collection.objects.create(team=bob.team, author=bob.user, name="Album")
    CollectionItem.objects.create(collection=album, generation=spoken, added_by=bob.user)
    sharing.make(bob, sharing.Thing(spoken), sharing.Terms("Rain", password="a good secret"))
    RetentionRule.objects.create(team=bob.team, older_than_days=365, made_by=bob.user)
    SavedSearch.objects.create(team=bob.team, author=bob.user, name="Storms", query="q=storm", shared=True)
    VoiceUse.objects.create(generation=spoken, voice=voice)
    VoiceGrant.objects.create(voice=voice, user=bob.user)
    VoiceSample.objects.create(team=bob.team, voice_id="Wise_Woman", generation=spoken)
    FavouriteVoice.objects.create(membership=bob, voice_id="Wise_Woman")
    Draft.objects.create(**whose, batch=batch, lines=["The second line."])
    preset = Preset.objects.create(**whose, name="Calm", params={"speed": 0.9})
    PresetDefault.objects.create(membership=bob, model=preset.model, preset=preset)
    ModelRule.objects.create(team=bob.team, scope="kind", name="video", audience="people", people=[bob.pk])
    app = own_models.add(bob.team, bob.user, "app", "1877265245566922753")
    form = {"title": "Boats", "summary": "", "kind": "picture", "fields": []}
    TeamModel.objects.filter(pk=app.pk).update(found={"title": "Boats", "facts": []})
    own_models.settle(app, bob.user, form, "sesame")
    kept = {"connection": Connection.current(), "bytes": 9, "added_by": bob.user}
    Lora.objects.create(team=bob.team, name="Sea", digest="0" * 32, upstream_name="api-lora-cn/0", **kept)
    notice = Notice.objects.create(team=bob.team, text="Rehearsal at noon", by=bob.user)
    NoticeDismissal.objects.create(notice=notice, user=bob.user)
    Telling.objects.create(user=bob.user, choices={"finished": ["app", "mail"]})
    invitations.make(bob, role=Role.MEMBER, lasts=timedelta(days=7), email="ann@example.com")
    domains.add(bob.team, bob.user, "example.com", Role.VIEWER, automatic=True)
    SocialAccount.objects.create(user=bob.user, provider="sso", uid="bob-1", extra_data={"userinfo": {}})
    now = timezone.now()
    TopUp.grant(
        bob.team,
        membership=bob,
        measure=Measure.SPEND,
        amount=Decimal("2.5"),
        from_at=now,
        until_at=now + timedelta(days=1),
        by=bob.user,
    )
    LimitWarning.first(bob.team, "pool spend month", now, 80)
    AllowanceRequest.objects.create(
        team=bob.team, membership=bob, scope="member", measure="spend", period="week", amount=Decimal(5),
        reason="A trailer", draft=Draft.objects.get(),
    )  # fmt: skip
    Change.note(bob.team, "voice.expiring")
    announce.number(bob.team)
    receiver = Receiver(team=bob.team, url="https://example.com/", events=["ping"], made_by=bob.user)
    receiver.keep(new_secret())
    receiver.save()
    announce.test_of(receiver)
    tomorrow = now + timedelta(days=1)
    HeldOrder.objects.create(
        team=bob.team, membership=bob, model="m", params={"prompt": "x"}, due_at=tomorrow
    )
    notify.tell(bob.user, "granted", "You may spend more", team=bob.team)
    audit.note("token.made", team=bob.team, by=bob.user, person=bob.user, after={"name": "Command line"})
    today = timezone.now().date()
    TeamPrice.objects.create(
        team=bob.team,
        model=preset.model,
        amount=Decimal("0.35"),
        currency="CNY",
        since=today,
        set_by=bob.user,
    )
    PriceDecision.objects.create(team=bob.team, model=preset.model, verdict="allow", decided_by=bob.user)
    AccountSnapshot.objects.create(
        connection=Connection.current(), day=today, taken_at=timezone.now(), balance=Decimal("12.34")
    )
    MonthlyReport.objects.create(team=bob.team, month=today.replace(day=1))
    connections.add(bob.team, bob.user, base_url=HOSTS["cn"], name="Own", key=TEAM_KEY)
    return bob


def test_the_fixture_holds_rows_of_every_model(full: Membership) -> None:
    assert [label for label, found in rows().items() if not found] == ["account.emailaddress"]


def as_of_format_1(path: str) -> Path:
    """The same backup as the first version of the portal wrote it: without rows it did not know."""
    old = Path(path).with_name("old.tar")
    unknown = {archive.rows_of(model) for model in archive.SINCE}
    with tarfile.open(path) as now, tarfile.open(old, "w") as then:
        for member in now:
            if member.name in unknown:
                continue
            data = now.extractfile(member).read()  # type: ignore[union-attr]
            if member.name == archive.MANIFEST:
                data = json.dumps(json.loads(data) | {"format": 1}).encode()
            if member.name == archive.rows_of(Connection):
                lines = [json.loads(line) for line in data.splitlines()]
                shared = [line for line in lines if not line["fields"]["team"]]
                for line in shared:
                    for field in (
                        "team",
                        "name",
                        "is_used",
                        "sealed_key",
                        "key_hint",
                        "paused_by",
                        "removed_at",
                    ):
                        line["fields"].pop(field)
                data = "\n".join(json.dumps(line) for line in shared).encode()
            if member.name == archive.rows_of(Generation):
                lines = [json.loads(line) for line in data.splitlines()]
                for line in lines:
                    for field in (
                        "batch",
                        "batch_place",
                        "key_digest",
                        "result_lost_at",
                        "token",
                        "untold_at",
                    ):
                        line["fields"].pop(field)
                data = "\n".join(json.dumps(line) for line in lines).encode()
            member.size = len(data)
            then.addfile(member, io.BytesIO(data))
    return old


@pytest.mark.thorough
def test_a_backup_of_the_first_format_is_restored(full: Membership, tmp_path: Path) -> None:
    path = run("backup", str(tmp_path / "kept.tar")).splitlines()[-1]
    count = Generation.objects.count()
    old = as_of_format_1(path)
    empty()
    run("restore", str(old))
    assert Generation.objects.count() == count
    assert not Voice.objects.exists()


def test_what_was_backed_up_comes_back_whole(full: Membership, tmp_path: Path) -> None:
    before, use = rows(), quota.standing(full)
    path = run("backup", str(tmp_path / "kept.tar")).splitlines()[-1]
    assert Path(path).stat().st_mode & 0o777 == 0o600
    empty()
    said = run("restore", path)
    assert rows() == before
    assert f"{sum(map(len, before.values()))} rows and 3 files" in said
    assert quota.standing(full) == use
    for output in Output.objects.all():
        with output.file.open("rb") as file:
            assert file.read() == tone()
    client = Client()
    client.force_login(full.user)
    assert client.get("/t/tide/library/").status_code == 200
    assert join(full.team, "newcomer", full.role).pk > full.pk, "new rows get numbers of their own"


@pytest.mark.thorough
def test_what_waited_then_is_not_sent_again(
    bob: Membership, make_generation: Callable[..., Generation], tmp_path: Path
) -> None:
    waits = make_generation(bob, status=State.QUEUED)
    on_its_way = make_generation(bob, status=State.DISPATCHING)
    runs = make_generation(bob, status=State.RUNNING, upstream_id="1934")
    path = run("backup", str(tmp_path / "kept.tar")).strip()
    empty()
    assert "2 generations waited then" in run("restore", path)
    for row in (waits, on_its_way):
        found = Generation.objects.get(pk=row.pk)
        assert (found.status, found.error_code) == (State.UNCONFIRMED, "restored")
        assert found.cost_counted == Decimal("0.80"), "the hold stays"
    assert Generation.objects.get(pk=runs.pk).status == State.RUNNING


def test_a_portal_that_holds_data_is_not_overwritten(full: Membership, tmp_path: Path) -> None:
    path = run("backup", str(tmp_path / "kept.tar")).strip()
    before = rows()
    with pytest.raises(CommandError, match="holds data already"):
        run("restore", path)
    assert rows() == before


def test_without_a_name_it_lies_in_the_data_folder_and_a_name_is_taken_once(
    full: Membership, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    path = Path(run("backup").splitlines()[-1])
    assert path.parent == tmp_path / "backups"
    with pytest.raises(CommandError, match="is there already"):
        run("backup", str(path))
    assert [p.name for p in path.parent.iterdir()] == [path.name], "no part is left"


def test_a_folder_that_cannot_be_written_is_a_sentence(full: Membership, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="cannot be written"):
        run("backup", str(tmp_path / "file" / "kept.tar"))


@pytest.mark.thorough
def test_a_missing_file_is_named_and_the_rest_is_kept(full: Membership, tmp_path: Path) -> None:
    lost = Output.objects.all()[0]
    default_storage.delete(lost.file.name)
    said = run("backup", str(tmp_path / "kept.tar"))
    assert f"Missing in storage: {lost.file.name}" in said
    empty()
    said = run("restore", str(tmp_path / "kept.tar"))
    assert f"Was missing already: {lost.file.name}" in said
    assert Output.objects.count() == 2


@pytest.mark.thorough
@pytest.mark.parametrize("damage", ["cut", "nonsense", "file", "later", "rows"])
def test_a_damaged_backup_changes_nothing(full: Membership, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "kept.tar"
    run("backup", str(path))
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:6000])
    elif damage == "nonsense":
        path.write_bytes(b"nonsense" * 500)
    else:
        rewrite(path, damage)
    empty()
    with pytest.raises(CommandError, match="cannot be restored"):
        run("restore", str(path))
    assert {name: len(found) for name, found in rows().items()} == {
        archive.label(m): 0 for m in archive.MODELS
    }


def rewrite(path: Path, damage: str) -> None:
    with tarfile.open(path) as old:
        members = [(m, old.extractfile(m).read()) for m in old.getmembers()]  # type: ignore[union-attr]
    with tarfile.open(path, "w") as new:
        for member, data in members:
            if damage == "file" and member.name.startswith("files/"):
                data = bytes(len(data))
            if damage == "later" and member.name == archive.MANIFEST:
                data = json.dumps({**json.loads(data), "format": 99}).encode()
            if damage == "rows" and member.name.endswith("generation.jsonl"):
                data = data[: len(data) // 2]
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))


def test_nobody_who_writes_waits_for_a_backup(full: Membership, tmp_path: Path) -> None:
    from generations.management.commands.backup import _one_moment

    with _one_moment():
        before = Generation.objects.count()
        elsewhere(lambda: Generation.objects.all().update(title="Changed meanwhile"))
        assert Generation.objects.filter(title="Changed meanwhile").count() == 0, "it sees one moment"
        assert Generation.objects.count() == before
    assert not connection.in_atomic_block
    with transaction.atomic():
        assert Generation.objects.filter(title="Changed meanwhile").count() == before


def elsewhere(work: Callable[[], Any]) -> None:
    """Runs it on a connection of its own and waits for it."""
    import threading

    def other() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), "it waits for the backup"
