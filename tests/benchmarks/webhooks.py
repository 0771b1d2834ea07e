"""Submits while 10,000 webhooks a minute arrive, most of them forged.

Baseline: the same submits on the same server in quiet phases of the same run, which take turns with the loud ones. In a
quiet phase the same calls go to another process that only says yes, so that both phases pay for making them.
"""

from __future__ import annotations

import http.client
import json
import socket
import statistics
import threading
import time
from collections import Counter
from datetime import timedelta
from itertools import count
from urllib.parse import urlsplit

from tests.benchmarks.portal import Portal, members

A_MINUTE = 10_000
RINGERS = 6
PHASES = 4
SECONDS = 10.0
SUBMITS_A_SECOND = 5.0
MODEL = "minimax--music-2.6--text-to-instrumental"

YES = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Yes(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Yes).serve_forever()
"""


def measure() -> list[str]:
    with Portal() as portal:
        from accounts.models import ApiToken

        member = members(1)[0]
        token = ApiToken.issue(member, "bench")
        addresses = _addresses(member)
        address = portal.start_web()
        _submits(address, token, 3.0)
        quiet: list[float] = []
        loud: list[float] = []
        answers: Counter[int] = Counter()
        rung = 0.0
        elsewhere = _yes(portal)
        for phase in range(PHASES):
            if phase % 2 == 0:
                with _Ringing(elsewhere, addresses):
                    quiet += _submits(address, token, SECONDS)
                continue
            with _Ringing(address, addresses) as ringing:
                began = time.monotonic()
                loud += _submits(address, token, SECONDS)
                rung += time.monotonic() - began
            answers += ringing.answers
    calls = sum(answers.values())
    told = ", ".join(f"{number} × {status}" for status, number in sorted(answers.items()))
    return [
        f"{calls} webhooks in {rung:.0f} s, {60 * calls / rung:.0f} a minute: {told}",
        f"  submits beside them, median: {_ratio(loud, quiet, 0.5)} of those in quiet",
        f"  submits beside them, p95: {_ratio(loud, quiet, 0.95)} of those in quiet ({_at(quiet, 0.95) * 1000:.0f} ms)",
        f"  of {len(quiet)} and {len(loud)} submits",
    ]


def _yes(portal: Portal) -> str:
    """Starts a server that says yes to whatever is posted; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    portal.start("-c", YES, str(port))
    time.sleep(2)
    return f"http://127.0.0.1:{port}"


def _addresses(member: object) -> list[str]:
    """Paths of webhooks: of a wrong token, of what is over, of what is looked at anyway, and of what runs."""
    from django.utils import timezone

    from generations.models import Connection, Generation, State
    from generations.pipeline import webhook

    now = timezone.now()
    kinds = [
        {"status": State.SUCCEEDED, "finished_at": now},
        {"status": State.RUNNING, "next_check_at": now},
        {"status": State.RUNNING, "next_check_at": now + timedelta(hours=1), "webhook": "rang"},
    ]
    rows = [
        Generation(
            team=member.team,  # type: ignore[attr-defined]
            author=member.user,  # type: ignore[attr-defined]
            connection=Connection.current(),
            model=MODEL,
            kind="music",
            title="Rain",
            params={},
            upstream_id=str(n),
            **kinds[n % len(kinds)],
        )
        for n in range(300)
    ]
    Generation.objects.bulk_create(rows)
    right = [f"/hooks/{row.pk}/{webhook.token(row.pk)}" for row in rows]
    wrong = [f"/hooks/{row.pk}/{'0' * 32}" for row in rows[:100]]
    return right + wrong


class _Ringing:
    """Rings at an even pace from a few threads while it is entered."""

    def __init__(self, address: str, paths: list[str]) -> None:
        self.host, self.paths = urlsplit(address).netloc, paths
        self.answers: Counter[int] = Counter()
        self.stop = threading.Event()
        self.numbers = count()
        self.threads = [threading.Thread(target=self._ring) for _ in range(RINGERS)]

    def __enter__(self) -> _Ringing:
        self.began = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _ring(self) -> None:
        body = json.dumps({"event": "TASK_END", "taskId": "999", "eventData": "{}"})
        connection = http.client.HTTPConnection(self.host, timeout=30)
        while not self.stop.is_set():
            number = next(self.numbers)
            time.sleep(max(0.0, self.began + number * 60 / A_MINUTE - time.monotonic()))
            path = self.paths[number % len(self.paths)]
            try:
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                self.answers[answer.status] += 1
            except (http.client.HTTPException, OSError):
                connection.close()
        connection.close()


def _submits(address: str, token: str, seconds: float) -> list[float]:
    """Orders by REST at an even pace; how long each took, in seconds."""
    took = []
    began = time.monotonic()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for number in range(int(seconds * SUBMITS_A_SECOND)):
        time.sleep(max(0.0, began + number / SUBMITS_A_SECOND - time.monotonic()))
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        start = time.monotonic()
        order = {"model": MODEL, "params": {"prompt": f"piece {number}"}}
        connection.request("POST", "/api/v1/generations", json.dumps(order), headers)
        answer = connection.getresponse()
        answer.read()
        took.append(time.monotonic() - start)
        connection.close()
        if answer.status != 201:
            raise SystemExit(f"a submit was answered {answer.status}")
    return took


def _at(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=100)[round(share * 100) - 1]


def _ratio(loud: list[float], quiet: list[float], share: float) -> str:
    return f"{_at(loud, share) / _at(quiet, share):.2f}"
