"""A hundred programs that wait for results beside somebody who looks at pages, and what asking again costs."""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import requests

from tests.benchmarks.pages import MODEL, fill, sign_in
from tests.benchmarks.portal import Portal, members

CLIENTS = 100
SECONDS = 40.0
LOOKS = 60
ROWS = 500


def measure() -> list[str]:
    with Portal() as portal:
        return [*_crowd(portal), *_again(portal)]


def _crowd(portal: Portal) -> list[str]:
    from django.db import connections
    from django.utils import timezone

    from accounts.models import ApiToken
    from generations.models import Connection, Generation

    [member] = members(1, slug="waiting")
    fill(member, ROWS)
    here, now = Connection.current(), timezone.now()
    rows = [
        Generation.objects.create(
            team=member.team, author=member.user, connection=here, model=MODEL, kind="music", title=f"Waits {n}",
            params={"prompt": "x"}, status="running", upstream_id=str(n), dispatched_at=now, next_check_at=None,
        )
        for n in range(CLIENTS)
    ]  # fmt: skip
    token = ApiToken.issue(member)
    connections.close_all()
    web = portal.start_web(workers=2)
    browser = sign_in(web, member.user.email)
    page = f"{web}/t/waiting/library/"
    for _ in range(8):
        browser.get(page, timeout=30)
    idle = [_timed(lambda: browser.get(page, timeout=30)) for _ in range(LOOKS)]
    over, asked, faults = threading.Event(), [0, 0], []

    def wait(pk: Any) -> None:
        program, etag = requests.Session(), ""
        program.headers["Authorization"] = f"Bearer {token}"
        over.wait(random.uniform(0, 10))
        while not over.is_set():
            headers = {"If-None-Match": etag} if etag else {}
            answer = program.get(f"{web}/api/v1/generations/{pk}", headers=headers, timeout=60)
            if answer.status_code not in (200, 304):
                faults.append(answer.status_code)
            asked[answer.status_code == 304] += 1
            etag = answer.headers.get("ETag", etag)
            over.wait(int(answer.headers.get("Retry-After", "1")))

    threads = [threading.Thread(target=wait, args=[row.pk], daemon=True) for row in rows]
    for thread in threads:
        thread.start()
    time.sleep(11)
    begun, busy = time.monotonic(), []
    while time.monotonic() - begun < SECONDS:
        busy.append(_timed(lambda: browser.get(page, timeout=30)))
        time.sleep(0.1)
    over.set()
    for thread in threads:
        thread.join()
    assert not faults, faults[:5]
    ratio = statistics.median(busy) / statistics.median(idle)
    late = sorted(busy)[int(len(busy) * 0.95)] / sorted(idle)[int(len(idle) * 0.95)]
    return [
        f"{CLIENTS} programs wait, 2 web processes: a page takes {statistics.median(busy) * 1000:.0f} ms,"
        f" idle {statistics.median(idle) * 1000:.0f} ms: ratio {ratio:.2f}, of the p95 {late:.2f}"
        f" ({sum(asked) / (SECONDS + 11):.1f} questions a second)"
    ]


def _again(portal: Portal) -> list[str]:
    """Inside one process, so that what is compared is our work and not that of sockets."""
    from django.conf import settings
    from django.test import Client

    from accounts.models import ApiToken
    from generations.models import Generation

    settings.ALLOWED_HOSTS = ["*"]
    [member] = members(1, slug="again")
    fill(member, 50)
    client, headers = Client(), {"Authorization": f"Bearer {ApiToken.issue(member)}"}
    one = Generation.objects.filter(team=member.team).values_list("pk", flat=True)[0]
    found = []
    for name, path in (("a page of generations", "generations"), ("one generation", f"generations/{one}"),
                       ("models", "models")):  # fmt: skip
        path = f"/api/v1/{path}"
        etag = client.get(path, headers=headers).headers["ETag"]
        full = [_timed(lambda path=path: client.get(path, headers=headers)) for _ in range(LOOKS)]  # type: ignore[misc]
        known = headers | {"If-None-Match": etag}
        client.get(path, headers=known)
        again = [_timed(lambda path=path, known=known: client.get(path, headers=known)) for _ in range(LOOKS)]  # type: ignore[misc]
        assert client.get(path, headers=known).status_code == 304
        ratio = statistics.median(again) / statistics.median(full)
        found.append(
            f"304 for {name}: {statistics.median(again) * 1000:.2f} ms, whole {statistics.median(full) * 1000:.2f} ms:"
            f" ratio {ratio:.2f}"
        )
    return found


def _timed(call: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    answer = call()
    took = time.perf_counter() - begun
    assert answer.status_code in (200, 304), answer.status_code
    return took
