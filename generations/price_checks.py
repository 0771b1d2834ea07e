"""Has RunningHub asked what a generation would cost, where the account may ask that; the worker asks.

It is a second opinion beside the estimate: the hold, the limits and the order do not know of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Team
from generations import queue
from generations.catalogue.spec import InvalidParams, ModelSpec
from generations.models import Connection, PriceCheck
from generations.pipeline import accept

HOLDS = timedelta(hours=1)
"""An answer as old as this is asked for anew."""
LIVES = timedelta(days=1)
MOST = 30
"""Questions of a team within a minute."""


class NotAsked(Exception):
    """It cannot be asked as things stand; the message is a sentence."""


class TooMany(NotAsked):
    """Not now: the team asked for many within a minute. `seconds` until it is worth trying again."""

    seconds = 60


def digest(spec: ModelSpec, raw: Mapping[str, Any]) -> str:
    """Tells one filled form from another; "" while it could not be sent as it stands."""
    try:
        return PriceCheck.digest_of(spec.slug, spec.clean(raw))
    except InvalidParams:
        return ""


def known(team: Team, connection: Connection, mark: str) -> PriceCheck | None:
    """What was told of late under this digest, or is being asked."""
    check = PriceCheck.objects.filter(team=team, connection=connection, digest=mark).first()
    return check if check and (check.is_wanted or _is_fresh(check)) else None


def may_ask(connection: Connection, spec: ModelSpec) -> bool:
    """Whether this account can be asked for prices: consumer keys cannot (API.md 2), which one refusal a day tells. Of
    apps and workflows nobody is told a price beforehand.
    """
    if spec.run is not None:
        return False
    refused = connection.prices_refused_at
    return connection.is_configured and (refused is None or refused < timezone.now() - LIVES)


def want(
    membership: Membership, spec: ModelSpec, raw: Mapping[str, Any], *, strict: bool = False
) -> PriceCheck:
    """Has it asked; what was told within the hour stands. `raw` and `strict` as `accept.accept` has them. Raises
    `InvalidParams`, `accept.ModelRefused`, `NotAsked`.
    """
    team, connection = membership.team, Connection.of(membership.team)
    params = spec.clean(raw, strict=strict)
    order = accept.Order(spec, params, "", accept.quote(spec, params, connection, team))
    with suppress(accept.PriceUnknown):  # all the more reason to ask
        accept.allowed(membership, order)
    mark = PriceCheck.digest_of(spec.slug, params)
    if (check := known(team, connection, mark)) is not None:
        return check
    if not may_ask(connection, spec):
        raise NotAsked(_("This account cannot ask RunningHub for prices of this model."))
    minute = timezone.now() - timedelta(minutes=1)
    lately = PriceCheck.objects.filter(Q(wanted_at__gt=minute) | Q(asked_at__gt=minute), team=team)
    if lately.count() >= MOST:
        raise TooMany(_("Many prices are being asked for. Try it again in a minute."))
    with transaction.atomic():
        check, made = PriceCheck.objects.get_or_create(
            team=team, connection=connection, digest=mark, defaults={"model": spec.slug, "params": params}
        )
        if made or check.want():
            queue.ring_price_check(check.pk)
    check.refresh_from_db()
    return check


def _is_fresh(check: PriceCheck) -> bool:
    return check.asked_at is not None and check.asked_at > timezone.now() - HOLDS
