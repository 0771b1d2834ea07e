"""LoRAs: uploaded by managers, given to RunningHub by the worker, listed by the name that inputs take."""

from __future__ import annotations

import hashlib
import io
import re
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection as database
from django.db import transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import DjangoAssertNumQueries

from accounts.models import ApiToken, AuditEntry, Membership
from generations import loras
from generations.catalogue import described
from generations.models import Connection, Heartbeat, Lora, TeamModel
from generations.pipeline import lend
from generations.sandbox import Sandbox
from tests.conftest import point_at
from tests.generations.foreign import WORKFLOW, Foreign, weights
from tests.generations.test_own_models_live import brought

BrowserOf = Callable[[Membership], Client]
PAGE = "/t/tide/team/loras/"


@pytest.fixture(autouse=True)
def pointed(sandbox: Sandbox, settings: Any) -> Sandbox:
    point_at(settings, sandbox.url)
    return sandbox


def file(data: bytes | None = None, name: str = "sea.safetensors") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, weights() if data is None else data)


def post(client: Client, data: bytes | None = None, name: str = "sea.safetensors", called: str = "") -> Any:
    return client.post(PAGE, {"file": file(data, name), "name": called})


def stored() -> list[str]:
    folder = Path(default_storage.location) / "loras"  # type: ignore[attr-defined]
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_a_manager_uploads_one_and_learns_its_name(mona: Membership, client_of: BrowserOf) -> None:
    browser = client_of(mona)
    answer = browser.post(PAGE, {"file": file(), "name": "Sea at night"}, follow=True)
    assert "on its way to RunningHub" in answer.content.decode()
    assert 'hx-trigger="every 3s"' in answer.content.decode()
    lora = Lora.objects.get()
    assert len(stored()) == 1
    assert lend.lend(lora.pk)
    assert not lend.lend(lora.pk), "it is given once"
    page = browser.get(PAGE).content.decode()
    digest = hashlib.md5(weights(), usedforsecurity=False).hexdigest()
    assert f"api-lora-cn/{digest}.safetensors" in page
    assert "Sea at night" in page
    assert "hx-trigger" not in page.partition('id="loras"')[2].partition("<ul")[0]
    assert stored() == [], "RunningHub has it, so nothing of it is kept here"
    entry = AuditEntry.objects.get(action="lora.given")
    assert (entry.actor, entry.subject, entry.after["md5"]) == (mona.user, "Sea at night", digest)
    part = browser.get(PAGE, headers={"HX-Request": "true"}).content.decode()
    assert part.startswith('<div class="stack stack--s" id="loras"')


def test_who_may(
    mona: Membership, bob: Membership, zoe: Membership, client_of: BrowserOf, client: Client
) -> None:
    post(client_of(mona))
    pk = Lora.objects.get().pk
    for path in (PAGE, f"{PAGE}{pk}/again/", f"{PAGE}{pk}/remove/"):
        assert client_of(bob).post(path).status_code == 403
        assert client_of(zoe).post(path).status_code == 404
        assert client_of(zoe).post(path.replace("tide", "zoo")).status_code in (404, 422)
        assert client.post(path).status_code == 302
    assert client_of(bob).get(PAGE).status_code == 403
    assert "sea" not in client_of(zoe).get("/t/zoo/team/loras/").content.decode()
    assert Lora.objects.count() == 1


def test_a_double_click_is_one_file(mona: Membership, client_of: BrowserOf) -> None:
    browser = client_of(mona)
    post(browser)
    said = browser.post(PAGE, {"file": file(), "name": "Other"}, follow=True).content.decode()
    assert "This file is there already, as “sea”." in said
    assert (Lora.objects.count(), len(stored()), AuditEntry.objects.filter(action="lora.given").count()) == (
        1,
        1,
        1,
    )


