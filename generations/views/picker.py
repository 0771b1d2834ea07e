"""The models to choose from, with what one run costs and how long it takes, as learned so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from django.core.cache import cache
from django.utils.translation import gettext as _

from generations import progress
from generations.catalogue import load, pricing
from generations.catalogue.spec import Kind, ModelSpec
from generations.models import Connection
from generations.pipeline import accept
from generations.pipeline.pacing import Pace, pace
from generations.templatetags.ui import clock, money

FRESH = 60
"""Seconds for which what was learned is good enough for a list."""


@dataclass(frozen=True)
class Offer:
    """One line of the picker. `cost` is that of one unit, None when unknown."""

    slug: str
    title: str
    kind: Kind
    words: str
    cost: Decimal | None
    is_each: bool
    price: str
    time: str


@dataclass(frozen=True)
class Group:
    kind: Kind
    label: str
    offers: Sequence[Offer]


def paces(connection: Connection) -> Mapping[str, Pace]:
    """How long each model takes here, at most a minute old."""
    return _learned(connection)[0]


def unknown_pace() -> Pace:
    """For a model that left the catalogue."""
    return pace([], 60.0)


def groups(connection: Connection) -> list[Group]:
    """Every model that the connection's site has under its kind, in the order of the catalogue."""
    learned, costs = _learned(connection)
    currency, offered = connection.currency, load.offered(connection.site)
    offers = [_offer(spec, costs[spec.slug], learned[spec.slug], currency) for spec in offered]
    labels = {
        Kind.SPEECH: _("Speech"),
        Kind.MUSIC: _("Music"),
        Kind.SONG: _("Song"),
        Kind.LYRICS: _("Lyrics"),
        Kind.VOICE: _("Voices"),
        Kind.SEPARATION: _("Separation"),
        Kind.PICTURE: _("Pictures"),
        Kind.VIDEO: _("Video"),
        Kind.OBJECT: _("3D objects"),
        Kind.TEXT: _("Text"),
    }
    return [Group(kind, labels[kind], list(some)) for kind, some in groupby(offers, key=lambda one: one.kind)]


def _learned(connection: Connection) -> tuple[dict[str, Pace], dict[str, Decimal | None]]:
    key = f"picker:{connection.pk}:{len(load.models())}"
    found: tuple[dict[str, Pace], dict[str, Decimal | None]] | None = cache.get(key)
    if found is None:
        specs = load.models()
        quotes = accept.quotes([(spec, _one_unit(spec)) for spec in specs], connection)
        found = (
            progress.usual_of_each([spec.slug for spec in specs], connection),
            {slug: quote.cost for slug, quote in quotes.items()},
        )
        cache.set(key, found, FRESH)
    return found


def _one_unit(spec: ModelSpec) -> dict[str, object]:
    """Params that cost one unit of the price."""
    params = {param.key: param.default for param in spec.params if param.default is not None}
    if spec.price is not None and spec.price.param:
        count = int(spec.price.unit.partition(" ")[0]) if spec.price.unit[0].isdigit() else 1
        params[spec.price.param] = "x" * count if pricing.counts(spec.price.unit) == "character" else count
    return params


def _offer(spec: ModelSpec, cost: Decimal | None, speed: Pace, currency: str) -> Offer:
    is_each = spec.price is not None and pricing.counts(spec.price.unit) == "call"
    if cost is None or spec.price is None:
        price = _("Price unknown")
    elif is_each:
        price = _("%(amount)s each") % {"amount": money(cost, currency)}
    else:
        unit = spec.price.unit.replace("1000 characters", _("1k chars"))
        price = f"{money(cost, currency)} / {unit}"
    return Offer(
        slug=spec.slug,
        title=spec.title,
        kind=spec.kind,
        words=f"{spec.vendor} {spec.summary}",
        cost=cost,
        is_each=is_each,
        price=price,
        time=_range(speed),
    )


def _range(speed: Pace) -> str:
    fast, slow = max(1, round(speed.fast)), max(2, round(speed.slow))
    if slow < 100:
        return _("%(fast)s–%(slow)s s") % {"fast": fast, "slow": slow}
    return f"{clock(fast)}–{clock(slow)}"
