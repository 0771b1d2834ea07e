"""The doorbell from upstream: welcome, and never believed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Membership
from generations.models import Bell, Connection, Finding, Generation, Heartbeat, Inquiry, Question, State
from generations.pipeline import dispatch, follow, inquire, resolve, webhook
from generations.pipeline.accept import accept
from generations.queue import waiting
from tests.conftest import MODEL, one_round, run_pipeline

SPEECH = "minimax--speech-2.8-turbo"


def ring(client: Client, row: Generation, body: Any = None, token: str = "") -> int:
    raw = body if isinstance(body, bytes) else json.dumps(body)
    path = f"/hooks/{row.pk}/{token or webhook.token(row.pk)}"
    return client.post(path, raw, content_type="application/json").status_code


def test_a_call_makes_a_running_generation_due_now_and_changes_nothing_else(
    client: Client, bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    later = timezone.now() + timedelta(minutes=5)
    row = make_generation(bob, status=State.RUNNING, upstream_id="1", next_check_at=later)
    body = {"event": "TASK_END", "taskId": "999", "eventData": '{"status":"SUCCESS"}'}
    assert ring(client, row, body) == 200
    row.refresh_from_db()
    assert row.next_check_at <= timezone.now()  # type: ignore[operator]
    assert (row.status, row.upstream_id) == (State.RUNNING, "1")
    assert waiting() == 1


def test_a_bell_before_the_submit_was_answered_is_asked_to_ring_again(
    client: Client, bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    row = make_generation(bob, status=State.DISPATCHING)
    assert ring(client, row, {"taskId": "7"}) == 503
    Generation.objects.move(row.pk, State.DISPATCHING, State.UNCONFIRMED)
    assert ring(client, row, {"taskId": "7"}) == 200
    assert Inquiry.objects.get().task == "7"


def test_a_bell_that_names_another_task_than_is_asked_for_is_asked_to_ring_again(
    client: Client, bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    row = make_generation(bob, status=State.UNCONFIRMED)
    Inquiry.ask(row, Question.TASK, by=bob.user, task="1")
    assert ring(client, row, {"taskId": "7"}) == 503
    assert ring(client, row, {"taskId": "1"}) == 200
    assert ring(client, row) == 200
    Inquiry.objects.update(question=Question.NONE)
    assert ring(client, row, {"taskId": "7"}) == 200
    assert Inquiry.objects.get().task == "7"


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[" * 5000, b"null", b'{"taskId": {}}', b"x" * 300_000], ids=len
)
def test_any_body_is_taken(
    client: Client, bob: Membership, make_generation: Callable[..., Generation], body: bytes
) -> None:
    row = make_generation(bob, status=State.UNCONFIRMED)
    assert ring(client, row, body) == 200
    row.refresh_from_db()
    assert row.status == State.UNCONFIRMED


def test_a_guessed_address_is_nothing(
    client: Client, bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    row = make_generation(bob, status=State.UNCONFIRMED)
    assert ring(client, row, {"taskId": "7"}, token="0" * 32) == 404
    row.refresh_from_db()
    assert row.status == State.UNCONFIRMED
    assert client.get(f"/hooks/{row.pk}/{webhook.token(row.pk)}").status_code == 405


@pytest.mark.parametrize("status", [State.SUCCEEDED, State.FAILED, State.CANCELLED, State.QUEUED])
def test_a_late_or_repeated_call_changes_nothing(
    client: Client, bob: Membership, make_generation: Callable[..., Generation], status: State
) -> None:
    row = make_generation(bob, status=status)
    assert [ring(client, row, {"taskId": "7"}) for _ in range(3)] == [200, 200, 200]
    row.refresh_from_db()
    assert (row.status, row.upstream_id) == (status, "")


def test_the_lost_task_is_found_again_by_its_webhook(
    client: Client, sandbox: Any, settings: Any, bob: Membership
) -> None:
    settings.PUBLIC_URL = "https://portal.example"
    sandbox.script("submit", "lost")
    sandbox.script("webhook", {"lost": True, "times": 0})
    row = accept(bob, MODEL, {"prompt": "Calm piano"}).generation
    one_round()
    task, sent = next(iter(sandbox.tasks)), sandbox.submits[0]["body"]
    assert sent["webhookUrl"] == webhook.address(row.pk)
    assert ring(client, row, {"event": "TASK_END", "taskId": task}) == 200
    run_pipeline()
    row.refresh_from_db()
    assert (row.status, row.upstream_id) == (State.SUCCEEDED, task)
    assert len(sandbox.submits) == 1


def test_a_call_that_comes_after_the_release_brings_the_task_back(
    client: Client, sandbox: Any, settings: Any, bob: Membership
) -> None:
    settings.PUBLIC_URL = "https://portal.example"
    sandbox.script("submit", "lost")
    row = accept(bob, MODEL, {"prompt": "Calm piano"}).generation
    one_round()
    assert resolve.release(row)
    assert ring(client, row, {"taskId": next(iter(sandbox.tasks))}) == 200
    run_pipeline()
    row.refresh_from_db()
    assert row.status == State.FAILED, "nothing is waiting any more"
    inquire.work()
    run_pipeline()
    row.refresh_from_db()
    assert (row.status, row.upstream_id) == (State.SUCCEEDED, next(iter(sandbox.tasks)))


def test_what_failed_for_another_reason_asks_nothing(
    client: Client, bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    other = make_generation(bob, status=State.FAILED, error_code="1501")
    assert ring(client, other, {"taskId": "1935"}) == 200
    assert not Inquiry.objects.exists()


FORGED = [b"", b"\xff", b'{"taskId": "1934"}', b"x" * 300_000]


@pytest.mark.parametrize("body", FORGED, ids=len)
def test_a_wrong_token_costs_no_query_and_the_right_one_a_single_one(
    client: Client,
    bob: Membership,
    make_generation: Callable[..., Generation],
    django_assert_num_queries: Any,
    body: bytes,
) -> None:
    rows = [
        make_generation(bob, status=State.SUCCEEDED, upstream_id="1"),
        make_generation(bob, status=State.RUNNING, upstream_id="2", next_check_at=timezone.now()),
        make_generation(
            bob, status=State.RUNNING, upstream_id="3", webhook="rang",
            next_check_at=timezone.now() + timedelta(seconds=20),
        ),
        make_generation(bob, status=State.FAILED, error_code="1501"),
        make_generation(bob, status=State.QUEUED),
    ]  # fmt: skip
    before = list(Generation.objects.order_by("pk").values())
    for row in rows:
        with django_assert_num_queries(0):
            assert ring(client, row, body, token="0" * 32) == 404
        with django_assert_num_queries(1):
            assert ring(client, row, body) == 200
    with django_assert_num_queries(0):
        assert client.post(f"/hooks/{rows[0].pk}/{'z' * 5000}", body, content_type="x/y").status_code == 404
    assert list(Generation.objects.order_by("pk").values()) == before


def test_a_watcher_at_work_is_not_woken(
    client: Client, bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    later = timezone.now() + timedelta(minutes=5)
    row = make_generation(bob, status=State.RUNNING, upstream_id="1", next_check_at=later)
    Heartbeat.beat("watcher", holder="one")
    assert ring(client, row) == 200
    row.refresh_from_db()
    assert (row.next_check_at <= timezone.now(), row.webhook) == (True, "rang")  # type: ignore[operator]
    assert waiting() == 0


def test_a_task_that_was_given_another_address_is_not_taken(
    client: Client, sandbox: Any, settings: Any, bob: Membership
) -> None:
    """Whoever knows the address of one generation cannot hang another one's task on it."""
    settings.PUBLIC_URL = "https://portal.example"
    sandbox.script("submit", "lost", "lost")
    sandbox.script("webhook", {"lost": True, "times": 0})
    mine, other = (accept(bob, MODEL, {"prompt": words}).generation for words in ("Mine", "Other"))
    while len(sandbox.tasks) < 2:
        one_round()
    named = {task.webhook_url: pk for pk, task in sandbox.tasks.items()}
    theirs = named[webhook.address(other.pk)]
    give_up = time.monotonic() + 10
    while not sandbox.tasks[theirs].webhook and time.monotonic() < give_up:
        time.sleep(0.01)
    assert ring(client, mine, {"taskId": theirs}) == 200
    inquire.work()
    mine.refresh_from_db()
    assert (mine.status, mine.upstream_id) == (State.UNCONFIRMED, "")
    assert mine.inquiry.answer == Finding.DIFFERS
    assert mine.inquiry.detail["differences"][0]["what"] == "webhook"


