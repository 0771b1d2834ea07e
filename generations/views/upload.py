"""The bytes of an upload."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from generations import media
from generations.views import access


@require_safe
def upload_content(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponseBase:
    """The file as the member gave it, whole or in ranges, to members of its team."""
    upload = access.upload(access.member(request, team), pk)
    stored = media.StoredFile(
        open=lambda: cast(BinaryIO, upload.file.open("rb")),
        size=upload.bytes,
        content_type=upload.content_type,
        etag=f'"{upload.sha256}"',
        modified=upload.created_at,
        filename=media.safe_filename(Path(upload.name).stem, upload.extension),
        accel_path=upload.file.name or "",
    )
    return media.respond(request, stored, accel_prefix=settings.ACCEL_PREFIX)
