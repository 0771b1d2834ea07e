"""A whole portal for the browser: database, sandbox, worker and web server of its own, set up as an operator would."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from generations.management.web import web_server
from tests import migrated

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a-quiet-harbour-2026"
STARTS_WITHIN = 90.0
OURS = ("RHWEB_", "RUNNINGHUB_")

ALICE, VERA = "alice@example.com", "vera@example.com"
NORA, SAM = "nora@example.com", "sam@example.com"
SETUP = f"""
create_team atlas --name "Atlas Audio"
create_member {ALICE} --team atlas --role owner --password {PASSWORD}
create_member {VERA} --team atlas --role viewer --password {PASSWORD}
set_allowance --team atlas --pool --measure spend --period month --limit 200
create_team tide --name "Tide Tables"
create_team harbour --name Harbour
create_team fresh --name Fresh
create_team hours --name Hours
create_team shelf --name Shelf
create_member {SAM} --team tide --role owner --password {PASSWORD}
create_member {SAM} --team harbour --role owner
create_member {SAM} --team fresh --role owner
create_member {SAM} --team hours --role owner
create_member {SAM} --team shelf --role owner
create_team narrow --name Narrow
create_member mona@example.com --team narrow --role manager
create_member {NORA} --team narrow --role member --password {PASSWORD}
set_allowance --team narrow --default --measure spend --period day --limit 1
create_team script --name Script
create_member {NORA} --team script --role member
set_allowance --team script --default --measure spend --period day --limit 1
create_token {ALICE} --team atlas
"""
RUN_ALL = """
import json, sys
from django.core.management import execute_from_command_line as run
for line in json.load(sys.stdin):
    run(["manage.py", *line])
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Portal:
    """`start()` returns when pages are served. `address` has no slash at its end; `token` is one of Alice's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address, self.sandbox = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self.token = ""
        self._processes: list[subprocess.Popen[bytes]] = []
        self._server = os.environ.get("DATABASE_URL", "")
        self._database = (
            "" if self._server.startswith("sqlite") else self._server and f"browser_{os.getpid()}"
        )
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(OURS)},
            "DJANGO_SETTINGS_MODULE": "rhweb.settings",
            "DATABASE_URL": urlunsplit(urlsplit(self._server)._replace(path=self._database))
            if self._database
            else "",
            "RHWEB_DATA_DIR": str(folder),
            "RHWEB_SANDBOX_URL": self.sandbox,
        }

    def start(self) -> None:
        self._in_postgres("CREATE DATABASE {}")
        if not self._database:
            shutil.copyfile(migrated.ready(), self.folder / "rhweb.sqlite3")
        port = self.sandbox.rpartition(":")[2]
        self._spawn("sandbox", "-m", "generations.sandbox", "--port", port, "--pace", "0.1", "--slots", "9")
        commands = [
            "migrate --verbosity 0",
            "collectstatic --no-input --verbosity 0",
            *SETUP.strip().splitlines(),
        ]
        said = self.manage(*commands)
        self.token = said.strip().splitlines()[-1]
        self._spawn("worker", "manage.py", "worker")
        self._spawn("web", *web_server(urlsplit(self.address).netloc, workers=1))
        self._await(self.address + "/healthz")

    def manage(self, *lines: str) -> str:
        """Runs commands of manage.py one after another and gives what they printed."""
        done = subprocess.run(
            [sys.executable, "-c", RUN_ALL],
            input=json.dumps([shlex.split(line) for line in lines]),
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=STARTS_WITHIN,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def manage_code(self, code: str) -> str:
        """Runs Python in the portal's surroundings, with Django set up, and gives what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{code}"],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=STARTS_WITHIN,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def misbehave(self, **script: list[Any]) -> None:
        """Scripts the sandbox, as generations/sandbox/faults.py describes."""
        request = urllib.request.Request(
            f"{self.sandbox}/sandbox/script",
            json.dumps(script).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()

    def ask(self, path: str) -> Any:
        """The JSON that the REST interface answers to Alice."""
        headers = {"Authorization": f"Bearer {self.token}"}
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.address}/api/v1/{path}", headers=headers), timeout=10
        ) as answer:
            return json.load(answer)

    def stop(self) -> None:
        """Ends everything at once: nothing of it is looked at any more."""
        for process in reversed(self._processes):
            process.send_signal(signal.SIGKILL if process.args[1] == "manage.py" else signal.SIGTERM)  # type: ignore[index]
        for process in self._processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._in_postgres("DROP DATABASE {} WITH (FORCE)")

    def _in_postgres(self, statement: str) -> None:
        if self._database:
            with psycopg.connect(self._server, autocommit=True) as server:
                server.execute(sql.SQL(statement).format(sql.Identifier(self._database)))  # type: ignore[arg-type]

    def _spawn(self, name: str, *command: str) -> None:
        with open(self.folder / f"{name}.log", "wb") as log:
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, *command],
                    env=self.environment,
                    cwd=ROOT,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )

    def _await(self, address: str) -> None:
        give_up = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < give_up and all(process.poll() is None for process in self._processes):
            try:
                urllib.request.urlopen(address, timeout=2).close()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
        logs = [
            f"{log.name}:\n{log.read_text(errors='replace')[-2000:]}" for log in self.folder.glob("*.log")
        ]
        raise AssertionError("The portal did not start.\n" + "\n".join(logs))
