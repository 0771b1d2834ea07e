"""One seeded run of chaos with real processes: workers are forked, killed, frozen and started again while they send,
follow and copy; the database drops its connections or is locked, the disk is full, messages are lost, clocks jump.

A worker is what a worker of the queue is: it takes messages from the real broker and runs what they name. The seed
decides the whole schedule; what a process reaches before it is killed is decided by the machine. Time is compressed:
the clock of all processes is driven ahead, so that leases, waits and deadlines of hours pass in a second.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests
from django.db import DatabaseError, InterfaceError, connection, connections
from django.test import Client
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from accounts.models import Allowance, Measure, Mode, Period, Role, Scope, Team
from generations import quota
from generations.management.commands import worker as supervisor
from generations.models import ACTIVE, Connection, Generation, Heartbeat, State
from generations.pipeline import resolve, several, watch, webhook
from generations.pipeline.accept import accept
from generations.pipeline.cancel import cancel
from generations.pipeline.sweep import sweep
from tests.chaos import faults
from tests.chaos.audit import Seen, Task, audit, limits
from tests.chaos.clock import Clock, moved
from tests.conftest import join

MODEL = "minimax--music-2.6--text-to-instrumental"
CERTAIN = {*faults.FULL, *faults.REFUSALS, 429}
DAY = 86_400.0
WORKERS = 2
CALM_SECONDS = 120.0
AWAY = (DatabaseError, InterfaceError)


class Worker:
    """A process that does what a worker of the queue does, until it is killed."""

    def __init__(self, complaints: Path, skew: float) -> None:
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _work(complaints, skew)
            finally:
                os._exit(0)

    def send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def limit_files(self, size: int) -> None:
        """No file may grow beyond this any more: what a full disk does, at any byte."""
        with suppress(ProcessLookupError, PermissionError):
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    @property
    def is_over(self) -> bool:
        try:
            return os.waitpid(self.pid, os.WNOHANG)[0] != 0
        except ChildProcessError:
            return True

    def kill(self) -> None:
        self.send(signal.SIGCONT)
        self.send(signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _work(complaints: Path, skew: float) -> None:
    leaving: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: leaving.append(number))
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    Clock.own = skew
    broker = get_broker()
    # Hours pass in a second here, so glances and beats are as much shorter.
    watch.GLANCE, watch.BEAT_EVERY, watch.HELP_EVERY, watch.LINGER = 0.05, 0.2, 0.1, 0.1
    watch.logger.handlers = [_Complaints(complaints)]
    began = False
    while not leaving:
        try:
            if not began:
                supervisor._prepare()
                began = True
            for ident, payload in broker.dequeue() or ():
                order = SignedPackage.loads(payload)
                import_string(str(order["func"]))(*order["args"])
                broker.acknowledge(ident)
        except AWAY:
            connections.close_all()
            time.sleep(0.02)
        except OSError:
            time.sleep(0.02)
        except Exception:
            with complaints.open("a") as file:
                file.write(json.dumps(traceback.format_exc()) + "\n")
            connections.close_all()


class _Complaints(logging.Handler):
    """Faults of ours that the worker's edge catches: all that is not the database or the disk being away."""

    def __init__(self, file: Path) -> None:
        super().__init__(logging.ERROR)
        self.file = file

    def emit(self, record: Any) -> None:
        fault = record.exc_info and record.exc_info[1]
        if fault is not None and not isinstance(fault, (*AWAY, OSError)):
            text = "".join(traceback.format_exception(fault))
            with suppress(OSError), self.file.open("a") as file:
                file.write(json.dumps(text) + "\n")


