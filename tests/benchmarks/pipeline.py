"""The pipeline against the loop that everybody writes first: one task per generation that sleeps and polls.

Baseline "ideal": the upstream's own time. Baseline "naive": as many blocking workers as the portal's queue has, each
submits, polls every two seconds and copies, one generation after the other.
"""

from __future__ import annotations

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.benchmarks.portal import Portal, members
from tests.upstream import Upstream, sound

GENERATIONS = 200
SECONDS = 20.0
NAIVE_GENERATIONS = 12
NAIVE_WORKERS = 3
MODEL = "minimax--music-2.6--text-to-instrumental"


def measure() -> list[str]:
    with upstream_of(GENERATIONS) as upstream, Portal(upstream=upstream.url) as portal:
        wall, submitted = _portal(portal)
        queries = [upstream.queries[task] for task in upstream.started]
        submits = len(upstream.submits)
    with upstream_of(GENERATIONS) as upstream:
        naive = _naive(upstream)
    per_naive = naive / NAIVE_GENERATIONS
    return [
        f"{GENERATIONS} generations of {SECONDS:.0f} s in flight: {wall:.1f} s,"
        f" {wall / SECONDS:.2f} of the upstream's own time",
        f"  all submitted after {submitted:.1f} s; {submits} submits for {GENERATIONS} generations",
        f"  queries per generation: {statistics.mean(queries):.1f} on average, {max(queries)} at most",
        f"naive loop, {NAIVE_WORKERS} workers: {per_naive:.2f} s per generation;"
        f" the pipeline {wall / GENERATIONS:.2f} s:"
        f" {per_naive / (wall / GENERATIONS):.0f} times as fast",
    ]


def upstream_of(slots: int) -> Upstream:
    return Upstream(seconds=SECONDS, slots=slots, answer_seconds=0.03, audio=sound(5))


def _portal(portal: Portal) -> tuple[float, float]:
    from generations.models import Generation, State
    from generations.pipeline.accept import accept

    people = members(10)
    for n in range(GENERATIONS):
        accept(people[n % len(people)], MODEL, {"prompt": f"piece {n}"})
    begun = time.monotonic()
    portal.start("manage.py", "worker")
    first = submitted = 0.0
    while Generation.objects.exclude(status=State.SUCCEEDED).exists():
        now = time.monotonic()
        if not first and Generation.objects.exclude(status=State.QUEUED).exists():
            first = now
        if not submitted and not Generation.objects.filter(dispatched_at=None).exists():
            submitted = now
        if now - begun > 10 * SECONDS:
            raise SystemExit(
                f"not done: {list(Generation.objects.values_list('status', 'error_message')[:3])}"
            )
        time.sleep(0.1)
    return time.monotonic() - first, submitted - first


def _naive(upstream: Upstream) -> float:
    begun = time.monotonic()
    local = threading.local()

    def one(n: int) -> None:
        session = local.__dict__.setdefault("session", requests.Session())
        task = session.post(f"{upstream.url}/openapi/v2/{MODEL}", json={"prompt": str(n)}, timeout=10).json()[
            "taskId"
        ]
        while True:
            time.sleep(2)
            reply = session.post(f"{upstream.url}/openapi/v2/query", json={"taskId": task}, timeout=10).json()
            if reply["status"] == "SUCCESS":
                session.get(reply["results"][0]["url"], timeout=10)
                return

    with ThreadPoolExecutor(NAIVE_WORKERS) as pool:
        list(pool.map(one, range(NAIVE_GENERATIONS)))
    return time.monotonic() - begun
