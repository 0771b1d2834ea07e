"""The sheet of limits."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Action, Allowance, Measure, Membership, Mode, Period, Scope, Team
from generations import quota
from generations.forms.limits import Limits
from generations.models import State

Clients = Callable[[Membership], Client]
POOL, DEFAULT = "/t/tide/team/limits/pool/", "/t/tide/team/limits/default/"


def of(member: Membership) -> str:
    return f"/t/tide/team/limits/member/{member.pk}/"


def filled(mode: str = "unlimited", **changes: str) -> dict[str, str]:
    form = {f"{measure}_{period}_mode": mode for measure, period in Limits.lines()}
    return {**form, "action": "block", **changes}


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def lines_of(member: Membership) -> dict[str, Decimal]:
    member.team.refresh_from_db()
    return {line.name: line.limit for line in quota.standing(member)}


def test_the_default_binds_every_member(client_of: Clients, alice: Membership, bob: Membership) -> None:
    form = filled(
        spend_week_mode="limited",
        spend_week_limit="12.5",
        concurrent_none_mode="limited",
        concurrent_none_limit="2",
    )
    response = client_of(alice).post(DEFAULT, form, follow=True)
    assert "The limits are saved" in response.content.decode()
    assert lines_of(bob) == {"member_spend_week": Decimal("12.5"), "member_concurrent": Decimal(2)}
    page = text(response.content.decode())
    assert "Spend per week ¥12.50" in page


def test_the_pool_binds_the_team(
    client_of: Clients, alice: Membership, bob: Membership, carol: Membership, make_generation: Any
) -> None:
    make_generation(bob, cost_estimated=Decimal(3))
    make_generation(carol, cost_estimated=Decimal(4))
    client = client_of(alice)
    client.post(POOL, filled(spend_none_mode="limited", spend_none_limit="100"))
    assert lines_of(bob) == {"team_spend": Decimal(100)}
    assert "¥7.00 of ¥100.00 used" in client.get(POOL).content.decode()


def test_a_member_inherits_has_their_own_or_none(
    client_of: Clients, alice: Membership, bob: Membership
) -> None:
    client = client_of(alice)
    client.post(
        DEFAULT,
        filled(spend_day_mode="limited", spend_day_limit="10", count_day_mode="limited", count_day_limit="5"),
    )
    client.post(of(bob), filled("inherit", spend_day_mode="limited", spend_day_limit="20"))
    assert lines_of(bob) == {"member_spend_day": Decimal(20), "member_count_day": Decimal(5)}
    client.post(of(bob), filled("inherit", spend_day_mode="unlimited"))
    assert lines_of(bob) == {"member_count_day": Decimal(5)}
    client.post(of(bob), filled("inherit"))
    assert lines_of(bob) == {"member_spend_day": Decimal(10), "member_count_day": Decimal(5)}


def test_the_sheet_shows_what_is_in_force_and_what_is_used(
    client_of: Clients, alice: Membership, bob: Membership, make_generation: Any
) -> None:
    client = client_of(alice)
    client.post(DEFAULT, filled(spend_day_mode="limited", spend_day_limit="10"))
    make_generation(bob, cost_estimated=Decimal("8.50"))
    make_generation(bob, status=State.RUNNING, cost_estimated=Decimal("0.50"))
    html = client.get(of(bob)).content.decode()
    words = text(html)
    assert "Limits for Bob" in words
    assert "¥9.00 of ¥10.00 used" in html
    assert 'placeholder="10.00"' in html
    assert "The tightest limit now is Spend per day : ¥1.00 left" in words
    assert "in CNY" in words
    assert "1 used" in words


def test_saving_the_sheet_as_it_stands_changes_nothing(
    client_of: Clients, alice: Membership, bob: Membership, team: Team
) -> None:
    put: dict[str, Any] = {"measure": Measure.SPEND, "mode": Mode.LIMITED, "limit": Decimal("7.25")}
    Allowance.put(team, scope=Scope.MEMBER, membership=bob, period=Period.DAY, action=Action.WARN, **put)
    Allowance.put(team, scope=Scope.MEMBER, membership=bob, period=Period.WEEK, action=Action.BLOCK, **put)
    before = sorted(map(str, Allowance.objects.values_list("period", "mode", "limit", "action")))
    client = client_of(alice)
    form = Limits(team, Scope.MEMBER, bob)
    same = {name: str(field.initial) for name, field in form.fields.items() if field.initial is not None}
    assert same["action"] == "keep"
    assert client.post(of(bob), same).status_code == 302
    assert sorted(map(str, Allowance.objects.values_list("period", "mode", "limit", "action"))) == before


def test_one_choice_says_what_happens_when_a_limit_is_reached(
    client_of: Clients, alice: Membership, bob: Membership
) -> None:
    form = filled(spend_day_mode="limited", spend_day_limit="1", action="warn")
    client_of(alice).post(DEFAULT, form)
    assert [line.action for line in quota.standing(bob)] == [Action.WARN]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"spend_day_mode": "limited"}, "Write how much."),
        ({"spend_day_mode": "limited", "spend_day_limit": "-1"}, "Write an amount such as 12.50."),
        ({"spend_day_mode": "limited", "spend_day_limit": "NaN"}, "Write an amount such as 12.50."),
        ({"spend_day_mode": "limited", "spend_day_limit": "Infinity"}, "Write an amount such as 12.50."),
        ({"spend_day_mode": "limited", "spend_day_limit": "1e400"}, "Write an amount such as 12.50."),
        ({"spend_day_mode": "limited", "spend_day_limit": "9" * 5000}, "Write an amount such as 12.50."),
        ({"spend_day_mode": "limited", "spend_day_limit": "1000000000000"}, "Write an amount such as 12.50."),
        ({"spend_day_mode": "limited", "spend_day_limit": "0.0000001"}, "Write an amount such as 12.50."),
        ({"spend_day_mode": "limited", "spend_day_limit": "\x00"}, "Write an amount such as 12.50."),
        ({"spend_day_mode": "limited", "spend_day_limit": "<script>"}, "Write an amount such as 12.50."),
        ({"count_day_mode": "limited", "count_day_limit": "1.5"}, "Write a whole number from 0 up."),
        ({"count_day_mode": "limited", "count_day_limit": "9" * 5000}, "Write a whole number from 0 up."),
        ({"spend_day_mode": "unlimited", "spend_day_limit": "5"}, "Choose “Limit” if this shall count"),
        ({"spend_day_mode": "inherit"}, "Choose how this is limited."),
        ({"spend_day_mode": "\x00"}, "Choose how this is limited."),
        ({"action": "explode"}, "field__error"),
    ],
)
def test_nonsense_comes_back_with_a_sentence_and_changes_nothing(
    client_of: Clients, alice: Membership, changes: dict[str, str], sentence: str
) -> None:
    response = client_of(alice).post(DEFAULT, filled(**changes))
    assert response.status_code == 422
    html = response.content.decode()
    assert sentence in html
    assert "<script>" not in html.replace('<script src="', "")
    assert not Allowance.objects.exists()


def test_an_empty_form_is_refused(client_of: Clients, alice: Membership) -> None:
    assert client_of(alice).post(POOL, {}).status_code == 422


@pytest.mark.parametrize("path", ["pool/1/", "member/", "default/1/", "nonsense/", "member/999999/"])
def test_a_scope_that_does_not_exist_is_not_there(client_of: Clients, alice: Membership, path: str) -> None:
    assert client_of(alice).get(f"/t/tide/team/limits/{path}").status_code == 404


def test_somebody_elses_member_is_not_there(client_of: Clients, alice: Membership, zoe: Membership) -> None:
    client = client_of(alice)
    assert client.get(of(zoe)).status_code == 404
    assert client.post(of(zoe), filled("inherit")).status_code == 404


def test_members_cannot_lift_their_own_limits(client_of: Clients, bob: Membership, vera: Membership) -> None:
    for membership in (bob, vera):
        assert client_of(membership).post(of(membership), filled()).status_code == 403


def test_a_sheet_that_was_open_too_long_overwrites_nothing(
    client_of: Clients, alice: Membership, mona: Membership
) -> None:
    def seen(page: str) -> str:
        return re.findall(r'name="seen" value="([0-9a-f]+)"', page)[0]

    opened = seen(client_of(alice).get(POOL).content.decode())
    client_of(mona).post(POOL, filled(spend_week_mode="limited", spend_week_limit="5"))
    stale = filled(count_day_mode="limited", count_day_limit="500", seen=opened)
    answer = client_of(alice).post(POOL, stale)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Somebody changed these limits" in page
    assert 'value="500"' in page
    assert lines_of(alice) == {"team_spend_week": Decimal(5)}
    compared = {**stale, "spend_week_mode": "limited", "spend_week_limit": "5", "seen": seen(page)}
    assert client_of(alice).post(POOL, compared).status_code == 302
    assert lines_of(alice) == {"team_spend_week": Decimal(5), "team_count_day": Decimal(500)}


def test_only_a_member_is_shown_what_they_would_inherit(
    client_of: Clients, alice: Membership, bob: Membership
) -> None:
    client_of(alice).post(DEFAULT, filled(spend_week_mode="limited", spend_week_limit="20"))
    shown = [client_of(alice).get(page).content.decode() for page in (of(bob), POOL)]
    assert ['placeholder="20.00"' in page for page in shown] == [True, False]
