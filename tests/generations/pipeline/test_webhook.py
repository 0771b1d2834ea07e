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
from generations.models import Connection, Generation, State
from generations.pipeline import dispatch, follow, webhook
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
    client: Client, bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    row = make_generation(bob, status=State.FAILED, error_code="released")
    assert ring(client, row, {"taskId": "1934"}) == 200
    row.refresh_from_db()
    assert (row.status, row.upstream_id) == (State.RUNNING, "1934")
    other = make_generation(bob, status=State.FAILED, error_code="1501")
    assert ring(client, other, {"taskId": "1935"}) == 200
    other.refresh_from_db()
    assert other.status == State.FAILED


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
