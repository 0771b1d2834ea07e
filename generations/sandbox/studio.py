"""Where results are made: one thread renders jobs in order and remembers what it has rendered."""

from __future__ import annotations

import hashlib
import json
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from generations.sandbox import render
from generations.sandbox.made import Made, UnusableSample
from generations.sandbox.store import Store
from generations.sandbox.voices import Traits

STOP_SECONDS = 3.0
KEPT_QUICK = 128
_quick: dict[str, list[Made]] = {}
"""Short renderings of this process by digest: tests start many sandboxes and ask them for the same."""
REVISION = 2
"""Raised when the same job should sound different, so that a kept folder renders it anew."""


@dataclass(frozen=True)
class Job:
    """All that decides how a result sounds. ``sample`` is the file of an upload, ``traits`` those of a cloned
    voice; the ``endpoint`` matters only where models of one kind make different things.
    """

    kind: str
    params: dict[str, Any]
    traits: Traits | None = None
    sample: str = ""
    quick: bool = False
    endpoint: str = ""

    def to_record(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "params": self.params,
            "traits": self.traits.to_record() if self.traits else None,
            "sample": self.sample,
            "quick": self.quick,
            "endpoint": self.endpoint,
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Job:
        traits = Traits.from_record(record["traits"]) if record.get("traits") else None
        return cls(
            record["kind"],
            record["params"],
            traits,
            record.get("sample", ""),
            bool(record.get("quick")),
            record.get("endpoint", ""),
        )

    def digest(self) -> str:
        text = json.dumps({"revision": REVISION, **self.to_record()}, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:40]


@dataclass(frozen=True)
class Piece:
    """One entry of a task's results: a file of the store, or a text."""

    ext: str
    file: str = ""
    text: str | None = None
    traits: Traits | None = None

    def output(self, task_id: str, position: int) -> dict[str, Any]:
        if not self.file:
            return {"ext": self.ext, "text": self.text}
        link = hashlib.sha256(f"{task_id}/{position}".encode()).hexdigest()[:32]
        return {"ext": self.ext, "file": self.file, "link": f"{link}.{self.ext}"}


@dataclass(frozen=True)
class Spoiled:
    """Nothing could be made; the task fails with this code."""

    code: int
    text: str = ""


class Studio:
    """``put`` a job and ``done(task_id, pieces or Spoiled)`` is called from the studio's thread."""

    def __init__(self, store: Store, done: Callable[[str, list[Piece] | Spoiled], None]) -> None:
        self._store, self._done = store, done
        self._jobs: queue.SimpleQueue[tuple[str, Job] | None] = queue.SimpleQueue()
        self._made: dict[str, list[Piece]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-studio", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Leave what waits; a piece in work gets a moment to finish and is dropped when it needs longer."""
        self._stopping.set()
        self._jobs.put(None)
        self._thread.join(timeout=STOP_SECONDS)

    def put(self, task_id: str, job: Job) -> None:
        self._jobs.put((task_id, job))

    def _run(self) -> None:
        while True:
            item = self._jobs.get()
            if item is None or self._stopping.is_set():
                return
            task_id, job = item
            try:
                outcome: list[Piece] | Spoiled = self._make(job)
            except UnusableSample as error:
                outcome = Spoiled(1013, str(error))
            except Exception:
                if self._stopping.is_set():
                    return
                # The edge of the studio: one piece that cannot be rendered fails its task, not the server.
                traceback.print_exc(file=sys.stderr)
                outcome = Spoiled(1015)
            self._done(task_id, outcome)

    def _make(self, job: Job) -> list[Piece]:
        digest = job.digest()
        if digest not in self._made:
            sample = self._store.path("uploads", job.sample).read_bytes() if job.sample else None
            made = _quick.get(digest) or render.make(
                job.kind,
                job.params,
                traits=job.traits,
                sample=sample,
                quick=job.quick,
                endpoint=job.endpoint,
            )
            if job.quick and len(_quick) < KEPT_QUICK:
                _quick[digest] = made
            pieces = []
            for position, sound in enumerate(made):
                name = f"{digest}-{position}.{sound.ext}"
                if sound.data is not None:
                    self._store.write("results", name, sound.data)
                pieces.append(
                    Piece(sound.ext, name if sound.data is not None else "", sound.text, sound.traits)
                )
            self._made[digest] = pieces
        return self._made[digest]
