"""Files that members give us: checked by their bytes, kept under their team."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from accounts.models import Membership
from generations import media
from generations.models import Upload

KINDS = ("audio", "image", "video")
CHUNK = 1024 * 1024


class BadUpload(Exception):
    """The file cannot be kept; `sentence` says why to the member."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def store(membership: Membership, file: UploadedFile[Any], *, expected: str | None = None) -> Upload:
    """Keeps a file of at most MAX_UPLOAD_BYTES as `uploads/<team>/<id>.<ext>`, or refuses without a trace.

    `expected` is "audio", "image" or "video"; None takes any of them. What the file is follows from its
    bytes, never from its name or header. The same file from the same member under the same name is the same
    upload, so a form that is posted twice asks for the same thing twice. Raises `BadUpload`.
    """
    if not file.size:
        raise BadUpload(_("The file is empty. Choose another one."))
    if file.size > settings.MAX_UPLOAD_BYTES:
        limit = filesizeformat(settings.MAX_UPLOAD_BYTES)
        raise BadUpload(_("A file may have at most %(limit)s. Choose a smaller one.") % {"limit": limit})
    with _on_disk(file) as path:
        digest = _sha256(path)
        try:
            probe = media.probe(path, expected=expected)
        except media.NotMedia as error:
            raise BadUpload(str(error)) from error
    if probe.type.kind not in KINDS:
        raise BadUpload(_("This is neither sound nor a picture nor a video. Choose another file."))
    upload = Upload(
        team_id=membership.team_id,
        author_id=membership.user_id,
        name=media.safe_filename(Path(file.name or "").stem, probe.type.extension),
        kind=probe.type.kind,
        content_type=probe.type.content_type,
        extension=probe.type.extension,
        bytes=file.size,
        sha256=digest,
        duration=probe.duration,
    )
    return _same(upload) or _keep(upload, file, membership)


def _keep(upload: Upload, file: UploadedFile[Any], membership: Membership) -> Upload:
    """Stores file and row. The lock makes two posts of one form agree on one upload."""
    file.seek(0)
    upload.file.save(f"uploads/{upload.team_id}/{upload.pk}.{upload.extension}", file, save=False)
    try:
        with transaction.atomic():
            Membership.objects.select_for_update().get(pk=membership.pk)
            earlier = _same(upload)
            if earlier is None:
                upload.save(force_insert=True)
    except BaseException:
        upload.file.delete(save=False)
        raise
    if earlier is not None:
        upload.file.delete(save=False)
    return earlier or upload


def _same(upload: Upload) -> Upload | None:
    rows = Upload.objects.filter(
        team=upload.team_id, author=upload.author_id, sha256=upload.sha256, name=upload.name, kind=upload.kind
    )
    found = rows.order_by("-id").first()
    return found if found is not None and found.file.storage.exists(found.file.name or "") else None


@contextmanager
def _on_disk(file: UploadedFile[Any]) -> Iterator[Path]:
    """The posted file as a path, copied only when the browser's upload is not already a file."""
    temporary = getattr(file, "temporary_file_path", None)
    if temporary is not None:
        file.seek(0)
        yield Path(temporary())
        return
    with tempfile.NamedTemporaryFile(prefix="upload-") as copy:
        file.seek(0)
        shutil.copyfileobj(file, copy, CHUNK)
        copy.flush()
        yield Path(copy.name)


def _sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
