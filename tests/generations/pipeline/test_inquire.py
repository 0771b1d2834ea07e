"""Questions to RunningHub on somebody's behalf: nothing is believed before it answered."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import Membership
from generations import queue
from generations.models import Connection, Finding, Generation, Inquiry, Question, State, sealing
from generations.pipeline import alert, inquire, resolve
from generations.pipeline.accept import accept
from generations.pipeline.sweep import sweep
from tests.conftest import MODEL, one_round, run_pipeline
from tests.upstream import Upstream

Make = Callable[..., Generation]
AGES_AGO = timedelta(hours=2)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def lost(sandbox: Any, bob: Membership) -> tuple[Generation, str]:
    """A generation whose answer was lost, and the task that it is upstream."""
    sandbox.script("submit", "lost")
    row = accept(bob, MODEL, {"prompt": "Calm piano"}).generation
    one_round()
    row.refresh_from_db()
    assert row.status == State.UNCONFIRMED
    return row, next(iter(sandbox.tasks))


def ask(row: Generation, task: str, by: Membership) -> Inquiry:
    assert resolve.propose(row, task, by.user)
    inquire.work()
    row.refresh_from_db()
    return Inquiry.objects.get(pk=row.pk)


def test_the_task_that_it_is_is_attached(lost: tuple[Generation, str], mona: Membership) -> None:
    row, task = lost
    asked = ask(row, task, mona)
    assert (asked.answer, asked.question, asked.asked_by) == (Finding.EXISTS, "", mona.user)
    assert (row.status, row.upstream_id) == (State.RUNNING, task)
    run_pipeline()
    row.refresh_from_db()
    assert row.status == State.SUCCEEDED


def test_a_task_that_nobody_knows_is_not_attached(lost: tuple[Generation, str], mona: Membership) -> None:
    row, _ = lost
    assert ask(row, "1999000000000000000", mona).answer == Finding.UNKNOWN
    assert (row.status, row.upstream_id) == (State.UNCONFIRMED, "")
    assert not resolve.insist(row, "1999000000000000000"), "there is nothing to insist on"


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"endpoint": "suno/v5/generate-music"}, "model"),
        ({"params": {"prompt": "Loud drums"}}, "prompt"),
        ({"failedReason": {"current_inputs": {"prompt": ["Loud"]}}}, "prompt"),
        (
            {"status": "SUCCESS", "results": [{"url": "http://x.example/a.png", "outputType": "png"}]},
            "result",
        ),
    ],
)
def test_a_task_that_differs_waits_for_a_word(
    lost: tuple[Generation, str], sandbox: Any, mona: Membership, said: dict[str, Any], what: str
) -> None:
    row, task = lost
    sandbox.script("query", {"merge": said})
    asked = ask(row, task, mona)
    assert asked.answer == Finding.DIFFERS
    assert [one["what"] for one in asked.detail["differences"]] == [what]
    assert row.status == State.UNCONFIRMED
    assert not resolve.insist(row, "7"), "another one was asked about"
    assert resolve.insist(row, task)
    assert not resolve.insist(row, task), "it is settled"
    row.refresh_from_db()
    assert (row.status, row.upstream_id) == (State.RUNNING, task)


def test_what_the_reply_says_alike_is_no_difference(
    lost: tuple[Generation, str], sandbox: Any, mona: Membership
) -> None:
    row, task = lost
    sandbox.script("query", {"merge": {"endpoint": row.model.replace("--", "/"), "params": row.params}})
    assert ask(row, task, mona).answer == Finding.EXISTS


def test_the_task_of_another_generation_is_not_asked_about(
    lost: tuple[Generation, str], mona: Membership, make_generation: Make
) -> None:
    row, task = lost
    make_generation(mona, upstream_id="77")
    with pytest.raises(resolve.TaskTaken):
        resolve.propose(row, "77", mona.user)
    assert resolve.propose(row, task, mona.user)
    make_generation(mona, upstream_id=task)
    inquire.work()
    assert Inquiry.objects.get(pk=row.pk).answer == Finding.TAKEN


def test_without_an_answer_it_is_asked_again_and_then_left_to_a_person(
    lost: tuple[Generation, str], sandbox: Any, mona: Membership
) -> None:
    row, task = lost
    sandbox.script("query", {"http": 503, "times": 2})
    asked = ask(row, task, mona)
    assert (asked.question, asked.tries) == (Question.TASK, 1)
    assert asked.due_at > timezone.now()  # type: ignore[operator]
    sandbox.script("query", {"http": 503, "times": 0})
    for _ in range(inquire.TRIES):
        Inquiry.objects.update(due_at=timezone.now())
        inquire.work()
    asked.refresh_from_db()
    assert asked.answer == Finding.NO_ANSWER
    row.refresh_from_db()
    assert row.status == State.UNCONFIRMED
    assert resolve.insist(row, task), "a manager may know better"


def test_a_question_survives_its_worker_and_its_message(
    lost: tuple[Generation, str], mona: Membership
) -> None:
    row, task = lost
    assert resolve.propose(row, task, mona.user)
    assert Inquiry.objects.get(pk=row.pk).claim(timezone.now() + inquire.LEASE), "a worker that is killed now"
    assert inquire.work() == 0, "it is leased"
    Inquiry.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    before = queue.waiting()
    inquire.tend()
    assert queue.waiting() == before + 1
    assert inquire.work() == 1


def test_of_two_who_ask_the_answer_of_one_is_written(lost: tuple[Generation, str], mona: Membership) -> None:
    row, task = lost
    assert resolve.propose(row, task, mona.user)
    assert not resolve.propose(row, task, mona.user)
    one, other = (Inquiry.objects.select_related("generation").get(pk=row.pk) for _ in range(2))
    assert one.claim(timezone.now() + inquire.LEASE)
    assert not other.claim(timezone.now() + inquire.LEASE)
    assert inquire.answer(one)
    assert not other.settle(Finding.UNKNOWN, {}), "it is answered"
    assert Inquiry.objects.get(pk=row.pk).answer == Finding.EXISTS


def test_the_account_is_looked_at_when_an_answer_was_lost(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", {"hang": True}, {"hang": True}, {"lost": "after", "hang": True})
    rows = [accept(bob, MODEL, {"prompt": str(n)}).generation for n in range(3)]
    one_round()
    row = Generation.objects.get(status=State.UNCONFIRMED)
    assert row in rows
    found = Inquiry.objects.get(pk=row.pk)
    assert found.lost_at
    assert found.before["balance"]
    assert {key: found.after[key] for key in ("running", "known", "lost")} == {
        "running": 3, "known": 2, "lost": 1,
    }  # fmt: skip


def test_an_account_that_says_nothing_is_looked_at_later(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", "lost")
    accept(bob, MODEL, {"prompt": "x"})
    one_round_without_facts = {"http": 503, "times": 0}
    sandbox.script("account", one_round_without_facts)
    one_round()
    assert Inquiry.objects.get().after is None
    sandbox.clear_script()
    inquire.tend()
    inquire.work()
    assert Inquiry.objects.get().after["running"] is not None


def test_an_answer_lost_by_a_dead_worker_is_noted_too(bob: Membership, make_generation: Make) -> None:
    ended = timezone.now() - timedelta(minutes=5)
    row = make_generation(bob, status=State.DISPATCHING, submitting_at=ended, lease_until=ended)
    sweep()
    assert Inquiry.objects.get(pk=row.pk).lost_at
    Inquiry.objects.all().delete()  # as if the worker died between its two statements
    inquire.tend()
    assert Inquiry.objects.get(pk=row.pk).lost_at


def test_managers_get_one_mail_for_a_burst(
    bob: Membership, mona: Membership, zoe: Membership, make_generation: Make
) -> None:
    for n in range(12):
        make_generation(bob, status=State.UNCONFIRMED, title=f"Rain {n}")
    inquire.tend()
    assert alert.undecided() == 1
    assert [message.to for message in mail.outbox] == [["mona@example.com"]]
    assert "12 generations" in mail.outbox[0].subject
    assert "and 2 more" in mail.outbox[0].body
    assert "/t/tide/inbox/" in mail.outbox[0].body
    late = make_generation(bob, status=State.UNCONFIRMED)
    inquire.tend()
    assert alert.undecided() == 0, "it belongs to the burst"
    Inquiry.objects.exclude(pk=late.pk).update(told_at=timezone.now() - AGES_AGO)
    assert alert.undecided() == 1
    assert "1 generation of Tide Tables needs a decision" in mail.outbox[-1].subject
    assert alert.undecided() == 0


def test_what_was_put_aside_is_told_of_each_time(
    bob: Membership, mona: Membership, make_generation: Make
) -> None:
    row = make_generation(bob, status=State.RUNNING, parked_at=timezone.now())
    assert alert.undecided() == 1
    assert "Put aside" in mail.outbox[0].body
    Inquiry.objects.update(told_at=timezone.now() - AGES_AGO)
    resolve.unpark(row)
    assert alert.undecided() == 0
    Generation.objects.update(parked_at=timezone.now())
    assert alert.undecided() == 1


def test_a_mail_that_cannot_be_sent_is_sent_later(
    bob: Membership, mona: Membership, make_generation: Make, settings: Any
) -> None:
    make_generation(bob, status=State.UNCONFIRMED)
    inquire.tend()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 9
    assert alert.undecided() == 0
    assert Inquiry.objects.get().told_at is None


def test_nothing_is_asked_of_an_account_that_is_not_set_up(bob: Membership, make_generation: Make) -> None:
    row = make_generation(bob, status=State.UNCONFIRMED)
    Connection.objects.update(base_url="https://gone.example")
    assert Inquiry.ask(row, Question.TASK, by=None, task="1")
    assert inquire.work() == 0
    assert Inquiry.objects.get().question == Question.TASK


def test_a_look_that_came_too_early_is_repeated(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", {"lost": "after", "hang": True})
    sandbox.script("queue", {"merge": {"runningCount": 0, "totalCurrentTasks": 0}, "times": 0})
    accept(bob, MODEL, {"prompt": "x"})
    one_round()
    found = Inquiry.objects.get()
    assert found.after["running"] == 0
    sandbox.clear_script()
    inquire.tend()
    inquire.work()
    found.refresh_from_db()
    assert found.after["running"] == 0, "not at once"
    moment = found.lost_at - timedelta(minutes=1)  # type: ignore[operator]
    Inquiry.objects.update(lost_at=moment, after={**found.after, "at": moment.isoformat()})
    inquire.tend()
    inquire.work()
    found.refresh_from_db()
    assert (found.after["running"], found.after["known"]) == (1, 0)


def test_a_task_is_looked_for_in_no_other_teams_account(
    lost: tuple[Generation, str], sandbox: Any, mona: Membership, zoe: Membership, settings: Any
) -> None:
    row, _task = lost
    with Upstream() as theirs:
        settings.EXTRA_SITES = [there := theirs.url]
        theirs.started["1999"] = 0.0
        for team, name in ((zoe.team, "Client Acme"), (mona.team, "Ours")):
            sealed = sealing.seal(there, "k" * 32)
            Connection.objects.create(team=team, name=name, base_url=there, sealed_key=sealed)
        asked = ask(row, "1999", mona)
        assert (asked.answer, asked.detail["account"]) == (Finding.ELSEWHERE, "Ours")
        assert theirs.queries["1999"] == 1
