"""The page of the audit trail, and that each deed there is leaves an entry."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Membership, Role, User, audit
from generations import connections
from generations.models import Connection, ConnectionKey, Inquiry, State, Voice
from generations.models.connection import HOSTS

Clients = Callable[[Membership], Client]
PAGE = "/t/tide/audit/"
FILE = f"{PAGE}trail.csv"
KEY = "0123456789abcdef0123456789abcdef"


def latest(deed: str) -> AuditEntry:
    return AuditEntry.objects.filter(action=deed).latest("pk")


def rows(client: Client, **asked: str) -> list[list[str]]:
    answer = client.get(FILE, asked)
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.getvalue().decode())))


def test_only_managers_read_it(
    alice: Membership, mona: Membership, bob: Membership, vera: Membership, zoe: Membership,
    client: Client, client_of: Clients,
) -> None:  # fmt: skip
    for path in (PAGE, FILE):
        for one, code in ((alice, 200), (mona, 200), (bob, 403), (vera, 403), (zoe, 404)):
            answer = client_of(one).get(path)
            assert answer.status_code == code
            if answer.streaming:
                answer.getvalue()
        assert client.get(path)["Location"].startswith("/accounts/login/")


def test_it_tells_who_did_what_to_whom_and_from_where(
    mona: Membership, bob: Membership, zoe: Membership, client_of: Clients
) -> None:
    client = client_of(mona)
    client.post(
        f"/t/tide/team/members/{bob.pk}/role/", {"role": "viewer"}, headers={"User-Agent": "Firefox 128"}
    )
    audit.note("settings.changed", team=zoe.team, by=zoe.user, subject="Of another team")
    audit.note("sign_in.failed", team=None, subject="Of no team")
    times = {"since": datetime(2026, 6, 1, 22, 30, tzinfo=UTC), "until": None}
    type(bob.team).objects.filter(pk=bob.team.pk).update(time_zone="Europe/Berlin")
    audit.note("notice.posted", team=bob.team, by=mona.user, after=times)
    html = " ".join(client.get(PAGE).content.decode().split())
    assert ">Mona</span> changed a role" in html
    assert "bob@example.com" in html
    assert "Member <span" in html
    assert "127.0.0.1" in html
    assert "Firefox 128" in html
    assert "2 Jun 2026 00:30" in html
    assert "until" not in html.partition("<ol")[2].partition("</li>")[0]
    assert "Of another team" not in html
    assert "Of no team" not in html


@pytest.mark.thorough
def test_it_is_searched_by_person_deed_word_and_span(
    mona: Membership, bob: Membership, carol: Membership, client_of: Clients
) -> None:
    audit.note("role.changed", team=bob.team, by=mona.user, person=bob.user, reason="Alto")
    audit.note("token.made", team=bob.team, by=mona.user, person=carol.user, reason="Bass")
    old = AuditEntry(team=bob.team, action="team.made", reason="Choir", words="choir", via="command")
    old.at = datetime(2024, 5, 31, 22, 30, tzinfo=UTC)
    old.save()
    type(bob.team).objects.filter(pk=bob.team.pk).update(time_zone="Europe/Berlin")
    client = client_of(mona)

    def found(**asked: str) -> list[str]:
        html = client.get(PAGE, asked).content.decode()
        return [word for word in ("Alto", "Bass", "Choir") if f"“{word}”" in html]

    assert found() == ["Alto", "Bass", "Choir"]
    assert found(person=str(bob.user_id)) == ["Alto"]
    assert found(deed="token.made") == ["Bass"]
    assert found(q="CHOIR") == ["Choir"]
    assert found(until="2024-06-01") == ["Choir"]
    assert found(until="2024-05-31") == []
    assert found(since="2024-06-01", until="2024-06-01") == ["Choir"]
    assert found(person="nobody") == []
    assert found(since="a day", q="\x00") == ["Alto", "Bass", "Choir"]
    assert client.get(PAGE, {"cursor": "x"}).status_code == 302


def test_the_csv_is_exactly_what_is_shown(mona: Membership, bob: Membership, client_of: Clients) -> None:
    audit.note("role.changed", team=bob.team, by=mona.user, person=bob.user, before={"role": "member"},
               after={"role": "viewer"}, reason="=1+1")  # fmt: skip
    audit.note("token.made", team=bob.team, by=mona.user, person=bob.user)
    client = client_of(mona)
    head, *found = rows(client, deed="role.changed")
    assert len(found) == 1
    line = dict(zip(head, found[0], strict=True))
    assert line["Who"] == "Mona"
    assert line["What"] == "changed a role"
    assert (line["Before"], line["After"]) == ("role: Member", "role: Viewer")
    assert line["Why"] == "'=1+1"
    assert latest("audit.exported").after == {"deed": "role.changed"}
    assert len(rows(client)) == 4  # the head, both, and that it was taken before


def test_old_entries_cost_what_new_ones_cost(mona: Membership, bob: Membership, client_of: Clients) -> None:
    client = client_of(mona)

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(path).status_code == 200
        return len(asked)

    audit.note("role.changed", team=bob.team, by=mona.user, person=bob.user, reason="the first")
    client.get(PAGE)
    few = queries(PAGE)
    for n in range(60):
        someone = User.objects.create_user(f"p{n}@example.com")
        audit.note("token.made", team=bob.team, by=someone, person=someone)
    assert queries(PAGE) == few
    html = client.get(PAGE).content.decode()
    assert "the first" not in html
    older = html.partition("?q=&amp;")[2].partition('"')[0].replace("&amp;", "&")
    assert queries(f"{PAGE}?q=&{older}") == few
    assert "the first" in client.get(f"{PAGE}?q=&{older}").content.decode()


# Each deed leaves its entry, in the transaction that does it


def test_people_and_settings(alice: Membership, bob: Membership, client_of: Clients) -> None:
    client = client_of(alice)
    client.post("/t/tide/team/add/", {"email": "dora@example.com", "name": "Dora", "role": "member"})
    added = latest("member.joined")
    assert (added.actor, added.subject, added.after) == (
        alice.user, "dora@example.com", {"role": "member", "how": "added"}
    )  # fmt: skip
    client.post(f"/t/tide/team/members/{bob.pk}/role/", {"role": "manager"})
    changed = latest("role.changed")
    assert (changed.person, changed.before, changed.after) == (
        bob.user, {"role": "member"}, {"role": "manager"}
    )  # fmt: skip
    client.post(f"/t/tide/team/members/{bob.pk}/role/", {"role": "manager"})
    assert AuditEntry.objects.filter(action="role.changed").count() == 1
    settings = {"name": "Ebb", "time_zone": "UTC", "unknown_price": "refuse", "member_slots": ""}
    client.post("/t/tide/team/settings/", settings)
    assert latest("settings.changed").before == {"name": "Tide Tables"}
    assert not AuditEntry.objects.filter(action="second_factor.changed").exists()
    client.post("/t/tide/team/settings/", settings | {"needs_second_factor": "on"})
    assert latest("second_factor.changed").after == {"needs_second_factor": True}
    assert AuditEntry.objects.filter(action="settings.changed").count() == 1


def test_limits_by_form_and_by_command(alice: Membership, bob: Membership, client_of: Clients) -> None:
    client = client_of(alice)
    path = f"/t/tide/team/limits/member/{bob.pk}/"
    form = client.get(path).context["form"]
    posted = {f"{m}_{p}_mode": "inherit" for m, p in form.lines()} | {"action": "block"}
    client.post(path, posted | {"spend_week_mode": "limited", "spend_week_limit": "4.50"})
    entry = latest("allowance.changed")
    assert (entry.person, entry.actor) == (bob.user, alice.user)
    assert entry.subject == "bob@example.com: Spend per week"
    assert (entry.before, entry.after) == ({"limit": "inherit"}, {"limit": "4.5", "action": "block"})
    said = ["--team=tide", "--pool", "--measure=count", "--period=day"]
    call_command("set_allowance", *said, "--limit=9")
    call_command("set_allowance", *said, "--limit=9")
    by_command = AuditEntry.objects.filter(action="allowance.changed", via="command")
    assert [one.after for one in by_command] == [{"limit": "9", "action": "block"}]


@pytest.mark.django_db
def test_commands() -> None:
    call_command("create_team", "reef")
    call_command("create_team", "reef", "--name", "Reef")
    call_command("create_team", "reef", "--name", "Reef")
    call_command(
        "create_member", "eve@example.com", "--team=reef", "--role=owner", "--password=long enough 9"
    )
    call_command("create_member", "fay@example.com", "--team=reef", "--role=member")
    call_command("create_member", "fay@example.com", "--team=reef", "--role=manager")
    call_command("create_token", "fay@example.com", "--team=reef", "--name=Script")
    call_command("set_weight", "reef", "3")
    call_command("set_weight", "reef", "3")
    entries = list(AuditEntry.objects.order_by("pk"))
    assert [one.action for one in entries] == [
        "team.made", "member.added", "password.set", "member.added", "role.changed", "token.made", "weight.changed",
    ]  # fmt: skip
    assert {(one.via, one.actor, one.team.slug if one.team else "") for one in entries} == {
        ("command", None, "reef")
    }
    assert entries[-2].after == {"name": "Script", "scopes": ["read", "generate", "manage"]}
    assert (entries[-1].before, entries[-1].after) == ({"weight": 1}, {"weight": 3})


def test_keys_are_told_of_by_their_end_only(alice: Membership, client_of: Clients) -> None:
    one = connections.add(alice.team, alice.user, base_url=HOSTS["cn"], name="Own", key=KEY)
    assert latest("connection.added").after == {"name": "Own", "address": HOSTS["cn"], "key": "cdef"}
    assert connections.promote(ConnectionKey.objects.get())
    assert (latest("key.replaced").actor, latest("key.replaced").after) == (alice.user, {"key": "cdef"})
    connections.enter_key(one, alice.user, KEY[::-1])
    assert latest("key.entered").after == {"key": "3210"}
    assert connections.promote(ConnectionKey.objects.get(state=ConnectionKey.State.WAITING))
    assert latest("key.replaced").before == {"key": "cdef"}
    client = client_of(alice)
    client.post(f"/t/tide/team/connections/{one.pk}/use/")
    assert latest("connection.chosen").after["connection"]
    client.post("/t/tide/team/pause/", {"reason": "The invoice"})
    assert (latest("sending.paused").reason, latest("sending.paused").actor) == ("The invoice", alice.user)
    client.post("/t/tide/team/resume/")
    assert latest("sending.resumed").actor == alice.user
    client.post(f"/t/tide/team/connections/{Connection.shared_of(alice.team).pk}/use/")
    client.post(f"/t/tide/team/connections/{one.pk}/remove/")
    assert latest("connection.removed").before == {"key": "3210"}
    kept = " ".join(f"{one.words} {one.before} {one.after}" for one in AuditEntry.objects.all())
    assert KEY not in kept
    assert KEY[::-1] not in kept


def test_what_is_decided_about_a_lost_answer(
    mona: Membership, bob: Membership, client_of: Clients, make_generation: Any
) -> None:
    client = client_of(mona)

    def lost() -> str:
        made = make_generation(bob, status=State.UNCONFIRMED, title="Lost")
        return f"/t/tide/g/{made.pk}/resolve/"

    path = lost()
    client.post(path, {"action": "release"})
    client.post(path, {"action": "release"})
    released = AuditEntry.objects.get(action="case.released")
    assert (released.actor, released.person, released.subject) == (mona.user, bob.user, "Lost")
    assert released.after == {"state": "failed"}
    path = lost()
    client.post(path, {"action": "attach", "task": "4711"})
    assert latest("case.proposed").after == {"task": "4711"}
    Inquiry.objects.update(question="", answer="differs", task="4711")
    client.post(path, {"action": "insist", "task": "4711"})
    assert latest("case.attached").after == {"task": "4711", "state": "running"}


def test_the_rights_of_a_voice(
    bob: Membership, carol: Membership, client_of: Clients, make_voice: Callable[..., Voice]
) -> None:
    voice = make_voice(bob, consent_at=None)
    client = client_of(bob)
    page = f"/t/tide/voices/{voice.pk}/change/"
    client.post(page, {"action": "consent", "speaker": "Ada", "consent": "on"})
    assert latest("voice.consent").after == {"speaker": "Ada"}
    client.post(page, {"action": "audience", "audience": "some", "members": [str(carol.user_id)]})
    assert latest("voice.opened").after == {"audience": "some", "people": ["carol@example.com"]}
    client.post(page, {"action": "archive"})
    client.post(page, {"action": "restore"})
    assert latest("voice.archived").subject == latest("voice.restored").subject == "Harbour"
    client.post(page, {"action": "hand", "owner": str(carol.pk)})
    given = latest("voice.handed_over")
    assert (given.before, given.after) == ({"owner": "bob@example.com"}, {"owner": "carol@example.com"})
    assert (given.actor, given.person, given.team) == (bob.user, carol.user, bob.team)


def test_what_is_refused_is_no_deed(mona: Membership, alice: Membership, client_of: Clients) -> None:
    assert (
        client_of(mona).post(f"/t/tide/team/members/{alice.pk}/role/", {"role": Role.MEMBER}).status_code
        == 403
    )
    assert not AuditEntry.objects.exists()
