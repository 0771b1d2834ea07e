"""Now: what of the team is under way and what has just ended, as the cards of one rail.

The newest stands first and a card never moves, so a refresh changes the cards that changed and nothing else.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch
from django.utils import timezone

from accounts.models import Membership
from generations import live, progress
from generations.models import ACTIVE, OVER, Connection, Output, State
from generations.views import access, picker
from generations.views.card import Card
from generations.views.row import places

LIMIT = 12
NEWEST = 4
"""Of those that wait, so many that were asked for last are shown before those that wait longest."""
ENDED = 4
"""At least so many ended ones are shown, however many are under way."""


@dataclass(frozen=True)
class Rail:
    """`unfinished` counts all that are under way in the team, also those without a card."""

    cards: Sequence[Card]
    slots: progress.Slots
    unfinished: int
    is_paused: bool

    @property
    def slots_mark(self) -> str:
        return f"slots.{self.slots.used}-{self.slots.total}-{self.slots.outside}-{int(self.is_paused)}"


def build(membership: Membership) -> Rail:
    """The rail of this member, by the same few queries however much there is."""
    connection = Connection.of(membership.team)
    sounds = Output.objects.defer("peaks_stage", "source_url", "text")
    hidden = access.hidden(membership)
    heavy = {"params", "results", "search_text", "error_detail"}
    rows = (
        access.generations(membership)
        .select_related("author")
        .defer(*(heavy - {"params"} if hidden.voice_ids else heavy))
        .order_by("-id")
    )
    # Their ids first, in no order: sorted, the database would search all generations for the few that are active.
    unfinished = list(rows.filter(status__in=ACTIVE).order_by().values_list("pk", "status"))
    active = list(rows.filter(pk__in=_chosen(unfinished)))
    ended = rows.filter(status__in=OVER).prefetch_related(Prefetch("outputs", sounds))
    # What ended between the two queries is in both; the later one knows its outputs.
    found = {row.pk: row for row in [*active, *ended[: max(ENDED, LIMIT - len(active))]]}
    shown = [found[pk] for pk in sorted(found, reverse=True)]
    access.veil(shown, hidden)
    paces = picker.paces(connection)
    stand = places(active)
    first = min(stand, key=lambda pk: (stand[pk].position or math.inf, pk), default=None)
    now, told = timezone.now(), live.of(active)
    cards = [
        Card(
            row,
            membership,
            paces.get(row.model) or picker.unknown_pace(),
            now,
            stand.get(row.pk),
            is_first=row.pk == first,
            live=told.get(row.pk),
        )
        for row in shown
    ]
    return Rail(cards, progress.slots(connection), len(unfinished), connection.paused_at is not None)


def _chosen(unfinished: Sequence[tuple[uuid.UUID, str]]) -> list[uuid.UUID]:
    """Of many those to show: what runs, what was asked for last, and then what waits longest."""
    under_way = sorted((pk for pk, state in unfinished if state != State.QUEUED), reverse=True)
    waiting = sorted(pk for pk, state in unfinished if state == State.QUEUED)
    newest = waiting[-NEWEST:]
    return [*under_way[: LIMIT - len(newest)], *newest, *waiting[: max(0, len(waiting) - NEWEST)]][:LIMIT]
