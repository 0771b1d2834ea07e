"""The models to choose from, with what one run costs and how long it takes, as learned so far.

A page to create on carries the shelf of the model that is open; all others come when somebody looks for them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from django.core.cache import cache
from django.utils.translation import gettext as _

from accounts.models import Membership
from generations import own_models, progress
from generations.catalogue import load, pricing
from generations.catalogue.spec import Kind, ModelSpec
from generations.models import Connection
from generations.pipeline import accept
from generations.pipeline.pacing import Pace, pace
from generations.templatetags.ui import clock, money
from generations.views import offered

HOME = (Kind.SPEECH, Kind.MUSIC, Kind.SONG, Kind.LYRICS, Kind.VOICE, Kind.SEPARATION)
"""The kinds that are one shelf, because sound is what a team makes most."""
SOUND = "sound"
"""That shelf."""
NEAR = 30
FRESH = 60
"""Seconds for which what was learned is good enough for a list."""


@dataclass(frozen=True)
class Offer:
    """One line of the picker. `cost` is that of one unit, None when unknown."""

    slug: str
    title: str
    kind: Kind
    vendor: str
    words: str
    initials: str
    """The first letters of the title's words: "v3pft" finds Veo 3.1 Pro from text."""
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


def groups(membership: Membership, kinds: Collection[Kind] | None = None) -> list[Group]:
    """Every model that this member may choose under its kind, in the order of the catalogue: those of these kinds, or
    all of them.
    """
    team, connection = membership.team, Connection.of(membership.team)
    learned, costs = _learned(connection)
    mine = own_models.of_team(team)
    listed = [spec for spec in load.models() if accept.priced(spec, team) is not spec]
    own = [*mine, *listed]
    if mine:
        learned = {**learned, **progress.usual_of_each([spec.slug for spec in mine], connection)}
    if own:
        asked = [(spec, _one_unit(accept.priced(spec, team))) for spec in own]
        costs |= {slug: quote.cost for slug, quote in accept.quotes(asked, connection, team).items()}
    offers = [
        _offer(accept.priced(spec, team), costs[spec.slug], learned[spec.slug], connection.currency)
        for spec in offered.models(membership)
        if kinds is None or spec.kind in kinds
    ]
    labels = kind_labels()
    return [Group(kind, labels[kind], list(some)) for kind, some in groupby(offers, key=lambda one: one.kind)]


def near(groups: Sequence[Group], slug: str) -> list[Group]:
    """The same with at most `NEAR` models of each kind, those around this one: a page to create on stays small where
    hundreds make the same.
    """
    found = []
    for group in groups:
        at = next((place for place, offer in enumerate(group.offers) if offer.slug == slug), 0)
        start = max(0, min(at - NEAR // 2, len(group.offers) - NEAR))
        found.append(Group(group.kind, group.label, group.offers[start : start + NEAR]))
    return found


def found(groups: Sequence[Group], q: str) -> list[Group]:
    """Those of the groups that have something with these letters, in its name or as the first of its words."""
    wanted = q.casefold()
    if not wanted:
        return list(groups)
    fitting = [
        Group(
            group.kind,
            group.label,
            [
                offer
                for offer in group.offers
                if wanted in f"{offer.title} {offer.words}".casefold() or offer.initials.startswith(wanted)
            ],
        )
        for group in groups
    ]
    return [group for group in fitting if group.offers]


def shelves(membership: Membership) -> list[tuple[str, str, int]]:
    """What the list can be narrowed to: all that sounds, then each other kind, with how many models it has."""
    counted = Counter(spec.kind for spec in offered.models(membership))
    labels = kind_labels()
    sounds = (SOUND, _("Sound"), sum(counted[kind] for kind in HOME))
    others = [(kind.value, labels[kind], counted[kind]) for kind in Kind if kind not in HOME]
    return [shelf for shelf in (sounds, *others) if shelf[2]]


def shelf_of(spec: ModelSpec) -> str:
    """The shelf on which this model stands."""
    return SOUND if spec.kind in HOME else spec.kind.value


def kinds_of(shelf: str) -> Sequence[Kind] | None:
    """The kinds on a shelf, or the one kind of that name; None for all of them."""
    if shelf == SOUND:
        return HOME
    return [Kind(shelf)] if shelf in list(Kind) else None


def kind_labels() -> dict[Kind, str]:
    """What each kind of model is called."""
    return {
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


def _learned(connection: Connection) -> tuple[dict[str, Pace], dict[str, Decimal | None]]:
    key = f"picker:{connection.pk}:{len(load.models())}"
    found: tuple[dict[str, Pace], dict[str, Decimal | None]] | None = cache.get(key)
    if found is None:
        specs = load.models()
        quotes = accept.quotes([(spec, _one_unit(spec)) for spec in specs], connection, None)
        found = (
            progress.usual_of_each([spec.slug for spec in specs], connection),
            {slug: quote.cost for slug, quote in quotes.items()},
        )
        cache.set(key, found, FRESH)
    return found


def _one_unit(spec: ModelSpec) -> dict[str, object]:
    """Params that cost one unit of the price."""
    params = {param.key: param.default for param in spec.params if param.default is not None}
    if spec.price is not None and spec.price.param and spec.param(spec.price.param).type.is_media:
        params[spec.price.param] = pricing.ONE_UNIT
    elif spec.price is not None and spec.price.param:
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
        vendor=spec.vendor,
        words=f"{spec.vendor} {spec.summary}",
        initials="".join(word[0] for word in re.findall(r"[A-Za-z]+|[0-9]+", spec.title)).lower(),
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