BAD = {
    "empty": b"",
    "short": b"\x00" * 7,
    "no header": b"\x00" * 100,
    "a zip": b"PK\x03\x04" + b"\x00" * 500,
    "longer than it is": (10**6).to_bytes(8, "little") + b"{}",
    "longer than any": (2**63).to_bytes(8, "little") + b"{}" * 50,
    "no JSON": (8).to_bytes(8, "little") + b"{nothing" + b"\x00" * 50,
    "no object": (4).to_bytes(8, "little") + b"[[]]" + b"\x00" * 50,
    "deep": (90_000).to_bytes(8, "little") + b'{"a":' + b"[" * 89_995,
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_what_is_no_lora_is_refused_and_the_form_comes_back(
    data: bytes, mona: Membership, client_of: BrowserOf
) -> None:
    answer = post(client_of(mona), data, called="My sea")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "This is no safetensors file" in page or "Choose a file" in page
    assert 'value="My sea"' in page
    assert not Lora.objects.exists()
    assert stored() == []


def test_other_names_and_sizes_are_refused(mona: Membership, client_of: BrowserOf, settings: Any) -> None:
    browser = client_of(mona)
    assert "Only a .safetensors file" in post(browser, name="sea.zip").content.decode()
    assert "at most 80 characters" in post(browser, called="n" * 81).content.decode()
    assert post(browser, called="a\x00b").status_code == 422
    assert browser.post(PAGE, {"name": "x"}).status_code == 422
    assert browser.post(PAGE, {"file": "text"}).status_code == 422
    settings.MAX_UPLOAD_BYTES = 2000
    answer = post(browser)
    assert (answer.status_code, "Choose a smaller one" in answer.content.decode()) == (422, True)
    answer = browser.post(
        PAGE, b"x", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH="99999999"
    )
    assert (answer.status_code, "Choose a smaller one" in answer.content.decode()) == (413, True)
    assert browser.post(PAGE, b"x", content_type="multipart/form-data").status_code == 400
    assert not Lora.objects.exists()
    assert stored() == []


def test_the_form_needs_its_token(mona: Membership) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(mona.user)
    assert post(strict).status_code == 403
    assert not Lora.objects.exists()


def test_without_room_nothing_is_taken(mona: Membership, client_of: BrowserOf, settings: Any) -> None:
    settings.MIN_FREE_BYTES = 2**60
    answer = post(client_of(mona))
    assert (answer.status_code, "too little room" in answer.content.decode()) == (507, True)
    assert stored() == []


def test_what_runninghub_refuses_is_told_and_may_be_tried_again(
    pointed: Sandbox, mona: Membership, client_of: BrowserOf
) -> None:
    browser = client_of(mona)
    post(browser)
    lora = Lora.objects.get()
    pointed.script("lora", {"refuse": 301})
    assert not lend.lend(lora.pk)
    page = browser.get(PAGE).content.decode()
    assert "RunningHub would not take it (301)" in page
    assert len(stored()) == 1
    browser.post(f"{PAGE}{lora.pk}/again/")
    browser.post(f"{PAGE}{lora.pk}/again/")
    assert lend.lend(lora.pk)
    assert (
        "There is nothing to try again."
        in browser.post(f"{PAGE}{lora.pk}/again/", follow=True).content.decode()
    )


def test_a_wire_that_fails_is_tried_a_few_times(pointed: Sandbox, mona: Membership) -> None:
    lora, _made = loras.keep(mona.team, mona.user, file(), "")
    pointed.script("lora", *["lost"] * 10)
    for _ in range(2):
        assert not lend.lend(lora.pk)
        lora.refresh_from_db()
        assert lora.is_waiting
    assert not lend.lend(lora.pk)
    lora.refresh_from_db()
    assert (lora.state, lora.sentence[:34]) == ("failed", "It could not be sent to RunningHub")


def test_what_a_killed_worker_left_goes_on_and_ends(mona: Membership) -> None:
    lora, _made = loras.keep(mona.team, mona.user, file(), "")
    long_ago = timezone.now() - timedelta(hours=1)
    assert lora.take()
    assert not lend.lend(lora.pk), "somebody is at it"
    Lora.objects.update(lease_until=long_ago, asked_at=long_ago)
    lend.tend()
    assert lend.lend(lora.pk)
    other, _made = loras.keep(mona.team, mona.user, file(weights(500)), "")
    Lora.objects.filter(pk=other.pk).update(tries=lend.TRIES, asked_at=long_ago)
    lend.tend()
    other.refresh_from_db()
    assert (other.state, other.sentence) == ("failed", "It took too long to send it to RunningHub.")


def rung() -> list[int]:
    """The LoRAs that the queue was asked to give, in order."""
    tasks = [message.task for message in OrmQ.objects.order_by("pk")]
    return [task["args"][0] for task in tasks if task["func"] == "generations.tasks.lend"]


def test_one_goes_out_at_a_time_and_rings_for_the_next(mona: Membership) -> None:
    first, second = (loras.keep(mona.team, mona.user, file(weights(size)), "")[0] for size in (400, 500))
    OrmQ.objects.all().delete()
    assert Heartbeat.take("lender", "another host", stale_after=lend.STALE)
    assert not lend.lend(first.pk)
    lend.tend()
    first.refresh_from_db()
    assert (first.tries, first.is_waiting, rung()) == (0, True, [])
    Heartbeat.leave("lender", "another host")
    assert lend.lend(first.pk)
    assert rung() == [second.pk]
    assert lend.lend(second.pk)
    assert rung() == [second.pk], "nothing waits any more"


def test_a_ring_that_was_lost_is_made_good_for_one_at_a_time(mona: Membership) -> None:
    for size in (400, 500):
        loras.keep(mona.team, mona.user, file(weights(size)), "")
    OrmQ.objects.all().delete()
    lend.tend()
    assert rung() == []
    Lora.objects.update(asked_at=timezone.now() - timedelta(hours=1))
    lend.tend()
    assert rung() == [Lora.objects.order_by("pk").first().pk]  # type: ignore[union-attr]


def test_what_is_being_sent_says_that_the_worker_is_alive(mona: Membership) -> None:
    lora, _made = loras.keep(mona.team, mona.user, file(), "")
    assert lend.lend(lora.pk)
    assert Heartbeat.is_fresh("lender", lend.STALE) is False, "the next may begin at once"
    Heartbeat.objects.all().delete()
    sending = lend.Sending(io.BytesIO(b"abc"), "me", time.monotonic() + 60, every=0)
    before = None
    for _ in range(3):
        assert len(sending.read(1)) == 1
        assert Heartbeat.is_fresh("lender", lend.STALE)
        beat = Heartbeat.last("worker")
        assert beat is not None
        assert before is None or beat > before
        before = beat
    assert not Heartbeat.take("lender", "another", stale_after=lend.STALE)
    seldom = lend.Sending(io.BytesIO(b"abc"), "me", time.monotonic() + 60)
    seldom.read(1)
    before = Heartbeat.last("worker")
    seldom.read(1)
    assert Heartbeat.last("worker") == before, "not with each block"


def test_a_line_that_is_too_slow_is_told_and_not_tried_again_by_itself(
    mona: Membership, client_of: BrowserOf, settings: Any
) -> None:
    lora, _made = loras.keep(mona.team, mona.user, file(), "")
    assert not lend.lend(lora.pk, seconds=-1)
    lora.refresh_from_db()
    assert lora.state == "failed"
    assert lora.sentence.startswith("The line of this portal is too slow for it")
    assert "upload a smaller file" in lora.sentence
    assert len(stored()) == 1, "for trying again"
    page = client_of(mona).get(PAGE).content.decode()
    assert "within 220 seconds" in page.partition('id="lora-file-help"')[2]
    assert settings.Q_CLUSTER["timeout"] > Lora.SENT_WITHIN + 10


def test_a_file_that_is_gone_is_told(mona: Membership) -> None:
    lora, _made = loras.keep(mona.team, mona.user, file(), "")
    default_storage.delete(lora.file.name)
    assert not lend.lend(lora.pk)
    lora.refresh_from_db()
    assert (lora.state, lora.file.name, "Upload it again" in lora.sentence) == ("failed", "", True)
    assert not loras.again(lora)
    again, made = loras.keep(mona.team, mona.user, file(), "")
    assert made
    assert lend.lend(again.pk)
    assert Lora.objects.count() == 1


def test_it_is_taken_off_the_list(mona: Membership, client_of: BrowserOf) -> None:
    browser = client_of(mona)
    post(browser)
    lora = Lora.objects.get()
    assert lora.take()
    assert "being given just now" in browser.post(f"{PAGE}{lora.pk}/remove/", follow=True).content.decode()
    Lora.objects.update(lease_until=None)
    browser.post(f"{PAGE}{lora.pk}/remove/")
    assert browser.post(f"{PAGE}{lora.pk}/remove/").status_code == 404
    assert not Lora.objects.exists()
    assert stored() == []
    assert AuditEntry.objects.filter(action="lora.removed").count() == 1


def test_the_names_are_offered_where_an_input_takes_one(
    mona: Membership, client_of: BrowserOf, settings: Any
) -> None:
    with Foreign() as foreign:
        foreign.graph["11"] = {"class_type": "RHLoraLoader", "inputs": {"lora_name": "none", "strength": 1.0}}
        point_at(settings, foreign.url)
        model = brought(mona, "workflow", WORKFLOW)
        connection = Connection.of(mona.team)
        row = {"team": mona.team, "connection": connection, "bytes": 1, "state": "given"}
        Lora.objects.create(**row, name="Sea", digest="1", upstream_name="api-lora-cn/1.safetensors")
        page = client_of(mona).post(
            reverse("own_model", args=["tide", model.pk]),
            {"way": "take", **ticked(client_of(mona), model.pk)},
        )
    text = page.content.decode()
    assert '<datalist id="loras"><option value="api-lora-cn/1.safetensors">Sea</option></datalist>' in text
    assert text.count('list="loras"') == 1


def test_a_choice_of_loras_takes_one_of_the_team_as_a_text(mona: Membership, client_of: BrowserOf) -> None:
    told = {"nodeId": "5", "nodeName": "RHLoraLoader", "fieldName": "lora_name", "fieldValue": "none"}
    facts = described.of_app([told | {"fieldType": "LIST", "fieldData": '["none", "theirs"]'}])
    found = {"title": "X", "facts": facts}
    by = {"added_by": mona.user, "asked_by": mona.user}
    model = TeamModel.objects.create(
        team=mona.team, source="app", upstream="1", slug="ai-app--1", state="found", found=found, **by
    )
    row = {"team": mona.team, "connection": Connection.of(mona.team), "bytes": 1, "state": "given"}
    Lora.objects.create(**row, name="Sea", digest="1", upstream_name="api-lora-cn/1.safetensors")
    browser = client_of(mona)
    page = reverse("own_model", args=["tide", model.pk])
    opened = ticked(browser, model.pk) | {"title": "X", "kind": "picture", "use-0": "ask", "label-0": "L"}

    def shown(**said: str) -> str:
        text = browser.post(page, opened | {"way": "take"} | said).content.decode()
        return text.partition('for="start-0"')[2].partition("</div>\n  <div")[0]

    assert '<option value="theirs">' in shown()
    for kind in ("STRING", "VOICE"):
        part = shown(**{"type-0": kind})
        assert "theirs" not in part
        assert ('list="loras"' in part) is (kind == "STRING")
    chosen = opened | {"type-0": "STRING", "start-0": "api-lora-cn/1.safetensors", "use-0": "fix"}
    assert browser.post(page, chosen).status_code == 302


def ticked(client: Client, pk: int) -> dict[str, str]:
    """All inputs opened."""
    page = client.get(reverse("own_model", args=["tide", pk])).content.decode()
    places = page.partition('name="places" value="')[2].partition('"')[0]
    mark = page.partition('name="mark" value="')[2].partition('"')[0]
    return {"places": places, "mark": mark} | {f"take-{n}": "1" for n in range(30)}


def test_programs_do_the_same(mona: Membership, bob: Membership, zoe: Membership) -> None:
    def calls(by: Membership) -> Any:
        return Client(headers={"Authorization": f"Bearer {ApiToken.issue(by)}"})

    program = calls(mona)
    made = program.post("/api/v1/loras", {"file": file(), "name": "Sea"})
    assert made.status_code == 201, made.content
    shown = made.json()
    assert (shown["state"], shown["upstream_name"], shown["added_by"]) == ("waiting", "", mona.user.email)
    assert made["Location"].endswith(f"/api/v1/loras/{shown['id']}")
    assert program.post("/api/v1/loras", {"file": file()}).status_code == 200
    assert lend.lend(shown["id"])
    one = f"/api/v1/loras/{shown['id']}"
    assert program.get(one).json()["upstream_name"].startswith("api-lora-cn/")
    assert [row["id"] for row in program.get("/api/v1/loras").json()["items"]] == [shown["id"]]
    assert program.post(f"{one}/again").status_code == 409
    assert program.post("/api/v1/loras", {"file": file(b"nothing")}).json()["errors"] is not None
    for data in ({"file": file(b"nothing")}, {"name": "x"}, {"file": file(), "name": "n" * 500}):
        assert program.post("/api/v1/loras", data).status_code == 422
    assert program.post("/api/v1/loras", b"{}", content_type="application/json").status_code in (
        400,
        415,
        422,
    )
    assert calls(bob).get("/api/v1/loras").status_code == 403
    assert calls(zoe).get("/api/v1/loras").json()["items"] == []
    assert calls(zoe).post(f"{one}/delete").status_code == 404
    assert program.post(f"{one}/delete").status_code == 204
    assert program.get(one).status_code == 404


def test_a_list_of_many_takes_as_many_queries_as_one_of_few(
    mona: Membership, client_of: BrowserOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    connection = Connection.of(mona.team)
    browser = client_of(mona)

    def some(first: int, many: int) -> None:
        row = {"team": mona.team, "connection": connection, "bytes": 1, "added_by": mona.user}
        Lora.objects.bulk_create(Lora(**row, name=f"L{n}", digest=str(n)) for n in range(first, many))

    some(0, 2)
    browser.get(PAGE)
    with CaptureQueriesContext(database) as asked:
        browser.get(PAGE)
    some(2, 60)
    with django_assert_num_queries(len(asked)):
        browser.get(PAGE)


def test_one_of_another_connection_stays_in_sight_and_can_be_removed(
    mona: Membership, client_of: BrowserOf
) -> None:
    elsewhere = Connection.objects.create(
        team=mona.team, name="Former account", base_url="https://www.runninghub.cn", currency="CNY"
    )
    lora, _made = loras.keep(mona.team, mona.user, file(), "Left behind")
    Lora.objects.update(connection=elsewhere, state="failed")
    loras.keep(mona.team, mona.user, file(), "Here")
    given = {"team": mona.team, "connection": elsewhere, "bytes": 1, "state": "given"}
    Lora.objects.create(**given, name="There", digest="1", upstream_name="api-lora-cn/1")
    assert loras.names(mona.team) == []
    browser = client_of(mona)
    page = browser.get(PAGE).content.decode()
    assert page.count("It belongs to Former account, which the team does not use now") == 2
    assert page.index("Here") < page.index("There") < page.index("Left behind")
    program = Client(headers={"Authorization": f"Bearer {ApiToken.issue(mona)}"})
    told = [(one["name"], one["at_hand"]) for one in program.get("/api/v1/loras").json()["items"]]
    assert told == [("Here", True), ("There", False), ("Left behind", False)]
    assert len(stored()) == 2
    browser.post(f"{PAGE}{lora.pk}/remove/")
    assert not Lora.objects.filter(pk=lora.pk).exists()
    assert len(stored()) == 1


def test_a_file_that_failed_goes_only_with_its_row(
    mona: Membership, django_capture_on_commit_callbacks: Any
) -> None:
    old, _made = loras.keep(mona.team, mona.user, file(), "")
    Lora.objects.update(state="failed")
    with suppress(ZeroDivisionError), transaction.atomic():
        loras.keep(mona.team, mona.user, file(), "")
        raise ZeroDivisionError
    assert Lora.objects.get() == old
    assert default_storage.exists(old.file.name)
    with django_capture_on_commit_callbacks(execute=True):
        new, made = loras.keep(mona.team, mona.user, file(), "")
    assert made
    assert not default_storage.exists(old.file.name)
    assert default_storage.exists(new.file.name)


def test_each_button_is_known_again_when_the_list_comes_anew(mona: Membership, client_of: BrowserOf) -> None:
    for size in (400, 500):
        loras.keep(mona.team, mona.user, file(weights(size)), "")
    Lora.objects.filter(bytes__gt=Lora.objects.order_by("pk")[0].bytes).update(state="failed")
    part = client_of(mona).get(PAGE, headers={"HX-Request": "true"}).content.decode()
    buttons = re.findall(r"<(?:button|a) [^>]*>", part)
    names = [re.findall(r' id="([^"]+)"', one) for one in buttons]
    assert len(buttons) == 4
    assert all(names)
    assert len({one[0] for one in names}) == 4


def test_there_is_an_end_of_them(mona: Membership) -> None:
    row = {"team": mona.team, "connection": Connection.of(mona.team), "bytes": 1}
    Lora.objects.bulk_create(Lora(**row, name="L", digest=str(n)) for n in range(loras.MOST))
    with pytest.raises(loras.NotTaken, match="200"):
        loras.keep(mona.team, mona.user, file(), "")
    assert stored() == []
