from __future__ import annotations

import hashlib
import http.client
import io
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any, BinaryIO
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http.response import HttpResponseBase
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from generations.media import StoredFile, StoredFileCut, respond
from generations.media.ranges import PLAYED_BYTES

# Closing an answer closes old connections, which asks the connection that the tests before left open.
pytestmark = pytest.mark.django_db

MODIFIED = datetime(2026, 11, 22, 12, 30, 15, 500_000, tzinfo=UTC)
LAST_MODIFIED = "Sun, 22 Nov 2026 12:30:15 GMT"
DATA = bytes(range(256)) * 4


class Watched(io.BytesIO):
    """A file that remembers how it was treated."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0, "the whole file was asked for"
        self.most = max(self.most, size)
        return super().read(size)


class Shelf:
    """Gives out `data` as a stored file and keeps every file it opened."""

    def __init__(self, data: bytes = DATA, **changes: Any) -> None:
        self.data = data
        self.opened: list[Watched] = []
        self.etag = f'"{hashlib.sha256(data).hexdigest()}"'
        fields: dict[str, Any] = {
            "content_type": "audio/mpeg",
            "filename": "Lighthouse, first draft.mp3",
            "size": len(data),
        }
        fields |= {"open": self.open, "etag": self.etag, "modified": MODIFIED}
        self.stored = StoredFile(**fields | changes)

    def open(self, start: int, stop: int) -> BinaryIO:
        self.opened.append(Watched(self.data))
        self.opened[-1].seek(start)
        return self.opened[-1]


def get(
    shelf: Shelf, method: str = "GET", *, accel_prefix: str = "", download: bool = False, **headers: str
) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = RequestFactory().generic(method, "/content", headers=named)
    return respond(request, shelf.stored, download=download, accel_prefix=accel_prefix)


def body(response: Any) -> bytes:
    with closing(response):
        return response.getvalue()


def test_the_whole_file_comes_with_everything_a_player_needs() -> None:
    shelf = Shelf()
    response = get(shelf)
    assert response.status_code == 200
    assert dict(response.items()) == {
        "Content-Type": "audio/mpeg",
        "Content-Length": "1024",
        "Content-Disposition": 'inline; filename="Lighthouse, first draft.mp3"',
        "Accept-Ranges": "bytes",
        "ETag": shelf.etag,
        "Last-Modified": LAST_MODIFIED,
        "Cache-Control": "private, max-age=3600",
        "X-Content-Type-Options": "nosniff",
    }
    assert body(response) == DATA


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-", 0, 1024),
        ("bytes=5-9", 5, 10),
        ("bytes=1023-1023", 1023, 1024),
        ("bytes=1000-99999", 1000, 1024),
        ("bytes=-24", 1000, 1024),
        ("bytes=-5000", 0, 1024),
        ("Bytes=0-0", 0, 1),
        ("bytes=000000000000000000000000000000007-9", 7, 10),
        ("bytes=7-" + "9" * 6000, 7, 1024),
    ],
)
def test_one_range_is_served_exactly(header: str, start: int, stop: int) -> None:
    response = get(Shelf(), Range=header)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {start}-{stop - 1}/1024"
    assert response["Content-Length"] == str(stop - start)
    assert body(response) == DATA[start:stop]


@pytest.mark.parametrize(
    "header", ["bytes=1024-", "bytes=1024-1030", "bytes=-0", "bytes=" + "9" * 6000 + "-"]
)
def test_a_range_behind_the_end_is_refused(header: str) -> None:
    shelf = Shelf()
    response = get(shelf, Range=header)
    assert (response.status_code, response["Content-Range"]) == (416, "bytes */1024")
    assert body(response) == b""
    assert not shelf.opened


@pytest.mark.parametrize(
    "header",
    ["bytes=9-5", "bytes=0-1,5-6", "bytes=", "bytes=-", "bytes=a-b", "bytes 0-1", "items=0-1", "bytes=٣-",
     "bytes=+1-2", "bytes=1.0-2", "bytes = 0-1", "bytes=0-1;x", "0-1", "bytes=--5"],
)  # fmt: skip
def test_malformed_and_several_ranges_and_other_units_are_ignored(header: str) -> None:
    response = get(Shelf(), Range=header)
    assert response.status_code == 200
    assert "Content-Range" not in response
    assert body(response) == DATA


def model(header: str, size: int) -> tuple[int, bytes | None]:
    """What RFC 9110 says about a Range header, spelled out: status, and the bytes of `range(size)`."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header, re.ASCII)
    if not match or match.groups() == ("", ""):
        return 200, None
    first, last = match.groups()
    every = list(range(size))
    if not first:
        wanted = every[len(every) - min(int(last), size) :] if int(last) else []
        return (206, bytes(wanted)) if wanted else (416 if not int(last) else 200, None)
    if last and int(last) < int(first):
        return 200, None
    wanted = [at for at in every if int(first) <= at and (not last or at <= int(last))]
    return (206, bytes(wanted)) if wanted else (416, None)


