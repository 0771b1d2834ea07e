"""The bytes of an output."""

from __future__ import annotations

import io
import uuid
from typing import BinaryIO, cast

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from generations.media import StoredFile, respond
from generations.models import Output
from generations.views import access
from generations.views.sound import file_name


@require_safe
def output_content(request: HttpRequest, team: str, pk: uuid.UUID, index: int) -> HttpResponseBase:
    """Inline, in ranges where asked; with `?download=1` as a file that carries the title.

    A text that has no file is served as if it were one.
    """
    membership = access.member(request, team)
    output = access.output(membership, pk, index)
    generation = output.generation
    download = "download" in request.GET
    several = download and generation.outputs.count() > 1
    stored = StoredFile(
        open=lambda: _open(output),
        size=output.bytes if output.file else len(output.text.encode()),
        content_type=output.content_type,
        etag=f'"{output.sha256}"',
        modified=output.created_at,
        filename=file_name(generation, output, several=several),
        accel_path=output.file.name or "",
    )
    try:
        return respond(request, stored, download=download, accel_prefix=settings.ACCEL_PREFIX)
    except FileNotFoundError:
        raise Http404("The file is not in the storage.") from None


def _open(output: Output) -> BinaryIO:
    if not output.file:
        return io.BytesIO(output.text.encode())
    return cast(BinaryIO, output.file.storage.open(str(output.file.name), "rb"))
