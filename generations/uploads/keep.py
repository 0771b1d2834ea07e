"""Keeping a file: what it is by its bytes, whether a param takes it, then bytes and row, or neither."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Membership
from generations import disk, media
from generations.catalogue import file as files
from generations.catalogue.param import ParamSpec
from generations.models import Upload
from generations.uploads.incoming import scratch, too_large

KINDS = ("audio", "image", "video")
CONVERTED = (*sorted(media.DECODED), "aif")
"""Endings of the sound files that are converted where a param does not take them."""
FILM = "mov"
CHUNK = 1024 * 1024


class BadUpload(Exception):
    """The file cannot be kept; `sentence` says why to the member."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Kept:
    """An upload that a param takes. `note` says what was done to it, "" when it is as it was given."""

    upload: Upload
    note: str = ""


def store(membership: Membership, file: UploadedFile[Any], *, expected: str | None = None) -> Upload:
    """Keeps a file of at most MAX_UPLOAD_BYTES as `uploads/<team>/<id>.<ext>`, or refuses without a trace.

    `expected` is "audio", "image" or "video"; None takes any of them. What the file is follows from its
    bytes, never from its name or header. The same file from the same member under the same name is the same
    upload, so a form that is posted twice asks for the same thing twice. Raises `BadUpload`.
    """
    with examined(file, expected) as (path, probe):
        return keep(membership, described(path, probe, file.name or ""), file)


@contextmanager
def examined(file: UploadedFile[Any], expected: str | None = None) -> Iterator[tuple[Path, media.Probe]]:
    """The file as a path, once it is found to be of a size and a kind that are kept. Raises `BadUpload`."""
    _room()
    _not_too_large(file)
    with on_disk(file) as path:
        yield path, probed(path, expected)


def fit(membership: Membership, file: UploadedFile[Any], param: ParamSpec) -> Kept:
    """As `store`, for a media param: refused when the param does not take it.

    Sound of a type that the param does not take is kept as one that it takes, where it can be decoded here.
    """
    _room()
    _not_too_large(file)
    with on_disk(file) as path:
        probe = probed(path, None if param.takes_sound else param.type.value.lower())
        upload = described(path, probe, file.name or "")
        to = converted_to(param, upload)
        if to:
            return convert(membership, path, upload, param, to)
        return Kept(keep(membership, upload, file))


def converted_to(param: ParamSpec, upload: Upload) -> str:
    """The type that this file is to be kept as, "" when it fits as it is. Raises `BadUpload` when it cannot fit."""
    problem = files.fault(param, upload.kind, upload.extension, upload.bytes, upload.duration, sides(upload))
    accepted = files.extensions(param)
    if not problem:
        return ""
    if param.takes_sound and upload.kind == "audio" and upload.extension in media.DECODED:
        return FILM
    if upload.kind != "audio" or not accepted or upload.extension in accepted:
        raise BadUpload(problem)
    most = param.max_size_mb and param.max_size_mb * CHUNK
    to = media.target(upload.extension, accepted, upload.duration or 0.0, most)
    too_long = files.length_fault(param, upload.duration)
    if to is None or too_long:
        raise BadUpload(too_long or problem)
    return to


def convert(membership: Membership, path: Path, upload: Upload, param: ParamSpec, to: str) -> Kept:
    """Keeps the sound at `path`, which `upload` describes, as a file of type `to`. Raises `BadUpload`."""
    with tempfile.NamedTemporaryFile(prefix="upload-", suffix=f".{to}", dir=scratch()) as made:
        try:
            if to == FILM:
                media.film(path, Path(made.name), (param.max_size_mb or 500) * CHUNK)
            else:
                media.convert(path, Path(made.name), to)
        except media.NotMedia as error:
            raise BadUpload(str(error)) from error
        found = described(Path(made.name), probed(Path(made.name), param.type.value.lower()), upload.name)
        found.source = upload.source
        if problem := files.fault(param, found.kind, found.extension, found.bytes, found.duration):
            raise BadUpload(problem)
        with Path(made.name).open("rb") as whole:
            kept = keep(membership, found, File(whole))
    if to == FILM:
        return Kept(
            kept, _("Wrapped into a video with a black picture, because the model takes only videos.")
        )
    words = {"to": to.upper(), "found": upload.extension.upper()}
    return Kept(kept, _("Kept as %(to)s, because the model does not take %(found)s.") % words)


