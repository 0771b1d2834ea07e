"""Real worker processes on the real database, and somebody who pulls the plug."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from accounts.models import Allowance, Measure, Membership, Mode, Period, Role, Scope, Team
from generations import quota
from generations.models import ACTIVE, Connection, Generation, Output, State
from generations.pipeline import resolve
from generations.pipeline.accept import accept
from tests.conftest import MODEL, join, point_at
from tests.effort import thorough
from tests.upstream import Upstream, descendants

pytestmark = [pytest.mark.django_db(transaction=True)]
PATIENCE = 60.0


def wait_for(what: Callable[[], Any], why: str = "") -> Any:
    give_up = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < give_up, f"{why or what} did not come; {states()}"
        time.sleep(0.05)
    return found


def states() -> list[tuple[str, str]]:
    return list(Generation.objects.values_list("status", "error_message"))


class Worker:
    """`manage.py worker` on the test's database and folder."""

    def __init__(self, folder: Path, url: str) -> None:
        name, given = str(connection.settings_dict["NAME"]), connection.settings_dict
        sqlite = connection.vendor == "sqlite"
        database = (
            f"sqlite:///{name}"
            if sqlite
            else f"postgres://{given['USER']}@{given['HOST']}:{given['PORT'] or 5432}/{name}"
        )
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "rhweb.settings",
            "DATABASE_URL": database,
            "RHWEB_DATA_DIR": str(folder),
            "RHWEB_SECRET_KEY": project.SECRET_KEY,
            "RUNNINGHUB_BASE_URL": url,
            "RUNNINGHUB_API_KEY": "k" * 32,
            "RHWEB_LOG_LEVEL": "ERROR",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"],
            cwd=project.BASE_DIR,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def pull_the_plug(self) -> None:
        """SIGKILL for the supervisor and every process it started, at once."""
        assert self.process
        family = descendants(self.process.pid)
        for pid in [self.process.pid, *family]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        wait_for(lambda: not [pid for pid in family if alive(pid)])
        self.process = None


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(seconds=0.5, slots=10) as running:
        yield running


@pytest.fixture
def worker(upstream: Upstream, tmp_path: Path, settings: Any) -> Iterator[Worker]:
    point_at(settings, upstream.url)
    settings.DATA_DIR = tmp_path
    here = {**settings.STORAGES["default"]["OPTIONS"], "location": str(tmp_path / "media")}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": here}}
    found = Worker(tmp_path, upstream.url)
    yield found
    if found.process:
        found.pull_the_plug()


@pytest.fixture
def dana(transactional_db: None) -> Membership:
    team = Team.objects.create(slug="plug", name="Plug")
    Allowance.put(
        team,
        scope=Scope.DEFAULT,
        measure=Measure.SPEND,
        period=Period.MONTH,
        mode=Mode.LIMITED,
        limit=Decimal("8"),
    )
    return join(team, "dana", Role.OWNER)


def as_if_time_had_passed() -> None:
    """Leases and the watcher's heartbeat run out, as they do within two minutes."""
    Generation.objects.filter(status__in=ACTIVE).exclude(lease_until=None).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


@pytest.mark.parametrize(
    "plugs",
    [
        thorough([("download", True)], id="one"),
        thorough([("query", True), ("download", False), ("download", True), ("query", False)], id="each"),
    ],
)
def test_the_plug_pulled_at_every_stage_with_and_without_the_queue(
    plugs: list[tuple[str, bool]], worker: Worker, upstream: Upstream, dana: Membership
) -> None:
    made: list[Generation] = []
    for stage, lose_queue in plugs:
        prompt = f"{stage} {lose_queue}"
        stuck = upstream.hold(stage, prompt)
        made.append(accept(dana, MODEL, {"prompt": prompt}).generation)
        worker.start()
        assert stuck.wait(PATIENCE), f"nothing reached {stage}: {states()}"
        worker.pull_the_plug()
        if lose_queue:
            OrmQ.objects.all().delete()
        upstream.let_go(stage)
        as_if_time_had_passed()
    stuck = upstream.hold("submit", "submit")
    lost = accept(dana, MODEL, {"prompt": "submit"}).generation
    worker.start()
    assert stuck.wait(PATIENCE)
    worker.pull_the_plug()
    OrmQ.objects.all().delete()
    upstream.let_go("submit")
    as_if_time_had_passed()
    worker.start()
    wait_for(
        lambda: not Generation.objects.filter(status__in=ACTIVE).exclude(status=State.UNCONFIRMED).exists()
    )
    lost.refresh_from_db()
    assert lost.status == State.UNCONFIRMED, "it may have been taken, so nobody sends it again"
    task = next(s["task"] for s in upstream.submits if s["body"]["prompt"] == "submit")
    assert resolve.attach(lost, task)
    wait_for(lambda: not Generation.objects.filter(status__in=ACTIVE).exists())

    assert set(Generation.objects.values_list("status", flat=True)) == {State.SUCCEEDED}
    prompts = [submit["body"]["prompt"] for submit in upstream.submits]
    assert len(prompts) == len(set(prompts)) == len(made) + 1, "each was submitted once"
    assert Output.objects.count() == len(prompts), "each result is stored once"
    for output in Output.objects.all():
        with output.file.open("rb") as file:
            assert (
                hashlib.sha256(file.read()).hexdigest()
                == output.sha256
                == hashlib.sha256(upstream.audio).hexdigest()
            )
    stored = [
        path for path in Path(worker.environment["RHWEB_DATA_DIR"], "media").rglob("*") if path.is_file()
    ]
    assert len(stored) == len(prompts), "no file without a row"
    assert quota.standing(dana)[0].used == Decimal("0.8") * len(prompts)


@pytest.mark.thorough
def test_the_cluster_killed_under_its_supervisor_is_started_again(
    worker: Worker, upstream: Upstream, dana: Membership
) -> None:
    worker.start()
    assert worker.process
    first = wait_for(lambda: len(descendants(worker.process.pid)) >= 5 and descendants(worker.process.pid))
    os.kill(first[0], signal.SIGKILL)
    # An orphan that took the generation and is killed with it would hold it for the length of a lease.
    wait_for(lambda: not [pid for pid in first if alive(pid)], "the end of the first cluster's orphans")
    row = accept(dana, MODEL, {"prompt": "after the crash"}).generation
    wait_for(lambda: Generation.objects.get(pk=row.pk).status == State.SUCCEEDED)
    assert len(upstream.submits) == 1


@pytest.mark.thorough
def test_a_worker_whose_supervisor_dies_does_not_live_on(worker: Worker, dana: Membership) -> None:
    worker.start()
    assert worker.process
    family = wait_for(lambda: len(descendants(worker.process.pid)) >= 5 and descendants(worker.process.pid))
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.wait()
    wait_for(lambda: not [pid for pid in family if alive(pid)], "the end of the orphans")
    worker.process = None


@pytest.mark.thorough
def test_a_polite_stop_finishes_within_half_a_minute(
    worker: Worker, upstream: Upstream, dana: Membership
) -> None:
    worker.start()
    assert worker.process
    row = accept(dana, MODEL, {"prompt": "before the stop"}).generation
    wait_for(lambda: Generation.objects.get(pk=row.pk).status != State.QUEUED)
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(40) == 0
    assert Generation.objects.get(pk=row.pk).status != State.UNCONFIRMED
    assert Connection.objects.count() == 1
    worker.process = None
