"""One seeded run of chaos: the stages in random order, cut off at random statements, against a sandbox that misbehaves.

Two watchers are two interleaved lists of claimed jobs: before any statement outside a transaction another job or
another person may get its turn, and any statement may be a worker's last. Afterwards calm returns and the audit comes.
The seed decides everything but the sandbox's own threads.
"""

from __future__ import annotations

import hashlib
import json
import random
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import OperationalError, connection
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from accounts.models import Allowance, Measure, Mode, Period, Role, Scope, Team
from generations import quota
from generations.models import ACTIVE, Connection, Generation, State
from generations.pipeline import dispatch, follow, gather, resolve, several, watch, webhook
from generations.pipeline.accept import accept
from generations.pipeline.cancel import cancel
from generations.pipeline.sweep import sweep
from tests.chaos import faults
from tests.chaos.audit import Seen, Task, audit
from tests.chaos.clock import Clock, moved
from tests.conftest import join

SPEECH = "minimax--speech-2.8-turbo"
LIMIT = 7
REFUSED = {*faults.FULL, *faults.REFUSALS}
DAY = 86_400.0


class Killed(BaseException):
    """SIGKILL: whatever was going on ends here, and nobody is told."""


class Chaos:
    """A run."""

    def __init__(self, seed: int, sandbox: Any) -> None:
        self.dice = random.Random(seed)
        self.seed, self.sandbox = seed, sandbox
        self.team = Team.objects.create(slug=f"chaos-{seed}", name="Chaos")
        self.members = [join(self.team, f"{name}{seed}", Role.MEMBER) for name in ("ann", "ben")]
        how: dict[str, Any] = {"mode": Mode.LIMITED, "limit": Decimal(LIMIT), "period": Period.DAY}
        Allowance.put(self.team, scope=Scope.DEFAULT, measure=Measure.COUNT, **how)
        self.jobs: list[tuple[Callable[[Generation], None], Generation]] = []
        self.depth = self.asked = 0
        self.browser = Client()
        self.most = resource.getrlimit(resource.RLIMIT_FSIZE)

    def run(self, steps: int = 60) -> list[str]:
        with moved():
            with connection.execute_wrapper(self._statement):
                for _ in range(steps):
                    with suppress(Killed, OperationalError):
                        self._turn()
            if connection.in_atomic_block:  # somebody was killed between two statements of a transaction
                connection.rollback()
                connection.in_atomic_block = False
            connection.close()
            self._calm()
            sweep()
        return [f"seed {self.seed}: {said}" for said in audit(self._seen(), self.team, self.members)]

    def _seen(self) -> Seen:
        sent = Counter(
            str(one["body"]["text"]) for one in self.sandbox.submits if one.get("refused") not in REFUSED
        )
        tasks = self.sandbox.tasks.values()
        return Seen(sent, [self._task(task) for task in tasks])

    def _task(self, task: Any) -> Task:
        made = task.status == "SUCCESS"
        files = []
        for output in task.outputs if made else ():
            path = self.sandbox.ledger.result_path(output["link"])
            files.append(hashlib.sha256(path.read_bytes()).hexdigest())
        charged = Decimal(task.cost or 0) if made else Decimal(0)
        return Task(task.task_id, str(task.body.get("text")), charged, tuple(files))

    def _statement(self, execute: Any, *args: Any) -> Any:
        if not self.depth or args[0].startswith("BEGIN"):
            return execute(*args)
        if self.depth < 3 and not connection.in_atomic_block and self.dice.random() < 0.05:
            link = connection.connection
            with suppress(Killed, OperationalError):
                self._turn()
            if connection.connection is not link:
                raise Killed  # one connection serves both in this process, and the other let go of it
        fate = self.dice.random()
        if fate < 0.005:
            raise OperationalError("the database system is starting up")
        if fate < 0.02:
            raise Killed
        result = execute(*args)
        if fate > 0.985:
            raise Killed
        return result

    def _turn(self) -> None:
        acts = [
            self._accept,
            self._claim,
            self._claim,
            self._work,
            self._work,
            self._work,
            self._due,
            self._person,
        ]
        acts += [
            self._expire,
            *[self._fault] * 3,
            self._ring,
            self._jump,
            self._full_disk,
            self._several,
            lambda: watch.refresh_connection(Connection.current()),
        ]
        self.depth += 1
        try:
            self.dice.choice(acts)()
        finally:
            self.depth -= 1

    def _accept(self) -> None:
        self.asked += 1
        key = str(self.asked)
        params = {"text": f"Take {self.seed} number {key}."}
        member = self.dice.choice(self.members)
        with suppress(quota.QuotaExceeded):
            for _ in range(self.dice.choice([1, 1, 2])):
                accept(member, SPEECH, params, idempotency_key=key)

    def _claim(self) -> None:
        at_most = self.dice.randint(1, 3)
        claimed: list[tuple[Callable[[Generation], None], list[Generation]]] = [
            (dispatch.send, dispatch.claim(Connection.current(), at_most)),
            (follow.look, follow.claim(at_most)),
            (gather.gather, gather.claim(at_most)),
        ]
        self.jobs += [(job, row) for job, rows in claimed for row in rows]

    def _work(self) -> None:
        if self.jobs:
            watch.guarded(*self.jobs.pop(self.dice.randrange(len(self.jobs))))

    def _due(self) -> None:
        time.sleep(self.dice.choice([0, 0, 0.02]))
        free = Generation.objects.filter(
            Q(lease_until=None) | Q(lease_until__lt=timezone.now()), status__in=ACTIVE
        )
        free.update(next_check_at=timezone.now())
        Connection.objects.update(full_until=None, next_check_at=timezone.now())
        Connection.current().resume()

    def _expire(self) -> None:
        past = timezone.now() - timedelta(seconds=1)
        leased = Generation.objects.filter(lease_until__gt=past)
        unlucky = [pk for pk in leased.values_list("pk", flat=True) if self.dice.random() < 0.5]
        leased.filter(pk__in=unlucky).update(lease_until=past)
        self.jobs = [job for job in self.jobs if self.dice.random() < 0.8]
        sweep()

    def _fault(self) -> None:
        route = self.dice.choice(list(faults.EVERY))
        self.sandbox.script(route, faults.in_the_sandbox(route, self.dice.choice(faults.EVERY[route])))

    def _ring(self) -> None:
        """A webhook that is genuine, comes twice or at a strange time, or is forged."""
        rows = list(Generation.objects.filter(team=self.team))
        if not rows:
            return
        row = self.dice.choice(rows)
        tasks = [t.task_id for t in self.sandbox.tasks.values() if t.body.get("text") == row.params["text"]]
        body = json.dumps({"event": "TASK_END", "taskId": (tasks or [None])[0], "eventData": "{}"})
        address = webhook.address(row.pk)
        if self.dice.random() < 0.4:
            address, body = f"{address[:-4]}0000", json.dumps({"taskId": "1234567890"})
        for _ in range(self.dice.choice([1, 2])):
            self.browser.post(
                address.removeprefix("http://testserver"), body, content_type="application/json"
            )

    def _jump(self) -> None:
        Clock.set_ahead(Clock.ahead() + self.dice.choice([DAY, -DAY, 3600, -3600, 100, 100]))

    def _full_disk(self) -> None:
        """One job finds that its files cannot grow: what a full disk does, at any byte."""
        jobs = [job for job in self.jobs if job[0] is gather.gather]
        if not jobs or connection.vendor == "sqlite":  # its rows lie on the same disk, in this same process
            return
        job = self.dice.choice(jobs)
        self.jobs.remove(job)
        kept = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.dice.choice([0, 100, 4096]), self.most[1]))
        try:
            watch.guarded(*job)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, self.most)
            signal.signal(signal.SIGXFSZ, kept)

    def _several(self) -> None:
        self.asked += 1
        lines = [several.Line(n, f"Batch {self.seed}/{self.asked} line {n}.") for n in range(1, 4)]
        with suppress(quota.QuotaExceeded):
            several.accept(self.dice.choice(self.members), SPEECH, {"text": ""}, lines)

    def _person(self) -> None:
        row = self.dice.choice([*Generation.objects.filter(team=self.team), None])
        if row and row.status == State.UNCONFIRMED:
            self._settle(row)
        elif row and self.dice.random() < 0.4:
            cancel(row)

    def _settle(self, row: Generation) -> None:
        tasks = [t.task_id for t in self.sandbox.tasks.values() if t.body.get("text") == row.params["text"]]
        if tasks:
            resolve.attach(row, tasks[0])
        else:
            resolve.release(row)

    def _calm(self) -> None:
        """No more faults; whoever was killed stays dead, and a worker does its work until nothing is left to do."""
        self.sandbox.clear_script()
        for patience in range(400):
            past = timezone.now() - timedelta(seconds=1)
            waiting = Generation.objects.filter(status__in=ACTIVE, parked_at=None).exclude(
                status=State.UNCONFIRMED
            )
            if not waiting.exists():
                return
            waiting.filter(lease_until__isnull=False).update(lease_until=past)
            sweep()
            self._due()
            if patience == 100:  # what hangs holds a slot until somebody comes
                for row in Generation.objects.filter(status=State.UNCONFIRMED):
                    self._settle(row)
            for row in waiting.filter(status=State.RUNNING) if patience >= 120 else ():
                cancel(row)
            self.jobs = []
            self._claim()
            while self.jobs:
                self._work()
            time.sleep(0.01 if patience > 5 else 0)
