"""The Now rail: what it says, and how little it sends."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Allowance, Measure, Membership, Mode, Period, Scope, Team
from generations import live
from generations.models import Connection, Generation, State
from tests.generations.views.reading import seen

NOW = "/t/tide/now/"


def page(client: Client) -> str:
    return client.get("/t/tide/create/").content.decode()


def have(html: str) -> list[str]:
    return re.findall(r'name="have" value="([^"]+)"', html)


def ask(client: Client, marks: list[str]) -> Any:
    return client.get(NOW, {"have": marks}, headers={"HX-Request": "true"})


def card(html: str, generation: Generation) -> str:
    found = re.search(rf'<article[^>]*id="job-{generation.pk}".*?</article>', html, re.DOTALL)
    assert found, "no card"
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


def test_members_see_it_and_nobody_else(
    team: Team, vera: Membership, zoe: Membership, client_of: Any, client: Client
) -> None:
    assert ask(client_of(vera), []).status_code == 200
    assert ask(client_of(zoe), []).status_code == 404
    assert client.get(NOW).status_code == 302


def test_without_htmx_it_leads_to_the_page(bob: Membership, client_of: Any) -> None:
    assert client_of(bob).get(NOW)["Location"] == "/t/tide/create/"


def test_what_ends_while_the_rail_is_read_stands_there_once(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    row = make_generation(bob, status=State.RUNNING, dispatched_at=timezone.now())
    read = []

    def meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if sql.startswith("SELECT") and '"generations_generation"."title"' in sql and not read:
            read.append(sql)
            Generation.objects.filter(pk=row.pk).update(
                status=State.SUCCEEDED, finished_at=timezone.now(), next_check_at=None
            )
        return answer

    client = client_of(bob)
    with connection.execute_wrapper(meanwhile):
        html = page(client)
    assert read
    assert html.count(f'id="job-{row.pk}"') == 1
    assert "0 results" in card(html, row)


def test_when_nothing_changed_it_sends_nothing(bob: Membership, client_of: Any, make_generation: Any) -> None:
    make_generation(bob, outputs=1)
    make_generation(bob, status=State.RUNNING, dispatched_at=timezone.now())
    make_generation(bob, status=State.QUEUED)
    client = client_of(bob)
    answer = ask(client, have(page(client)))
    assert answer.status_code == 204
    assert not answer.content


def test_only_the_card_that_changed_is_sent(bob: Membership, client_of: Any, make_generation: Any) -> None:
    other = make_generation(bob, outputs=1)
    runs = make_generation(bob, status=State.RUNNING, dispatched_at=timezone.now())
    client = client_of(bob)
    marks = have(page(client))
    Generation.objects.move(runs.pk, State.RUNNING, State.FAILED, error_message="Refused.")
    html = ask(client, marks).content.decode()
    assert f'id="job-{runs.pk}" hx-swap-oob="true"' in html
    assert str(other.pk) not in html
    assert "now-list" not in html


def test_of_a_card_that_only_got_further_the_bar_is_sent(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    other = make_generation(bob, status=State.QUEUED)
    runs = make_generation(
        bob, model="workflow--0123456789@tide", status=State.RUNNING, dispatched_at=timezone.now()
    )
    live.take(runs.pk, "me")
    live.keep("me", {runs.pk: live.Live("Sampler", 10)})
    client = client_of(bob)
    marks = have(page(client))
    live.keep("me", {runs.pk: live.Live("Sampler", 35)})
    answer = ask(client, marks)
    html = answer.content.decode()
    assert 'data-live="35"' in html
    assert "Sampler · 35 %" in html
    assert "job-link" not in html
    assert "quota" not in html
    assert "HX-Trigger" not in answer
    assert ask(client, [have(html)[0] if str(runs.pk) in mark else mark for mark in marks]).status_code == 204

    Generation.objects.move(other.pk, State.QUEUED, State.CANCELLED)
    live.keep("me", {runs.pk: live.Live("Sampler", 60)})
    html = ask(client, marks).content.decode()
    assert f'id="job-{other.pk}" hx-swap-oob="true"' in html
    assert 'data-live="60"' in html
    assert f"job-link-{runs.pk}" not in html

    Generation.objects.move(runs.pk, State.RUNNING, State.FAILED, error_message="Refused.")
    assert f'id="job-{runs.pk}" hx-swap-oob="true"' in ask(client, marks).content.decode()


def test_another_take_to_keep_changes_the_card(bob: Membership, client_of: Any, make_generation: Any) -> None:
    made = make_generation(bob, outputs=2)
    client = client_of(bob)
    marks = have(page(client))
    made.outputs.filter(index=1).update(is_keeper=True)
    assert f"{made.pk}/outputs/1/content" in ask(client, marks).content.decode()


def test_a_new_card_is_put_on_top(bob: Membership, client_of: Any, make_generation: Any) -> None:
    old = make_generation(bob, outputs=1)
    client = client_of(bob)
    marks = have(page(client))
    new = make_generation(bob, status=State.QUEUED)
    html = ask(client, marks).content.decode()
    assert 'hx-swap-oob="afterbegin:#now-list"' in html
    assert f'id="job-{new.pk}"' in html
    assert f'id="job-{old.pk}"' not in html


def test_the_first_card_replaces_the_empty_rail(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    client = client_of(bob)
    marks = have(page(client))
    make_generation(bob, status=State.QUEUED)
    assert 'id="now-list"' in ask(client, marks).content.decode()


ODD = [["x"], ["slots.<"], ["a.b", "a.b"], ["\x00.\x00"], ["../.x"] * 50, ["'\").1"]]


@pytest.mark.parametrize("marks", ODD)
def test_marks_that_mean_nothing_are_answered(
    bob: Membership, client_of: Any, make_generation: Any, marks: list[str]
) -> None:
    make_generation(bob, outputs=1)
    answer = ask(client_of(bob), marks)
    assert answer.status_code == 200
    assert "delete:#job-'" not in answer.content.decode()


def test_each_state_says_what_it_is(
    alice: Membership, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    now = timezone.now()
    Connection.current()
    Connection.objects.update(slots=3, used_outside=1)
    queued = make_generation(bob, status=State.QUEUED, created_at=now)
    running = make_generation(bob, status=State.RUNNING, dispatched_at=now)
    late = make_generation(bob, status=State.RUNNING, dispatched_at=now - timedelta(hours=1), upstream_id="2")
    copying = make_generation(bob, status=State.GATHERING)
    lost = make_generation(bob, status=State.UNCONFIRMED)
    failed = make_generation(bob, status=State.FAILED, error_message="The model refused a word.")
    charged = make_generation(bob, status=State.FAILED, error_message="It broke.", cost_actual=Decimal("0.8"))
    done = make_generation(bob, outputs=1, cost_actual=Decimal("0.8"))
    html = page(client_of(bob))
    assert re.search(r"Waiting next in line, \d+ to \d+ ", card(html, queued))
    assert "3 of 3 slots are busy. 1 of them outside this portal." in card(html, queued)
    assert "usually 1:00" in card(html, running)
    assert re.search(r"data-progress-late>Longer than usual", html)
    assert "1:00:0" in card(html, late)
    assert "Being copied" in card(html, copying)
    assert "was not sent again. ¥0.80 stays on hold." in card(html, lost)
    assert "The model refused a word. Nothing was charged." in card(html, failed)
    assert f"?from={failed.pk}" in html
    assert "It broke. ¥0.80 was charged." in card(html, charged)
    assert "0:01" in card(html, done)
    assert f'data-src="/t/tide/g/{done.pk}/outputs/0/content"' in html
    assert 'peaks="50 50' in html


def test_only_who_may_cancel_has_the_button(
    alice: Membership,
    bob: Membership,
    carol: Membership,
    vera: Membership,
    client_of: Any,
    make_generation: Any,
) -> None:
    generation = make_generation(bob, status=State.QUEUED)
    button = f"/t/tide/g/{generation.pk}/cancel/"
    assert button in page(client_of(bob))
    assert button in page(client_of(alice))
    assert button not in page(client_of(carol))
    assert button not in page(client_of(vera))


def test_other_teams_do_not_show(
    bob: Membership, zoe: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(zoe, title="Secret of the zoo", status=State.RUNNING)
    assert "Secret of the zoo" not in page(client_of(bob))


def test_titles_are_escaped(bob: Membership, client_of: Any, make_generation: Any) -> None:
    make_generation(bob, title='"><script>alert(1)</script>', outputs=1)
    assert "<script>alert" not in page(client_of(bob))


def test_a_rail_is_never_longer_than_it_says(bob: Membership, client_of: Any, make_generation: Any) -> None:
    for _ in range(20):
        make_generation(bob, status=State.QUEUED)
    make_generation(bob, outputs=1)
    html = page(client_of(bob))
    assert html.count("<article") == 13
    assert "20" in seen(client_of(bob).get("/t/tide/create/")).texts["create"]


def test_more_rows_do_not_mean_more_queries(
    alice: Membership, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    def rows(times: int) -> None:
        for _ in range(times):
            make_generation(alice, outputs=2)
            make_generation(bob, status=State.QUEUED)
            make_generation(bob, status=State.RUNNING)

    client = client_of(alice)
    rows(1)
    ask(client, [])
    with CaptureQueriesContext(connection) as few:
        ask(client, [])
    rows(3)
    with CaptureQueriesContext(connection) as many:
        ask(client, [])
    assert len(many) == len(few) <= 16


def test_what_runs_and_what_is_left_come_along_with_the_cards(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    Allowance.put(
        bob.team,
        scope=Scope.DEFAULT,
        measure=Measure.SPEND,
        period=Period.MONTH,
        mode=Mode.LIMITED,
        limit=Decimal("8"),
    )
    client = client_of(bob)
    marks = have(page(client))
    make_generation(bob, status=State.RUNNING, dispatched_at=timezone.now())
    answer = ask(client, marks)
    html = answer.content.decode()
    assert answer["HX-Trigger"] == "rail-changed"
    assert "1 running" in html
    assert 'id="quota" hx-swap-oob="true"' in html
    assert "¥7.20" in html
