"""Stored files as answers, for every page that gives one out. Who may see it is decided before."""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO, cast

from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from generations.media import StoredFile, respond


def send(
    request: HttpRequest,
    file: FieldFile,
    *,
    size: int,
    content_type: str,
    sha256: str,
    modified: datetime,
    filename: str,
    download: bool = False,
) -> HttpResponseBase:
    """The file, whole or in ranges, or where nginx finds it; 404 when the storage has lost it."""
    stored = StoredFile(
        open=lambda start, stop: part(file, start, stop),
        size=size,
        content_type=content_type,
        etag=f'"{sha256}"',
        modified=modified,
        filename=filename,
        accel_path=file.name or "",
    )
    try:
        return respond(request, stored, download=download, accel_prefix=settings.ACCEL_PREFIX)
    except FileNotFoundError:
        raise Http404("The file is not in the storage.") from None


def part(file: FieldFile, start: int, stop: int) -> BinaryIO:
    """A stored file from the byte `start` on; of a storage far away no more than until `stop`."""
    far = getattr(file.storage, "open_part", None)
    if far is not None:
        return cast(BinaryIO, far(file.name, start, stop))
    found = cast(BinaryIO, file.storage.open(str(file.name), "rb"))
    found.seek(start)
    return found