class Upstream:
    """The control of the process that plays RunningHub."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False

    def ask(self, path: str, body: Any = None) -> Any:
        give_up = time.monotonic() + 10
        while True:
            try:
                if body is None:
                    return self.session.get(f"{self.url}/chaos/{path}", timeout=5).json()
                return self.session.post(f"{self.url}/chaos/{path}", json=body, timeout=5).json()
            except requests.RequestException:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.02)

    def seen(self) -> Seen:
        log = self.ask("log")
        return Seen(
            Counter(one["prompt"] for one in log["sent"] if one["refused"] not in CERTAIN),
            [
                Task(task["id"], task["prompt"], Decimal(task["charged"]), tuple(task["files"]))
                for task in log["tasks"]
            ],
        )


class Run:
    """A run of one seed. `pid` is that of the upstream's process, which can be frozen."""

    def __init__(self, seed: int, upstream: Upstream, pid: int, folder: Path) -> None:
        self.dice = random.Random(seed)
        self.seed, self.upstream, self.pid = seed, upstream, pid
        self.complaints = folder / "complaints"
        self.workers: list[Worker] = []
        self.people: list[int] = []
        self.found: list[str] = []
        self.rung: set[str] = set()
        self.asked = 0
        self.browser = Client()
        upstream.ask("new", {"slots": self.dice.randint(2, 5)})
        self.team = Team.objects.create(slug=f"chaos-{seed}", name="Chaos", time_zone="UTC")
        self.members = [join(self.team, f"{name}{seed}", Role.MEMBER) for name in ("ann", "ben")]
        for scope, measure, period, limit in (
            (Scope.DEFAULT, Measure.COUNT, Period.DAY, self.dice.randint(4, 9)),
            (Scope.DEFAULT, Measure.CONCURRENT, Period.NONE, self.dice.randint(3, 6)),
            (Scope.POOL, Measure.SPEND, Period.MONTH, Decimal("0.8") * self.dice.randint(6, 14)),
        ):
            Allowance.put(
                self.team,
                scope=scope,
                measure=measure,
                period=period,
                mode=Mode.LIMITED,
                limit=Decimal(limit),
            )

    def run(self, steps: int = 40) -> list[str]:
        with moved():
            try:
                for _ in range(steps):
                    self._step()
                self._calm()
            finally:
                self._end()
        self.found += audit(self.upstream.seen(), self.team, self.members)
        if self.complaints.exists():
            self.found += [json.loads(line) for line in self.complaints.read_text().splitlines()]
        return [f"seed {self.seed}: {said}" for said in dict.fromkeys(self.found)]

    def _step(self) -> None:
        self._staff()
        acts: list[Callable[[], None]] = [
            *[self._order] * 5,
            *[self._fault] * 5,
            *[self._ring] * 4,
            *[self._kill] * 3,
            *[self._person] * 2,
            self._several,
            self._crowd,
            self._leave,
            self._freeze,
            self._lose_queue,
            self._drop_database,
            self._fill_disk,
            self._clean_disk,
            self._jump,
            self._down,
            self._stall,
            self._sweep,
        ]
        with suppress(*AWAY):
            self.dice.choice(acts)()
        Clock.set_ahead(Clock.ahead() + self.dice.choice([0.5, 2, 2, 5, 20, 120]))
        time.sleep(self.dice.choice([0, 0, 0.005, 0.02]))
        with suppress(*AWAY):
            self.found += limits(self.team)

    def _staff(self) -> None:
        self.workers = [worker for worker in self.workers if not worker.is_over]
        while len(self.workers) < WORKERS:
            skew = self.dice.choice([0.0, 0.0, 0.0, 3.0, -3.0, 90.0, -90.0])
            self.workers.append(Worker(self.complaints, skew))

    def _order(self) -> None:
        self.asked += 1
        member, key = self.dice.choice(self.members), str(self.asked)
        for _ in range(self.dice.choice([1, 1, 2])):
            with suppress(quota.QuotaExceeded):
                accept(member, MODEL, {"prompt": f"{self.seed} number {key}"}, idempotency_key=key)

    def _several(self) -> None:
        self.asked += 1
        member = self.dice.choice(self.members)
        lines = [several.Line(n, f"{self.seed} batch {self.asked} line {n}") for n in range(1, 4)]
        with suppress(quota.QuotaExceeded):
            several.accept(member, MODEL, {"prompt": ""}, lines)

    def _crowd(self) -> None:
        """Two people at two processes ask at once; one is killed on the way now and then."""
        self.asked += 1
        for n in range(2):
            pid = os.fork()
            if pid == 0:
                with suppress(BaseException):
                    self._ask_often(n)
                os._exit(0)
            self.people.append(pid)
        if self.dice.random() < 0.3:
            time.sleep(self.dice.random() * 0.02)
            with suppress(ProcessLookupError):
                os.kill(self.people[-1], signal.SIGKILL)

    def _ask_often(self, n: int) -> None:
        """Two orders that the other one asks for under the same key too, and two of one's own."""
        for k in range(4):
            words = f"crowd {self.asked} {k}" + (f" {n}" if k > 1 else "")
            member = self.members[n if k > 1 else 0]
            with suppress(quota.QuotaExceeded, *AWAY):
                accept(member, MODEL, {"prompt": f"{self.seed} {words}"}, idempotency_key=words)

    def _fault(self) -> None:
        route = self.dice.choice([*faults.EVERY, "submit", "query", "result", "result"])
        self.upstream.ask("faults", {route: [self.dice.choice(faults.EVERY[route])]})

    def _ring(self) -> None:
        """Webhooks as the network brings them: lost, twice, late, forged, with any body."""
        for task in self.upstream.ask("log")["tasks"]:
            if task["status"] == "RUNNING" or not task["webhook"] or task["id"] in self.rung:
                continue
            fate = self.dice.random()
            if fate < 0.5:
                self.rung.add(task["id"])
            if fate < 0.2:
                continue
            body = json.dumps({"event": "TASK_END", "taskId": task["id"], "eventData": "{}"})
            self._call(task["webhook"], self.dice.choice([body, body, "", "[", '{"taskId": 7}']))
            if fate > 0.8:
                self._call(task["webhook"], body)
        rows = list(Generation.objects.filter(team=self.team))
        if rows:
            forged = webhook.address(self.dice.choice(rows).pk)
            answer = self._call(f"{forged[:-4]}0000", json.dumps({"taskId": "1234567890"}))
            if answer not in (404, 500):
                self.found.append(f"a forged webhook was answered {answer}")

    def _call(self, address: str, body: str) -> int:
        path = "/" + address.split("/", 3)[3]
        return int(self.browser.post(path, body, content_type="application/json").status_code)

    def _kill(self) -> None:
        time.sleep(self.dice.random() * 0.03)
        self.dice.choice(self.workers).kill()

    def _leave(self) -> None:
        """As the supervisor stops its cluster: the watcher's place is taken away, then SIGTERM."""
        self.dice.choice(self.workers).send(signal.SIGTERM)
        Heartbeat.beat("watcher", holder=supervisor.LEAVING)
        Heartbeat.leave("watcher", supervisor.LEAVING)

    def _freeze(self) -> None:
        """A worker stands still for longer than any lease, and then goes on where it was."""
        worker = self.dice.choice(self.workers)
        worker.send(signal.SIGSTOP)
        Clock.set_ahead(Clock.ahead() + 200)
        time.sleep(0.05)
        worker.send(signal.SIGCONT)

    def _lose_queue(self) -> None:
        OrmQ.objects.all().delete()

    def _drop_database(self) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            return
        other = sqlite3.connect(str(connection.settings_dict["NAME"]), timeout=1)
        with contextlib.closing(other), suppress(sqlite3.OperationalError):
            other.isolation_level = None
            other.execute("BEGIN EXCLUSIVE")
            time.sleep(self.dice.choice([0.02, 0.1, 0.3]))
            other.execute("ROLLBACK")

    def _fill_disk(self) -> None:
        for worker in self.workers:
            worker.limit_files(self.dice.choice([0, 0, 100, 4096]))

    def _clean_disk(self) -> None:
        for worker in self.workers:
            worker.limit_files(resource.RLIM_INFINITY)

    def _jump(self) -> None:
        Clock.set_ahead(Clock.ahead() + self.dice.choice([DAY, -DAY, 3600, -3600, -60]))

    def _down(self) -> None:
        self.upstream.ask("down", {"seconds": self.dice.choice([0.01, 0.05])})

    def _stall(self) -> None:
        """Upstream stands still for longer than anybody waits for an answer."""
        os.kill(self.pid, signal.SIGSTOP)
        time.sleep(0.3)
        os.kill(self.pid, signal.SIGCONT)

    def _sweep(self) -> None:
        sweep()

    def _person(self) -> None:
        row = self.dice.choice([*Generation.objects.filter(team=self.team), None])
        if row and row.status == State.UNCONFIRMED:
            self._settle(row)
        elif row and self.dice.random() < 0.4:
            for _ in range(self.dice.choice([1, 2])):
                cancel(row)
        elif self.dice.random() < 0.5:
            Connection.current().resume()

    def _settle(self, row: Generation) -> None:
        """What a manager does who looks at RunningHub's call record."""
        tasks = [t["id"] for t in self.upstream.ask("log")["tasks"] if t["prompt"] == row.params["prompt"]]
        if tasks:
            resolve.attach(row, tasks[0])
        else:
            resolve.release(row)

    def _calm(self) -> None:
        """No more faults; the killed are replaced, people settle what only they can, and time goes on."""
        self.upstream.ask("calm", {})
        give_up = time.monotonic() + CALM_SECONDS
        for pid in self.people:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
        turn = 0
        while time.monotonic() < give_up:
            turn += 1
            self._staff()
            self._clean_disk()
            with suppress(*AWAY):
                for parked in Generation.objects.filter(parked_at__isnull=False, status__in=ACTIVE):
                    resolve.unpark(parked)
                for row in Generation.objects.filter(status=State.UNCONFIRMED, team=self.team):
                    if not row.submitting_at or row.submitting_at < timezone.now():
                        self._settle(row)
                Connection.current().resume()
                waiting = Generation.objects.filter(status__in=ACTIVE)
                if turn > 60:
                    for row in waiting.filter(status=State.RUNNING):
                        cancel(row)
                if not waiting.exists():
                    return
                if turn % 5 == 1:
                    sweep()
            Clock.set_ahead(Clock.ahead() + 60)
            time.sleep(0.02)

    def _end(self) -> None:
        for worker in self.workers:
            worker.kill()
        # What the killed held is given up for lost after a while, and files that they left without a row go.
        Clock.set_ahead(Clock.ahead() + 2 * 3600)
        sweep()


@contextmanager
def playing(port: int = 0) -> Iterator[tuple[Upstream, int]]:
    """The upstream's process, for as many runs as wanted."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.upstream", str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        yield Upstream(f"http://127.0.0.1:{int(process.stdout.readline())}"), process.pid
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
