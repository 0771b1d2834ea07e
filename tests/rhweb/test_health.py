"""Answers for machines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.checks import run_checks
from django.test import Client
from django.utils import timezone

from accounts.models import Membership
from generations.models import Generation, Heartbeat, State


def test_healthz_needs_nobody_signed_in(client: Client, db: None) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.post("/healthz").status_code == 405


def test_readyz_complains_about_a_silent_worker(
    client: Client, bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    assert client.get("/readyz").status_code == 200, "a fresh portal where nothing waits is ready"
    row = make_generation(bob, status=State.RUNNING)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "worker is silent" in answer.json()["complaints"][0]
    Heartbeat.beat("worker")
    assert client.get("/readyz").status_code == 200
    Generation.objects.filter(pk=row.pk).update(next_check_at=timezone.now() - timedelta(minutes=10))
    assert client.get("/readyz").status_code == 503


def test_metrics_are_for_this_machine_or_for_the_token(client: Client, db: None, settings: Any) -> None:
    assert "rhweb_generations{" in client.get("/metrics").content.decode()
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    settings.METRICS_TOKEN = "let me read"
    remote = {"REMOTE_ADDR": "203.0.113.9"}
    assert (
        client.get("/metrics", headers={"Authorization": "Bearer let me read"}, **remote).status_code == 200
    )
    assert client.get("/metrics", headers={"Authorization": "Bearer guess"}, **remote).status_code == 404


def test_the_queue_that_would_run_a_task_twice_is_an_error(settings: Any) -> None:
    assert not [m for m in run_checks() if m.id and m.id.startswith("rhweb.E")]
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "retry": 300}
    assert [m.id for m in run_checks() if m.id and m.id.startswith("rhweb.E")] == ["rhweb.E001"]


def test_a_key_of_another_length_is_a_warning(settings: Any) -> None:
    settings.RUNNINGHUB_API_KEY = "too short"
    assert "rhweb.W002" in [m.id for m in run_checks()]
