"""Draw: a member whose own limit refuses takes what is missing from the pool, where the team allows it.

Top-up and generation come to be in one transaction under the locks of the door, so either both are there or neither,
and twenty who draw at once never take more than the pool has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Action, Measure, Membership, Scope, TopUp
from generations import quota, vault
from generations.models import Connection, database_now
from generations.pipeline import accept as door
from generations.pipeline.accept import Accepted

WITHOUT_RESET = timedelta(days=30)


class NotFromPool(Exception):
    """The team does not allow it, or the pool has no limit of this kind out of which it could come."""


def needed(
    lines: Iterable[quota.Line], cost: Decimal | None
) -> dict[Measure, tuple[Decimal, datetime | None]] | None:
    """By measure, what is missing of the member's limits and until when; None when it may not come from the pool.

    It may when every limit that refuses is one of money or number that managers set for members, and the pool has a
    blocking limit of the same measure which lets this through.
    """
    lines = list(lines)
    found: dict[Measure, tuple[Decimal, datetime | None]] = {}
    for line in lines:
        if line.action != Action.BLOCK or not line.refuses(cost):
            continue
        if line.scope in (Scope.POOL, Scope.OWN) or line.measure == Measure.CONCURRENT:
            return None
        if line.measure == Measure.SPEND and cost is None:
            return None
        step = (cost or Decimal(0)) if line.measure == Measure.SPEND else Decimal(1)
        short, until = line.used + step - line.limit, line.resets_at
        if line.measure in found:
            before = found[line.measure]
            short = max(short, before[0])
            until = max(until, before[1]) if until and before[1] else None
        found[line.measure] = (short, until)
    pools = {line.measure for line in lines if line.scope == Scope.POOL and line.action == Action.BLOCK}
    return found if found.keys() <= pools else None


def accept(membership: Membership, model: str, raw: Mapping[str, Any], **more: Any) -> Accepted:
    """As `accept.accept`, with a top-up of exactly what is missing. Nothing is drawn when it fits by itself.

    Raises `NotFromPool` besides.
    """
    spec = door.offered(model, Connection.of(membership.team), membership.team)
    with transaction.atomic():
        locked = door.lock(membership)
        if not locked.team.pool_draw or vault.maker(spec) is not None:
            raise NotFromPool
        cost = door.quote(spec, spec.clean(raw), Connection.of(locked.team), locked.team).cost
        now = database_now()
        missing = needed(quota.standing(locked, now), cost)
        if missing is None:
            raise NotFromPool
        point, drawn = transaction.savepoint(), []
        for measure, (short, until) in missing.items():
            topup = TopUp.grant(
                locked.team,
                membership=locked,
                measure=measure,
                amount=short,
                from_at=now,
                until_at=until or now + WITHOUT_RESET,
                reason=_("Taken from the pool"),
                by=None,
            )
            drawn.append(topup.pk)
        accepted = door.accept(locked, model, raw, **more)
        if missing and not accepted.created:
            transaction.savepoint_rollback(point)  # the same form sent twice draws once
        else:
            TopUp.objects.filter(pk__in=drawn).update(for_order=accepted.generation.pk)
            transaction.savepoint_commit(point)
    return accepted
