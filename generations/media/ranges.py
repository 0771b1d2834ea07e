"""Stored bytes to browsers: whole or in ranges (RFC 9110, 13 and 14), without letting user content run.

Browsers seek in sound only if the server answers 206 to a Range. One range is served; several at once,
malformed ones and other units are ignored, as the RFC allows, and the whole file is sent.

A player asks for all from here to the end and then takes as long as the sound lasts, or for ever where somebody
paused it; so a browser that says that it plays (Sec-Fetch-Dest) gets PLAYED_BYTES and asks again when it needs more,
which the RFC allows too (15.3.7). Downloads that are resumed get all they ask for.

A file of the file system is sent by the system itself where the server can (`wsgi.file_wrapper`).

With nginx in front (`accel_prefix`) Django answers with the address of the file and nginx does the rest:
ranges, conditions, and its own ETag and Last-Modified, so conditions are not judged here. nginx keeps
Content-Type, Content-Disposition and Cache-Control of our answer but not the two security headers; its
`internal` location must add X-Content-Type-Options and Content-Security-Policy itself.
"""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe

from .filenames import safe_filename

CHUNK_BYTES = 262_144
PLAYED_BYTES = 2 * 1024**2
"""The most that a player gets for one request."""

# Played or drawn by browsers as passive media; everything else opens sandboxed, if at all.
_PASSIVE = frozenset({
    "audio/aac", "audio/aiff", "audio/flac", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/pcm", "audio/wav",
    "audio/webm", "audio/x-matroska", "image/avif", "image/gif", "image/heic", "image/jpeg", "image/png",
    "image/webp", "video/mp4", "video/ogg", "video/quicktime", "video/webm", "video/x-matroska",
    "video/x-msvideo",
})  # fmt: skip
_INERT = {
    "text/plain": "text/plain; charset=utf-8",
    "application/json": "application/json",
    "model/gltf-binary": "model/gltf-binary",
}
# Markup is handed over as a file to keep, never as a page of ours.
_ATTACHED = {
    "text/html": "text/plain; charset=utf-8",
    "application/xml": "text/plain; charset=utf-8",
    "application/zip": "application/zip",
    "model/obj": "text/plain; charset=utf-8",
}
_PLAYERS = frozenset({"audio", "video"})
_EXTENSION = re.compile(r"[A-Za-z0-9]{1,10}")
_RANGE = re.compile(r"bytes=(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t]*", re.IGNORECASE)


class StoredFileCut(OSError):
    """The storage holds fewer bytes than were recorded; raised while sending, so the connection breaks."""


class _Unsatisfiable(ValueError):
    pass


@dataclass(frozen=True)
class StoredFile:
    """A stored file ready to be served.

    `open(start, stop)` gives a new binary file that reads from the byte `start` on and need not have anything from
    `stop` on; `size` in bytes; `etag` quoted and strong (from the sha256);
    `modified` aware; `filename` as `safe_filename` makes it; `accel_path` the path below the nginx location.
    """

    open: Callable[[int, int], BinaryIO]
    size: int
    content_type: str
    etag: str
    modified: datetime
    filename: str
    accel_path: str = ""


