"""Listen: reads what running apps and workflows tell of themselves over a WebSocket, for the bars of pages alone.

Beside the pipeline and not of it: it moves no row, its threads are its own, and the watcher only says which rows it
came by (`notice`, which neither asks nor waits for anything). Never more than MOST wires in a process, each bounded by
`runninghub.telling.Bounds`; a wire that fails is tried TRIES times in all, ever later, and then given up without a
word, because truth comes by polling. To ask where one is counts as a call of the connection, and is left when there is
no room for another: submits and looks come first.

The address may carry a secret of the account. So it is asked for when it is needed, never stored and given to no
browser.
"""

from __future__ import annotations

import itertools
import logging
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection as database

from generations import live, upstream
from generations.models import Generation, State, TeamModelForm
from generations.pipeline.manners import polite
from generations.runninghub.errors import UpstreamError
from generations.runninghub.telling import Told

logger = logging.getLogger("rhweb.listen")

MOST = 6
EVERY = 2.0
"""Seconds between two turns, in which everything that was heard is written at once."""
KEPT_EVERY = 8.0
NOTICED = 200
TRIES = 4
LATER = 10.0
"""Seconds until it is asked a second time; twice as many for each time that follows."""
LATEST = 60.0


class Ear:
    """One wire, in a thread that asks where it is and listens until it is not wanted any more."""

    def __init__(self, row: Generation) -> None:
        self.row = row
        self.heard: live.Live | None = None
        self.titles: dict[str, str] = {}
        self.wanted = True
        self.is_early = False
        """Whether nobody could say yet where it is."""
        self.thread = threading.Thread(target=self._listen, name=f"listen-{row.pk.hex[:8]}", daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        try:
            client = upstream.get_client(self.row.connection)
            address = client.progress_address(self.row.upstream_id)
            self.is_early = not address
            self.titles = _titles(self.row) if address else {}
            database.close()
            if address and self.wanted:
                client.listen(address, self._hear, lambda: self.wanted)
        except (UpstreamError, upstream.NotConfigured) as error:
            logger.debug("generation %s tells nothing: %s", self.row.pk, type(error).__name__)
        except Exception:
            logger.exception("generation %s cannot be listened to", self.row.pk)
        finally:
            database.close()

    def _hear(self, told: Told) -> None:
        percent = None if told.share is None else int(100 * told.share)
        self.heard = live.Live(self.titles.get(told.node, told.node), percent)


@dataclass
class Tries:
    """How often it was asked where a wire is, how many wires ended too early, and when is the next time."""

    asked: int = 0
    failed: int = 0
    due: float = 0.0

    def begin(self, now: float, later: float) -> None:
        self.due = now + min(LATEST, later * 2.0 ** min(self.asked, 8))
        self.asked += 1


class Listening:
    """All that a process listens to. One thread tends the ears and alone writes, `every` so many seconds; after `later`
    it is asked a second time where a wire is.
    """

    def __init__(self, every: float = EVERY, later: float = LATER) -> None:
        self.every, self.later = every, later
        self.name = secrets.token_hex(8)
        self.lock = threading.Lock()
        self.noticed: set[UUID] = set()
        self.ears: dict[UUID, Ear] = {}
        self.leaving: list[Ear] = []
        """Not wanted any more, with threads that may still wait for an answer."""
        self.tries: dict[UUID, Tries] = defaultdict(Tries)
        self.written: dict[UUID, live.Live] = {}
        self.written_at = 0.0
        self.held_at = time.monotonic()
        self.thread: threading.Thread | None = None
        self.closing = threading.Event()

    def notice(self, rows: Iterable[Generation]) -> None:
        """These are under way. Costs nothing where none of them can tell anything."""
        found = {row.pk for row in rows if live.may_tell(row.model)} if settings.LISTENS else set()
        if not found or self.closing.is_set():
            return
        with self.lock:
            self.noticed |= set(itertools.islice(found, max(0, NOTICED - len(self.noticed))))
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self._tend, name="listen", daemon=True)
                self.thread.start()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is listened to, and no thread left over."""
        return (
            self.thread is None and not self.ears and not any(ear.thread.is_alive() for ear in self.leaving)
        )

    def close(self) -> None:
        """Ends every wire, and waits until the threads are gone."""
        self.closing.set()
        if (thread := self.thread) is not None:
            thread.join()  # it ends all ears
        for ear in self.leaving:
            ear.thread.join()

    def _tend(self) -> None:
        try:
            while not self.closing.is_set():
                self.turn()
                with self.lock:
                    if not self.noticed:
                        self.thread = None
                        return
                self.closing.wait(self.every)
            self._end(list(self.ears))
        except Exception:
            logger.exception("listening failed; pages show estimates")
            self._end(list(self.ears))
        finally:
            database.close()

    def turn(self) -> None:
        """Ends and begins what is to end and begin, and writes what was heard."""
        with self.lock:
            noticed = set(self.noticed)
        rows = Generation.objects.filter(pk__in=noticed, status__in=(State.DISPATCHING, State.RUNNING))
        few = rows.select_related("connection").only("status", "upstream_id", "model", "form", "connection")
        flying = {row.pk: row for row in few}
        with self.lock:
            self.noticed -= noticed - set(flying)
        running = {pk: row for pk, row in flying.items() if row.status == State.RUNNING and row.upstream_id}
        self._end([pk for pk, ear in self.ears.items() if pk not in running or not ear.thread.is_alive()])
        for pk in self.tries.keys() - flying.keys():
            del self.tries[pk]
        self._begin(running)
        self._write()

    def _begin(self, running: dict[UUID, Generation]) -> None:
        now = time.monotonic()
        self.leaving = [ear for ear in self.leaving if ear.thread.is_alive()]
        room = MOST - len(self.ears) - len(self.leaving)
        tries = {pk: self.tries[pk] for pk in running if pk not in self.ears}
        free = [pk for pk, tried in tries.items() if tried.failed < TRIES and tried.due <= now]
        if not free or room <= 0:
            return
        elsewhere = live.taken(free)
        # Whoever was never asked about comes first.
        for pk in sorted(free, key=lambda pk: tries[pk].due):
            calls = polite(running[pk].connection)
            if pk in elsewhere or calls.room(time.monotonic()) <= 0 or not live.take(pk, self.name):
                continue
            calls.spend(1)
            tries[pk].begin(now, self.later)
            self.ears[pk] = Ear(running[pk])
            room -= 1
            if not room:
                return

    def _write(self) -> None:
        """What changed, and what would be forgotten otherwise."""
        now = time.monotonic()
        values = {pk: ear.heard for pk, ear in self.ears.items() if ear.heard is not None}
        if values.items() - self.written.items() or (values and now - self.written_at >= KEPT_EVERY):
            live.keep(self.name, values)
            self.written, self.written_at = values, now
        if not self.ears:
            self.held_at = now
        elif now - self.held_at >= live.HELD / 2:
            live.hold(self.ears, self.name)
            self.held_at = now

    def _end(self, pks: list[UUID]) -> None:
        for pk in pks:
            ear = self.ears.pop(pk)
            ear.wanted = False
            self.leaving.append(ear)
            self.tries[pk].failed += not ear.is_early
        if pks:
            live.leave(pks)


def _titles(row: Generation) -> dict[str, str]:
    """How the nodes of an app or a workflow are called, by their numbers."""
    form = TeamModelForm.objects.filter(model__slug=row.model, number=row.form or 0).first()
    return {
        str(fact["node"]): str(fact["title"]) for fact in (form.facts if form else ()) if fact.get("title")
    }


here = Listening()
"""What this process listens to."""
