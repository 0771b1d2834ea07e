"""Gather: copies what upstream made into our own storage, checked, before it may be called a success.

A download may fail and be repeated; the generation never is. A file counts only whole, and only if it is the media
it claims to be. Where the deadline passes or a result can never be stored, the generation fails and its cost stays.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import time
import uuid
from collections.abc import Collection
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import DateTimeField, F, Prefetch, Value, prefetch_related_objects
from django.db.models.functions import Coalesce
from django.utils import timezone

from generations import media, queue, upstream
from generations.catalogue import load
from generations.models import Generation, Output, State
from generations.models.writer import in_turn
from generations.pipeline import pacing
from generations.pipeline.persist import persist
from generations.pipeline.posters import SEEN
from generations.runninghub import Client
from generations.runninghub.errors import Gone, TooLarge, UpstreamError

logger = logging.getLogger("rhweb.gather")

LEASE = timedelta(seconds=90)
SECONDS_PER_FILE = 600.0
TRIES_OF_WRONG_MEDIA = 4
TRIES_AT_LEAST = 20
"""So often a copy is tried before its deadline counts: a clock set ahead, or a worker away for a day, ends nothing."""
SPEECH = "speech"
"""The kind whose bare samples are read as one channel; music has two. They do not say it themselves."""
STORAGE_ERRORS = (OSError, BotoCoreError, ClientError)
KINDS = {
    **dict.fromkeys(("mp3", "wav", "flac", "ogg", "opus", "m4a", "aac", "aiff", "pcm", "audio"), "audio"),
    **dict.fromkeys(("png", "jpg", "jpeg", "webp", "gif", "avif", "heic", "image"), "image"),
    **dict.fromkeys(("mp4", "mov", "webm", "mkv", "avi", "video"), "video"),
    **dict.fromkeys(("glb", "gltf", "fbx", "obj", "3d"), "3d"),
    **dict.fromkeys(("zip", "7z", "rar"), "archive"),
    **dict.fromkeys(("txt", "text", "json", "srt"), "text"),
}


MEDIA = ("audio", "image", "video", "3d")
INTENT = ".storing"


class _Part(File):  # type: ignore[type-arg]
    """A download in the making. While bytes come the lease is renewed, so a dead worker's row is soon free again.

    `temporary_file_path` lets the storage move the finished file into place instead of copying it.
    """

    def __init__(self, path: Path, row: Generation) -> None:
        self.bytes = path.open("w+b")
        super().__init__(self.bytes, name=str(path))
        self.row = row
        left = (row.lease_until or timezone.now()) - timezone.now()  # it may have waited for its thread
        self.renewed = time.monotonic() - (LEASE - left).total_seconds()

    def temporary_file_path(self) -> str:
        return str(self.name)

    def write(self, data: Any) -> int:
        if time.monotonic() - self.renewed > LEASE.total_seconds() / 3:
            self.renewed = time.monotonic()
            rows = Generation.objects.filter(pk=self.row.pk, status=State.GATHERING)
            rows.update(lease_until=timezone.now() + LEASE)
        return self.bytes.write(data)

    def finish(self) -> None:
        """Puts every byte on the disk, so that a row never speaks of a file that a power cut took."""
        self.bytes.flush()
        os.fsync(self.bytes.fileno())
        self.bytes.seek(0)


def scratch() -> Path:
    """Where files are downloaded to: on the disk of the media, so that moving them into place is one rename."""
    folder = settings.DATA_DIR / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return Path(folder)


def claim(limit: int, without: Collection[int] = ()) -> list[Generation]:
    """Leases generations whose results wait to be copied, except those of the connections `without`."""
    rows = Generation.objects.exclude(connection__in=without) if without else Generation.objects
    if limit <= 0:
        return []
    claimed = rows.claim(State.GATHERING, limit=limit, lease=LEASE)
    there = Output.objects.only("generation_id", "index", "duration", "bytes")
    prefetch_related_objects(claimed, Prefetch("outputs", there))
    return claimed


def gather(row: Generation) -> None:
    """Copies every result that is not stored yet; the last one makes the generation a success.

    One that waited for its thread until its lease ran out is left to whoever has it by now.
    """
    if row.lease_until is not None and row.lease_until < timezone.now():
        # Nobody began with it, so the claim says nothing about what it does to a worker.
        mine = Generation.objects.filter(pk=row.pk, status=State.GATHERING, claims__gt=0)
        mine.update(claims=F("claims") - 1)
        return
    results: list[dict[str, Any]] = [r for r in row.results or [] if r.get("url") or r.get("text")]
    if not results:
        _fail(row, "no_result", "RunningHub reported success but gave no result.")
        return
    try:
        client = upstream.downloader(row.connection)
        stored = list(row.outputs.all())
        missing = sorted(set(range(len(results))) - {output.index for output in stored})
        for index in missing:
            stored.append(
                _store(row, index, results[index], client, stored if index == missing[-1] else None)
            )
    except upstream.NotConfigured:
        _later(row, 60.0, "", "")
    except TooLarge as error:
        _fail(row, error.code, error.member_text)
    except media.NotMedia as error:
        text = f"RunningHub’s result is not what it claims to be. {error}"
        if _stays_wrong(row):
            _fail(row, "not_media", text)
        else:
            _later(row, pacing.after_fault(row.faults + 1), "not_media", text)
    except Gone as error:
        _refresh(row)
        again = {"result_lost_at": _lost_since()} if row.error_code == error.code else {}
        _later(row, pacing.after_fault(row.faults + 1), error.code, error.member_text, **again)
    except UpstreamError as error:
        _later(row, pacing.after_fault(row.faults + 1), error.code, error.member_text)
    except STORAGE_ERRORS as error:
        logger.exception("generation %s: its result could not be stored", row.pk)
        why = getattr(error, "strerror", None) or type(error).__name__
        _later(row, pacing.after_fault(row.faults + 4), "storage", f"The result could not be stored: {why}.")
    else:
        if not missing:
            persist(lambda: _succeed(row.pk, stored))


def _succeed(pk: uuid.UUID, stored: list[Output]) -> bool:
    """All of it is stored. False when the generation has ended otherwise meanwhile."""
    return Generation.objects.move(
        pk,
        State.GATHERING,
        State.SUCCEEDED,
        length=max((one.duration for one in stored if one.duration is not None), default=None),
        stored_bytes=sum(one.bytes for one in stored),
        error_code="",
        error_message="",
        error_detail="",
        faults=0,
        result_lost_at=None,
    )


def _store(
    row: Generation, index: int, result: dict[str, Any], client: Client, others: list[Output] | None
) -> Output:
    """One result: downloaded beside, checked, moved into place, and only then written down.

    `others` are all the others, where this is the last: with it the generation is a success.
    """
    if not result.get("url"):
        output = _text(row, index, str(result["text"]))
        _write(output, others)
        return output
    declared = str(result.get("output_type") or "")
    path = scratch() / f"{row.pk.hex}-{index}-{secrets.token_hex(4)}.part"
    try:
        with _Part(path, row) as part:
            done = client.download(
                result["url"],
                cast("BinaryIO", part),
                max_bytes=settings.MAX_OUTPUT_BYTES,
                max_seconds=SECONDS_PER_FILE,
            )
            part.finish()
            probe = _checked(row, path, declared)
            output = Output(
                generation=row,
                index=index,
                kind=probe.type.kind,
                content_type=probe.type.content_type,
                extension=probe.type.extension,
                bytes=done.bytes,
                sha256=done.sha256,
                duration=probe.duration,
                sample_rate=probe.sample_rate,
                channels=probe.channels,
                peaks_row=" ".join(map(str, probe.peaks_row)),
                peaks_stage=" ".join(map(str, probe.peaks_stage)),
                poster_due_at=timezone.now() if probe.type.kind in SEEN else None,
                source_url=result["url"],
                text=str(result.get("text") or ""),
            )
            name = Output.file_name(row, index, probe.type.extension)
            intent = path.with_name(f"{row.team_id}-{path.stem}{INTENT}")
            intent.touch()
            output.file.name = output.file.storage.save(name, part)
            _keep_name(output)
        if not _write(output, others):
            remove_strays(row.team_id, row.pk)
        elif output.poster_due_at is not None:
            queue.ring_posters()
        intent.unlink(missing_ok=True)
    finally:
        path.unlink(missing_ok=True)
    return output


def _keep_name(output: Output) -> None:
    """Puts the name of a file in its new folder on the disk too, and the file again where it was copied to another
    disk. A bucket does so by itself.
    """
    try:
        path = Path(output.file.path)
    except NotImplementedError:
        return
    for place in (path, path.parent, path.parent.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _checked(row: Generation, path: Path, declared: str) -> media.Probe:
    """What the file really is. Raises `NotMedia` unless it is of the kind upstream or the catalogue promised.

    Where it stays something else each time, whole media of another kind is kept: it was paid for, and upstream's word
    for the kind is not to be relied on. A page, a text or an archive in its place is not.
    """
    rate = str(row.params.get("sampleRate") or row.params.get("sample_rate") or "")
    probe = partial(
        media.probe,
        path,
        declared_extension=declared or str(row.params.get("format") or ""),
        sample_rate_hint=int(rate) if rate.isdecimal() else None,
        channels_hint=1 if row.kind == SPEECH else 2,
    )
    try:
        return probe(expected=KINDS.get(declared) or _made_by(row.made_with))
    except media.NotMedia:
        if not _stays_wrong(row):
            raise
        found = probe(expected=None)
        if found.type.kind not in MEDIA or found.type.extension == "svg":
            raise
        return found


def _stays_wrong(row: Generation) -> bool:
    """Whether this try for something that is not what it claims to be is the last one."""
    return row.error_code == "not_media" and row.faults + 1 >= TRIES_OF_WRONG_MEDIA


def _text(row: Generation, index: int, text: str) -> Output:
    data = text.encode()
    return Output(
        generation=row,
        index=index,
        kind="text",
        content_type="text/plain",
        extension="txt",
        text=text,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _write(output: Output, others: list[Output] | None = None) -> bool:
    """Writes the row of a stored result, and with the last one that the generation is a success. False when it has
    ended meanwhile and takes no more results.

    If another worker stored the same one first, its row counts. What a commit that failed has left in `output` is
    forgotten before it is tried again: the number it had is another row's by now.
    """

    def save(*, is_new: bool = True) -> bool:
        output.pk = None
        with in_turn(), transaction.atomic(savepoint=False):
            if others is not None:
                taken_on = _succeed(output.generation_id, [*others, output])
            else:
                mine = Generation.objects.filter(pk=output.generation_id, status=State.GATHERING)
                taken_on = bool(mine.update(updated_at=timezone.now()))
            if taken_on and is_new:
                output.save(force_insert=True)
        return taken_on

    try:
        return persist(save)
    except IntegrityError:
        if not Output.objects.filter(generation=output.generation_id, index=output.index).exists():
            raise
        logger.info("output %s was stored by another worker", output)
        return persist(partial(save, is_new=False))


def remove_strays(team_id: int, pk: uuid.UUID) -> bool:
    """Removes the files of an ended generation that no row names. False while it may still get results."""
    row = Generation.objects.filter(pk=pk).only("status").first()
    if row is not None and not row.is_over:
        return False
    folder = Output.folder(team_id, pk)
    try:
        names = default_storage.listdir(folder)[1]
    except FileNotFoundError:
        return True
    kept = Output.objects.filter(generation=pk).values_list("file", "poster")
    known = {name for names in kept for name in names}
    for name in names:
        if f"{folder}/{name}" not in known:
            logger.warning("generation %s: %s has no row and is removed", pk, name)
            default_storage.delete(f"{folder}/{name}")
    return True


def finish_intents() -> None:
    """Looks after files that a worker on this host was storing when it died: with the generation they stay or go.

    An intent is noted before its file is stored and forgotten after the row is written, so whatever a kill leaves in
    between is found here. It is kept until the generation has ended.
    """
    for intent in scratch().glob(f"*{INTENT}"):
        team, _, rest = intent.stem.partition("-")
        try:
            team_id, pk = int(team), uuid.UUID(rest.partition("-")[0])
        except ValueError:
            continue
        try:
            if remove_strays(team_id, pk):
                intent.unlink(missing_ok=True)
        except STORAGE_ERRORS:
            logger.exception("generation %s: its files could not be looked at", pk)


def _made_by(model: str) -> str | None:
    """The kind of file the catalogue expects of a model; None when it does not know the model."""
    try:
        kind = load.get(model).output
    except load.UnknownModel:
        return None
    return kind if kind in {"audio", "image", "video", "3d", "text"} else None


def _refresh(row: Generation) -> None:
    """The address expired or is not ready: asks for the results once more, which may give fresh addresses."""
    try:
        reply = upstream.get_asker(row).query(row.upstream_id)
    except (UpstreamError, upstream.NotConfigured):
        return
    fresh = [
        {"url": r.url, "output_type": r.output_type, "text": r.text, "node_id": r.node_id}
        for r in reply.results
    ]
    if reply.state == "succeeded" and len(fresh) == len(row.results or []):
        Generation.objects.filter(pk=row.pk, status=State.GATHERING).update(results=fresh)


def _lost_since() -> Any:
    """The alarm: what was made and is charged cannot be kept, or hardly. The first time it is noted counts."""
    return Coalesce(F("result_lost_at"), Value(timezone.now(), output_field=DateTimeField()))


def _later(row: Generation, gap: float, code: str, text: str, **changes: Any) -> None:
    now = timezone.now()
    if row.deadline_at and now > row.deadline_at and row.faults >= TRIES_AT_LEAST:
        _fail(row, code or "not_copied", text or "The result could not be copied within a day.")
        return
    persist(
        lambda: Generation.objects.note(
            row.pk,
            State.GATHERING,
            next_check_at=now + timedelta(seconds=gap),
            faults=F("faults") + 1,
            error_code=code[:40],
            error_message=text,
            **changes,
        )
    )


def _fail(row: Generation, code: str, text: str) -> None:
    """Upstream did its work and charges for it, so the cost stays: the actual one, else what was held."""
    persist(
        lambda: Generation.objects.move(
            row.pk,
            State.GATHERING,
            State.FAILED,
            cost_actual=Coalesce(F("cost_actual"), F("cost_estimated")),
            error_code=code[:40],
            error_message=text,
            result_lost_at=_lost_since(),
        )
    )
