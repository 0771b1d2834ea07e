"""The library of a million: every filter, order and search against the same upon 10,000, and what a page costs.

The databases are kept for the next time: SQLite in RHWEB_DATA_DIR or a folder of its own beneath the temporary one,
PostgreSQL as `rhweb_bench_library` on the server of DATABASE_URL. RHWEB_BENCH_ROWS makes it smaller.
"""

from __future__ import annotations

import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from tests.benchmarks.portal import ROOT, descendants, free_port

ROWS = int(os.environ.get("RHWEB_BENCH_ROWS", "1000000"))
FEW = 10_000
LOOKS = 24
SECONDS = 6.0
CLIENTS = 4
SEARCHES = {
    "a common word": "piano",
    "a rare word": "zanzibar",
    "a piece of a word": "ghthous",
    "two characters": "钢琴",
    "two rare characters": "蝴蝶",
    "one character": "雨",
    "two words": "piano rain",
    "a common and a rare short word": "piano 蝴蝶",
    "a common and a common short word that never meet": "piano 钢琴",
    "a common and a short word of no row": "rain xq",
    "a rare and a common short word": "zanzibar 钢琴",
    "an old and a common short word": "gramophone 雨",
    "a word of old rows only": "gramophone",
    "a word of no row": "xyzzyq",
    "a tag": "trailer",
}


def measure() -> Iterator[str]:
    environment = _prepare()
    yield from _plans()
    server, address = _serve(environment)
    try:
        yield from _views(address)
        yield from _page(address, server.pid)
    finally:
        server.terminate()
        server.wait(30)


def _prepare() -> dict[str, str]:
    """The database with a team of ROWS and one of FEW, made where it is not there."""
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgres"):
        import psycopg

        parts = urlsplit(given)
        name = os.environ.get("RHWEB_BENCH_LIBRARY", "rhweb_bench_library")
        with psycopg.connect(given, autocommit=True) as server:
            if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                server.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]
        os.environ["DATABASE_URL"] = urlunsplit(parts._replace(path=f"/{name}"))
    folder = os.environ.get("RHWEB_DATA_DIR") or str(Path(tempfile.gettempdir()) / "rhweb-bench-library")
    Path(folder).mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "RHWEB_DATA_DIR": folder,
        "RUNNINGHUB_API_KEY": "k" * 32,
        "RUNNINGHUB_BASE_URL": "http://127.0.0.1:9",
        "RHWEB_LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.baseline_settings",
    }
    os.environ.update(environment)
    import django

    django.setup()
    from django.core.management import call_command

    from accounts.models import Team
    from generations.models import LibraryCounts
    from generations.pipeline import count

    call_command("migrate", verbosity=0)
    for slug, rows in (("seeded", ROWS), ("few", FEW)):
        if not Team.objects.filter(slug=slug, generations__isnull=False).exists():
            begun = time.monotonic()
            call_command("seed_library", team=slug, count=rows, verbosity=0)
            sys.stdout.write(f"{rows:,} generations seeded in {time.monotonic() - begun:.0f} s\n")
    for team in Team.objects.all():
        if not LibraryCounts.objects.filter(team=team).exists():
            count._count(team, time.monotonic() + 3600)
    return environment


def _serve(environment: dict[str, str]) -> tuple[subprocess.Popen[bytes], str]:
    port = free_port()
    command = ["-m", "gunicorn", "tests.benchmarks.baselines:application", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "2", "--worker-class", "gthread", "--threads", "4", "--log-level", "error"]
    server = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
            return server, f"http://127.0.0.1:{port}"
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The web server did not start.")


