"""The pipeline with 1,000 generations in flight, against the loop that everybody writes first.

Baseline "ideal": the upstream's own time, as many slots as generations, so the strict reading: 20 s and nothing else.
Beside it stands the time at which the last one was accepted upstream, because none can be done before that and 20 s.
Baseline "naive": a thread for each generation that submits, asks every second, downloads, and sends once more when an
answer does not come within two seconds, against an upstream of which one answer in fifty takes longer.

`make bench ARGS=pipeline`; RHWEB_BENCH_GENERATIONS sets another number. DATABASE_URL measures on PostgreSQL.
"""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.benchmarks.portal import Portal, free_port, members
from tests.upstream import descendants

GENERATIONS = int(os.environ.get("RHWEB_BENCH_GENERATIONS", "1000"))
SECONDS, ANSWER = 20.0, 0.03
SLOW = 0.02
MODEL = "minimax--music-2.6--text-to-instrumental"
TICK = os.sysconf("SC_CLK_TCK")


def measure() -> Iterator[str]:
    which = os.environ.get("RHWEB_BENCH_WAYS", "poll,webhook,killed,naive").split(",")
    for way in which:
        with upstream(SLOW if way == "naive" else 0.0) as url:
            yield from _naive(url) if way == "naive" else in_a_process_of_its_own(way, url)


