"""The bill explained: how the balance of an account moved from one snapshot to the next, beside our receipts.

A receipt falls into the span in which its end became known, which is when RunningHub tells what it charged. What the
two differ by is never explained away: for each likely cause it is told how many receipts there are and what they could
come to at most; the rest is what they cannot explain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce

from accounts.models import Membership, Team
from generations.models import AccountSnapshot, Connection, Generation, State
from generations.quota import ZERO

CHARGED_AT = Coalesce(F("upstream_done_at"), F("finished_at"))
UNKNOWN = Q(cost_actual=None)
SENT = Q(dispatched_at__isnull=False) | Q(submitting_at__isnull=False)
CAUSES: dict[str, Q] = {
    "unknown": UNKNOWN & Q(status=State.SUCCEEDED),
    "cancelled": UNKNOWN & SENT & Q(status=State.CANCELLED),
    "failed": UNKNOWN & SENT & Q(status=State.FAILED) & ~Q(error_code="released"),
    "released": UNKNOWN & Q(status=State.FAILED, error_code="released"),
}
"""Receipts of which upstream may have charged something that we were not told."""


@dataclass(frozen=True)
class Cause:
    """So many receipts might explain up to `most`; of `unpriced` ones not even an estimate is known.

    `name` is one of CAUSES, or "unconfirmed", or "started" and "ended": under way when the span began or ended. What
    was under way at its end may have been charged in it already, what was at its beginning before it.
    """

    name: str
    number: int
    most: Decimal
    unpriced: int = 0


@dataclass(frozen=True)
class Between:
    """From one snapshot to the next. `receipts` is the sum of what our receipts of this time were charged.

    `fell` is how much less the balance was afterwards, negative where it rose; None where it was not told both times
    in one currency, or is not for this team to see.
    """

    start: datetime
    end: datetime
    receipts: Decimal
    number: int
    causes: Sequence[Cause]
    before: Decimal | None = None
    after: Decimal | None = None
    coins: Decimal | None = None
    running: int | None = None
    currency: str = ""

    @property
    def fell(self) -> Decimal | None:
        return None if self.before is None or self.after is None else self.before - self.after

    @property
    def paid_in(self) -> Decimal | None:
        """At least so much was paid in: the balance rose although receipts were charged. None where it fell."""
        fell = self.fell
        return None if fell is None or fell >= 0 else self.receipts - fell

    @property
    def drift(self) -> Decimal | None:
        """What the account lost beyond our receipts; None where that cannot be told, as when money was paid in."""
        fell = self.fell
        return None if fell is None or fell < 0 else fell - self.receipts

    @property
    def unexplained(self) -> Decimal | None:
        """What is left of a drift when every cause is taken at its most; zero where they may explain all of it."""
        drift = self.drift
        if drift is None or drift <= 0:
            return drift
        return max(ZERO, drift - sum((cause.most for cause in self.causes if cause.name != "started"), ZERO))


def is_ours_alone(connection: Connection, team: Team) -> bool:
    """Whether what the account tells is this team's business: it is its own, or no other team uses or used it."""
    if connection.team_id is not None:
        return connection.team_id == team.pk
    others = Team.objects.exclude(pk=team.pk)
    members = Membership.objects.filter(team=OuterRef("pk"), ended_at=None)
    own = Connection.objects.filter(team=OuterRef("pk"), is_used=True)
    if others.filter(Exists(members)).exclude(Exists(own)).exists():
        return False
    sent = Generation.objects.filter(team=OuterRef("pk"), connection=connection).exclude(currency="")
    return not others.filter(Exists(sent)).exists()


def spans(connection: Connection, team: Team, start: datetime, end: datetime) -> list[Between]:
    """The spans that end within these bounds, newest first, with amounts of the account where `is_ours_alone`.

    Five queries, however many spans and receipts there are.
    """
    shown = is_ours_alone(connection, team)
    taken = _snapshots(connection, start, end)
    if len(taken) < 2:
        return []
    mine = Generation.objects.filter(connection=connection)
    if not shown:
        mine = mine.filter(team=team)
    sums, late, open_ones = _sums(mine, taken), _under_way(mine, taken), _unconfirmed(mine, taken)
    found = []
    for place in range(1, len(taken)):
        before, after = taken[place - 1], taken[place]
        got = sums.get(place, {})
        causes = [
            Cause(
                name, got.get(f"{name}_n", 0), got.get(f"{name}_most") or ZERO, got.get(f"{name}_unpriced", 0)
            )
            for name in CAUSES
        ]
        causes += [open_ones.get(place, Cause("unconfirmed", 0, ZERO))]
        causes += [_named("started", late[place - 1]), _named("ended", late[place])]
        same = shown and before.currency == after.currency
        found.append(
            Between(
                start=before.taken_at,
                end=after.taken_at,
                receipts=got.get("charged") or ZERO,
                number=got.get("number", 0),
                causes=[cause for cause in causes if cause.number],
                before=before.balance if same else None,
                after=after.balance if same else None,
                coins=_less(before.coins, after.coins) if shown else None,
                running=after.running if shown else None,
                currency=after.currency if same and after.currency else connection.currency,
            )
        )
    return found[::-1]


