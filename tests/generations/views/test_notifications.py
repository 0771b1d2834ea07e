"""What a person was told, the number beside their name, and how they want to be told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import notify
from accounts.models import Membership, Notification, Telling

Clients = Callable[[Membership], Client]
PAGE = "/notifications/"
HOW = "/notifications/settings/"


def tell(whose: Membership, title: str = "“Rain” is finished", link: str = "/t/tide/library/") -> None:
    notify.tell(whose.user, "finished", title, team=whose.team, link=link)


def unread(client: Client) -> int:
    return int(client.get("/t/tide/usage/").context["unread_count"]())


def test_one_sees_ones_own_across_teams(
    bob: Membership, carol: Membership, zoe: Membership, client: Client, client_of: Clients
) -> None:
    abroad = Membership.objects.create(team=zoe.team, user=bob.user)
    tell(bob, "Here")
    tell(abroad, "Abroad")
    tell(carol, "Hers")
    html = client_of(bob).get(PAGE).content.decode()
    assert "Here" in html
    assert "Abroad" in html
    assert "Hers" not in html
    for path in (PAGE, HOW):
        assert client.get(path)["Location"].startswith("/accounts/login/")


def test_opening_one_marks_it_and_leads_there(bob: Membership, carol: Membership, client_of: Clients) -> None:
    tell(bob)
    tell(bob, "Another", link="")
    client = client_of(bob)
    assert unread(client) == 2
    assert "2<span" in client.get("/t/tide/usage/").content.decode()
    first = Notification.objects.get(link="/t/tide/library/")
    path = f"{PAGE}{first.pk}/read/"
    assert client_of(carol).post(path).status_code == 404
    assert client.post(path)["Location"] == "/t/tide/library/"
    assert unread(client) == 1
    assert client.post(f"{PAGE}{Notification.objects.get(link='').pk}/read/")["Location"] == PAGE
    assert unread(client) == 0


def test_all_are_marked_at_once(bob: Membership, carol: Membership, client_of: Clients) -> None:
    for whose in (bob, bob, carol):
        tell(whose)
    client = client_of(bob)
    client.post(f"{PAGE}read/")
    assert unread(client) == 0
    assert unread(client_of(carol)) == 1


def test_older_ones_are_a_page_away_and_cost_the_same(bob: Membership, client_of: Clients) -> None:
    client = client_of(bob)

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(path).status_code == 200
        return len(asked)

    tell(bob, "The very first")
    client.get(PAGE)
    few = queries(PAGE)
    for n in range(55):
        tell(bob, f"Number {n}")
    assert queries(PAGE) == few
    assert "The very first" not in client.get(PAGE).content.decode()
    older = client.get(PAGE).context["older"]
    assert "The very first" in client.get(PAGE, {"cursor": older}).content.decode()
    assert client.get(PAGE, {"cursor": "x"}).status_code == 200


def test_how_one_is_told_is_kept(bob: Membership, client_of: Clients) -> None:
    client = client_of(bob)
    assert Telling.of(bob.user).time_zone == "UTC"
    type(bob.team).objects.filter(pk=bob.team_id).update(time_zone="Asia/Tokyo")
    assert 'value="Asia/Tokyo"' in client.get(HOW).content.decode()
    assert 'name="finished" value="app" id="id_finished_0" checked' in client.get(HOW).content.decode()
    posted = {"finished": ["mail"], "granted": ["app", "mail"], "quiet_from": "22:00", "quiet_until": "07:00"}
    assert client.post(HOW, posted | {"time_zone": "Europe/Berlin"}).status_code == 302
    kept = Telling.of(bob.user)
    assert kept.ways("finished") == {"mail"}
    assert kept.ways("failed") == frozenset()
    assert (str(kept.quiet_from), kept.time_zone) == ("22:00:00", "Europe/Berlin")
    assert client.post(HOW, {}).status_code == 302
    assert Telling.of(bob.user).quiet_from is None


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        ({"quiet_from": "22:00"}, "Write both times, or neither."),
        ({"quiet_until": "late", "quiet_from": "22:00"}, "Write a time such as 07:00."),
        ({"time_zone": "Atlantis"}, "This is no time zone"),
        ({"finished": ["pigeon"]}, "pigeon"),
    ],
)
def test_what_makes_no_sense_comes_back(
    bob: Membership, client_of: Clients, posted: dict[str, object], said: str
) -> None:
    answer = client_of(bob).post(HOW, posted)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Telling.objects.exists()