def sides(upload: Upload) -> tuple[int, int] | None:
    """Width and height of a picture, None of anything else or where they are not known."""
    return (upload.width, upload.height) if upload.width and upload.height else None


def _not_too_large(file: UploadedFile[Any]) -> None:
    if not file.size:
        raise BadUpload(_("The file is empty. Choose another one."))
    if file.size > settings.MAX_UPLOAD_BYTES:
        raise BadUpload(too_large())


def probed(path: Path, expected: str | None) -> media.Probe:
    """What the file is. Raises `BadUpload` when it is nothing that is kept, or not what is `expected`."""
    try:
        probe = media.probe(path, expected=expected)
    except media.NotMedia as error:
        raise BadUpload(str(error)) from error
    if probe.type.kind not in KINDS:
        raise BadUpload(_("This is neither sound nor a picture nor a video. Choose another file."))
    return probe


def described(path: Path, probe: media.Probe, name: str) -> Upload:
    """An upload of this file, not saved, without team and author."""
    with path.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    wide, high = (probe.type.kind == "image" and media.picture_size(path)) or (None, None)
    return Upload(
        width=wide,
        height=high,
        name=media.safe_filename(Path(name).stem, probe.type.extension),
        kind=probe.type.kind,
        content_type=probe.type.content_type,
        extension=probe.type.extension,
        bytes=path.stat().st_size,
        sha256=digest,
        duration=probe.duration,
    )


def _room() -> None:
    if disk.is_low():
        raise BadUpload(str(disk.StorageLow()))


def keep(membership: Membership, upload: Upload, file: File[Any]) -> Upload:
    """Stores file and row, or gives back the row that has the same. The lock makes two posts of one form agree."""
    upload.team_id, upload.author_id = membership.team_id, membership.user_id
    if (known := _same(upload)) is not None:
        return known
    name = f"uploads/{upload.team_id}/{upload.pk}.{upload.extension}"
    try:
        file.seek(0)
        upload.file.save(name, file, save=False)
        with transaction.atomic():
            Membership.objects.select_for_update().get(pk=membership.pk)
            earlier = _same(upload)
            if earlier is None:
                upload.save(force_insert=True)
    except BaseException:
        # Also what a full disk left of it: the name holds the id, so it is nobody else's.
        upload.file.storage.delete(name)
        raise
    if earlier is not None:
        upload.file.delete(save=False)
    return earlier or upload


def _same(upload: Upload) -> Upload | None:
    """The newest row that stands for the same. What was made of an output is the same for the whole team."""
    rows = Upload.objects.filter(team=upload.team_id, kind=upload.kind, sha256=upload.sha256)
    if upload.source_id:
        rows = rows.filter(source=upload.source_id)
    else:
        rows = rows.filter(author=upload.author_id, name=upload.name, source=None)
    found = rows.order_by("-id").first()
    return found if found is not None and found.file.storage.exists(found.file.name or "") else None


@contextmanager
def on_disk(file: File[Any]) -> Iterator[Path]:
    """The file as a path, copied only when it is not already one."""
    temporary = getattr(file, "temporary_file_path", None)
    if temporary is not None:
        file.seek(0)
        yield Path(temporary())
        return
    with tempfile.NamedTemporaryFile(prefix="upload-", dir=scratch()) as copy:
        file.seek(0)
        shutil.copyfileobj(file, copy, CHUNK)
        copy.flush()
        yield Path(copy.name)
