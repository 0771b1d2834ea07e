"""`manage.py worker`: runs the queue and restarts all of it when it stops answering.

django-q2 wedges for good when the worker holding its queue lock is killed, and its processes go on executing when
their parent dies. So the cluster lives in a process group of its own; this supervisor asks it for a sign of life
through the queue itself, and kills the whole group when none comes. The group in turn ends itself when the
supervisor is gone: it holds one end of a pipe that breaks.

A polite stop asks the watcher to leave by taking its heartbeat away, so it ends after seconds and not at the end of
its slice, and never cuts a submit, whose lost answer would leave a generation unconfirmed.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.utils import timezone

from generations import queue
from generations.models import Generation, Heartbeat, State
from generations.warm import warm

ASK_EVERY = 5.0
SILENT_FOR = 60.0
STOPS_WITHIN = 25.0
LEAVING = "leaving"


class Command(BaseCommand):
    help = "Runs background work: sends, follows and copies generations. Safe to start on several hosts."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--guarded-by", type=int, help="internal: the pipe whose end means the supervisor died"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["guarded_by"] is not None:
            threading.Thread(target=_end_with, args=[options["guarded_by"]], daemon=True).start()
            warm()
            call_command("qcluster")
            _join_and_leave()
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        try:
            _prepare()
        except DatabaseError as error:
            raise CommandError(
                f"The database cannot be used: {str(error).strip()}. "
                "Look at DATABASE_URL, then run `manage.py migrate`."
            ) from None
        self.stdout.write("The worker runs. Ctrl-C stops it.")
        while not self.stopping:
            self._run_cluster()
            self._prepare_again()
        self.stdout.write("The worker stopped.")

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _run_cluster(self) -> None:
        """One life of the cluster: from its start until it ends, falls silent or is asked to stop."""
        reading, writing = os.pipe()
        cluster = subprocess.Popen(  # noqa: S603
            [sys.executable, sys.argv[0], "worker", "--guarded-by", str(reading)],
            pass_fds=[reading],
            start_new_session=True,
        )
        os.close(reading)
        connection.close()
        try:
            self._attend(cluster)
        finally:
            self._end_group(cluster)
            os.close(writing)

    def _prepare_again(self) -> None:
        """Before the next start; a database that is away is waited for."""
        while not self.stopping:
            try:
                _prepare()
            except DatabaseError as error:
                self._complain(error)
                time.sleep(1)
            else:
                return

    def _attend(self, cluster: subprocess.Popen[bytes]) -> None:
        asked = heard = time.monotonic()
        last = None
        while not self.stopping:
            if cluster.poll() is not None:
                self.stderr.write("The queue ended by itself; starting it again.")
                time.sleep(1)
                return
            if time.monotonic() - asked > ASK_EVERY:
                asked = time.monotonic()
                try:
                    beat = Heartbeat.last("worker")
                    queue.ring_worker()
                except DatabaseError as error:
                    self._complain(error)
                    heard = time.monotonic()
                    continue
                if beat != last:
                    last, heard = beat, time.monotonic()
            if time.monotonic() - heard > SILENT_FOR:
                self.stderr.write(f"The queue has been silent for {SILENT_FOR:.0f} s; restarting all of it.")
                return
            time.sleep(0.2)

    def _complain(self, error: DatabaseError) -> None:
        self.stderr.write(f"The database does not answer: {str(error).strip()}")
        connection.close()

    def _end_group(self, cluster: subprocess.Popen[bytes]) -> None:
        """Asks the cluster to finish what it holds, then ends every process of its group, orphans included."""
        if cluster.poll() is None:
            began = time.monotonic()
            self._dismiss_watcher()
            cluster.send_signal(signal.SIGTERM)
            while cluster.poll() is None and self._may_go_on(time.monotonic() - began):
                time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(cluster.pid, signal.SIGKILL)
        cluster.wait()
        if self.stopping:
            self._hand_over()

    def _may_go_on(self, seconds: float) -> bool:
        """Whether a stop that has taken so long is waited for; longer only while an answer to a submit is due."""
        if seconds < STOPS_WITHIN or not self.stopping:
            return seconds < STOPS_WITHIN
        on_the_wire = Generation.objects.filter(status=State.DISPATCHING, lease_until__gt=timezone.now())
        try:
            return seconds < STOPS_WITHIN + settings.SUBMIT_SECONDS and on_the_wire.exists()
        except DatabaseError:
            return False

    def _dismiss_watcher(self) -> None:
        try:
            Heartbeat.beat("watcher", holder=LEAVING)
        except DatabaseError as error:
            self._complain(error)

    def _hand_over(self) -> None:
        """Lets the next watcher begin at once: that of another host, or ours after a restart."""
        try:
            Heartbeat.leave("watcher", LEAVING)
            queue.ring_sweep()
        except DatabaseError as error:
            self._complain(error)


def _prepare() -> None:
    """What the cluster needs to begin: schedules, a free watcher's place, and a look for lost work."""
    queue.ensure_schedules()
    Heartbeat.objects.filter(name="watcher").update(holder="")
    queue.ring_sweep()


def _join_and_leave() -> NoReturn:
    """Waits for the cluster and ends without Python's farewell, which takes seconds on a busy machine."""
    for child in multiprocessing.active_children():
        child.join()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _end_with(pipe: int) -> None:
    """Blocks until the supervisor is gone, then ends the own group."""
    while os.read(pipe, 1):
        pass
    os.killpg(0, signal.SIGKILL)
