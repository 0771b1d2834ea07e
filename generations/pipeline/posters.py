"""Posters: a small still picture of everything that can be seen, made once, after the result is safe.

A result is complete without one. The row says when it is due, so losing a message loses nothing; whoever takes it
puts it off first, so a file that kills its worker is left alone after a few tries.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.db.models import F, QuerySet
from django.utils import timezone

from generations import media, queue
from generations.models import Output
from generations.models.writer import in_turn

logger = logging.getLogger("rhweb.posters")

SEEN = frozenset({"image", "video", "3d"})
"""The kinds of result that have one."""
TRIES = 3
AGAIN = timedelta(minutes=10)
SLICE_SECONDS = 20.0


def tend() -> None:
    """Rings where posters are due and nobody came for them. What was taken often enough and never got one, because it
    killed whoever took it, is left alone.
    """
    given_up = Output.objects.filter(poster_due_at__lte=timezone.now(), poster_tries__gte=TRIES)
    with in_turn():
        given_up.update(poster_due_at=None)
    if _due().exists():
        queue.ring_posters()


def work() -> None:
    """Makes what is due, one at a time so that memory stays flat; rings for the next slice by itself."""
    began = time.monotonic()
    while (output := _take()) is not None:
        _make(output)
        if time.monotonic() - began > SLICE_SECONDS:
            tend()
            return


def anew() -> None:
    """Has all of them made again: a backup has none, because they can be."""
    Output.objects.filter(kind__in=SEEN).update(poster="", poster_tries=0, poster_due_at=timezone.now())


def _due() -> QuerySet[Output]:
    return Output.objects.filter(poster_due_at__lte=timezone.now(), poster_tries__lt=TRIES)


def _take() -> Output | None:
    """One that is due, put off for as long as making it may take; None when there is none."""
    for output in _due().select_related("generation").order_by("poster_due_at")[:8]:
        mine = Output.objects.filter(pk=output.pk, poster_due_at=output.poster_due_at)
        with in_turn():
            taken = mine.update(poster_due_at=timezone.now() + AGAIN, poster_tries=F("poster_tries") + 1)
        if taken:
            return output
    return None


def _make(output: Output) -> None:
    # What is purged meanwhile has no file any more, and gets no poster.
    mine = Output.objects.filter(pk=output.pk, poster="").exclude(file="")
    changes: dict[str, object] = {"poster_due_at": None}
    try:
        with tempfile.TemporaryDirectory(prefix="poster-", dir=_scratch()) as folder:
            path = Path(folder) / f"file.{output.extension}"
            with output.file.storage.open(str(output.file.name), "rb") as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy, 1024 * 1024)
            made = media.poster(path, output.kind)
        storage = output.file.storage
        if storage.exists(output.poster_name):
            storage.delete(output.poster_name)
        name = storage.save(output.poster_name, ContentFile(made.data))
        changes |= {"poster": name, "width": made.width or None, "height": made.height or None}
    except media.NotMedia as error:
        logger.info("output %s has no poster: %s", output, error)
    except Exception:
        # The edge of one file: whatever a decoder stumbles over, the others get theirs.
        logger.exception("output %s: its poster could not be made", output)
        if output.poster_tries + 1 < TRIES:
            return
    with in_turn():
        written = mine.update(**changes)
    name = str(changes.get("poster", ""))
    if name and not written and not Output.objects.filter(pk=output.pk, poster=name).exists():
        output.file.storage.delete(name)


def _scratch() -> Path:
    folder = Path(settings.DATA_DIR) / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
