"""`manage.py serve`: everything a newcomer needs, in one terminal.

Prepares the database, the static files and, without a key, the demo; then runs web, worker and the sandbox. Ends
them all together.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from generations.management.commands.demo import ACCOUNTS, PASSWORD
from generations.management.web import web_server

READY_WITHIN = 60.0
STOPS_WITHIN = 100.0  # the worker may wait for an answer to a submit


class Command(BaseCommand):
    help = "Runs the portal on this machine: web, worker and, without a key, the sandbox with demo content."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", default="8000")
        parser.add_argument("--workers", type=int, default=2, help="web processes")

    def handle(self, *args: Any, **options: Any) -> None:
        self.children: list[subprocess.Popen[bytes]] = []
        self.starting = self.interrupted = False
        host, given = options["host"], str(options["port"])
        port = int(given) if given.isascii() and given.isdecimal() else 0
        if not 1 <= port <= 65535:
            raise CommandError(f"{given} is no port; choose one from 1 to 65535.")
        if not _is_free(host, port):
            raise CommandError(
                f"Port {port} is taken by another program. Choose another: make run PORT={port + 1}"
            )
        environment = dict(os.environ)
        if settings.USES_SANDBOX:
            environment["RHWEB_SANDBOX_URL"] = self._sandbox_address()
            settings.SANDBOX_URL = settings.RUNNINGHUB_BASE_URL = environment["RHWEB_SANDBOX_URL"]
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._interrupt)
        try:
            self._prepare()
            self._run(host, port, options["workers"], environment)
        except KeyboardInterrupt:
            self.stdout.write("\nStopping ...")
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            self._stop()
        self.stdout.write("Stopped.")

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """A child that is just being started is stopped too, so the interruption waits until it is listed."""
        if self.starting:
            self.interrupted = True
        else:
            for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(one, signal.SIG_IGN)  # make passes on what the terminal has sent already
            raise KeyboardInterrupt

    def _prepare(self) -> None:
        self.stdout.write("Preparing the database and the static files ...")
        try:
            call_command("migrate", verbosity=0)
        except DatabaseError as error:
            raise CommandError(
                f"The database cannot be used: {str(error).strip()}. Look at DATABASE_URL and RHWEB_DATA_DIR."
            ) from None
        call_command("collectstatic", interactive=False, verbosity=0)
        if settings.USES_SANDBOX:
            call_command("demo", stdout=self.stdout)

    def _sandbox_address(self) -> str:
        """Where the sandbox will listen: the usual port, else a free one. The database keeps knowing it by address."""
        parts = urlsplit(settings.SANDBOX_URL)
        host, port = parts.hostname or "127.0.0.1", parts.port or 8188
        if _is_free(host, port):
            return settings.SANDBOX_URL
        with socket.socket() as probe:
            probe.bind((host, 0))
            free = probe.getsockname()[1]
        self.stdout.write(f"Port {port} is taken, so the sandbox uses {free} this time.")
        return f"http://{host}:{free}"

    def _run(self, host: str, port: int, workers: int, environment: dict[str, str]) -> None:
        if settings.USES_SANDBOX:
            parts = urlsplit(environment["RHWEB_SANDBOX_URL"])
            self._start(
                environment, "manage.py", "sandbox", "--host", str(parts.hostname), "--port", str(parts.port)
            )
            self._await(environment["RHWEB_SANDBOX_URL"], "The sandbox")
        self._start(environment, "manage.py", "worker")
        shown = "localhost" if host in {"0.0.0.0", "::"} else host  # noqa: S104
        self._start(environment, *web_server(f"{host}:{port}", workers))
        self._await(f"http://{shown}:{port}/healthz", "The web server")
        self._welcome(f"http://{shown}:{port}")
        while all(child.poll() is None for child in self.children):
            time.sleep(0.3)
        raise CommandError("A process ended by itself, so all were stopped; see the lines above.")

    def _start(self, environment: dict[str, str], *command: str) -> None:
        """Starts a child in a session of its own, so that Ctrl-C reaches it through us and in order."""
        self.starting = True
        self.children.append(
            subprocess.Popen(  # noqa: S603
                [sys.executable, *command], env=environment, cwd=settings.BASE_DIR, start_new_session=True
            )
        )
        self.starting = False
        if self.interrupted:
            raise KeyboardInterrupt

    def _await(self, address: str, what: str) -> None:
        give_up = time.monotonic() + READY_WITHIN
        while time.monotonic() < give_up:
            try:
                urllib.request.urlopen(address, timeout=2).close()  # noqa: S310
            except urllib.error.HTTPError:
                return
            except OSError:
                if any(child.poll() is not None for child in self.children):
                    raise CommandError(f"{what} did not start; see the lines above.") from None
                time.sleep(0.1)
            else:
                return
        raise CommandError(f"{what} did not answer within {READY_WITHIN:.0f} s.")

    def _welcome(self, address: str) -> None:
        self.stdout.write(f"\n  {settings.SITE_NAME} runs on {address}\n")
        if settings.USES_SANDBOX:
            self.stdout.write(
                "  The sandbox answers instead of RunningHub: the sound is real, nothing is charged.\n\n"
            )
            self.stdout.write("  Sign in as\n")
            for name, role in ACCOUNTS:
                self.stdout.write(f"    {name}@example.com   {PASSWORD}   ({role})")
        else:
            self.stdout.write(
                f"  RunningHub is asked at {settings.RUNNINGHUB_BASE_URL}. Make a team and a first account with\n"
            )
            self.stdout.write('    .venv/bin/python manage.py create_team myteam --name "My team"')
            self.stdout.write(
                "    .venv/bin/python manage.py create_member me@example.com --team myteam --role owner --password …"
            )
        self.stdout.write("\n  Ctrl-C stops everything.\n")

    def _stop(self) -> None:
        """The sandbox last, so that nobody loses whom they talk to; the others together."""
        sandbox = self.children[:1] if settings.USES_SANDBOX else []
        for group in (self.children[len(sandbox) :], sandbox):
            for child in group:
                if child.poll() is None:
                    child.send_signal(signal.SIGTERM)
            give_up = time.monotonic() + STOPS_WITHIN
            for child in group:
                try:
                    child.wait(max(0.0, give_up - time.monotonic()))
                except subprocess.TimeoutExpired:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()


def _is_free(host: str, port: int) -> bool:
    """Whether a server may listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