def in_a_process_of_its_own(way: str, url: str) -> list[str]:
    """Django can be configured once only in a process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.pipeline", way, url],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout.splitlines()


@contextmanager
def upstream(slow: float, seconds: float = SECONDS, answer: float = ANSWER) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.upstream", str(seconds), str(answer), str(slow)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


class Usage(threading.Thread):
    """CPU seconds and peak memory (proportional set, MB) of a process and all it starts, looked at now and then.

    Seldom, because the system holds a process while it adds up its memory, and all of this shares two cores.
    """

    EVERY = 1.0
    MEMORY_EVERY = 4

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.cpu, self.peak = pid, Counter[int](), 0.0
        self.over = threading.Event()
        self.start()

    def run(self) -> None:
        for turn in itertools.count(1):
            if self.over.wait(self.EVERY):
                return
            total = 0
            for pid in [self.pid, *descendants(self.pid)]:
                try:
                    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                    self.cpu[pid] = int(fields[11]) + int(fields[12])
                    if turn % self.MEMORY_EVERY == 0:
                        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                        total += next(int(line.split()[1]) for line in rollup.splitlines() if "Pss:" in line)
                except OSError:
                    continue
            self.peak = max(self.peak, total / 1024)

    @property
    def per_generation(self) -> float:
        """CPU milliseconds for one."""
        return 1000 * sum(self.cpu.values()) / TICK / GENERATIONS


Log = tuple[dict[str, float], dict[str, str], dict[str, int], dict[str, float], float, dict[str, float]]


def log(url: str) -> Log:
    """When each task began, what it was sent, how often it was asked for, when its file was fetched; the processor
    seconds of the upstream itself, which uses the same cores; and when the call of each webhook was answered.
    """
    begun, prompts, queries, files, seconds, rung = requests.get(f"{url}/bench/log", timeout=10).json()
    return begun, prompts, queries, files, seconds, rung


def portal_run(way: str, url: str) -> Iterator[str]:
    """One run of the portal: by polling, with webhooks, or with the worker killed half way."""
    port = free_port()
    if way == "webhook":
        os.environ["RHWEB_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    with Portal(upstream=url) as portal:
        from generations.models import Generation, State

        if way == "webhook":
            portal.start_web(port=port)
        _fill()
        worker = portal.start("manage.py", "worker")
        usage = Usage(worker.pid)
        began, killed = time.monotonic(), False
        rows = Generation.objects.order_by().exclude(error_code="released")
        while rows.exclude(status=State.SUCCEEDED).exists():
            time.sleep(0.2)
            if way == "killed" and not killed and rows.exclude(status=State.QUEUED).count() > GENERATIONS / 2:
                killed = True
                portal.kill(worker)
                _as_if_time_had_passed()
                _settle(url)
                worker = portal.start("manage.py", "worker")
                usage.pid = worker.pid
            if killed:
                _settle(url)
            if time.monotonic() - began > 10 * SECONDS + GENERATIONS / 20:
                states = Counter(rows.values_list("status", "error_message"))
                raise SystemExit(f"not done: {states}")
        usage.over.set()
        begun, prompts, queries, _, its_own, rung = log(url)
        ends = dict(rows.values_list("upstream_id", "finished_at"))
        known = dict(rows.values_list("upstream_id", "upstream_done_at"))
        shift = time.time() - time.monotonic()
        safe = sorted(ends[task].timestamp() - shift - (at + SECONDS) for task, at in begun.items())
        found = sorted(known[task].timestamp() - shift - (at + SECONDS) for task, at in begun.items())
        first, last = min(begun.values()), max(begun.values())
        answered = sorted(at - begun[task] - SECONDS for task, at in rung.items())
        wall = max(end.timestamp() for end in ends.values()) - shift - first
        outputs = rows.filter(outputs__isnull=False).count()
        twice = sum(n > 1 for n in Counter(prompts.values()).values())
        yield (
            f"{GENERATIONS} of {SECONDS:.0f} s in flight, {way}: all safe after {wall:.1f} s,"
            f" {wall / SECONDS:.2f} of the upstream's own time; {wall / (last - first + SECONDS):.2f} of it from the"
            f" last accepted ({last - first:.1f} s)"
        )
        yield (
            f"  {len(begun)} submits, {twice} sent twice, {outputs} outputs; queries each:"
            f" {statistics.mean(queries.values()):.2f} on average, {max(queries.values())} at most"
        )
        yield (
            f"  upstream success to safe: median {statistics.median(safe):.2f} s,"
            f" p95 {safe[int(0.95 * len(safe))]:.2f} s, most {safe[-1]:.2f} s; to known: median"
            f" {statistics.median(found):.2f} s, p95 {found[int(0.95 * len(found))]:.2f} s"
        )
        if answered:
            yield (
                f"  webhooks: {len(answered)}, answered after median {statistics.median(answered):.2f} s,"
                f" p95 {answered[int(0.95 * len(answered))]:.2f} s"
            )
        yield (
            f"  CPU {usage.per_generation:.1f} ms each, peak {usage.peak:.0f} MB (worker, all processes);"
            f" the upstream’s own {1000 * its_own / GENERATIONS:.1f} ms"
        )


def _fill() -> None:
    from generations.models import Connection
    from generations.pipeline.accept import accept

    people = members(10)
    connection = Connection.current()
    for n in range(GENERATIONS):
        accept(people[n % len(people)], MODEL, {"prompt": f"piece {n}"})
    Connection.objects.filter(pk=connection.pk).update(slots=2 * GENERATIONS)


def _as_if_time_had_passed() -> None:
    """The leases of the killed worker run out, as they do within two minutes."""
    from datetime import timedelta

    from django.utils import timezone

    from generations.models import ACTIVE, Generation

    past = timezone.now() - timedelta(seconds=1)
    Generation.objects.filter(status__in=ACTIVE).exclude(lease_until=None).update(lease_until=past)


def _settle(url: str) -> None:
    """A manager looks at the call record for those whose answer was lost; what is not there was never sent."""
    from generations.models import Generation, State
    from generations.pipeline import resolve

    lost = Generation.objects.filter(status=State.UNCONFIRMED)
    if lost.exists():
        tasks = {prompt: task for task, prompt in log(url)[1].items()}
        for row in lost:
            if task := tasks.get(row.params["prompt"]):
                resolve.attach(row, task)
            else:
                resolve.release(row)


def _naive(url: str) -> list[str]:
    script = f"import tests.benchmarks.pipeline as p; p.naive_loop({url!r})"
    process = subprocess.Popen([sys.executable, "-c", script])
    usage = Usage(process.pid)
    process.wait()
    usage.over.set()
    begun, prompts, queries, *_ = log(url)
    twice = sum(n > 1 for n in Counter(prompts.values()).values())
    first = min(begun.values())
    return [
        f"naive loop, {GENERATIONS} threads: {time.monotonic() - first:.1f} s; {len(begun)} submits,"
        f" {twice} sent twice or more and paid for; queries each {sum(queries.values()) / GENERATIONS:.1f}",
        f"  CPU {usage.per_generation:.1f} ms each, peak {usage.peak:.0f} MB",
    ]


def naive_loop(url: str) -> None:
    """A thread for each, and a submit once more after a time-out."""

    def one(n: int) -> None:
        session = requests.Session()
        task = ""
        while not task:
            try:
                reply = session.post(f"{url}/openapi/v2/{MODEL}", json={"prompt": str(n)}, timeout=2)
                task = reply.json()["taskId"]
            except requests.RequestException:
                continue
        while True:
            time.sleep(1)
            try:
                told: Any = session.post(f"{url}/openapi/v2/query", json={"taskId": task}, timeout=10).json()
            except requests.RequestException:
                continue
            if told["status"] == "SUCCESS":
                session.get(told["results"][0]["url"], timeout=10)
                return

    threads = [threading.Thread(target=one, args=[n]) for n in range(GENERATIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    for line in portal_run(*sys.argv[1:3]):
        sys.stdout.write(line + "\n")
