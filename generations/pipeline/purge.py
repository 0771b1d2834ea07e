"""Purge: removes for good what was in the trash for its time. The receipt stays, and with it every sum of money.

First the row says that removing began, from which moment nobody can restore or hear it; then the files go; then, in
one transaction, all words go and the row is done. A worker that dies on any line leaves `purge_at` behind, and the next
sweep does the rest once more: to remove what is not there changes nothing.

An output of which somebody made an upload is emptied and not removed, because the upload is theirs and remembers whose
sound it is. What made a voice is never purged, because the voice is heard by it.
"""

from __future__ import annotations

import logging
import uuid
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import Notification, Team, audit
from generations.models import (
    OVER,
    Batch,
    CollectionItem,
    Favourite,
    Generation,
    HeldOrder,
    Output,
    Tagging,
    Voice,
    VoiceSample,
)

AT_ONCE = 200
"""Generations of one sweep; the next goes on a minute later."""
EMPTY: dict[str, Any] = {
    "title": "",
    "params": {},
    "search_text": "",
    "notes": "",
    "results": None,
    "error_message": "",
    "error_detail": "",
    "twin": None,
}
"""All of a row that says what was wished or made. What says what it cost, and when, stays."""
logger = logging.getLogger("rhweb.purge")


def tend() -> int:
    """Removes what is due; gives how many were done with. What cannot be removed now waits for the next sweep."""
    due = Generation.objects.filter(purge_at__isnull=False, purge_at__lte=timezone.now(), status__in=OVER)
    done: dict[int, int] = {}
    for pk, team in list(due.order_by("purge_at").values_list("pk", "team")[:AT_ONCE]):
        try:
            if purge(pk):
                done[team] = done.get(team, 0) + 1
        except OSError:
            logger.exception("generation %s: its files cannot be removed now", pk)
    for team, count in done.items():
        _note(team, count)
    return sum(done.values())


def purge(pk: uuid.UUID) -> bool:
    """Removes one. False when it is not due, was restored, or is what a voice is heard by."""
    if not _begin(pk):
        return False
    row = Generation.objects.select_related("team").get(pk=pk)
    _remove_files(row)
    _finish(row)
    return True


def _begin(pk: uuid.UUID) -> bool:
    """From here on it can only go. True also when an earlier worker got as far."""
    now = timezone.now()
    due = Generation.objects.filter(pk=pk, status__in=OVER, purge_at__lte=now)
    heard = Voice.objects.filter(made_by=pk).exists() or VoiceSample.objects.filter(generation=pk).exists()
    if heard:
        return False
    if due.filter(purged_at=None).update(purged_at=now, updated_at=now):
        return True
    return due.filter(purged_at__isnull=False).exists()


def _remove_files(row: Generation) -> None:
    """Whatever lies in its folder, named by a row or not, and files of its rows that lie elsewhere."""
    named = Output.objects.filter(generation=row).exclude(file="").values_list("file", flat=True)
    folder = Output.folder(row.team_id, row.pk)
    try:
        there = [f"{folder}/{name}" for name in default_storage.listdir(folder)[1]]
    except FileNotFoundError:
        there = []
    for name in dict.fromkeys([*named, *there]):
        default_storage.delete(name)


def _finish(row: Generation) -> None:
    with transaction.atomic():
        outputs = Output.objects.filter(generation=row)
        kept = outputs.filter(uploads__isnull=False).values("pk")
        outputs.exclude(pk__in=kept).delete()
        outputs.update(
            file="",
            text="",
            peaks_row="",
            peaks_stage="",
            source_url="",
            is_keeper=False,
            poster="",
            poster_due_at=None,
        )
        for links in (Tagging, Favourite, CollectionItem):
            links._default_manager.filter(generation=row).delete()
        HeldOrder.objects.filter(generation=row).update(params={}, title="")
        _told(row).delete()
        Generation.objects.filter(pk=row.pk).update(**EMPTY, purge_at=None, updated_at=timezone.now())
        if row.batch_id is not None:
            _rename_batch(row.batch_id)


def _told(row: Generation) -> QuerySet[Notification]:
    """What its author was told about it, which names it."""
    link = reverse("generation", args=[row.team.slug, row.pk])
    return Notification.objects.filter(user=row.author_id, link=link)


def _rename_batch(pk: uuid.UUID) -> None:
    """An order of several is called like its first; with that gone, like the next one that is there."""
    rows = Generation.objects.filter(batch=pk).order_by("batch_place")
    titles = list(rows.values_list("title", flat=True))
    if titles and not titles[0]:
        left = next((title for title in titles if title), "")
        Batch.objects.filter(pk=pk).update(title=left)


def _note(team: int, count: int) -> None:
    audit.note("trash.purged", team=Team.objects.get(pk=team), after={"removed": count})
