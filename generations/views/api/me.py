"""Whom a token speaks for, and what is left for them."""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone
from ninja import Router

from accounts.models import Allowance, Measure, Mode, Period, Scope
from generations import quota
from generations.models import ACTIVE, Connection, Generation
from generations.views.api import lines, schemas
from generations.views.api.auth import ApiRequest
from generations.views.api.problems import answers

router = Router(tags=["People"])


@router.get("me", response={200: schemas.Me, **answers()}, operation_id="me", summary="Who am I")
def me(request: ApiRequest) -> schemas.Me:
    """The user, team and role of the token, and the limits in force with what is left of them."""
    membership = request.auth.membership
    team = membership.team
    return schemas.Me.model_validate(
        {
            "user": {"email": membership.user.email, "name": membership.user.display_name},
            "team": {"slug": team.slug, "name": team.name, "time_zone": team.time_zone},
            "role": membership.role,
            "may_generate": membership.may_generate,
            "currency": Connection.of(team).currency,
            "limits": [lines.shown(line) for line in quota.standing(membership, token=request.auth)],
            "token": {
                "name": request.auth.name,
                "scopes": request.auth.scopes,
                "expires_at": request.auth.expires_at,
            },
        }
    )


@router.get("usage", response={200: schemas.Usage, **answers()}, operation_id="usage", summary="What is used")
def usage(request: ApiRequest) -> schemas.Usage:
    """The limits in force, and what the member and the team used today, this week and this month.

    A generation counts with its actual cost once it is known, before with the estimate that is held.
    """
    membership = request.auth.membership
    now = timezone.now()
    team = Generation.objects.filter(team=membership.team_id)
    mine = team.filter(author=membership.user_id)
    periods = (Period.DAY, Period.WEEK, Period.MONTH)
    rows = [
        Allowance(scope=Scope.POOL, measure=measure, period=period, mode=Mode.LIMITED, limit=Decimal(0))
        for period in periods
        for measure in (Measure.SPEND, Measure.COUNT)
    ]
    used = {
        whose: {
            (line.period, line.measure): line.used
            for line in quota.measure(receipts, rows, membership.team, now)
        }
        for whose, receipts in (("mine", mine), ("team", team))
    }

    def totals(period: Period) -> schemas.Totals:
        since, until = period.bounds(now, membership.team.zone)
        sums = {
            whose: {
                "spend": schemas.amount(found[period, Measure.SPEND]),
                "count": int(found[period, Measure.COUNT]),
            }
            for whose, found in used.items()
        }
        return schemas.Totals.model_validate({"since": since, "resets_at": until, **sums})

    return schemas.Usage(
        currency=Connection.of(membership.team).currency,
        limits=[lines.shown(line) for line in quota.standing(membership, now, request.auth)],
        day=totals(Period.DAY),
        week=totals(Period.WEEK),
        month=totals(Period.MONTH),
        running=schemas.Running(
            mine=mine.filter(status__in=ACTIVE).count(), team=team.filter(status__in=ACTIVE).count()
        ),
    )
