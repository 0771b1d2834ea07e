"""What running apps and workflows told of themselves a moment ago: kept in the cache for pages to show.

Nothing is decided by it. A value that is lost, late or a lie moves a bar and nothing else; what has become of a
generation stands in its row alone.

Of each that is listened to stands there by whom, and of each process one value with all that it heard: the cache of an
installation without Redis is a table, where every value written is a commit.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.cache import cache

from generations.models import Generation, State
from generations.models.team_model import SLUG

FRESH = 20.0
"""Seconds for which a value is shown."""
HELD = 60.0
"""Seconds for which whoever listens keeps others from listening as well, unless that is said again."""


@dataclass(frozen=True)
class Live:
    """`node` is the name of what works now, "" for none; `percent` of it is done, None where that is not said."""

    node: str
    percent: int | None


def may_tell(model: str) -> bool:
    """Whether RunningHub tells of the progress of this model: of apps and workflows alone (API.md 9)."""
    return SLUG.fullmatch(model.partition("@")[0]) is not None


def of(rows: Iterable[Generation]) -> dict[UUID, Live]:
    """What is known of those of them that run; two questions to the cache, and none where nothing can be known."""
    by = taken(row.pk for row in rows if row.status == State.RUNNING and may_tell(row.model))
    told = cache.get_many([_told(name) for name in sorted(set(by.values()))]) if by else {}
    found = {pk: _read(told.get(_told(name)), pk) for pk, name in by.items()}
    return {pk: value for pk, value in found.items() if value is not None}


def taken(pks: Iterable[UUID]) -> dict[UUID, str]:
    """By whom these are listened to; those that nobody listens to are missing."""
    places = {_place(pk): pk for pk in pks}
    found = cache.get_many(list(places)) if places else {}
    return {places[place]: name for place, name in found.items() if isinstance(name, str)}


def take(pk: UUID, by: str) -> bool:
    """Begins to listen; false where somebody does already."""
    return bool(cache.add(_place(pk), by, HELD))


def hold(pks: Iterable[UUID], by: str) -> None:
    """These are still listened to."""
    cache.set_many(dict.fromkeys(map(_place, pks), by), HELD)


def keep(by: str, values: Mapping[UUID, Live]) -> None:
    """All that is known by now to whom this is the name of; takes the place of what was."""
    rows = {pk.hex: (value.node, value.percent) for pk, value in values.items()}
    cache.set(_told(by), {"at": time.time(), "rows": rows}, FRESH)


def leave(pks: Iterable[UUID]) -> None:
    """Nobody listens to these any more."""
    cache.delete_many([_place(pk) for pk in pks])


def _place(pk: UUID) -> str:
    return f"live.{pk.hex}"


def _told(by: str) -> str:
    return f"live.by.{by}"


def _read(told: Any, pk: UUID) -> Live | None:
    if told is None or time.time() - told["at"] > FRESH or pk.hex not in told["rows"]:
        return None
    value = Live(*told["rows"][pk.hex])
    return value if value.node or value.percent is not None else None
