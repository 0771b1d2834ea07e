"""A parcel on its way: the answer that sends it, and what is said when too many are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from generations import media, takeout
from generations.takeout import Entry, Slot

SECONDS = 60
"""After which it is worth trying again."""


class Sending:
    """The zip, and its place among those on their way, which it leaves however it ends, begun or not."""

    def __init__(self, entries: Iterable[Entry], slot: Slot, *, promised: bool) -> None:
        self._blocks, self._slot = takeout.stream(entries, promised=promised), slot

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._blocks)

    def close(self) -> None:
        self._blocks.close()  # type: ignore[attr-defined]
        self._slot.leave()


def send(
    request: HttpRequest, name: str, entries: list[Entry], slot: Slot, *, tells_length: bool
) -> HttpResponse | StreamingHttpResponse:
    """The zip of these entries under this name. `tells_length`: nothing that is missing will come up, so its length
    is said where every size is known.
    """
    total = takeout.length(entries) if tells_length else None
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": content_disposition_header(
            as_attachment=True, filename=media.safe_filename(name, "zip")
        )
        or "attachment",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if total is not None:
        headers["Content-Length"] = str(total)
    if request.method == "HEAD":
        slot.leave()
        return HttpResponse(headers=headers)
    return StreamingHttpResponse(Sending(entries, slot, promised=total is not None), headers=headers)


def full(request: HttpRequest, template: str = "download/full.html") -> HttpResponse:
    """Too many are on their way: 429, and when to come again."""
    said = _(
        "Your team takes out as much at once as it can at present. Wait until one of the downloads is done, then "
        "try again."
    )
    response = render(request, template, {"said": said}, status=429)
    response["Retry-After"] = str(SECONDS)
    return response
