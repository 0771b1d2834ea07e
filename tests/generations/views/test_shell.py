"""What every page shows around its content."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.test import Client

from accounts.models import Allowance, Measure, Membership, Mode, Period, Role, Scope, Team
from generations.models import State

Clients = Callable[[Membership], Client]


def limit_spend(team: Team, amount: str, period: Period = Period.WEEK, scope: Scope = Scope.DEFAULT) -> None:
    Allowance.put(
        team, scope=scope, measure=Measure.SPEND, period=period, mode=Mode.LIMITED, limit=Decimal(amount)
    )


def page(client: Client, path: str = "/t/tide/usage/") -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_the_shell_leads_to_every_page_and_marks_the_one_shown(client_of: Clients, bob: Membership) -> None:
    html = page(client_of(bob))
    for path in ("/t/tide/create/", "/t/tide/library/", "/t/tide/usage/", "/t/tide/team/"):
        assert f'class="nav__link" href="{path}"' in html
    assert re.findall(r'href="([^"]+)" aria-current="page"', html) == ["/t/tide/usage/"]
    assert '<a class="skip" href="#main"' in html
    assert html.count("<h1") == 1


def test_the_page_allows_no_inline_script_or_style(client_of: Clients, bob: Membership) -> None:
    response = client_of(bob).get("/t/tide/usage/")
    html = response.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)
    assert "script-src 'self'" in response["Content-Security-Policy"]
    config = json.loads(re.search(r"name=\"htmx-config\" content='([^']+)'", html)[1])  # type: ignore[index]
    assert config["allowEval"] is False
    assert config["includeIndicatorStyles"] is False


def test_the_sandbox_is_named_plainly(client_of: Clients, bob: Membership, settings: Any) -> None:
    client = client_of(bob)
    assert "You are using the sandbox" in page(client)
    settings.USES_SANDBOX = False
    assert "You are using the sandbox" not in page(client)


def test_signing_out_is_a_form_that_posts(client_of: Clients, bob: Membership) -> None:
    client = client_of(bob)
    html = page(client)
    assert '<form method="post" action="/accounts/logout/"' in html
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get("/t/tide/usage/").status_code == 302


def test_the_tightest_limit_on_spending_stands_in_the_sidebar(
    client_of: Clients, bob: Membership, team: Team, make_generation: Any
) -> None:
    limit_spend(team, "120")
    limit_spend(team, "100", Period.MONTH)
    make_generation(bob, cost_estimated=Decimal("78.20"))
    html = page(client_of(bob))
    assert "Left this month" in html
    assert "¥21.80" in html
    assert "¥78.20 of ¥100.00 used" in html


def test_the_pool_is_named_when_it_is_tighter(client_of: Clients, bob: Membership, team: Team) -> None:
    limit_spend(team, "120")
    limit_spend(team, "50", scope=Scope.POOL)
    assert "Left in the pool this week" in page(client_of(bob))


def test_without_a_limit_the_sidebar_says_so(client_of: Clients, bob: Membership) -> None:
    assert "No limit set" in page(client_of(bob))


def test_a_limit_on_how_many_is_not_taken_for_money(client_of: Clients, bob: Membership, team: Team) -> None:
    limit = {"measure": Measure.COUNT, "period": Period.DAY, "mode": Mode.LIMITED, "limit": Decimal(3)}
    Allowance.put(team, scope=Scope.DEFAULT, **limit)  # type: ignore[arg-type]
    assert "No limit set" in page(client_of(bob))


def test_the_count_beside_create_is_of_ones_own(
    client_of: Clients, bob: Membership, carol: Membership, make_generation: Any
) -> None:
    make_generation(bob, status=State.RUNNING)
    make_generation(bob, status=State.QUEUED)
    make_generation(carol, status=State.RUNNING)
    assert "2 running" in page(client_of(bob))


def test_whoever_is_in_several_teams_can_switch(client_of: Clients, bob: Membership) -> None:
    client = client_of(bob)
    assert "menu__item" in page(client)
    assert 'href="/t/sea/"' not in page(client)
    sea = Team.objects.create(slug="sea", name="Sea")
    Membership.objects.create(team=sea, user=bob.user, role=Role.VIEWER)
    assert 'href="/t/sea/"' in page(client)
    assert '<a class="brand not-phone" href="/t/sea/">' in page(client, "/t/sea/usage/")


def test_names_of_people_and_teams_are_escaped(client_of: Clients, bob: Membership, team: Team) -> None:
    bob.user.name = "<img src=x>"
    bob.user.save()
    Team.objects.filter(pk=team.pk).update(name="<b>Tide</b>")
    html = page(client_of(bob), "/t/tide/team/")
    assert "<img src=x>" not in html
    assert "<b>Tide</b>" not in html


def test_times_follow_the_clock_of_the_team(client_of: Clients, bob: Membership, team: Team) -> None:
    Team.objects.filter(pk=team.pk).update(time_zone="Asia/Tokyo")
    limit_spend(team, "10", Period.DAY)
    html = page(client_of(bob))
    assert "Times follow the clock of Asia/Tokyo" in html
    assert re.search(r"resets \w{3} 00:00", html)
