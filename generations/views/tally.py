"""What an order of several comes to, for its page and for programs alike.

The sums count every receipt of the order, also of what is private to somebody else or in the trash, as the limits do.
Its title does not go as far: unless somebody gave one, it was made of the words of its first generation.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Membership
from generations import library
from generations.models import Batch, Draft, Generation, State
from generations.vault import Hidden
from generations.views.sound import model_title

RECEIPT = (
    "batch", "batch_place", "status", "cost_counted", "cost_actual", "cost_estimated", "currency",
)  # fmt: skip


@dataclass(frozen=True)
class Tally:
    """`waiting` were stopped by a limit and lie among the drafts of the author: none once that draft is gone."""

    title: str
    taken: int
    finished: int
    under_way: int
    ended_badly: int
    waiting: int
    cost: Decimal
    is_guess: bool
    currency: str


def tallies(membership: Membership, batches: Sequence[Batch], hidden: Hidden) -> dict[uuid.UUID, Tally]:
    """That of each of these orders, as this member may know it from whom this is `hidden`; the queries are the same
    however many.
    """
    receipts: dict[uuid.UUID | None, list[Generation]] = {one.pk: [] for one in batches}
    rows = Generation.objects.filter(batch__in=receipts)
    for row in rows.only(*RECEIPT).order_by("batch_place"):
        receipts[row.batch_id].append(row)
    shelf = library.shelf(membership, hidden.generations).filter(batch__in=receipts)
    shown: dict[uuid.UUID | None, tuple[uuid.UUID, str]] = {}
    for batch, pk, title in shelf.order_by("-batch_place").values_list("batch", "pk", "title"):
        shown[batch] = (pk, title)
    short = [one.pk for one in batches if one.asked > len(receipts[one.pk])]
    waiting = dict.fromkeys(receipts, 0)
    if short:
        for batch, lines in Draft.objects.filter(batch__in=short).values_list("batch", "lines"):
            waiting[batch] += len(lines)
    return {one.pk: _tally(one, receipts[one.pk], shown.get(one.pk), waiting[one.pk]) for one in batches}


def _tally(
    batch: Batch, receipts: Sequence[Generation], shown: tuple[uuid.UUID, str] | None, waiting: int
) -> Tally:
    return Tally(
        title=_title(batch, receipts, shown),
        taken=len(receipts),
        finished=sum(row.status == State.SUCCEEDED for row in receipts),
        under_way=sum(not row.is_over for row in receipts),
        ended_badly=sum(row.status in (State.FAILED, State.CANCELLED) for row in receipts),
        waiting=waiting,
        cost=sum((row.cost_counted for row in receipts), Decimal(0)),
        is_guess=any(row.holds for row in receipts),
        currency=receipts[0].currency if receipts else "",
    )


def _title(batch: Batch, receipts: Sequence[Generation], shown: tuple[uuid.UUID, str] | None) -> str:
    """That of the order where its first is shown, else that of the first which is, else the name of the model."""
    if shown is None:
        return model_title(batch.model)
    pk, title = shown
    return batch.title if receipts and receipts[0].pk == pk else title
