"""Allowances: limits as sums, top-ups, one's own caps, and what a change would mean."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import (
    Allowance,
    AuditEntry,
    Measure,
    Membership,
    Period,
    Role,
    Scope,
    Team,
    TopUp,
)
from generations import quota
from generations.models import State
from generations.pipeline.accept import MayNotGenerate, accept
from generations.views import allowances as page_of
from tests.conftest import MODEL, join
from tests.generations.pipeline.test_door import limit
from tests.generations.views.test_limits import DEFAULT, POOL, filled

Clients = Callable[[Membership], Client]
PAGE, TOPUP, CAP = "/t/tide/team/allowances/", "/t/tide/team/allowances/top-up/", "/t/tide/usage/cap/"


def words(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def grant(to: Membership | None, team: Team, amount: str = "5", **how: Any) -> TopUp:
    now = timezone.now()
    fields = {"from_at": now, "until_at": now + timedelta(days=2), "by": None, **how}
    return TopUp.grant(team, membership=to, measure=Measure.SPEND, amount=Decimal(amount), **fields)


def test_the_sum_names_what_is_allowed_granted_used_held_and_left(
    client_of: Clients, bob: Membership, make_generation: Any
) -> None:
    limit(bob.team, Measure.SPEND, "20")
    limit(bob.team, Measure.SPEND, "60", scope=Scope.POOL, period=Period.MONTH)
    grant(bob, bob.team)
    make_generation(bob, cost_actual=Decimal("18.20"))
    make_generation(bob, status=State.RUNNING, cost_estimated=Decimal(1))
    said = words(client_of(bob).get(PAGE))
    assert re.search(
        r"¥20\.00 a week from the team default \+ ¥5\.00 granted until \w{3} \d\d:\d\d "
        r"− ¥18\.20 used − ¥1\.00 held = ¥5\.80 left",
        said,
    )
    assert "¥60.00 a month for the whole team − ¥19.20 used = ¥40.80 left" in said
    assert "Of 2 limits it leaves the least." in said
    assert said.count("wins") == 2  # the chip, and the sentence above that explains it


def test_what_is_over_a_limit_says_so(client_of: Clients, bob: Membership, make_generation: Any) -> None:
    limit(bob.team, Measure.COUNT, "1")
    make_generation(bob)
    make_generation(bob)
    assert "1 a week from the team default − 2 used = −1, so nothing is left" in words(
        client_of(bob).get(PAGE)
    )


def test_everybody_sees_their_own_and_managers_everybodys(
    client_of: Clients,
    alice: Membership,
    mona: Membership,
    bob: Membership,
    vera: Membership,
    zoe: Membership,
) -> None:
    topup = grant(bob, bob.team)
    for manager in (alice, mona):
        said = words(client_of(manager).get(PAGE))
        assert "Bob" in said
        assert "Top-ups in force" in said
    for other in (bob, vera):
        said = words(client_of(other).get(PAGE))
        assert "Mona" not in said
        assert "Top-ups in force" not in said
        assert client_of(other).get(TOPUP).status_code == 403
        assert client_of(other).post(f"{TOPUP}{topup.pk}/revoke/").status_code == 403
    assert client_of(vera).get(CAP).status_code == 403
    for address in (PAGE, TOPUP, CAP):
        assert client_of(zoe).get(address).status_code == 404
        assert Client().get(address).status_code == 302
    assert client_of(zoe).post(f"{TOPUP}{topup.pk}/revoke/").status_code == 404
    foreign = grant(None, zoe.team)
    assert client_of(alice).post(f"{TOPUP}{foreign.pk}/revoke/").status_code == 404


def test_a_manager_grants_and_ends_a_top_up(client_of: Clients, mona: Membership, bob: Membership) -> None:
    limit(bob.team, Measure.SPEND, "20")
    client = client_of(mona)
    assert f'value="{bob.pk}" selected' in client.get(TOPUP, {"member": bob.pk}).content.decode()
    Team.objects.update(time_zone="Asia/Shanghai")
    until = (
        (timezone.now() + timedelta(days=3))
        .astimezone(ZoneInfo("Asia/Shanghai"))
        .replace(second=0, microsecond=0)
    )
    form = {"whose": bob.pk, "measure": "spend", "amount": "2.5", "until": f"{until:%Y-%m-%dT%H:%M}"}
    assert client.post(TOPUP, form).status_code == 422, "without a reason"
    assert client.post(TOPUP, {**form, "reason": "A trailer"}).status_code == 302
    topup = TopUp.objects.get()
    assert (topup.membership, topup.until_at, topup.granted_by) == (bob, until, mona.user)
    assert quota.standing(bob)[0].limit == Decimal("22.5")
    assert client.post(f"{TOPUP}{topup.pk}/revoke/").status_code == 302
    assert client.post(f"{TOPUP}{topup.pk}/revoke/").status_code == 302
    assert quota.standing(bob)[0].limit == 20
    assert AuditEntry.objects.filter(action="topup.revoked", actor=mona.user).count() == 1


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"amount": "0"}, "Write more than nothing."),
        ({"amount": "NaN"}, "Write an amount such as 12.50."),
        ({"amount": "1.5", "measure": "count"}, "Write a whole number of generations."),
        ({"until": "2020-01-01T10:00"}, "This time is over; choose a later one."),
        ({"until": "2999-01-01T10:00"}, "Choose a time within a year"),
        ({"until": "soon"}, "Write a date and time such as"),
        ({"whose": "999999"}, "Select a valid choice"),
        ({"reason": ""}, "field__error"),
    ],
)
def test_a_top_up_that_makes_no_sense_comes_back_filled(
    client_of: Clients, mona: Membership, changes: dict[str, str], sentence: str
) -> None:
    until = f"{timezone.now() + timedelta(days=3):%Y-%m-%dT%H:%M}"
    form = {
        "whose": "pool",
        "measure": "spend",
        "amount": "2.5",
        "until": until,
        "reason": "Why not",
        **changes,
    }
    answer = client_of(mona).post(TOPUP, form)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not TopUp.objects.exists()


def test_a_member_caps_themself_and_only_tighter(client_of: Clients, bob: Membership) -> None:
    limit(bob.team, Measure.SPEND, "20")
    client = client_of(bob)
    assert client.post(CAP, {"spend_week": "5", "count_day": "30"}).status_code == 302
    assert {line.name: line.limit for line in quota.standing(bob)} == {
        "member_spend_week": 20,
        "own_spend_week": 5,
        "own_count_day": 30,
    }
    assert "¥5.00 a week from the cap you set yourself − ¥0.00 used = ¥5.00 left" in words(client.get(PAGE))
    assert client.post(CAP, {"spend_week": "500"}).status_code == 302
    assert [line.limit for line in quota.standing(bob) if line.scope != Scope.OWN] == [20]
    assert client.post(CAP, {}).status_code == 302
    assert [line.name for line in quota.standing(bob)] == ["member_spend_week"]
    assert AuditEntry.objects.filter(action="cap.changed", person=bob.user).count() == 5
    answer = client.post(CAP, {"spend_week": "-1"})
    assert (answer.status_code, "Write an amount such as 12.50." in answer.content.decode()) == (422, True)


def test_the_sheet_of_limits_has_no_page_for_caps(
    client_of: Clients, alice: Membership, bob: Membership
) -> None:
    assert client_of(alice).get(f"/t/tide/team/limits/own/{bob.pk}/").status_code == 404


def test_a_manager_sees_a_cap_but_their_limits_sheet_leaves_it(
    client_of: Clients, alice: Membership, bob: Membership
) -> None:
    limit(bob.team, Measure.SPEND, "5", scope=Scope.OWN, membership=bob)
    form = filled("inherit", spend_week_mode="limited", spend_week_limit="50")
    client_of(alice).post(f"/t/tide/team/limits/member/{bob.pk}/", form)
    assert {line.name: line.limit for line in quota.standing(bob)} == {
        "member_spend_week": 50,
        "own_spend_week": 5,
    }
    assert "from the cap they set themself" in words(client_of(alice).get(PAGE))


def test_a_new_limit_in_the_middle_of_a_period_does_what_the_page_said(
    client_of: Clients, alice: Membership, bob: Membership, make_generation: Any
) -> None:
    make_generation(bob, cost_actual=Decimal("3.20"))
    form = filled(spend_week_mode="limited", spend_week_limit="5")
    for address, line in ((DEFAULT, "from the team default"), (POOL, "for the whole team")):
        answer = client_of(alice).post(address, {**form, "preview": "1"})
        assert answer.status_code == 200
        assert f"¥5.00 a week {line} − ¥3.20 used = ¥1.80 left" in words(answer)
        assert 'value="5"' in answer.content.decode()
    assert not Allowance.objects.exists()
    client_of(alice).post(DEFAULT, form)
    assert quota.standing(bob)[0].left == Decimal("1.80")
    below = filled("inherit", spend_week_mode="limited", spend_week_limit="2")
    own = f"/t/tide/team/limits/member/{bob.pk}/"
    assert "¥2.00 a week from a limit of their own − ¥3.20 used = −¥1.20, so nothing" in words(
        client_of(alice).post(own, {**below, "preview": "1"})
    )
    client_of(alice).post(own, below)
    assert (quota.standing(bob)[0].left, quota.standing(bob)[0].used) == (0, Decimal("3.20"))


def test_another_clock_in_the_middle_of_a_period_does_what_the_page_said(
    client_of: Clients, alice: Membership, bob: Membership, make_generation: Any
) -> None:
    """What was made late on a day in UTC belongs to another day further west or east."""
    limit(bob.team, Measure.SPEND, "9", period=Period.DAY)
    limit(bob.team, Measure.SPEND, "90", scope=Scope.POOL, period=Period.DAY)
    now = timezone.now()
    for hours in range(0, 24, 3):
        make_generation(bob, cost_actual=Decimal("0.10"), created_at=now - timedelta(hours=hours))
    form = {"name": "Tide Tables", "unknown_price": "refuse", "member_slots": ""}
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"):
        answer = client_of(alice).post("/t/tide/team/settings/", {**form, "time_zone": zone, "preview": "1"})
        today = datetime.now(ZoneInfo(zone)).date()
        made = sum(
            (now - timedelta(hours=h)).astimezone(ZoneInfo(zone)).date() == today for h in range(0, 24, 3)
        )
        left = Decimal(9) - Decimal("0.10") * made
        assert f"= ¥{left} left" in words(answer)
        assert f"= ¥{left + 81} left" in words(answer)
        assert Team.objects.get(pk=bob.team_id).time_zone != zone
        client_of(alice).post("/t/tide/team/settings/", {**form, "time_zone": zone})
        bob.team.refresh_from_db()
        assert [line.left for line in quota.standing(bob)] == [left, left + 81]


def test_another_role_in_the_middle_of_a_period_changes_no_limit(
    client_of: Clients, alice: Membership, bob: Membership, make_generation: Any
) -> None:
    limit(bob.team, Measure.SPEND, "9")
    make_generation(bob, cost_actual=Decimal(2))
    before = quota.standing(bob)
    assert "A role changes nothing about limits, except that viewers cannot generate." in words(
        client_of(alice).get(PAGE)
    )
    for role in (Role.MANAGER, Role.OWNER, Role.VIEWER):
        client_of(alice).post(f"/t/tide/team/members/{bob.pk}/role/", {"role": role.value})
        bob.refresh_from_db()
        assert (bob.role, quota.standing(bob)) == (role, before)
    with pytest.raises(MayNotGenerate):
        accept(bob, MODEL, {"prompt": "Rain"})


def test_every_change_of_a_limit_is_in_the_audit_trail(
    client_of: Clients, alice: Membership, bob: Membership
) -> None:
    client = client_of(alice)
    client.post(DEFAULT, filled(spend_week_mode="limited", spend_week_limit="5"))
    client.post(DEFAULT, filled(spend_week_mode="limited", spend_week_limit="5"))
    client.post(DEFAULT, filled(spend_week_mode="limited", spend_week_limit="7.5"))
    first, second = AuditEntry.objects.filter(action="allowance.changed").order_by("pk")
    assert (first.actor, first.before, first.after["limit"]) == (alice.user, {"limit": "unlimited"}, "5")
    assert (second.before, second.after) == ({"limit": "5"}, {"limit": "7.5"})
    assert second.subject == "Team default for members: Spend per week"


def test_more_people_cost_no_more_queries(client_of: Clients, alice: Membership, bob: Membership) -> None:
    limit(bob.team, Measure.SPEND, "9")
    grant(bob, bob.team)
    client = client_of(alice)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(PAGE).status_code == 200
        return len(captured)

    client.get(PAGE)
    few = queries()
    for n in range(12):
        grant(join(bob.team, f"member{n}", Role.MEMBER), bob.team)
    assert queries() == few


def test_a_large_team_comes_in_pages(
    client_of: Clients, alice: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_of, "SHOWN", 2)
    for n in range(3):
        join(alice.team, f"member{n}", Role.MEMBER)
    client = client_of(alice)
    assert "1 of 2" in words(client.get(PAGE))
    assert "Member2" in words(client.get(PAGE, {"page": 2}))
    assert "1 of 2" in words(client.get(PAGE, {"page": "x\x00"}))
