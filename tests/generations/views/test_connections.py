"""The pages of connections: who sees which, who may do what, and that no key is ever shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Allowance, Measure, Membership, Mode, Period, Scope, Team
from generations import connections
from generations.models import Connection, ConnectionKey, State, sealing
from generations.models.connection import HOSTS, key_digest

KEY = "0123456789abcdef0123456789abcdef"
PAGE = "/t/tide/team/connections/"


@pytest.fixture
def own(alice: Membership) -> Connection:
    """A connection of the team's own with a key that works, not used yet."""
    return Connection.objects.create(
        team=alice.team,
        name="Marketing",
        base_url=HOSTS["cn"],
        sealed_key=sealing.seal(HOSTS["cn"], KEY),
        key_hint=KEY[-4:],
        key_digest=key_digest(KEY),
        added_by=alice.user,
        checked_at=timezone.now(),
    )


def text(client: Client, address: str = PAGE) -> str:
    return client.get(address).content.decode()


VERBS = {
    "key/": {"key": "f" * 32},
    "try/": {"action": "anyway"},
    "use/": {},
    "remove/": {},
    "pause/": {"reason": "Tea"},
    "resume/": {},
}


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_who_may(
    verb: str,
    own: Connection,
    mona: Membership,
    bob: Membership,
    vera: Membership,
    zoe: Membership,
    client_of: Any,
    client: Client,
) -> None:
    page = f"{PAGE}{own.pk}/{verb}" if verb else PAGE
    ask = (lambda who: who.post(page, VERBS[verb])) if verb else (lambda who: who.get(page))
    manages = verb in ("", "pause/", "resume/")
    assert ask(client_of(mona)).status_code in ((200, 302) if manages else (403,))
    for somebody in (bob, vera):
        assert ask(client_of(somebody)).status_code == 403
    assert ask(client_of(zoe)).status_code == 404
    assert ask(client).status_code == 302
    assert "/accounts/login" in ask(client)["Location"]


@pytest.mark.parametrize("verb", VERBS)
def test_another_teams_connection_is_not_there(
    verb: str, own: Connection, zoe: Membership, client_of: Any
) -> None:
    answer = client_of(zoe).post(f"/t/zoo/team/connections/{own.pk}/{verb}", VERBS[verb])
    assert answer.status_code == 404
    assert "Marketing" not in text(client_of(zoe), "/t/zoo/team/connections/")


@pytest.mark.parametrize("verb", ["key/", "try/", "remove/"])
def test_the_shared_one_has_no_key_to_be_changed(verb: str, alice: Membership, client_of: Any) -> None:
    shared = Connection.current()
    assert client_of(alice).post(f"{PAGE}{shared.pk}/{verb}", VERBS[verb]).status_code == 404


def test_an_owner_enters_a_key_that_is_never_shown(alice: Membership, client_of: Any) -> None:
    browser = client_of(alice)
    posted = {"name": "Marketing", "base_url": HOSTS["ai"], "key": f" {KEY} "}
    assert browser.post(f"{PAGE}add/", posted)["Location"] == PAGE
    assert ConnectionKey.objects.get().key_digest == key_digest(KEY)
    page = text(browser)
    assert "is being tried" in page
    assert "cdef" in page
    assert KEY not in page
    assert "every 2s" in page, "the page asks again until the worker has tried it"
    again = browser.post(f"{PAGE}add/", posted | {"name": ""})
    assert again.status_code == 422
    assert KEY not in again.content.decode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base_url": "http://169.254.169.254"}, "Keys can only be entered for the sites shown here."),
        ({"base_url": ""}, "Choose the site the key is of."),
        ({"key": "two words of key"}, "cannot be a key"),
        ({"key": ""}, "Paste the key."),
        ({"name": ""}, "Give it a name."),
    ],
)
def test_a_form_with_a_fault_says_it_and_stays_filled(
    alice: Membership, client_of: Any, change: dict[str, str], words: str
) -> None:
    posted = {"name": "Marketing", "base_url": HOSTS["ai"], "key": KEY} | change
    answer = client_of(alice).post(f"{PAGE}add/", posted)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Connection.objects.filter(team=alice.team).exists()


def test_the_same_key_twice_is_said(own: Connection, alice: Membership, client_of: Any) -> None:
    posted = {"name": "Again", "base_url": HOSTS["cn"], "key": KEY}
    assert "with this key already" in client_of(alice).post(f"{PAGE}add/", posted).content.decode()
    answer = client_of(alice).post(f"{PAGE}{own.pk}/key/", {"key": KEY})
    assert (answer.status_code, "in use already" in answer.content.decode()) == (422, True)


