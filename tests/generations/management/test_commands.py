"""The commands of generations that end by themselves: demo, doctor, sweep."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Allowance, Membership, Team
from generations import queue
from generations.management.commands.demo import ACCOUNTS, PIECES
from generations.models import Connection, Generation, Heartbeat, State
from tests.conftest import point_at
from tests.generations.management.processes import ROOT


def run(name: str, *arguments: str) -> str:
    said = io.StringIO()
    call_command(name, *arguments, stdout=said, stderr=said)
    return said.getvalue()


@pytest.fixture
def own_folder(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path


def rows() -> dict[str, int]:
    return {
        model.__name__: model.objects.count()  # type: ignore[attr-defined]
        for model in (Team, Membership, Allowance, Generation)
    }


@pytest.mark.thorough
def test_the_demo_is_real_sound_and_a_second_run_changes_nothing(db: None, own_folder: None) -> None:
    assert "demo sound" in run("demo")
    made = Generation.objects.all()
    assert [row.status for row in made] == [State.SUCCEEDED] * (
        len(PIECES) + 3
    )  # a recording, its voice, its words
    assert all(row.outputs.get().duration > 1 for row in made)
    before = rows()
    assert before["Membership"] == len(ACCOUNTS)
    assert run("demo") == ""
    assert rows() == before


def test_with_a_real_key_there_is_no_demo(db: None, settings: Any) -> None:
    point_at(settings, "http://127.0.0.1:9")
    with pytest.raises(CommandError, match="unset RUNNINGHUB_API_KEY"):
        run("demo")
    assert not Team.objects.exists()


def test_the_doctor_is_content_when_all_is_well(db: None, sandbox: Any) -> None:
    Heartbeat.beat("worker")
    queue.ensure_schedules()
    said = run("doctor")
    assert "WRONG" not in said
    looked_at = [line.split()[1].rstrip(":") for line in said.splitlines()[1:]]
    assert looked_at[:8] == ["database", "cache", "worker", "queue", "schedule", "clock", "custody", "disk"]
    assert looked_at[8:] == ["storage", "settings", "upstream", "clock", "webhook"]


def test_the_doctor_names_what_is_wrong_and_what_to_do(
    db: None,
    settings: Any,
    bob: Membership,
    make_generation: Callable[..., Generation],
    capsys: pytest.CaptureFixture[str],
) -> None:
    point_at(settings, "http://127.0.0.1:9")
    make_generation(bob, status=State.RUNNING, next_check_at=timezone.now() - timedelta(hours=1))
    Connection.current().pause("1004", "No funds")
    said = io.StringIO()
    with pytest.raises(CommandError, match="5 things need a look") as wrong:
        call_command("doctor", stdout=said)
    assert wrong.value.returncode == 1
    lines = [line for line in said.getvalue().splitlines() if line.startswith("WRONG")]
    for line, words in zip(
        lines,
        (
            "Start `manage.py worker`",
            "due since 3600 s",
            "paused: No funds",
            "Start `manage.py worker`; it plans it",
            "Look at RUNNINGHUB_BASE_URL",
        ),
        strict=True,
    ):
        assert words in line
    assert "k" * 32 not in said.getvalue()


def test_the_doctor_says_that_the_sandbox_is_not_running(db: None, settings: Any) -> None:
    settings.RUNNINGHUB_BASE_URL = "http://127.0.0.1:9"
    said = io.StringIO()
    with pytest.raises(CommandError, match="3 things need a look"):
        call_command("doctor", stdout=said)
    assert "Start `manage.py sandbox`." in said.getvalue()
    assert "No worker was ever seen. Start `manage.py worker`." in said.getvalue()


def test_the_doctor_reads_the_settings_too(db: None, sandbox: Any, settings: Any) -> None:
    Heartbeat.beat("worker")
    settings.RUNNINGHUB_API_KEY = "k" * 31
    said = io.StringIO()
    with pytest.raises(CommandError):
        call_command("doctor", stdout=said)
    assert (
        "WRONG settings: RUNNINGHUB_API_KEY has 31 characters; RunningHub's keys have 32." in said.getvalue()
    )


def test_the_sweep_prints_what_it_repaired(
    bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    past = timezone.now() - timedelta(minutes=5)
    make_generation(bob, status=State.DISPATCHING, lease_until=past)
    make_generation(bob, status=State.DISPATCHING, lease_until=past, submitting_at=past)
    make_generation(bob, status=State.QUEUED, deadline_at=past)
    said = dict(line.split(": ") for line in run("sweep").splitlines())
    assert (said["requeued"], said["unconfirmed"], said["expired"]) == ("1", "1", "1")
    again = dict(line.split(": ") for line in run("sweep").splitlines())
    assert {again[rule] for rule in ("requeued", "unconfirmed", "expired", "parked")} == {"0"}


def test_the_doctor_says_that_a_key_cannot_be_one(db: None, settings: Any) -> None:
    point_at(settings, "http://127.0.0.1:9", key="short")
    said = io.StringIO()
    with pytest.raises(CommandError):
        call_command("doctor", stdout=said)
    assert "WRONG upstream: http://127.0.0.1:9 cannot be asked" in said.getvalue()


def test_the_doctor_tries_the_cache(db: None, sandbox: Any, settings: Any) -> None:
    redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    settings.CACHES = {"default": redis}
    said = io.StringIO()
    with pytest.raises(CommandError):
        call_command("doctor", stdout=said)
    assert "WRONG cache:" in said.getvalue()
    assert "Look at REDIS_URL" in said.getvalue()


@pytest.mark.thorough
def test_a_database_that_cannot_be_used_is_a_sentence_for_every_command(tmp_path: Path) -> None:
    empty = {"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}", "RHWEB_DATA_DIR": str(tmp_path)}
    for command in ("create_team x", "sweep", "backup"):
        ended = subprocess.run(
            [sys.executable, "manage.py", *command.split()],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "rhweb.settings", **empty},
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 1, command
        assert "Traceback" not in ended.stderr
        assert "manage.py migrate" in ended.stderr or "database" in ended.stderr
