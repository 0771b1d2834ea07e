"""`manage.py worker` is asked to stop: politely, soon, and without cutting a submit off."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Membership
from generations.management.commands.worker import STOPS_WITHIN, Command
from generations.models import Generation, State
from tests.generations.management.processes import Household, wait_for

SOON = 20.0  # seconds; about 2 on a machine with nothing else to do

ORDER = """
from accounts.models import Membership
from generations.pipeline.accept import accept
model = "minimax--music-2.6--text-to-instrumental"
accept(Membership.objects.get(), model, {"prompt": "Slow bells"})
"""


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    """A team with one member, and a sandbox that runs."""
    found = Household(tmp_path)
    setup = (
        "migrate -v 0",
        "create_team tide",
        "create_member finn@example.com --team tide --role member --password harbours-2026",
    )
    for line in setup:
        assert found.run(*line.split())[0] == 0
    host, port = found.sandbox.removeprefix("http://").split(":")
    sandbox = found.start("sandbox", "--host", host, "--port", port)
    found.hear(sandbox, "listens on")
    yield found
    found.end()


def script(household: Household, **faults: Any) -> None:
    request = urllib.request.Request(f"{household.sandbox}/sandbox/script", json.dumps(faults).encode())
    urllib.request.urlopen(request, timeout=10).close()


def row(household: Household) -> tuple[Any, ...]:
    return household.rows("SELECT status, submitting_at, upstream_id FROM generations_generation")[0]


@pytest.mark.thorough
def test_a_stop_waits_for_the_answer_to_a_submit_and_hands_the_rest_over(household: Household) -> None:
    script(household, submit=[{"slow": 4, "after": True, "seconds": 3600}])
    assert household.run("shell", "-v", "0", "-c", ORDER)[0] == 0
    worker = household.start("worker")
    wait_for(
        lambda: row(household)[0] == State.DISPATCHING and row(household)[1],
        lambda: f"{row(household)} {household.said(worker)}",
    )
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(SOON) == 0, "a running generation holds a stop up for no longer than its submit"
    assert row(household)[0] == State.RUNNING, f"cut off after {time.monotonic() - began:.1f} s"
    assert row(household)[2]
    assert [line for line in household.alive() if "sandbox" not in line] == []
    assert household.rows("SELECT holder FROM generations_heartbeat WHERE name = 'watcher'") == [("",)]
    assert household.rows("SELECT count(*) FROM django_q_ormq")[0][0] >= 1, "nobody would take over at once"


@pytest.mark.thorough
def test_a_supervisor_that_is_killed_takes_its_queue_with_it(household: Household) -> None:
    worker = household.start("worker")
    wait_for(
        lambda: [line for line in household.alive() if "--guarded-by" in line], lambda: str(household.alive())
    )
    worker.kill()
    worker.wait()
    wait_for(
        lambda: not [line for line in household.alive() if "worker" in line], lambda: str(household.alive())
    )


@pytest.mark.thorough
def test_a_database_that_is_not_prepared_is_a_sentence(tmp_path: Path) -> None:
    code, said = Household(tmp_path).run("worker")
    assert code == 1
    assert said.startswith("CommandError: The database cannot be used: no such table")
    assert "run `manage.py migrate`" in said


def test_only_an_answer_that_is_due_lengthens_a_stop(
    bob: Membership, make_generation: Callable[..., Generation], settings: Any
) -> None:
    stop = Command()
    stop.stopping = True
    late = STOPS_WITHIN + 1
    assert stop._may_go_on(STOPS_WITHIN - 1)
    assert not stop._may_go_on(late)
    leased = make_generation(bob, status=State.DISPATCHING, lease_until=timezone.now() + timedelta(minutes=1))
    assert stop._may_go_on(late)
    assert not stop._may_go_on(STOPS_WITHIN + settings.SUBMIT_SECONDS + 1)
    stop.stopping = False
    assert not stop._may_go_on(late), "a queue that fell silent has had its time"
    stop.stopping = True
    Generation.objects.filter(pk=leased.pk).update(lease_until=timezone.now())
    assert not stop._may_go_on(late)