def _questions(slug: str) -> dict[str, dict[str, str]]:
    """The query strings of every filter, order and search; of a team, because tags and people have numbers."""
    from django.utils import timezone

    from accounts.models import Membership
    from generations.library import SORTS, cursor_at
    from generations.models import Collection, Generation, Tag, Voice

    member = Membership.objects.filter(team__slug=slug).order_by("pk")[2]
    album = Collection.objects.filter(team__slug=slug).earliest("created_at")
    half = Generation.objects.filter(team__slug=slug).order_by("-id").values_list("created_at", flat=True)
    middle = half[FEW // 2].date()
    found: dict[str, dict[str, str]] = {
        "kind": {"kind": "song"},
        "model": {"model": "mureka-ai--mureka-v9--generate-bgm"},
        "person": {"author": str(member.user_id)},
        "state": {"status": "failed"},
        "tag": {"tag": str(Tag.objects.get(team__slug=slug, name="trailer").pk)},
        "rare tag": {"tag": str(Tag.objects.get(team__slug=slug, name="episode 12").pk)},
        "collection": {"collection": str(album.pk)},
        "voice": {"voice": str(Voice.objects.get(team__slug=slug).pk)},
        "favourite": {"favourite": "yes"},
        "rating": {"rating": "5"},
        "length": {"length": "2"},
        "cost": {"cost": "6"},
        "approved": {"approved": "yes"},
        "private": {"private": "yes"},
        "since a day": {"from": str((timezone.now() - timedelta(days=3)).date())},
        "until a day": {"to": str(middle)},
        "kind and state and rating": {"kind": "song", "status": "succeeded", "rating": "4"},
        "favourite and tag": {
            "favourite": "yes",
            "tag": str(Tag.objects.get(team__slug=slug, name="trailer").pk),
        },
    }
    found |= {f"sorted: {name}": {"sort": name} for name in SORTS if name != "newest"}
    deep = Generation.objects.filter(team__slug=slug).order_by("-id").values_list("pk", flat=True)
    found["the page after 500"] = {"cursor": deep[min(12_000, FEW - 100)].hex}
    for name in ("rating", "longest", "title", "cost"):
        column = {"longest": "length", "cost": "cost_counted"}.get(name, name)
        sign = "" if name == "title" else "-"
        rows = Generation.objects.filter(team__slug=slug, trashed_at=None, length__isnull=False)
        place = rows.order_by(f"{sign}{column}", f"{sign}id")[FEW // 2]
        found[f"sorted: {name}, far down"] = {"sort": name, "cursor": cursor_at(place, SORTS[name])}
    return found | {f"search: {name}": {"q": word} for name, word in SEARCHES.items()}


def _views(address: str) -> Iterator[str]:
    """Each view of both teams in turn, by HTTP."""
    from accounts.models import Membership
    from tests.benchmarks.pages import sign_in

    browsers = {}
    for slug in ("seeded", "few"):
        member = Membership.objects.select_related("user").filter(team__slug=slug).order_by("pk")[1]
        browsers[slug] = sign_in(address, member.user.email)
    both = {slug: _questions(slug) for slug in browsers}

    shown: dict[tuple[str, str], int] = {}

    def look(slug: str, query: dict[str, str]) -> float:
        begun = time.perf_counter()
        answer = browsers[slug].get(f"{address}/t/{slug}/library/?{urlencode(query)}", timeout=120)
        took = time.perf_counter() - begun
        assert answer.status_code == 200, (slug, query, answer.status_code)
        shown[slug, urlencode(query)] = answer.text.count("data-row")
        return took

    plain: dict[str, list[float]] = {"seeded": [], "few": []}
    for _ in range(3 * LOOKS):
        for slug in plain:
            plain[slug].append(look(slug, {}))
    base = _p95(plain["seeded"])
    yield _line("first page", plain["seeded"], plain["few"], "")
    for name in both["seeded"]:
        took: dict[str, list[float]] = {"seeded": [], "few": []}
        for turn in range(LOOKS + 2):
            for slug in ("seeded", "few") if turn % 2 else ("few", "seeded"):
                one = look(slug, both[slug][name])
                if turn >= 2:
                    took[slug].append(one)
        against = (
            f", to the plain page {_p95(took['seeded']) / base:.2f}" if name.startswith("search") else ""
        )
        rows = [shown[slug, urlencode(both[slug][name])] for slug in ("seeded", "few")]
        if rows[0] != rows[1]:
            against += f"; {rows[0]} rows shown here, {rows[1]} there"
        yield _line(name, took["seeded"], took["few"], against)


def _line(name: str, many: list[float], few: list[float], more: str) -> str:
    return (
        f"{name}: p95 {_p95(many) * 1000:.0f} ms (median {statistics.median(many) * 1000:.0f}) at {ROWS:,} rows,"
        f" {_p95(few) * 1000:.0f} ({statistics.median(few) * 1000:.0f}) at {FEW:,}:"
        f" ratio {_p95(many) / _p95(few):.2f} (medians {statistics.median(many) / statistics.median(few):.2f}){more}"
    )


def _page(address: str, server: int) -> Iterator[str]:
    """Requests per second of the page, of its template from constants and of the admin's list, in turns; and what each
    costs the web server in processor time, which a busy machine changes less.
    """
    from accounts.models import Membership
    from tests.benchmarks.pages import sign_in

    rates: dict[str, list[tuple[float, float]]] = {}
    for slug in ("few", "seeded"):
        member = Membership.objects.select_related("user").filter(team__slug=slug).earliest("pk")
        browser = sign_in(address, member.user.email)
        cookie = "; ".join(f"{one.name}={one.value}" for one in browser.cookies)
        paths = {
            "page": f"/t/{slug}/library/",
            "constants": "/constants/",
            "known": "/known/",
            "admin": "/admin/generations/generation/",
            "short": "/short/generations/generation/",
        }
        for _ in range(2):
            for name, path in paths.items():
                rates.setdefault(f"{name} {slug}", []).append(_rate(address, path, cookie, server))
        size = len(browser.get(f"{address}/t/{slug}/library/").content)
        for place, unit in ((0, "requests a second"), (1, "ms of processor time")):
            found = {name: statistics.mean(one[place] for one in rates[f"{name} {slug}"]) for name in paths}
            times = {
                name: found["page"] / each if place == 0 else each / found["page"]
                for name, each in found.items()
            }
            yield (
                f"24 rows of {slug}: {found['page']:.1f} {unit},"
                f" {times['constants']:.2f} of its template from constants"
                f" ({times['known']:.2f} where that need not draw its lines, as the page need not),"
                f" {times['admin']:.2f} times as good as Django admin's list as it comes with 100 rows,"
                f" {times['short']:.2f} as one with 24; {size / 1000:.1f} kB before compression"
            )


def _rate(address: str, path: str, cookie: str, server: int) -> tuple[float, float]:
    """Requests a second, and milliseconds of the server's processor time for each."""
    done = [0] * CLIENTS
    spent = _processor_time(server)
    until = time.monotonic() + SECONDS

    def work(n: int) -> None:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
        while time.monotonic() < until:
            connection.request("GET", path, headers={"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, (path, answer.status)
            done[n] += 1

    threads = [threading.Thread(target=work, args=[n]) for n in range(CLIENTS)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - begun
    return sum(done) / took, 1000 * (_processor_time(server) - spent) / sum(done)


def _processor_time(server: int) -> float:
    """Seconds that all its processes have used."""
    ticks = 0
    for pid in (server, *descendants(server)):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _plans() -> Iterator[str]:
    """How the database goes about each view."""
    from accounts.models import Membership
    from generations import library
    from generations.views.filters import Chips
    from generations.views.library import given_voice

    member = Membership.objects.select_related("team", "user").filter(team__slug="seeded").order_by("pk")[1]
    for name, query in {"first page": {}, **_questions("seeded")}.items():
        wanted = Chips.read(query, member, given_voice(query.get("voice", ""), member)).wanted
        after = library._last(member, wanted, query["cursor"]) if "cursor" in query else None
        rows = library.find(member, wanted, after=after, most=library.PAGE + 1)
        rows = rows if rows.query.is_sliced else rows[: library.PAGE + 1]
        steps = [
            line.strip() for line in rows.explain().splitlines() if "cost=" not in line or "Scan" in line
        ]
        yield f"plan of {name}: {' / '.join(_short(step) for step in steps)}"


def _short(step: str) -> str:
    return " ".join(step.replace("generations_", "").split("  (cost")[0].split())


def _p95(times: list[Any]) -> float:
    return float(sorted(times)[int(len(times) * 0.95)])
