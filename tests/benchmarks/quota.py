"""The question about limits over a long history: 1,000,000 receipts of 500 members against 10,000.

In two shapes, because history and density are different things. History: both teams have 10,000 receipts in the
running month, and one has 990,000 more in the two years before. Density: both spread theirs evenly over two years, so
the running month of one holds a hundred times the receipts, all of which the pool’s sum has to add up. A counter would
not have to; but it could drift, and there are none here.

Measured is what `accept` asks under its locks, on the last day of a month: the limits of a member, those of the pool,
and the whole question with both; once for limits per week and once for day, week and month. The ratio is that of
medians, taken in turns. RHWEB_BENCH_RECEIPTS sets another number than 1,000,000.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.benchmarks.portal import Portal

MANY = int(os.environ.get("RHWEB_BENCH_RECEIPTS", "1000000"))
FEW = MONTH = MANY // 100
MEMBERS = 500
DAYS = 730
NOW = datetime(2026, 10, 31, 18, tzinfo=UTC)
LOOKS = 60


def measure() -> Iterator[str]:
    with Portal():
        from django.db import connection

        teams = {
            "many": _team("many", [(MONTH, 0, 31), (MANY - MONTH, 31, DAYS)]),
            "history": _team("history", [(MONTH, 0, 31)]),
            "even": _team("even", [(MANY, 0, DAYS)]),
            "density": _team("density", [(FEW, 0, DAYS)]),
        }
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        yield f"{MANY:,} receipts of {MEMBERS} members against {FEW:,}"
        for limits, periods in (("week", ["week"]), ("day, week and month", ["day", "week", "month"])):
            _limit(teams, periods)
            yield from _compare(teams, limits)


def _compare(teams: dict[str, Any], limits: str) -> Iterator[str]:
    from generations import quota

    took: dict[tuple[str, str], list[float]] = {}
    for turn in range(LOOKS):
        for name in sorted(teams, reverse=bool(turn % 2)):
            member = teams[name][turn % len(teams[name])]
            for part, rows in _parts(member).items():
                begun = time.perf_counter()
                if part == "all":
                    quota.standing(member, NOW)
                else:
                    quota.measure(*rows, member.team, NOW)
                if turn >= 6:
                    took.setdefault((name, part), []).append(time.perf_counter() - begun)
    for part in ("member", "pool", "all"):
        ms = {name: statistics.median(took[name, part]) * 1000 for name in teams}
        yield (
            f"  limits per {limits}, {part}:"
            f" history {ms['many']:.2f} ms against {ms['history']:.2f}, ratio {ms['many'] / ms['history']:.2f};"
            f" density {ms['even']:.2f} ms against {ms['density']:.2f}, ratio {ms['even'] / ms['density']:.2f}"
        )


def _parts(member: Any) -> dict[str, Any]:
    from accounts.models import Allowance
    from generations.models import Generation

    rows = Allowance.in_force(member.team.allowances.all(), member)
    receipts = Generation.objects.filter(team=member.team_id)
    return {
        "member": (receipts.filter(author=member.user_id), [row for row in rows if row.scope != "pool"]),
        "pool": (receipts, [row for row in rows if row.scope == "pool"]),
        "all": (),
    }


def _limit(teams: dict[str, Any], periods: list[str]) -> None:
    from accounts.models import Allowance, Measure, Mode, Period, Scope

    Allowance.objects.all().delete()
    for members in teams.values():
        for scope in (Scope.POOL, Scope.DEFAULT):
            for period in periods:
                for measure in (Measure.SPEND, Measure.COUNT):
                    Allowance.put(
                        members[0].team,
                        scope=scope,
                        measure=measure,
                        period=Period(period),
                        mode=Mode.LIMITED,
                        limit=Decimal(10**9),
                    )


def _team(slug: str, spread: list[tuple[int, float, float]]) -> list[Any]:
    """A team whose receipts are, for each (receipts, days back to, days back from), spread evenly over those days, each
    by the next of its members.
    """
    from django.db import connection

    from accounts.models import Membership, Team, User
    from generations.models import Connection, Generation

    team = Team.objects.create(slug=slug, name=slug, time_zone="Europe/Berlin")
    users = User.objects.bulk_create(User(email=f"{slug}{n}@example.com") for n in range(MEMBERS))
    members = Membership.objects.bulk_create(
        Membership(team=team, user=user, role="member") for user in users
    )
    row = Generation.objects.create(
        team=team, author=users[0], connection=Connection.current(), model="m", kind="music", title="x", params={},
        status="succeeded", cost_estimated=Decimal("0.8"), cost_actual=Decimal("0.79"), created_at=NOW,
        finished_at=NOW, next_check_at=None,
    )  # fmt: skip
    columns = [field.column for field in Generation._meta.concrete_fields if not field.generated]
    sqlite = connection.vendor == "sqlite"
    for receipts, newest, oldest in spread:
        step = (oldest - newest) * 86400 / receipts
        if sqlite:
            series = (
                f"WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {receipts - 1}) "
            )
            back = f"'-' || ({newest * 86400} + n * {step}) || ' seconds'"
            new = {
                "id": "lower(hex(randomblob(16)))",
                "created_at": f"strftime('%Y-%m-%d %H:%M:%f', g.created_at, {back})",
            }
        else:
            series = f"WITH s(n) AS (SELECT generate_series(0, {receipts - 1})) "
            new = {
                "id": "gen_random_uuid()",
                "created_at": f"g.created_at - make_interval(secs => {newest * 86400} + n * {step})",
            }
        # Of whom is not the order of time, else each member had a day of their own.
        new["author_id"] = f"{users[0].pk} + (n * 7919) % {MEMBERS}"
        values = ", ".join(new.get(column, f'g."{column}"') for column in columns)
        names = ", ".join(f'"{column}"' for column in columns)
        select = f"SELECT {values} FROM s, generations_generation g WHERE g.id = %s"
        insert = f"INSERT INTO generations_generation ({names}) "
        mark = row.pk.hex if sqlite else row.pk
        with connection.cursor() as cursor:
            cursor.execute((insert + series if sqlite else series + insert) + select, [mark])
    return members
