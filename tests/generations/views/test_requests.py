"""From a refusal to a grant: asking, deciding, drawing from the pool, holding."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Measure, Membership, Period, Role, Scope, Team, TopUp
from generations import asking, quota
from generations.models import AllowanceRequest, Draft, Generation, HeldOrder
from generations.pipeline import hold
from tests.conftest import MODEL, join
from tests.generations.pipeline.test_door import limit
from tests.generations.views.test_allowances import words

Clients = Callable[[Membership], Client]
STUDIO, REQUESTS = f"/t/tide/create/{MODEL}/", "/t/tide/team/requests/"
FORM = {"prompt": "Rain on a tin roof", "format": "wav", "_title": "Roof"}
ASK = {
    **FORM,
    "_way": "ask",
    "_ask_limit": "member_spend_week",
    "_ask_amount": "2.5",
    "_ask_reason": "A trailer",
}


def asked(bob: Membership) -> AllowanceRequest:
    limit(bob.team, Measure.SPEND, "0.5")
    line = quota.standing(bob)[0]
    draft = Draft.objects.create(team=bob.team, author=bob.user, model=MODEL, params=FORM)
    return asking.ask(bob, line, Decimal(2), "A trailer", draft, MODEL)


def test_a_refusal_offers_to_ask_for_what_is_missing_and_to_hold(client_of: Clients, bob: Membership) -> None:
    limit(bob.team, Measure.SPEND, "0.5")
    page = client_of(bob).post(STUDIO, FORM)
    html = page.content.decode()
    assert page.status_code == 402
    assert 'name="_ask_amount" inputmode="decimal" autocomplete="off" value="0.30"' in html
    assert 'name="_way" value="hold"' in html
    assert 'name="_way" value="draw"' not in html


@pytest.mark.thorough
def test_from_the_refusal_to_the_grant_and_the_form_is_still_there(
    client_of: Clients, bob: Membership, mona: Membership
) -> None:
    limit(bob.team, Measure.SPEND, "0.5")
    client = client_of(bob)
    answer = client.post(STUDIO, ASK)
    draft = Draft.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"{STUDIO}?draft={draft.pk}")
    assert "Rain on a tin roof" in client.get(answer["Location"]).content.decode()
    assert not Generation.objects.exists()
    assert "You asked for ¥2.50 more" in words(client.get("/t/tide/usage/"))
    assert "1 person asks for more." in words(client_of(mona).get("/t/tide/team/"))
    page = words(client_of(mona).get(REQUESTS))
    assert "Bob asks for ¥2.50 more" in page
    assert "¥0.50 a week from the team default − ¥0.00 used = ¥0.50 left" in page
    request = AllowanceRequest.objects.get()
    client_of(mona).post(f"{REQUESTS}{request.pk}/", {"decision": "once", "amount": "1"})
    opened = client.get(f"/t/tide/drafts/{draft.pk}/", follow=True)
    assert "Rain on a tin roof" in opened.content.decode()
    assert client.post(STUDIO, {**FORM, "_draft": str(draft.pk)}).status_code == 303
    assert Generation.objects.get().title == "Roof"
    request.refresh_from_db()
    assert (request.state, request.draft) == ("granted", None)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"_ask_amount": ""}, "Write an amount such as 12.50."),
        ({"_ask_amount": "0"}, "Write an amount such as 12.50."),
        ({"_ask_amount": "NaN"}, "Write an amount such as 12.50."),
        ({"_ask_reason": " "}, "Write a sentence, so that a manager can decide."),
        ({"_ask_reason": "x" * 501}, "At most 500 characters."),
    ],
)
def test_an_ask_that_is_not_complete_comes_back_filled(
    client_of: Clients, bob: Membership, changes: dict[str, str], sentence: str
) -> None:
    limit(bob.team, Measure.SPEND, "0.5")
    answer = client_of(bob).post(STUDIO, {**ASK, **changes})
    assert answer.status_code == 402
    assert sentence in words(answer)
    assert "Rain on a tin roof" in answer.content.decode()
    assert not AllowanceRequest.objects.exists()


@pytest.mark.parametrize("name", ["own_spend_week", "member_concurrent", "nonsense", ""])
def test_what_cannot_be_asked_for_is_not(client_of: Clients, bob: Membership, name: str) -> None:
    limit(bob.team, Measure.SPEND, "0.5", scope=Scope.OWN, membership=bob)
    limit(bob.team, Measure.CONCURRENT, "0", period=Period.NONE)
    answer = client_of(bob).post(STUDIO, {**ASK, "_ask_limit": name})
    assert (answer.status_code, AllowanceRequest.objects.count()) == (200, 0)


def test_a_refusal_by_ones_own_cap_leads_to_the_cap(client_of: Clients, bob: Membership) -> None:
    limit(bob.team, Measure.SPEND, "0.5", scope=Scope.OWN, membership=bob)
    html = client_of(bob).post(STUDIO, FORM).content.decode()
    assert "/t/tide/usage/cap/" in html
    assert "_ask_amount" not in html


def test_a_manager_raises_it_for_good_or_declines(
    client_of: Clients, bob: Membership, mona: Membership
) -> None:
    request = asked(bob)
    client_of(mona).post(f"{REQUESTS}{request.pk}/", {"decision": "on", "amount": "3"})
    assert quota.standing(bob)[0].limit == Decimal("3.5")
    second = asked(bob)
    client_of(mona).post(f"{REQUESTS}{second.pk}/", {"decision": "decline", "answer": "Next week"})
    second.refresh_from_db()
    assert (second.state, second.answer) == ("declined", "Next week")
    page = words(client_of(mona).get(REQUESTS))
    assert "Nobody asks for more" in page
    assert "Granted ¥3.00 from now on" in page


@pytest.mark.parametrize("amount", ["", "0", "-1", "NaN", "1e30", "0.0000001"])
def test_an_amount_that_cannot_be_granted_comes_back(
    client_of: Clients, bob: Membership, mona: Membership, amount: str
) -> None:
    request = asked(bob)
    answer = client_of(mona).post(f"{REQUESTS}{request.pk}/", {"decision": "once", "amount": amount})
    assert answer.status_code == 422
    assert "Write an amount such as 12.50." in words(answer)
    assert not TopUp.objects.exists()


def test_the_second_manager_is_told_who_was_quicker(
    client_of: Clients, alice: Membership, bob: Membership, mona: Membership
) -> None:
    request = asked(bob)
    decide = {"decision": "once", "amount": "1"}
    client_of(mona).post(f"{REQUESTS}{request.pk}/", decide)
    answer = client_of(alice).post(f"{REQUESTS}{request.pk}/", decide, follow=True)
    assert "Mona was quicker; it is: Granted. Nothing was changed." in words(answer)
    assert TopUp.objects.count() == 1


def test_only_managers_decide_and_only_whoever_asked_withdraws(
    client_of: Clients,
    bob: Membership,
    carol: Membership,
    vera: Membership,
    mona: Membership,
    zoe: Membership,
) -> None:
    request = asked(bob)
    decide = f"{REQUESTS}{request.pk}/"
    mine = f"/t/tide/usage/requests/{request.pk}/withdraw/"
    for other in (bob, carol, vera):
        assert client_of(other).get(REQUESTS).status_code == 403
        assert client_of(other).post(decide, {"decision": "once", "amount": "1"}).status_code == 403
    for other in (carol, vera, mona, zoe):
        assert client_of(other).post(mine).status_code == 404
    for address in (REQUESTS, decide):
        assert client_of(zoe).post(address, {"decision": "once"}).status_code in (404, 405)
        assert Client().post(address).status_code in (302, 405)
    assert client_of(mona).post(decide, {"decision": "both"}).status_code == 404
    assert client_of(bob).post(mine).status_code == 302
    request.refresh_from_db()
    assert request.state == "withdrawn"
    assert "is not open any more" in words(client_of(bob).post(mine, follow=True))


def test_take_it_from_the_pool_where_the_team_allows_it(client_of: Clients, bob: Membership) -> None:
    Team.objects.update(pool_draw=True)
    limit(bob.team, Measure.SPEND, "0.5")
    limit(bob.team, Measure.SPEND, "1", scope=Scope.POOL)
    client = client_of(bob)
    assert 'name="_way" value="draw"' in client.post(STUDIO, FORM).content.decode()
    assert client.post(STUDIO, {**FORM, "_way": "draw"}).status_code == 303
    assert [topup.amount for topup in TopUp.objects.all()] == [Decimal("0.3")]
    refused = client.post(STUDIO, {**FORM, "_way": "draw"})
    assert refused.status_code == 402
    assert 'name="_way" value="draw"' not in refused.content.decode()
    assert Generation.objects.count() == 1


def test_hold_it_until_the_reset_and_take_it_back(
    client_of: Clients, bob: Membership, carol: Membership
) -> None:
    limit(bob.team, Measure.SPEND, "0.5")
    client = client_of(bob)
    answer = client.post(STUDIO, {**FORM, "_way": "hold"}, follow=True)
    order = HeldOrder.objects.get()
    assert order.due_at == quota.standing(bob)[0].resets_at
    assert (order.model, order.title, order.params["prompt"]) == (MODEL, "Roof", FORM["prompt"])
    assert "held until" in words(answer)
    assert not Generation.objects.exists()
    assert client_of(carol).post(f"/t/tide/usage/held/{order.pk}/withdraw/").status_code == 404
    back = client.post(f"/t/tide/usage/held/{order.pk}/withdraw/", follow=True)
    assert "Rain on a tin roof" in back.content.decode()
    assert hold.send_due(order.due_at) == 0
    again = client.post(f"/t/tide/usage/held/{order.pk}/withdraw/", follow=True)
    assert "sent or taken back already" in words(again)


def test_what_fits_now_is_not_held_and_what_is_wrong_neither(client_of: Clients, bob: Membership) -> None:
    client = client_of(bob)
    assert "It fits now" in words(client.post(STUDIO, {**FORM, "_way": "hold"}))
    limit(bob.team, Measure.SPEND, "0.5")
    assert client.post(STUDIO, {"prompt": "", "_way": "hold"}).status_code == 422
    limit(bob.team, Measure.SPEND, "0.5", period=Period.NONE)
    assert "never starts anew" in words(client.post(STUDIO, {**FORM, "_way": "hold"}))
    assert not HeldOrder.objects.exists()


def test_more_requests_cost_no_more_queries(client_of: Clients, bob: Membership, mona: Membership) -> None:
    asked(bob)
    client = client_of(mona)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(REQUESTS).status_code == 200
        return len(captured)

    client.get(REQUESTS)
    few = queries()
    for n in range(6):
        asked(join(bob.team, f"member{n}", Role.MEMBER))
    assert queries() == few
