"""Cancel, run again, settle: every verb obeys the roles, and races are lost politely."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Action, Allowance, Measure, Membership, Mode, Period, Scope
from generations.models import Generation, State
from generations.pipeline import resolve
from tests.generations.pipeline.test_door import at_once

NOW = datetime(2026, 6, 18, 9, 31, 40, tzinfo=UTC)


def url(generation: Generation, verb: str = "") -> str:
    return f"/t/{generation.team.slug}/g/{generation.pk}/" + (f"{verb}/" if verb else "")


def text_of(page: str) -> str:
    """What a reader sees of it, on one line."""
    body = re.sub(r"<(script|style|textarea)\b.*?</\1>", " ", page.split("<main", 1)[1], flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_cancel_ends_what_was_not_sent(bob: Membership, client_of: Any, make_generation: Any) -> None:
    made = make_generation(bob, status=State.QUEUED)
    answer = client_of(bob).post(url(made, "cancel"), follow=True)
    made.refresh_from_db()
    assert made.status == State.CANCELLED
    assert "Cancelled before it was sent. Nothing was charged." in answer.content.decode()


def test_cancel_of_what_runs_is_a_wish_and_says_so(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(bob, status=State.RUNNING)
    page = client_of(bob).post(url(made, "cancel"), follow=True).content.decode()
    made.refresh_from_db()
    assert made.status == State.RUNNING
    assert made.cancel_requested_at is not None
    assert "may still be charged" in page
    assert url(made, "cancel") not in page, "it cannot be asked for twice"


@pytest.mark.parametrize("status", [State.SUCCEEDED, State.FAILED, State.CANCELLED])
def test_cancel_that_comes_too_late_changes_nothing(
    status: State, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(bob, status=status)
    page = client_of(bob).post(url(made, "cancel"), follow=True).content.decode()
    assert "It was over before it could be cancelled." in page
    made.refresh_from_db()
    assert made.status == status
    assert made.cancel_requested_at is None


def test_colleagues_and_viewers_may_not_cancel_but_managers_may(
    bob: Membership,
    carol: Membership,
    vera: Membership,
    mona: Membership,
    client_of: Any,
    make_generation: Any,
) -> None:
    made = make_generation(bob, status=State.QUEUED)
    for who in (carol, vera):
        assert client_of(who).post(url(made, "cancel")).status_code == 403
        assert url(made, "cancel") not in client_of(who).get(url(made)).content.decode()
    assert client_of(mona).post(url(made, "cancel")).status_code == 302
    made.refresh_from_db()
    assert made.status == State.CANCELLED


def test_a_button_that_swaps_nothing_gets_the_sentence_alone(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(bob, status=State.QUEUED)
    answer = client_of(bob).post(url(made, "cancel"), HTTP_HX_REQUEST="true")
    assert answer.status_code == 204
    assert json.loads(answer["HX-Trigger"])["toast"].startswith("Cancelled")


@pytest.mark.parametrize(
    ("next_", "goes"),
    [
        ("/t/tide/create/", "/t/tide/create/"),
        ("https://evil.example/", None),
        ("//evil.example/", None),
        ("javascript:alert(1)", None),
        ("", None),
    ],
)
def test_cancel_leads_back_only_within_the_portal(
    next_: str, goes: str | None, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(bob, status=State.QUEUED)
    answer = client_of(bob).post(url(made, "cancel"), {"next": next_})
    assert answer["Location"] == (goes or url(made))


def test_run_again_makes_the_same_once_more_even_on_a_double_click(
    alice: Membership, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(alice, title="Mine, named")
    client = client_of(bob)
    key = re.search(r'name="key" value="([^"]+)"', client.get(url(made)).content.decode())
    assert key
    answers = [client.post(url(made, "again"), {"key": key[1]}) for _ in range(2)]
    assert answers[0]["Location"] == answers[1]["Location"]
    again = Generation.objects.exclude(pk=made.pk).get()
    assert (again.model, again.title) == (made.model, "Mine, named")
    assert again.params.items() >= made.params.items()
    assert again.author == bob.user
    assert again.status == State.QUEUED
    assert again.cost_estimated is not None


@pytest.mark.parametrize("key", ["", "nonsense", "\x00", "x" * 5000])
def test_run_again_takes_no_nonsense_for_a_key(
    key: str, alice: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(alice)
    assert client_of(alice).post(url(made, "again"), {"key": key}).status_code == 302


def test_a_key_that_stands_for_something_else_is_refused(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    one, other = make_generation(alice), make_generation(alice, title="Another")
    key = uuid.uuid4().hex
    client = client_of(alice)
    client.post(url(one, "again"), {"key": key})
    answer = client.post(url(other, "again"), {"key": key})
    assert answer.status_code == 409
    assert "Please try again." in answer.content.decode()
    assert Generation.objects.count() == 3


def test_viewers_may_not_run_again(
    vera: Membership, alice: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(alice, outputs=1)
    client = client_of(vera)
    assert client.post(url(made, "again")).status_code == 403
    assert "Run again" not in client.get(url(made)).content.decode()


@pytest.mark.parametrize(
    ("measure", "period", "limit", "words"),
    [
        (Measure.SPEND, Period.WEEK, Decimal("0.85"), "Spend per week"),
        (Measure.COUNT, Period.DAY, Decimal(1), "Generations per day"),
        (Measure.CONCURRENT, Period.NONE, Decimal(0), "Running at the same time"),
    ],
)
def test_run_again_over_a_limit_says_which_and_makes_nothing(
    measure: Measure,
    period: Period,
    limit: Decimal,
    words: str,
    bob: Membership,
    client_of: Any,
    make_generation: Any,
) -> None:
    made = make_generation(bob)
    Allowance.put(
        bob.team,
        scope=Scope.DEFAULT,
        measure=measure,
        period=period,
        mode=Mode.LIMITED,
        limit=limit,
        action=Action.BLOCK,
    )
    answer = client_of(bob).post(url(made, "again"), {"key": uuid.uuid4().hex})
    assert answer.status_code == 402
    assert answer["HX-Push-Url"] == url(made)
    seen = text_of(answer.content.decode())
    assert "Not sent, nothing charged" in seen
    assert words in seen
    assert Generation.objects.count() == 1


def test_params_that_are_valid_no_longer_lead_to_the_form_with_what_is_wrong(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(alice, params={"prompt": "x", "gone": "y"})
    answer = client_of(alice).post(url(made, "again"))
    assert answer["Location"] == f"/t/tide/create/{made.model}/?from={made.pk}"
    assert Generation.objects.count() == 1


def test_a_model_that_left_the_catalogue_cannot_run_again(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(alice, model="gone--x")
    answer = client_of(alice).post(url(made, "again"))
    assert answer.status_code == 409
    assert "no longer in the catalogue" in answer.content.decode()


def test_a_task_that_a_manager_names_is_asked_about_first(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(bob, status=State.UNCONFIRMED, submitting_at=NOW)
    form = {"action": "attach", "task": " 1934999000000000001 "}
    answer = client_of(mona).post(url(made, "resolve"), form, follow=True)
    made.refresh_from_db()
    assert (made.status, made.upstream_id) == (State.UNCONFIRMED, ""), "nothing is believed"
    assert (made.inquiry.question, made.inquiry.task) == ("task", "1934999000000000001")
    assert "RunningHub is asked about the task 1934999000000000001." in answer.content.decode()
    assert 'value="attach"' not in answer.content.decode(), "one question at a time"
    again = client_of(mona).post(url(made, "resolve"), {**form, "task": "2"}, follow=True).content.decode()
    assert "asked about another number already" in again


@pytest.mark.parametrize("task", ["", "abc", "12 34", "1" * 41, "١٢٣", "1\x00", "-1", "1934'--"])
def test_a_task_number_that_is_none_comes_back_with_a_sentence(
    task: str, bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(bob, status=State.UNCONFIRMED)
    answer = client_of(mona).post(url(made, "resolve"), {"action": "attach", "task": task})
    assert answer.status_code == 422
    assert "digits only" in answer.content.decode()
    made.refresh_from_db()
    assert made.status == State.UNCONFIRMED


def test_a_task_of_another_generation_cannot_be_attached(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(bob, upstream_id="77")
    made = make_generation(bob, status=State.UNCONFIRMED)
    answer = client_of(mona).post(url(made, "resolve"), {"action": "attach", "task": "77"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "already belongs to another generation" in page
    assert 'value="77"' in page


def test_whoever_settles_second_changes_nothing(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    client = client_of(mona)
    made = make_generation(bob, status=State.UNCONFIRMED)
    assert resolve.attach(made, "1")
    for form in ({"action": "attach", "task": "2"}, {"action": "release"}, {"action": "unpark"}):
        page = client.post(url(made, "resolve"), form, follow=True).content.decode()
        assert "It was settled already; nothing was changed." in page
    made.refresh_from_db()
    assert (made.status, made.upstream_id) == (State.RUNNING, "1")


def test_a_manager_releases_the_hold(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(bob, status=State.UNCONFIRMED)
    client_of(mona).post(url(made, "resolve"), {"action": "release"})
    made.refresh_from_db()
    assert (made.status, made.cost_counted) == (State.FAILED, 0)


def test_a_manager_has_a_parked_one_tried_again(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(bob, status=State.RUNNING, parked_at=NOW, claims=5)
    client_of(mona).post(url(made, "resolve"), {"action": "unpark"})
    made.refresh_from_db()
    assert (made.parked_at, made.claims) == (None, 0)


@pytest.mark.parametrize("who", ["bob", "vera"])
def test_nobody_else_settles(
    who: str, bob: Membership, client_of: Any, make_generation: Any, request: Any
) -> None:
    made = make_generation(bob, status=State.UNCONFIRMED)
    client = client_of(request.getfixturevalue(who))
    assert client.post(url(made, "resolve"), {"action": "release"}).status_code == 403
    made.refresh_from_db()
    assert made.status == State.UNCONFIRMED


@pytest.mark.parametrize("action", ["", "explode", "\x00"])
def test_an_action_that_is_none_is_refused_with_a_sentence(
    action: str, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(mona, status=State.UNCONFIRMED)
    answer = client_of(mona).post(url(made, "resolve"), {"action": action})
    assert answer.status_code == 400
    assert "Choose what became of it." in answer.content.decode()


def test_one_take_is_the_keeper_and_plays_first(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    made, client = make_generation(bob, outputs=3), client_of(bob)
    assert "data-stage-name>Take A" in client.get(url(made)).content.decode()
    for chosen in (1, 2):
        assert client.post(url(made, "keeper"), {"take": str(chosen)}).status_code == 302
        assert [take.is_keeper for take in made.outputs.order_by("index")] == [n == chosen for n in range(3)]
    assert "data-stage-name>Take C" in client.get(url(made)).content.decode()
    assert "/outputs/2/content" in client.get("/t/tide/library/").content.decode()
    client.post(url(made, "keeper"), {"take": ""})
    assert not any(take.is_keeper for take in made.outputs.all())


@pytest.mark.parametrize("take", ["9", "-1", "x", "٣", "99999999999"])
def test_a_take_that_is_not_there_is_no_keeper(
    bob: Membership, client_of: Any, make_generation: Any, take: str
) -> None:
    made, client = make_generation(bob, outputs=2), client_of(bob)
    client.post(url(made, "keeper"), {"take": "1"})
    assert client.post(url(made, "keeper"), {"take": take}).status_code == 404
    assert made.outputs.get(index=1).is_keeper


def test_who_may_choose_the_keeper(
    bob: Membership, carol: Membership, mona: Membership, vera: Membership, zoe: Membership,
    client_of: Any, client: Any, make_generation: Any,
) -> None:  # fmt: skip
    made = make_generation(bob, outputs=2)
    for who, status in ((mona, 302), (carol, 403), (vera, 403), (zoe, 404)):
        assert client_of(who).post(url(made, "keeper"), {"take": "0"}).status_code == status
    assert client.post(url(made, "keeper"), {"take": "0"}).status_code == 302
    assert "Keeper: Take A" in client_of(bob).get(url(made)).content.decode()
    assert "Keeper: Take A" not in client_of(carol).get(url(made)).content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_who_choose_at_once_leave_one_keeper(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(bob, outputs=4)
    clients = [client_of(who) for who in (bob, mona, bob, mona)]
    calls = [lambda n=n: clients[n].post(url(made, "keeper"), {"take": str(n)}).status_code for n in range(4)]
    assert at_once(calls)["accepted"] == 4
    assert made.outputs.filter(is_keeper=True).count() == 1