def respond(
    request: HttpRequest, stored: StoredFile, *, download: bool = False, accel_prefix: str = ""
) -> HttpResponseBase:
    """Answer GET or HEAD for a stored file: 200, 206, 304, 412 or 416. Who may see it is decided before.

    The file is opened only when bytes are sent, and closed whenever the answer ends, whole or not.
    """
    headers = _headers(stored, download=download)
    if accel_prefix and stored.accel_path:
        path = quote(stored.accel_path.lstrip("/"), safe="/")
        return HttpResponse(headers=headers | {"X-Accel-Redirect": f"{accel_prefix.rstrip('/')}/{path}"})
    modified = int(stored.modified.timestamp())
    headers |= {"Accept-Ranges": "bytes", "ETag": stored.etag, "Last-Modified": http_date(modified)}
    unconditional = HttpResponse(headers=headers)
    answer = get_conditional_response(request, stored.etag, modified, unconditional)
    if answer is not unconditional and answer is not None:
        return answer
    start, stop, status = 0, stored.size, 200
    # Ranges are defined for GET alone (RFC 9110, 14.2).
    if request.method == "GET" and _if_range_holds(request, stored.etag, modified):
        try:
            span = _span(request.headers.get("Range", ""), stored.size)
        except _Unsatisfiable:
            refused = {"Accept-Ranges": "bytes", "Content-Range": f"bytes */{stored.size}"}
            return HttpResponse(status=416, headers=refused | {"Content-Type": "text/plain"})
        if span is not None:
            (start, stop), status = span, 206
            if request.headers.get("Sec-Fetch-Dest") in _PLAYERS and not download:
                stop = min(stop, start + PLAYED_BYTES)
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{stored.size}"
    headers["Content-Length"] = str(stop - start)
    if request.method == "HEAD" or start == stop:
        return HttpResponse(status=status, headers=headers)
    return _Sent(_Part(stored.open(start, stop), stop - start), status=status, headers=headers)


def _headers(stored: StoredFile, *, download: bool) -> dict[str, str]:
    kind = stored.content_type.partition(";")[0].strip().lower()
    served = kind if kind in _PASSIVE else _INERT.get(kind) or _ATTACHED.get(kind, "application/octet-stream")
    attached = download or not (kind in _PASSIVE or kind in _INERT)
    stem, _, extension = stored.filename.rpartition(".")
    named = _EXTENSION.fullmatch(extension) is not None and stem != ""
    name = safe_filename(stem, extension) if named else safe_filename(stored.filename, "")
    headers = {
        "Content-Type": served,
        "Content-Disposition": content_disposition_header(attached, name) or "attachment",
        "Cache-Control": "private, max-age=3600",
        "X-Content-Type-Options": "nosniff",
    }
    if kind not in _PASSIVE:
        headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return headers


def _if_range_holds(request: HttpRequest, etag: str, modified: int) -> bool:
    condition = request.headers.get("If-Range", "").strip()
    if not condition:
        return True
    if condition.startswith(('"', "W/")):
        return condition == etag and not etag.startswith("W/")
    return parse_http_date_safe(condition) == modified


def _span(header: str, size: int) -> tuple[int, int] | None:
    """(first byte, byte after the last) a Range header asks for; None: send everything."""
    match = _RANGE.fullmatch(header.strip())
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        length = _number(suffix)
        if not length:
            raise _Unsatisfiable
        return (max(0, size - length), size) if size else None
    start = _number(first)
    if last and _number(last) < start:
        return None
    if start >= size:
        raise _Unsatisfiable
    return start, min(size, _number(last) + 1) if last else size


def _number(digits: str) -> int:
    """The value of a string of digits; of too many for int() to read, a number beyond any file."""
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) < 20 else 10**20


class _Part:
    """The next `length` bytes of a file, to iterate over or to read; WSGI servers call `close` in every case."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file = file
        self._left = length

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = self.read(CHUNK_BYTES)
        if not chunk:
            raise StopIteration
        return chunk

    def read(self, size: int) -> bytes:
        if not self._left:
            self.close()
            return b""
        chunk = self._file.read(min(size, self._left))
        if not chunk:
            self.close()
            raise StoredFileCut(f"{self._left} bytes are missing at the end")
        self._left -= len(chunk)
        return chunk

    def fileno(self) -> int:
        """For the system to send from where the file stands; refused where it is not a file or holds too little."""
        number = self._file.fileno()
        held = os.fstat(number)
        if not stat.S_ISREG(held.st_mode) or held.st_size < self._file.tell() + self._left:
            raise io.UnsupportedOperation
        os.lseek(number, self._file.tell(), os.SEEK_SET)
        return number

    def close(self) -> None:
        self._file.close()


class _Sent(StreamingHttpResponse):
    """Names its file, as Django's FileResponse does, so that the server may send it without reading it."""

    block_size = CHUNK_BYTES

    def __init__(self, part: _Part, **fields: Any) -> None:
        super().__init__(part, **fields)
        self.file_to_stream = part
