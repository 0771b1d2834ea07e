"""LoRAs of a team: what managers do with them. The worker gives them to RunningHub (`pipeline.lend`).

A file is looked at before it is kept: a LoRA is a safetensors file, eight bytes with the length of a header of JSON and
then the header. It stays here only until RunningHub has it.
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Team, User, audit
from generations import disk, queue
from generations.catalogue.text import Fault, settled
from generations.models import Connection, Lora
from generations.uploads import too_large

MOST = 200
"""LoRAs of a team that are listed at once."""
NAME = 80
ENDING = ".safetensors"
LONGEST_HEADER = 100_000_000
READ_HEADER = 16 * 1024 * 1024
"""A header up to this is read whole; of a longer one only the beginning is looked at."""
BLOCK = 1024 * 1024


class NotTaken(Exception):
    """It cannot be taken; the message is a sentence, and `field` says what it is about."""

    def __init__(self, sentence: str, field: str = "file") -> None:
        super().__init__(sentence)
        self.field = field


def of(team: Team) -> QuerySet[Lora]:
    """All of the team, those at the connection that it uses first, then newest first."""
    elsewhere = ~Q(connection=Connection.of(team))
    rows = Lora.objects.filter(team=team).select_related("added_by", "connection")
    return rows.annotate(elsewhere=ExpressionWrapper(elsewhere, BooleanField())).order_by("elsewhere", "-pk")


def at_hand(team: Team) -> QuerySet[Lora]:
    """Those at the connection that the team uses, newest first."""
    return Lora.objects.filter(team=team, connection=Connection.of(team)).order_by("-pk")


def names(team: Team) -> list[tuple[str, str]]:
    """What inputs of RHLoraLoader take, each with the name that people gave it."""
    given = at_hand(team).filter(state=Lora.State.GIVEN)
    return list(given.values_list("upstream_name", "name")[:MOST])


def keep(team: Team, by: User | None, file: File[Any], name: str) -> tuple[Lora, bool]:
    """Takes a file and has it given to RunningHub; the second tells whether it is new. The same file again is the one
    that is there, and one that failed is tried anew. Raises `NotTaken`.
    """
    named = _named(name or PurePath(str(file.name or "")).stem)
    if PurePath(str(file.name or "")).suffix.lower() != ENDING:
        raise NotTaken(_("Only a .safetensors file can be given."))
    if (file.size or 0) > settings.MAX_UPLOAD_BYTES:
        raise NotTaken(too_large())
    if disk.is_low():
        raise NotTaken(str(disk.StorageLow()))
    _examine(file)
    connection = Connection.of(team)
    lora = Lora(team=team, connection=connection, name=named, bytes=file.size, added_by=by)
    lora.digest = _digest(file)
    known = at_hand(team).filter(digest=lora.digest).first()
    if known is not None and known.state != Lora.State.FAILED:
        return known, False
    place = f"loras/{team.pk}/{lora.digest}-{timezone.now():%Y%m%d%H%M%S%f}{ENDING}"
    file.seek(0)
    try:
        lora.file.save(place, file, save=False)
        with transaction.atomic():
            Team.objects.select_for_update().get(pk=team.pk)
            kept = _put(lora, by)
    except BaseException:
        lora.file.storage.delete(place)
        raise
    if kept.file.name != lora.file.name:
        lora.file.storage.delete(place)
        return kept, False
    return kept, True


def again(lora: Lora) -> bool:
    """Has one that failed tried anew. False where it did not fail, or its file is gone."""
    rows = Lora.objects.filter(pk=lora.pk, state=Lora.State.FAILED).exclude(file="")
    with transaction.atomic():
        done = rows.update(
            state=Lora.State.WAITING, sentence="", tries=0, lease_until=None, asked_at=timezone.now()
        )
        if done:
            queue.ring_lora(lora.pk)
    return bool(done)


def remove(lora: Lora, by: User) -> bool:
    """Takes it off the list; what RunningHub has of it stays there. False where it is gone, or just being given."""
    with transaction.atomic():
        rows = Lora.objects.select_for_update().filter(pk=lora.pk)
        found = rows.first()
        if found is None or (found.is_waiting and found.lease_until and found.lease_until > timezone.now()):
            return False
        rows.delete()
        said = {"name": found.name, "file": found.upstream_name}
        audit.note("lora.removed", team=found.team, by=by, subject=found.name, before=said)
    if found.file:
        found.file.delete(save=False)
    return True


def _put(lora: Lora, by: User | None) -> Lora:
    """The row of this file, made, or made to wait again. The lock makes two posts of one form agree."""
    rows = Lora.objects.filter(team=lora.team)
    known = rows.filter(connection=lora.connection, digest=lora.digest).first()
    if known is not None and known.state != Lora.State.FAILED:
        return known
    if known is not None:
        if name := known.file.name:
            transaction.on_commit(partial(known.file.storage.delete, name))
        known.delete()
    elif rows.count() >= MOST:
        raise NotTaken(_("A team may have %(most)s LoRAs. Remove one first.") % {"most": MOST})
    lora.save()
    said = {"name": lora.name, "size": filesizeformat(lora.bytes), "md5": lora.digest}
    audit.note("lora.given", team=lora.team, by=by, subject=lora.name, after=said)
    queue.ring_lora(lora.pk)
    return lora


def _named(name: str) -> str:
    try:
        name = settled(name).strip()
    except Fault as fault:
        raise NotTaken(str(fault), "name") from None
    if not name or len(name) > NAME or not name.isprintable():
        raise NotTaken(_("Give it a name of at most %(most)s characters.") % {"most": NAME}, "name")
    return name


def _examine(file: File[Any]) -> None:
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    size = file.size or 0
    header = file.read(min(length, READ_HEADER)) if 2 <= length <= min(LONGEST_HEADER, size - 8) else b""
    try:
        fits = header.startswith(b"{") and (length > READ_HEADER or isinstance(json.loads(header), dict))
    except (ValueError, RecursionError):
        fits = False
    if not fits:
        raise NotTaken(_("This is no safetensors file, or it did not arrive whole."))


def _digest(file: File[Any]) -> str:
    digest = hashlib.md5(usedforsecurity=False)  # what RunningHub tells files by
    file.seek(0)
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()