number = st.one_of(st.just(""), st.integers(0, 300).map(str))
headers = st.one_of(
    st.builds("bytes={}-{}".format, number, number),
    st.lists(st.builds("{}-{}".format, number, number), max_size=3).map(
        lambda spans: "bytes=" + ",".join(spans)
    ),
    st.text(alphabet="bytes=-,0123456789 ", max_size=20).map(str.strip),
)


@given(header=headers, size=st.integers(0, 256))
def test_any_range_header_is_answered_as_the_rfc_says(header: str, size: int) -> None:
    shelf = Shelf(bytes(range(256))[:size])
    status, part = model(header, size)
    response = get(shelf, Range=header)
    assert response.status_code == status
    content = body(response)
    if status == 206:
        assert content == part
        start, end, total = map(int, re.findall(r"\d+", response["Content-Range"]))
        assert content == shelf.data[start : end + 1]
        assert total == size
    elif status == 416:
        assert (content, response["Content-Range"]) == (b"", f"bytes */{size}")
    else:
        assert content == shelf.data
    if status != 416:
        assert response["Content-Length"] == str(len(content))
    assert all(file.closed for file in shelf.opened)


def test_head_has_the_headers_of_the_whole_file_and_opens_nothing() -> None:
    shelf = Shelf()
    for headers in ({}, {"Range": "bytes=0-4"}):
        response = get(shelf, "HEAD", **headers)
        assert (response.status_code, response["Content-Length"], body(response)) == (200, "1024", b"")
        assert response["Accept-Ranges"] == "bytes"
    assert not shelf.opened


def test_an_empty_file_has_no_ranges() -> None:
    shelf = Shelf(b"")
    assert (get(shelf).status_code, get(shelf)["Content-Length"], body(get(shelf))) == (200, "0", b"")
    assert get(shelf, Range="bytes=0-")["Content-Range"] == "bytes */0"
    assert get(shelf, Range="bytes=-5").status_code == 200


def test_what_the_browser_has_is_not_sent_again() -> None:
    shelf = Shelf()
    for condition in (
        {"If_None_Match": shelf.etag},
        {"If_None_Match": f'"other", W/{shelf.etag}'},
        {"If_None_Match": "*"},
        {"If_Modified_Since": LAST_MODIFIED},
        {"If_None_Match": shelf.etag, "Range": "bytes=0-4"},
    ):
        response = get(shelf, **condition)
        assert (response.status_code, response["ETag"]) == (304, shelf.etag)
        assert response["Cache-Control"] == "private, max-age=3600"
        assert body(response) == b""
    assert get(shelf, If_None_Match='"other"').status_code == 200
    assert get(shelf, If_None_Match='"other"', If_Modified_Since=LAST_MODIFIED).status_code == 200
    assert get(shelf, If_Match='"other"').status_code == 412


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("the etag", 206),
        ("W/the etag", 200),
        ('"other"', 200),
        (LAST_MODIFIED, 206),
        (format_datetime(datetime(2026, 11, 22, 12, 30, 16, tzinfo=UTC), usegmt=True), 200),
        (format_datetime(datetime(2026, 11, 22, 12, 30, 14, tzinfo=UTC), usegmt=True), 200),
        ("nonsense", 200),
    ],
)
def test_a_range_of_another_version_is_not_mixed_in(condition: str, status: int) -> None:
    shelf = Shelf()
    condition = condition.replace("the etag", shelf.etag)
    assert get(shelf, Range="bytes=1-2", If_Range=condition).status_code == status


