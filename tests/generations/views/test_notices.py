"""A notice stands on every page of a team until its time is over or somebody put it away."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Membership, Notice

Clients = Callable[[Membership], Client]
PAGE = "/t/tide/team/notices/"
SOMEWHERE = "/t/tide/usage/"
NEW = {"text": "Rehearsal at noon", "level": "warn"}


def shows(client: Client, text: str = "Rehearsal at noon", path: str = SOMEWHERE) -> bool:
    return text in client.get(path).content.decode()


def test_a_manager_posts_one_and_takes_it_down(
    mona: Membership, bob: Membership, zoe: Membership, client_of: Clients
) -> None:
    manager, member = client_of(mona), client_of(bob)
    assert manager.post(PAGE, NEW).status_code == 302
    assert shows(member)
    assert not shows(client_of(zoe), path="/t/zoo/usage/")
    posted = AuditEntry.objects.get(action="notice.posted")
    assert (posted.subject, posted.actor) == ("Rehearsal at noon", mona.user)
    end = f"{PAGE}{Notice.objects.get().pk}/end/"
    for one, code in ((bob, 403), (zoe, 404), (mona, 302), (mona, 302)):
        assert client_of(one).post(end).status_code == code
    assert not shows(member)
    assert AuditEntry.objects.filter(action="notice.ended").count() == 1
    assert "Over" in manager.get(PAGE).content.decode()


def test_it_stands_in_its_time_on_the_clock_of_the_team(mona: Membership, client_of: Clients) -> None:
    type(mona.team).objects.update(time_zone="Asia/Shanghai")
    client = client_of(mona)
    client.post(PAGE, NEW | {"since": "2031-05-01T09:00", "until": "2031-05-01T10:00"})
    notice = Notice.objects.get()
    assert notice.since.isoformat() == "2031-05-01T01:00:00+00:00"
    assert not shows(client)
    assert "planned" in client.get(PAGE).content.decode()
    now = timezone.now()
    Notice.objects.update(since=now - timedelta(minutes=1), until=now + timedelta(minutes=1))
    assert shows(client)
    Notice.objects.update(until=now)
    assert not shows(client)


def test_each_person_puts_it_away_for_themselves(
    bob: Membership, carol: Membership, zoe: Membership, client_of: Clients
) -> None:
    notice = Notice.objects.create(team=bob.team, text="Rehearsal at noon")
    path = f"/notices/{notice.pk}/dismiss/"
    client = client_of(bob)
    assert client.post(path, {"next": SOMEWHERE})["Location"] == SOMEWHERE
    assert client.post(path, {"next": "https://elsewhere.example/"})["Location"] == "/"
    assert not shows(client)
    assert shows(client_of(carol))
    assert client_of(zoe).post(path).status_code == 404


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        ({"text": ""}, "Write what to say."),
        ({"until": "2001-01-01T00:00"}, "over before it begins"),
        ({"since": "2031-05-01T09:00", "until": "2031-05-01T08:00"}, "over before it begins"),
        ({"since": "soon"}, "Write a day and a time."),
        ({"text": "x" * 501}, "at most 500"),
    ],
)
def test_what_makes_no_sense_comes_back_filled(
    mona: Membership, client_of: Clients, posted: dict[str, Any], said: str
) -> None:
    answer = client_of(mona).post(PAGE, NEW | posted)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Notice.objects.exists()


def test_a_team_has_only_so_many(mona: Membership, client_of: Clients) -> None:
    Notice.objects.bulk_create(Notice(team=mona.team, text=f"Number {n}") for n in range(20))
    answer = client_of(mona).post(PAGE, NEW)
    assert answer.status_code == 422
    assert "too many notices" in answer.content.decode()


def test_the_whole_portal_has_one_by_command(bob: Membership, zoe: Membership, client_of: Clients) -> None:
    def run(*given: str) -> str:
        said = io.StringIO()
        call_command("set_notice", *given, stdout=said)
        return said.getvalue()

    run("Rehearsal at noon", "--level=warn")
    assert "already" in run("Rehearsal at noon", "--level=warn")
    assert shows(client_of(bob))
    assert shows(client_of(zoe), path="/t/zoo/usage/")
    assert shows(client_of(bob), path="/notifications/")
    assert client_of(bob).post(f"{PAGE}{Notice.objects.get().pk}/end/").status_code == 403
    assert client_of(zoe).post(f"/t/zoo/team/notices/{Notice.objects.get().pk}/end/").status_code == 404
    assert run("--end") == "Took 1 down.\n"
    assert not shows(client_of(bob))
    for wrong in (["--until=2001-01-01"], ["--from=soon"], ["--end"]):
        with pytest.raises(CommandError):
            run("Text", *wrong)
    with pytest.raises(CommandError):
        run()


def test_more_notices_cost_no_more_queries(bob: Membership, client_of: Clients) -> None:
    client = client_of(bob)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(SOMEWHERE)
        return len(asked)

    client.get(SOMEWHERE)
    none = queries()
    Notice.objects.create(team=bob.team, text="One", by=bob.user)
    few = queries()
    assert few == none + 1
    Notice.objects.bulk_create(Notice(team=bob.team, text=f"Number {n}", by=bob.user) for n in range(9))
    assert queries() == few