def test_the_team_changes_its_connection_and_pages_follow(
    own: Connection, alice: Membership, client_of: Any
) -> None:
    Connection.objects.filter(pk=own.pk).update(currency="USD")
    browser = client_of(alice)
    assert browser.post(f"{PAGE}{own.pk}/use/").status_code == 302
    assert Connection.of(Team.objects.get(pk=alice.team_id)).pk == own.pk
    assert "$0.00" in text(browser, "/t/tide/usage/")
    assert browser.post(f"{PAGE}{own.pk}/remove/").status_code == 409, "it is in use"
    assert browser.post(f"{PAGE}{Connection.current().pk}/use/").status_code == 302
    assert browser.post(f"{PAGE}{own.pk}/remove/").status_code == 302
    assert "Marketing" not in text(browser).split("<main", 1)[1].split("notice", 1)[0]


def test_limits_on_spending_stand_in_the_way_of_another_currency(
    own: Connection, alice: Membership, client_of: Any
) -> None:
    Connection.objects.filter(pk=own.pk).update(currency="USD")
    limit = {
        "scope": Scope.POOL,
        "measure": Measure.SPEND,
        "period": Period.DAY,
        "mode": Mode.LIMITED,
        "limit": Decimal(9),
    }
    Allowance.put(alice.team, **limit)  # type: ignore[arg-type]
    answer = client_of(alice).post(f"{PAGE}{own.pk}/use/")
    assert answer.status_code == 409
    assert "Set these limits" in answer.content.decode()


def test_receipts_of_another_currency_are_named_beside_the_sums(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(bob, cost_actual=3, currency="USD")
    page = text(client_of(bob), "/t/tide/usage/")
    assert "Besides, $3.00 was counted" in page
    assert client_of(bob).get("/t/tide/team/").status_code == 200


def test_a_pause_has_a_reason_and_a_banner_for_all(
    mona: Membership, bob: Membership, zoe: Membership, client_of: Any
) -> None:
    shared = Connection.current()
    answer = client_of(mona).post(f"{PAGE}{shared.pk}/pause/", {"reason": " "})
    assert (answer.status_code, "Say why" in answer.content.decode()) == (422, True)
    assert (
        client_of(mona).post(f"{PAGE}{shared.pk}/pause/", {"reason": "The invoice & more"}).status_code == 302
    )
    for page in ("/t/tide/library/", "/t/tide/create/", "/t/tide/usage/", "/t/tide/voices/"):
        assert "The invoice &amp; more" in text(client_of(bob), page)
    assert "a manager can have it sent again" in text(client_of(bob), "/t/tide/library/")
    assert "Mona" in text(client_of(mona))
    assert "a manager of another team" in text(client_of(zoe), "/t/zoo/team/connections/")
    assert client_of(mona).post(f"{PAGE}{shared.pk}/resume/").status_code == 302
    assert "invoice" not in text(client_of(bob), "/t/tide/library/")


def test_a_paused_connection_that_is_used_no_more_concerns_whom_it_keeps_waiting(
    own: Connection, alice: Membership, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    own.pause("605", "No money left.")
    assert "No money left." not in text(client_of(bob), "/t/tide/library/")
    make_generation(bob, status=State.QUEUED, connection=own)
    assert "No money left." in text(client_of(bob), "/t/tide/library/")


def test_a_key_that_cannot_be_read_is_said(
    own: Connection, alice: Membership, client_of: Any, settings: Any
) -> None:
    settings.SECRET_KEY = "another secret key of enough characters"
    page = text(client_of(alice))
    assert "can no longer be read" in page


def test_a_key_that_was_refused_or_not_tried_shows_the_way_on(
    own: Connection, alice: Membership, client_of: Any
) -> None:
    connections.enter_key(own, alice.user, "e" * 32)
    ConnectionKey.objects.update(state="unreachable", sentence="It did not answer.")
    page = text(client_of(alice))
    assert "It did not answer." in page
    assert "Use it anyway" in page
    assert client_of(alice).post(f"{PAGE}{own.pk}/try/", {"action": "anyway"}).status_code == 302
    own.refresh_from_db()
    assert own.key() == "e" * 32


def test_a_page_asks_the_same_however_many_teams_have_connections(
    own: Connection, alice: Membership, zoe: Membership, client_of: Any
) -> None:
    from django.db import connection as database

    browser = client_of(alice)
    text(browser, "/t/tide/library/")
    with CaptureQueriesContext(database) as before:
        text(browser, "/t/tide/library/")
    for number in range(5):
        Connection.objects.create(team=zoe.team, base_url=HOSTS["ai"], name=str(number), sealed_key="x")
    with CaptureQueriesContext(database) as after:
        text(browser, "/t/tide/library/")
    assert len(after) == len(before)
