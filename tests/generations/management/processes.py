"""Real processes of the portal on a folder and ports of their own, and a look at who is still alive."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 120.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: Callable[[], Any], why: Callable[[], str]) -> Any:
    give_up = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < give_up, why()
        time.sleep(0.05)
    return found


class Household:
    """Everything that runs on one data folder, found by the environment that the processes carry."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.sandbox = f"http://127.0.0.1:{free_port()}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONUNBUFFERED": "1",
            "RHWEB_DATA_DIR": str(self.data),
            "RHWEB_SANDBOX_URL": self.sandbox,
            "RHWEB_SANDBOX_PACE": "0",
            **environment,
        }
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """`manage.py` with this command, in a session of its own. Its words are read with `said`."""
        with (self.folder / f"said-{len(self.started)}").open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *command],
                cwd=ROOT,
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_hear_interrupts,
            )
        self.started.append(process)
        return process

    def said(self, process: subprocess.Popen[bytes]) -> str:
        return (self.folder / f"said-{self.started.index(process)}").read_text()

    def hear(self, process: subprocess.Popen[bytes], words: str) -> None:
        """Waits until the process says these words."""
        wait_for(
            lambda: words in self.said(process) or process.poll() is not None, lambda: self.said(process)
        )
        assert words in self.said(process), self.said(process)

    def run(self, *command: str) -> tuple[int, str]:
        process = self.start(*command)
        code = process.wait(PATIENCE)
        return code, self.said(process)

    def members(self) -> dict[int, str]:
        """The command line of each living process of this household, by its id."""
        mark, found = f"RHWEB_DATA_DIR={self.data}\0".encode(), {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes():
                    found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
        return found

    def alive(self) -> list[str]:
        return list(self.members().values())

    def kill(self, word: str) -> None:
        """SIGKILL for every member whose command line has this word."""
        found = [pid for pid, line in self.members().items() if word in line]
        assert found, self.alive()
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.data / "rhweb.sqlite3") as database:
            return database.execute(question).fetchall()

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(PATIENCE)


def _hear_interrupts() -> None:
    """A shell that starts tests in the background has SIGINT ignored, which children would inherit."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
