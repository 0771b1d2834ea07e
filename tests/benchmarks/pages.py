"""The library page over many rows, and fifty members who submit at once for a minute."""

from __future__ import annotations

import re
import statistics
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import requests

from tests.benchmarks.portal import Portal, members

FEW, MANY = 100, 100_000
LOOKS = 40
MEMBERS = 50
SECONDS = 60.0
MODEL = "minimax--music-2.6--text-to-instrumental"


def measure() -> list[str]:
    with Portal() as portal:
        return [*_library(portal), *_submits(portal)]


def _library(portal: Portal) -> list[str]:
    few, many = members(1, slug="few")[0], members(1, slug="many")[0]
    fill(few, FEW)
    fill(many, MANY)
    web = portal.start_web()
    pages: dict[str, Callable[[], requests.Response]] = {}
    for name, member in (("few", few), ("many", many)):
        browser = sign_in(web, member.user.email)
        pages[name] = lambda browser=browser, name=name: browser.get(f"{web}/t/{name}/library/", timeout=30)  # type: ignore[misc]
    took: dict[str, list[float]] = {"few": [], "many": []}
    for turn in range(LOOKS):
        for name in ("few", "many") if turn % 2 else ("many", "few"):
            begun = time.perf_counter()
            answer = pages[name]()
            if turn >= 4:
                took[name].append(time.perf_counter() - begun)
            assert answer.status_code == 200, answer.status_code
    size = len(pages["many"]().content)
    medians = {name: statistics.median(times) * 1000 for name, times in took.items()}
    return [
        f"library page: {medians['many']:.0f} ms at {MANY:,} rows, {medians['few']:.0f} ms at {FEW}:"
        f" ratio {medians['many'] / medians['few']:.2f} ({size // 1024} KB of HTML)"
    ]


def _submits(portal: Portal) -> list[str]:
    """Everybody opens the form and sends it, again and again, with no pause in between. Any other answer than the one
    that leads to the generation ends the measurement, and so does a generation that is missing afterwards.
    """
    from generations.models import Generation

    people = members(MEMBERS, slug="crowd")
    web = portal.start_web()
    page = f"{web}/t/crowd/create/{MODEL}/"
    browsers = [sign_in(web, member.user.email) for member in people]
    alone = [_timed(lambda: browsers[0].get(page, timeout=30))[0] for _ in range(40)]
    gets: list[float] = []
    submits: list[float] = []
    faults: list[str] = []
    start = threading.Barrier(MEMBERS)

    def work(browser: requests.Session) -> None:
        start.wait()
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and not faults:
            try:
                took, answer = _timed(lambda: browser.get(page, timeout=90))
                gets.append(took)
                form = fields(answer.text) | {"prompt": f"piece {len(submits)}"}
                send = partial(browser.post, page, form, timeout=90, allow_redirects=False)
                took, answer = _timed(send)
                submits.append(took)
                if answer.status_code not in {302, 303}:
                    faults.append(f"{answer.status_code}: {answer.text[:300]}")
            except requests.RequestException as error:
                faults.append(repr(error))

    threads = [threading.Thread(target=work, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = Generation.objects.filter(team__slug="crowd").count()
    if faults or stored != len(submits):
        raise SystemExit(f"{len(submits)} submits, {stored} generations, {len(faults)} faults: {faults[:3]}")
    return [
        f"{MEMBERS} members submit at once for {SECONDS:.0f} s: {len(submits)} submits, no error;"
        f" p95 {_p95(submits) * 1000:.0f} ms, ratio to the p95 of the same page's GET under the same load"
        f" {_p95(submits) / _p95(gets):.2f}, to its GET alone {_p95(submits) / _p95(alone):.0f}"
    ]


def _timed(call: Callable[[], requests.Response]) -> tuple[float, requests.Response]:
    begun = time.perf_counter()
    answer = call()
    return time.perf_counter() - begun, answer


def _p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]


def sign_in(web: str, email: str) -> requests.Session:
    """A session cookie without the sign-in page, whose rate limit is not what is measured."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from accounts.models import User

    user = User.objects.get(email=email)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    browser = requests.Session()
    browser.cookies.set(settings.SESSION_COOKIE_NAME, str(session.session_key))
    return browser


def fields(page: str) -> dict[str, str]:
    """The hidden fields of the form that generates."""
    form = max(re.findall(r"<form.*?</form>", page, re.S), key=len)
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))


def fill(member: Any, rows: int) -> None:
    """Finished generations with one sound each, one every ten seconds into the past.

    The database then learns how its indexes are filled, as it does by itself within minutes.
    """
    from django.db import connection
    from django.utils import timezone

    from generations.models import Connection, Generation, Output, search_text
    from generations.models.ids import uuid7

    here, now = Connection.current(), timezone.now()
    peaks = " ".join(str((n * 37) % 100) for n in range(96))
    for begin in range(0, rows, 5000):
        batch, outputs = [], []
        for n in range(begin, min(rows, begin + 5000)):
            made = now - timedelta(seconds=10 * (rows - n))
            prompt = (
                f"Slow piano number {n} over rain and a distant train, wistful, sparse, in no hurry at all"
            )
            row = Generation(
                id=uuid7(), team=member.team, author=member.user, connection=here, model=MODEL, kind="music",
                title=f"Piece {n}", params={"prompt": prompt, "format": "mp3"}, search_text=search_text(prompt),
                status="succeeded", cost_estimated=Decimal("0.8"), cost_actual=Decimal("0.8"), created_at=made,
                dispatched_at=made, upstream_done_at=made, finished_at=made, updated_at=made, next_check_at=None,
            )  # fmt: skip
            batch.append(row)
            outputs.append(
                Output(
                    generation=row, index=0, kind="audio", content_type="audio/mpeg", extension="mp3", file="x.mp3",
                    bytes=640_000, sha256="0" * 64, duration=20.0, sample_rate=44100, channels=2, peaks_row=peaks,
                )
            )  # fmt: skip
        Generation.objects.bulk_create(batch, batch_size=1000)
        Output.objects.bulk_create(outputs, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
