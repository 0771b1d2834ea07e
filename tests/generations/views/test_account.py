"""The page of an account: who sees what of it, and that nothing of it has to be there."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership
from generations.models import AccountAnswer, AccountSnapshot, Connection
from generations.models.connection import HOSTS

SAID: dict[str, Any] = {
    "account": {"balance": "812.34", "coins": "120", "running": 2, "currency": "CNY", "api_type": "SHARED"},
    "queue": {"limit": 51, "running": 2, "queued": 1, "total": 3, "key_type": "SHARED"},
    "keys": [
        {"end": "cdef", "name": "Studio", "is_own": False, "enabled": False, "quota": None, "used": "7.77"}
    ],
    "faults": {},
}


@pytest.fixture
def own(alice: Membership) -> Connection:
    one = Connection.objects.create(team=alice.team, name="Marketing", base_url=HOSTS["cn"], sealed_key="x")
    AccountAnswer.objects.create(connection=one, said=SAID, asked_at=timezone.now() - timedelta(hours=1))
    return one


def page_of(one: Connection, team: str = "tide") -> str:
    return f"/t/{team}/team/connections/{one.pk}/account/"


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def snap(one: Connection, days_ago: int, balance: str | None) -> None:
    moment = timezone.now() - timedelta(days=days_ago)
    AccountSnapshot.objects.create(
        connection=one,
        day=moment.date(),
        taken_at=moment,
        balance=None if balance is None else Decimal(balance),
        currency="CNY",
    )


def test_who_may(
    own: Connection, mona: Membership, bob: Membership, vera: Membership, zoe: Membership, client_of: Any,
    client: Client,
) -> None:  # fmt: skip
    for address, ask in ((page_of(own), "get"), (f"{page_of(own)}ask/", "post")):
        assert getattr(client_of(mona), ask)(address).status_code in (200, 302)
        for somebody in (bob, vera):
            assert getattr(client_of(somebody), ask)(address).status_code == 403
        assert getattr(client_of(zoe), ask)(address).status_code == 404
        assert getattr(client_of(zoe), ask)(address.replace("tide", "zoo")).status_code == 404
        assert "/accounts/login" in getattr(client, ask)(address)["Location"]


def test_it_shows_what_the_account_said(own: Connection, mona: Membership, client_of: Any) -> None:
    snap(own, 1, "820")
    snap(own, 0, "812.34")
    page = text(client_of(mona), page_of(own))
    for words in (
        "¥812.34",
        "120",
        "51",
        "…cdef",
        "switched off",
        "7.77",
        "enterprise, shared machines",
        "¥820.00",
    ):
        assert words in page, words
    assert "Balance by night" in page
    assert page_of(own) in text(client_of(mona), "/t/tide/team/connections/")


def test_of_an_account_of_several_teams_only_the_slots_are_shown(
    mona: Membership, zoe: Membership, client_of: Any
) -> None:
    shared = Connection.current()
    Connection.objects.filter(pk=shared.pk).update(balance="812.34")
    faults = {"keys": "No keys for you.", "queue": "No slots for you."}
    AccountAnswer.objects.create(connection=shared, said=SAID | {"faults": faults}, asked_at=timezone.now())
    snap(shared, 0, "812.34")
    page = text(client_of(mona), page_of(shared))
    main = page[page.index("<main") : page.index("</main>")]
    for secret in ("812.34", "cdef", "120", "7.77", "Studio", "No keys for you"):
        assert secret not in main, secret
    assert "pays for several teams" in main
    assert "51" in main
    assert "No slots for you" in main


def test_alone_on_the_shared_account_a_team_sees_it(mona: Membership, client_of: Any) -> None:
    shared = Connection.current()
    AccountAnswer.objects.create(connection=shared, said=SAID, asked_at=timezone.now())
    assert "812.34" in text(client_of(mona), page_of(shared))


@pytest.mark.parametrize(
    "said",
    [{}, {"account": None, "queue": [], "keys": {}}, {"faults": {"keys": "It is not told."}}, {"keys": [{}]}],
)
def test_nothing_of_it_has_to_be_there(
    said: dict[str, Any], own: Connection, mona: Membership, client_of: Any
) -> None:
    AccountAnswer.objects.update(said=said)
    page = text(client_of(mona), page_of(own))
    assert "not told" in page
    if "faults" in said:
        assert "It is not told." in page


def test_asking_is_once_and_the_page_looks_again(own: Connection, mona: Membership, client_of: Any) -> None:
    Connection.objects.filter(pk=own.pk).update(base_url=HOSTS["cn"])
    client = client_of(mona)
    assert "every 2s" not in text(client, page_of(own))
    assert client.post(f"{page_of(own)}ask/")["Location"] == page_of(own)
    assert AccountAnswer.objects.get().is_wanted
    assert "every 2s" in text(client, page_of(own))
    again = client.post(f"{page_of(own)}ask/", follow=True)
    assert "asked a moment ago" in again.content.decode()
    part = client.get(page_of(own), headers={"HX-Request": "true"}).content.decode()
    assert "<main" not in part
    assert 'id="account"' in part


def test_more_nights_cost_no_more_queries(own: Connection, mona: Membership, client_of: Any) -> None:
    client = client_of(mona)

    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            client.get(page_of(own))
        return len(captured)

    queries()
    snap(own, 0, "5")
    few = queries()
    for day in range(1, 50):
        snap(own, day, None if day % 3 else str(day))
    assert queries() == few
