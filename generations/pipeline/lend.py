"""Lend: gives RunningHub the LoRAs that managers uploaded. Costs nothing and may be repeated.

A file has one try at a time and `TRIES` in all while only the wire fails; what RunningHub refuses is not tried again.
Once it is there our copy is deleted.

One file at a time goes out, on all hosts together: it holds one of the few workers of the queue for minutes, and so it
says all the while that the worker is alive.
"""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO, cast

from django.db import DatabaseError
from django.db.models import Q, QuerySet
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from generations import queue, upstream
from generations.models import Heartbeat, Lora
from generations.runninghub.errors import ReadRefused, UpstreamError

logger = logging.getLogger("rhweb.lend")

TRIES = 3
LOST = timedelta(seconds=60)
"""After so long without anybody at it a file is rung for once more."""


LENDER = "lender"
BEAT_EVERY = 3.0
STALE = timedelta(seconds=90)
"""Longer than one block of a file, or RunningHub's answer after the last of them, takes."""


class TooSlow(UpstreamError):
    """It would take longer to send than the queue lets a task run."""


@dataclass
class Sending:
    """A file that is read while it is sent. Each read says that the worker and the lender are alive, every few
    seconds; after `until`, of the clock `time.monotonic`, it raises `TooSlow`.
    """

    file: BinaryIO
    holder: str
    until: float
    every: float = BEAT_EVERY
    beaten: float = float("-inf")

    def read(self, size: int = -1) -> bytes:
        now = time.monotonic()
        if now > self.until:
            raise TooSlow("too_slow")
        if now - self.beaten >= self.every:
            self.beaten = now
            _beat(self.holder)
        return self.file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()


def lend(pk: int, seconds: float = Lora.SENT_WITHIN) -> bool:
    """Gives one file, unless another is being given, and then has the next one rung for. True when RunningHub has it
    now.
    """
    holder = secrets.token_hex(8)
    if not Heartbeat.take(LENDER, holder, stale_after=STALE):
        return False
    try:
        return _give(pk, holder, time.monotonic() + seconds)
    finally:
        Heartbeat.leave(LENDER, holder)
        _ring_next()


def tend() -> None:
    """Gives up what was tried often enough, and rings again for what waits while nobody gives."""
    for lora in _waiting().filter(tries__gte=TRIES, asked_at__lt=timezone.now() - LOST)[:20]:
        _fail(lora, _("It took too long to send it to RunningHub."))
    if not Heartbeat.is_fresh(LENDER, STALE):
        _ring_next(lost=True)


def _give(pk: int, holder: str, until: float) -> bool:
    lora = Lora.objects.select_related("connection").filter(pk=pk).first()
    if lora is None or not lora.take():
        return False
    try:
        client = upstream.get_client(lora.connection, submitting=True)
        with lora.file.open("rb") as opened:
            sending = Sending(cast(BinaryIO, opened), holder, until)
            found = client.upload_lora(cast(BinaryIO, sending), name=lora.name)
    except upstream.NotConfigured:
        return _fail(lora, _("The key of the connection is not there, so RunningHub could not be asked."))
    except ReadRefused as error:
        logger.info("a LoRA was refused: %s", error)
        words = {"code": error.code, "why": error.member_text}
        return _fail(lora, _("RunningHub would not take it (%(code)s): %(why)s") % words)
    except TooSlow:
        logger.info("a LoRA of %d bytes could not be sent in time", lora.bytes)
        words = {"size": filesizeformat(lora.bytes), "seconds": f"{Lora.SENT_WITHIN:.0f}"}
        return _fail(
            lora,
            _(
                "The line of this portal is too slow for it: %(size)s did not go out within %(seconds)s seconds. Try "
                "again when less is being sent, or upload a smaller file."
            )
            % words,
        )
    except UpstreamError as error:
        logger.info("a LoRA did not arrive: %s", error)
        if lora.tries + 1 < TRIES:
            Lora.objects.filter(pk=pk, state=Lora.State.WAITING).update(
                lease_until=None, asked_at=timezone.now()
            )
            return False
        return _fail(lora, _("It could not be sent to RunningHub (%(code)s).") % {"code": error.code})
    except (OSError, ValueError) as error:
        logger.warning("the file of a LoRA cannot be read: %s", type(error).__name__)
        return _fail(lora, _("Its file is not here any more. Upload it again."), gone=True)
    if lora.settle(upstream_name=found):
        _forget(lora)
    return True


def _waiting() -> QuerySet[Lora]:
    """What waits and nobody is at, the longest waiting first."""
    free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    return Lora.objects.filter(free, state=Lora.State.WAITING).order_by("asked_at", "pk")


def _ring_next(*, lost: bool = False) -> None:
    """Rings for the next one; for one that did not arrive only after a while, and where `lost`, only for those whose
    ring is that old.
    """
    old = Q(asked_at__lt=timezone.now() - LOST)
    due = _waiting().filter(old if lost else old | Q(tries=0), tries__lt=TRIES)
    if (pk := due.values_list("pk", flat=True).first()) is not None:
        queue.ring_lora(pk)


def _beat(holder: str) -> None:
    """A sign of life that does not come about ends nothing: what is sent goes on, and the next follows soon."""
    try:
        Heartbeat.beat("worker")
        Heartbeat.take(LENDER, holder, stale_after=STALE)
    except DatabaseError as error:
        logger.warning("a heartbeat could not be written: %s", type(error).__name__)


def _fail(lora: Lora, sentence: str, *, gone: bool = False) -> bool:
    if lora.settle(sentence=sentence) and gone:
        _forget(lora)
    return False


def _forget(lora: Lora) -> None:
    name = lora.file.name
    Lora.objects.filter(pk=lora.pk).update(file="")
    if name:
        try:
            lora.file.storage.delete(name)
        except OSError:
            logger.warning("the file of a LoRA cannot be deleted")
