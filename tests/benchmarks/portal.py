"""A portal of its own for each measurement: a fresh database, a fresh folder, real processes."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tests.upstream import descendants

ROOT = Path(__file__).resolve().parents[2]


class Portal:
    """Prepared on entry and taken down on exit. Configures Django of this process for the same database."""

    def __init__(self, *, upstream: str = "http://127.0.0.1:9") -> None:
        self.upstream = upstream
        self.children: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Portal:
        self.folder = tempfile.TemporaryDirectory(prefix="rhweb-bench-")
        self.database = self._make_database()
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "rhweb.settings",
            "RHWEB_DATA_DIR": self.folder.name,
            "RHWEB_SECRET_KEY": secrets.token_hex(32),
            "RUNNINGHUB_BASE_URL": self.upstream,
            "RUNNINGHUB_API_KEY": "k" * 32,
            "RHWEB_LOG_LEVEL": "ERROR",
            **({"DATABASE_URL": self.database} if self.database else {}),
        }
        os.environ.update(self.environment)
        self.manage("migrate", "-v0")
        self.manage("collectstatic", "--noinput", "-v0")
        import django

        django.setup()
        return self

    def __exit__(self, *exc: object) -> None:
        from django.db import connections

        for child in self.children:
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
        connections.close_all()
        if self.database:
            self._admin(f'DROP DATABASE "{self.name}" WITH (FORCE)')
        self.folder.cleanup()

    def manage(self, *command: str) -> None:
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=self.environment, check=True)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
        )
        self.children.append(child)
        return child

    def kill(self, child: subprocess.Popen[bytes]) -> None:
        """SIGKILL for it and all that it started."""
        for pid in [child.pid, *descendants(child.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        child.wait()
        self.children.remove(child)

    def start_web(self, workers: int = 2, port: int = 0) -> str:
        """Starts the web server as `make run` does; gives its address once it answers. Port 0: any that is free."""
        port = port or free_port()
        from generations.management.web import web_server

        self.start(*web_server(f"127.0.0.1:{port}", workers))
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
                return f"http://127.0.0.1:{port}"
            except OSError:
                time.sleep(0.1)
        raise SystemExit("The web server did not start.")

    def _make_database(self) -> str:
        """SQLite in the folder, or a database of its own on the server that DATABASE_URL names."""
        given = os.environ.get("RHWEB_BENCH_DATABASE_URL", os.environ.get("DATABASE_URL", ""))
        os.environ["RHWEB_BENCH_DATABASE_URL"] = given
        if not given.startswith("postgres"):
            os.environ.pop("DATABASE_URL", None)
            return ""
        self.server = given
        self.name = f"rhweb_bench_{secrets.token_hex(4)}"
        self._admin(f'CREATE DATABASE "{self.name}"')
        parts = urlsplit(given)
        return urlunsplit(parts._replace(path=f"/{self.name}"))

    def _admin(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.server, autocommit=True) as server:
            server.execute(statement)  # type: ignore[arg-type]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def members(count: int, *, slug: str = "bench") -> list[Any]:
    """That many members of a team without limits."""
    from accounts.models import Membership, Team, User

    team = Team.objects.create(slug=slug, name=slug.title())
    return [
        Membership.objects.create(
            team=team,
            role="owner",
            user=User.objects.create_user(f"{slug}{n}@example.com", "a long enough password"),
        )
        for n in range(count)
    ]
