"""The bytes of an output."""

from __future__ import annotations

import io
import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from generations.media import POSTER_TYPE, StoredFile, respond
from generations.models import Output
from generations.views import access
from generations.views.content import send
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
    name = file_name(generation, output, several=several)
    if not output.file:
        return _text(request, output, name, download=download)
    return send(
        request,
        output.file,
        size=output.bytes,
        content_type=output.content_type,
        sha256=output.sha256,
        modified=output.created_at,
        filename=name,
        download=download,
    )


def _text(request: HttpRequest, output: Output, name: str, *, download: bool) -> HttpResponseBase:
    text = output.text.encode()
    stored = StoredFile(
        open=lambda start, _stop: io.BytesIO(text[start:]),
        size=len(text),
        content_type=output.content_type,
        etag=f'"{output.sha256}"',
        modified=output.created_at,
        filename=name,
    )
    return respond(request, stored, download=download)


@require_safe
def output_poster(request: HttpRequest, team: str, pk: uuid.UUID, index: int) -> HttpResponseBase:
    """The small picture of what can be seen; 404 while there is none. It never changes."""
    output = access.output(access.member(request, team), pk, index)
    if not output.poster:
        raise Http404
    try:
        with output.poster.storage.open(str(output.poster.name), "rb") as file:
            answer = HttpResponse(file.read(), content_type=POSTER_TYPE)
    except FileNotFoundError:
        raise Http404("The file is not in the storage.") from None
    answer["Cache-Control"] = "private, max-age=31536000, immutable"
    return answer
