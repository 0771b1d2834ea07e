"""The bytes behind a link: whole or in ranges, without what a file says about itself."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from generations import media, sharing, takeout
from generations.media.splice import is_plain, length
from generations.models import Output, ShareLink
from generations.takeout.zipped import MISSING
from generations.views.door import Closed, Visit, enter, for_outsiders
from generations.views.parcel import full, send


@for_outsiders
@require_safe
def shared_content(request: HttpRequest, token: str, key: str) -> HttpResponseBase:
    """Inline, in ranges where asked; with `?download=1` as a file named by the title, where the link lets it."""
    visit = enter(token)
    download = "download" in request.GET
    if not visit.knows_password(request) or (download and not visit.link.may_download):
        raise Closed
    for output, title in zip(visit.outputs, visit.titles, strict=True):
        if sharing.key_of(visit.link, output) == key:
            return _send(request, visit, output, title, download=download)
    raise Closed


def _send(
    request: HttpRequest, visit: Visit, output: Output, title: str, *, download: bool
) -> HttpResponseBase:
    try:
        file, pieces = neutral(output)
    except (*takeout.STORAGE_ERRORS, media.Opaque):
        raise Closed from None
    size = length(pieces)
    stored = media.StoredFile(
        open=lambda start, _stop: cast(BinaryIO, media.Spliced(file, pieces, start)),
        size=size,
        content_type=output.content_type,
        etag=f'"{sharing.key_of(visit.link, output)}"',
        modified=visit.link.created_at,
        filename=media.safe_filename(title, output.extension),
        accel_path=str(output.file.name or "") if is_plain(pieces, output.bytes) else "",
    )
    response = media.respond(request, stored, download=download, accel_prefix=settings.ACCEL_PREFIX)
    if not response.streaming:
        file.close()
    return response


def neutral(output: Output) -> tuple[BinaryIO, list[media.Piece]]:
    """Its file, open, and the pieces of it that outsiders get. Raises `takeout.STORAGE_ERRORS`, `media.Opaque`."""
    file = takeout.open_output(output)
    if not output.file:
        return file, [(0, len(output.text.encode()))]
    try:
        return file, media.labelled(file, output.bytes, output.extension, None)
    except BaseException:
        file.close()
        raise


@for_outsiders
@require_safe
def shared_zip(request: HttpRequest, token: str) -> HttpResponseBase:
    """Everything that the link lets outsiders download, as one zip of files named by their titles.

    What the link does not show any more when its turn comes is missing.
    """
    visit = enter(token)
    if not visit.knows_password(request) or not visit.link.may_download or not visit.outputs:
        raise Closed
    try:
        slot = takeout.enter_outside(visit.link.team_id)
    except takeout.Full:
        return full(request, "share/full.html")
    names = takeout.Names("{index} {title}", (MISSING,))
    entries = [
        takeout.Entry(
            names.name({"index": f"{place:03}", "title": title}, output.extension),
            None,
            lambda output=output: _spliced(visit.link, output),  # type: ignore[misc]
            visit.link.created_at,
        )
        for place, (output, title) in enumerate(zip(visit.outputs, visit.titles, strict=True), 1)
    ]
    return send(request, visit.link.title, entries, slot, tells_length=False)


def _spliced(link: ShareLink, output: Output) -> BinaryIO:
    if not sharing.still_shows(link, output):
        raise FileNotFoundError(output.pk)
    file, pieces = neutral(output)
    return cast(BinaryIO, io.BufferedReader(media.Spliced(file, pieces), 1 << 18))