def _snapshots(connection: Connection, start: datetime, end: datetime) -> list[AccountSnapshot]:
    """Those within the bounds, and the last one before, in order."""
    rows = AccountSnapshot.objects.filter(connection=connection)
    earlier = rows.filter(taken_at__lt=start, taken_at__gte=start - timedelta(days=92)).order_by("-taken_at")[
        :1
    ]
    return [*earlier, *rows.filter(taken_at__gte=start, taken_at__lt=end).order_by("taken_at")]


def _place(moment: str, taken: Sequence[AccountSnapshot]) -> Case:
    """The number of the span that a moment falls into, from 1."""
    return Case(
        *(
            When(**{f"{moment}__gt": before.taken_at, f"{moment}__lte": after.taken_at}, then=Value(place))
            for place, (before, after) in enumerate(pairwise(taken), start=1)
        ),
        output_field=IntegerField(),
    )


def _sums(mine: QuerySet[Generation], taken: Sequence[AccountSnapshot]) -> dict[int, dict[str, Any]]:
    """What was charged and what is open in each span, by its number."""
    asked: dict[str, Any] = {
        "charged": Sum("cost_actual"),
        "number": Count("id", filter=Q(cost_actual__isnull=False)),
    }
    for name, open_ones in CAUSES.items():
        asked |= {
            f"{name}_n": Count("id", filter=open_ones),
            f"{name}_most": Sum("cost_estimated", filter=open_ones),
            f"{name}_unpriced": Count("id", filter=open_ones & Q(cost_estimated=None)),
        }
    rows = _charged(mine, taken).annotate(place=_place("charged_at", taken)).order_by()
    return {row["place"]: dict(row) for row in rows.values("place").annotate(**asked)}


def _charged(mine: QuerySet[Generation], taken: Sequence[AccountSnapshot]) -> QuerySet[Any]:
    rows = mine.annotate(charged_at=CHARGED_AT)
    return rows.filter(charged_at__gt=taken[0].taken_at, charged_at__lte=taken[-1].taken_at)


def _under_way(mine: QuerySet[Generation], taken: Sequence[AccountSnapshot]) -> list[Cause]:
    """What was at RunningHub at the moment of each snapshot, of what has ended since within a day."""
    asked: dict[str, Any] = {}
    for place, one in enumerate(taken):
        there = Q(dispatched_at__lte=one.taken_at, charged_at__gt=one.taken_at)
        asked[f"n{place}"] = Count("id", filter=there)
        asked[f"most{place}"] = Sum(Coalesce("cost_actual", "cost_estimated"), filter=there)
    upto = taken[-1].taken_at + timedelta(days=1)
    rows = mine.annotate(charged_at=CHARGED_AT).filter(charged_at__gt=taken[0].taken_at, charged_at__lte=upto)
    got = rows.aggregate(**asked)
    return [Cause("", got[f"n{place}"], got[f"most{place}"] or ZERO) for place in range(len(taken))]


def _named(name: str, cause: Cause) -> Cause:
    return Cause(name, cause.number, cause.most)


def _unconfirmed(mine: QuerySet[Generation], taken: Sequence[AccountSnapshot]) -> dict[int, Cause]:
    """What RunningHub may have and nobody has said so, by the span in which it was sent."""
    rows = mine.filter(status=State.UNCONFIRMED, submitting_at__isnull=False)
    rows = rows.annotate(place=_place("submitting_at", taken)).exclude(place=None).order_by()
    sums = {
        "n": Count("id"),
        "most": Sum("cost_estimated"),
        "unpriced": Count("id", filter=Q(cost_estimated=None)),
    }
    found: list[dict[str, Any]] = [dict(row) for row in rows.values("place").annotate(**sums)]
    return {
        row["place"]: Cause("unconfirmed", row["n"], row["most"] or ZERO, row["unpriced"]) for row in found
    }


def _less(before: Decimal | None, after: Decimal | None) -> Decimal | None:
    return None if before is None or after is None else before - after
