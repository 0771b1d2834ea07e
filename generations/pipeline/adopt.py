"""Adopt: what was made elsewhere comes into the library, finished from the start.

It never goes upstream, holds and costs nothing and uses no limit. Its row says `import` where others name their model,
and keeps the name that the file had.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Membership
from generations import uploads
from generations.media import ROW_BARS, Probe
from generations.models import IMPORTED, Connection, Generation, Output, State, Upload, search_text
from generations.models.ids import uuid7
from generations.models.writer import in_turn
from generations.pipeline.accept import MayNotGenerate

SOUNDS = ("music", "speech", "song")
"""What a sound can be said to be; of pictures and films the bytes say it."""
_KINDS = {"image": "picture", "video": "video"}
NAME = "original_name"
"""The param that keeps the name of the file."""


def adopt(
    membership: Membership,
    file: UploadedFile[Any],
    *,
    kind: str = SOUNDS[0],
    title: str = "",
    once: str = "",
) -> Generation:
    """Keeps the file as a finished generation of this member, or refuses without a trace.

    `once` is the key of the form it came by: the same file sent twice by one form comes in once. The checks are those
    of uploads. Raises `MayNotGenerate`, `uploads.BadUpload`.
    """
    if not membership.may_generate:
        raise MayNotGenerate
    with uploads.examined(file) as (path, probe):
        found = uploads.described(path, probe, file.name or "")
        key = f"import:{once[:100]}:{found.sha256}" if once else ""
        if key and (earlier := _earlier(membership, key)):
            return earlier
        row = _row(membership, found, probe, kind, title, key)
        output = _output(row, found, probe)
        return _keep(membership, row, output, path)


def _row(membership: Membership, found: Upload, probe: Probe, kind: str, title: str, key: str) -> Generation:
    now = timezone.now()
    called = " ".join(title.replace("\x00", "").split()) or Path(found.name).stem
    return Generation(
        id=uuid7(),
        team=membership.team,
        author=membership.user,
        connection=Connection.of(membership.team),
        model=IMPORTED,
        kind=_KINDS.get(found.kind) or (kind if kind in SOUNDS else SOUNDS[0]),
        title=called[:200],
        params={NAME: found.name},
        search_text=search_text(called, found.name),
        idempotency_key=key,
        request_digest=found.sha256 if key else "",
        currency="",
        cost_estimated=0,
        cost_actual=0,
        status=State.SUCCEEDED,
        next_check_at=None,
        created_at=now,
        updated_at=now,
        finished_at=now,
        length=probe.duration,
        stored_bytes=found.bytes,
    )


def _output(row: Generation, found: Upload, probe: Probe) -> Output:
    return Output(
        generation=row,
        index=0,
        kind=found.kind,
        content_type=found.content_type,
        extension=found.extension,
        bytes=found.bytes,
        sha256=found.sha256,
        duration=probe.duration,
        sample_rate=probe.sample_rate,
        channels=probe.channels,
        peaks_row=" ".join(map(str, probe.peaks_row[:ROW_BARS])),
        peaks_stage=" ".join(map(str, probe.peaks_stage)),
    )


def _keep(membership: Membership, row: Generation, output: Output, path: Path) -> Generation:
    """First the file, then the rows that speak of it; the file goes again where they do not come to be."""
    name = Output.file_name(row, 0, output.extension)
    storage = output.file.storage
    try:
        with path.open("rb") as content:
            output.file.name = storage.save(name, File(content))
        with in_turn(), transaction.atomic():
            row.save(force_insert=True)
            output.save(force_insert=True)
    except BaseException as error:
        storage.delete(name)
        # The same form reached another process between our look and our insert.
        if isinstance(error, IntegrityError) and (earlier := _earlier(membership, row.idempotency_key)):
            return earlier
        raise
    return row


def _earlier(membership: Membership, key: str) -> Generation | None:
    if not key:
        return None
    mine = Generation.objects.filter(team=membership.team_id, author=membership.user_id)
    return mine.filter(idempotency_key=key).first()