def test_an_unsatisfiable_range_of_another_version_gets_the_whole_file() -> None:
    assert get(Shelf(), Range="bytes=5000-", If_Range='"other"').status_code == 200


def test_large_files_are_read_in_chunks_and_only_where_needed() -> None:
    shelf = Shelf(bytes(3_000_000))
    assert len(body(get(shelf))) == 3_000_000
    assert len(body(get(shelf, Range="bytes=2000000-2999998"))) == 999_999
    assert all(file.most <= 262_144 and file.closed for file in shelf.opened)


def test_a_player_gets_so_much_at_once_that_it_keeps_nobody_waiting() -> None:
    shelf = Shelf(bytes(3 * PLAYED_BYTES))
    playing = get(shelf, Range="bytes=5-", Sec_Fetch_Dest="audio")
    assert (playing.status_code, playing["Content-Length"]) == (206, str(PLAYED_BYTES))
    assert playing["Content-Range"] == f"bytes 5-{PLAYED_BYTES + 4}/{3 * PLAYED_BYTES}"
    assert len(body(playing)) == PLAYED_BYTES
    assert get(shelf, Range="bytes=5-9", Sec_Fetch_Dest="video")["Content-Length"] == "5"
    for other in ({"Sec_Fetch_Dest": "document"}, {}):
        assert get(shelf, Range="bytes=5-", **other)["Content-Length"] == str(3 * PLAYED_BYTES - 5)
    assert get(shelf, Sec_Fetch_Dest="audio").status_code == 200
    whole = get(shelf, download=True, Range="bytes=0-", Sec_Fetch_Dest="audio")
    assert whole["Content-Length"] == str(3 * PLAYED_BYTES)


def test_the_server_may_send_a_file_itself_and_gets_no_more_than_the_range(tmp_path: Path) -> None:
    (tmp_path / "sound").write_bytes(DATA)

    def stood(start: int, stop: int) -> BinaryIO:
        file = (tmp_path / "sound").open("rb")
        file.seek(start)
        return file

    part = get(Shelf(open=stood), Range="bytes=100-199").file_to_stream
    assert os.lseek(part.fileno(), 0, os.SEEK_CUR) == 100
    assert (part.read(64), part.read(64), part.read(64)) == (DATA[100:164], DATA[164:200], b"")
    cut = get(Shelf(open=stood, size=2000)).file_to_stream
    with pytest.raises(io.UnsupportedOperation):
        cut.fileno()
    cut.close()


def test_a_file_is_closed_when_the_answer_is_dropped() -> None:
    shelf = Shelf(bytes(1_000_000))
    unread = get(shelf)
    unread.close()
    half_read = get(shelf)
    next(iter(half_read))
    half_read.close()
    assert [file.closed for file in shelf.opened] == [True, True]


def test_missing_bytes_break_the_connection_and_are_not_made_up() -> None:
    shelf = Shelf(size=2000)
    response = get(shelf)
    with pytest.raises(StoredFileCut):
        b"".join(response)
    assert shelf.opened[0].closed