def test_a_webhook_that_never_came_is_noted_and_looked_up(
    client: Client, sandbox: Any, settings: Any, bob: Membership
) -> None:
    settings.PUBLIC_URL = "https://portal.example"
    sandbox.script("webhook", {"lost": True, "times": 0})
    row = accept(bob, MODEL, {"prompt": "Calm piano"}).generation
    run_pipeline()
    inquire.tend()
    row.refresh_from_db()
    assert (row.status, row.webhook) == (State.SUCCEEDED, Bell.ASKED), "it may still come"
    Generation.objects.update(upstream_done_at=timezone.now() - timedelta(minutes=3))
    inquire.tend()
    inquire.work()
    row.refresh_from_db()
    assert row.webhook == Bell.SILENT
    assert (row.inquiry.answer, row.inquiry.detail["status"]) == (Finding.LOOKED_UP, "PENDING")


def test_a_running_task_is_asked_for_its_webhook_and_sends_it_again(
    sandbox: Any, settings: Any, bob: Membership
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    sandbox.script("webhook", "lost")
    row = accept(bob, MODEL, {"prompt": "Calm piano"}).generation
    one_round()
    row.refresh_from_db()
    give_up = time.monotonic() + 10
    while not sandbox.tasks[row.upstream_id].webhook and time.monotonic() < give_up:
        time.sleep(0.01)
    Generation.objects.filter(pk=row.pk).update(status=State.RUNNING)
    row.refresh_from_db()
    assert resolve.ask_webhook(row, bob.user)
    assert not resolve.ask_webhook(row, bob.user), "one question at a time"
    inquire.work()
    assert Inquiry.objects.get(pk=row.pk).answer == Finding.RESENT


@pytest.mark.thorough
@pytest.mark.parametrize(("rings", "found"), [(True, "webhook"), (False, "poll")])
def test_who_noticed_the_end_is_counted(
    rings: bool, found: str, settings: Any, bob: Membership, sandbox: Any, client: Client
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    row = accept(bob, SPEECH, {"text": "Who rang?"}).generation
    for one in dispatch.claim(Connection.current(), 1):
        dispatch.send(one)
    Generation.objects.update(next_check_at=timezone.now() + timedelta(hours=1))
    give_up = time.monotonic() + 20
    while not all(task.is_over for task in sandbox.tasks.values()):
        assert time.monotonic() < give_up
        time.sleep(0.01)
    if rings:
        assert client.post(webhook.address(row.pk).removeprefix(settings.PUBLIC_URL)).status_code == 200
    run_pipeline()
    row.refresh_from_db()
    assert (row.status, row.found_by) == (State.SUCCEEDED, found)
    assert f'rhweb_ends_found{{by="{found}"}} 1' in client.get("/metrics").content.decode()


def test_a_call_that_came_before_the_end_did_not_find_it(
    settings: Any, bob: Membership, sandbox: Any
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    sandbox.script("submit", {"seconds": 0.2})
    row = accept(bob, SPEECH, {"text": "Too early."}).generation
    for one in dispatch.claim(Connection.current(), 1):
        dispatch.send(one)
    webhook.ring(row.pk, webhook.token(row.pk), b"")
    for one in follow.claim(1):
        follow.look(one)
    row.refresh_from_db()
    assert (row.status, row.found_by) == (State.RUNNING, "")
    run_pipeline()
    row.refresh_from_db()
    assert row.found_by == "poll"