def test_nginx_is_told_where_the_file_is() -> None:
    shelf = Shelf(accel_path="2026/11/Mond & Flut #1 ü.mp3")
    response = get(shelf, accel_prefix="/protected/", Range="bytes=0-4", If_None_Match=shelf.etag)
    assert response.status_code == 200
    assert response["X-Accel-Redirect"] == "/protected/2026/11/Mond%20%26%20Flut%20%231%20%C3%BC.mp3"
    assert response["Content-Type"] == "audio/mpeg"
    assert "Content-Length" not in response
    assert "ETag" not in response
    assert body(response) == b""
    assert not shelf.opened
    assert "X-Accel-Redirect" not in get(shelf)
    assert "X-Accel-Redirect" not in get(Shelf(), accel_prefix="/protected/")


@pytest.mark.parametrize(
    ("filename", "disposition"),
    [
        ("Lighthouse.mp3", 'attachment; filename="Lighthouse.mp3"'),
        ("月光.mp3", "attachment; filename*=utf-8''%E6%9C%88%E5%85%89.mp3"),
        ('a"b\r\nSet-Cookie: x=1.mp3', 'attachment; filename="a\'b Set-Cookie - x=1.mp3"'),
        ("../../etc/passwd", 'attachment; filename="etc-passwd"'),
        ("", 'attachment; filename="untitled"'),
    ],
)
def test_a_download_has_a_harmless_name(filename: str, disposition: str) -> None:
    assert get(Shelf(filename=filename), download=True)["Content-Disposition"] == disposition


@pytest.mark.parametrize(
    ("content_type", "served", "inline", "sandboxed"),
    [
        ("audio/mpeg", "audio/mpeg", True, False),
        ("AUDIO/MPEG; charset=x", "audio/mpeg", True, False),
        ("image/png", "image/png", True, False),
        ("video/mp4", "video/mp4", True, False),
        ("text/plain", "text/plain; charset=utf-8", True, True),
        ("application/json", "application/json", True, True),
        ("model/gltf-binary", "model/gltf-binary", True, True),
        ("application/zip", "application/zip", False, True),
        ("text/html", "text/plain; charset=utf-8", False, True),
        ("application/xml", "text/plain; charset=utf-8", False, True),
        ("image/svg+xml", "application/octet-stream", False, True),
        ("application/xhtml+xml", "application/octet-stream", False, True),
        ("text/javascript", "application/octet-stream", False, True),
        ("audio/mpeg\r\nX-Evil: 1", "application/octet-stream", False, True),
        ("", "application/octet-stream", False, True),
    ],
)
def test_user_content_never_runs_as_a_page(
    content_type: str, served: str, *, inline: bool, sandboxed: bool
) -> None:
    response = get(Shelf(content_type=content_type))
    assert response["Content-Type"] == served
    assert response["Content-Disposition"].startswith("inline" if inline else "attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response.get("Content-Security-Policy") == ("sandbox; default-src 'none'" if sandboxed else None)


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(shelf: Shelf) -> Iterator[int]:
    """The port of a plain WSGI server that hands out the shelf's file."""

    def application(environ: dict[str, Any], start_response: Any) -> HttpResponseBase:
        response = respond(WSGIRequest(environ), shelf.stored)
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return response

    server: WSGIServer = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_over_a_real_connection_a_range_arrives_byte_for_byte() -> None:
    shelf = Shelf(bytes(range(250)) * 4000)
    with (
        served(shelf) as port,
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection,
    ):
        connection.request("GET", "/", headers={"Range": "bytes=300001-900000"})
        response = connection.getresponse()
        assert (response.status, response.read()) == (206, shelf.data[300_001:900_001])
        connection.request("HEAD", "/")
        response = connection.getresponse()
        assert (response.status, response.headers["Content-Length"], response.read()) == (200, "1000000", b"")
    assert [file.closed for file in shelf.opened] == [True]


def test_the_file_is_closed_when_the_listener_hangs_up() -> None:
    shelf = Shelf(bytes(40_000_000))
    with served(shelf) as port, socket.create_connection(("127.0.0.1", port), timeout=10) as listener:
        listener.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert listener.recv(1000)
    assert shelf.opened[0].closed
