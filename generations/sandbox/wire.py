"""The mechanics of HTTP: bodies in, answers out, files with Range, connections cut on purpose."""

from __future__ import annotations

import json
import re
import socket
import struct
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

MAX_BODY = 512 * 1024 * 1024
CHUNK = 64 * 1024
TYPES = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "pcm": "application/octet-stream",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "txt": "text/plain; charset=utf-8",
    "png": "image/png",
    "jpg": "image/jpeg",
    "mp4": "video/mp4",
}


class BadRequest(Exception):
    """The request cannot be read; answered with HTTP 400 and the text."""


class Gone(Exception):
    """The client has left, or the connection was cut by the script; nothing more is to be sent."""


class Wire(BaseHTTPRequestHandler):
    """A request handler without routes."""

    protocol_version = "HTTP/1.1"
    server_version = "Sandbox/1"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = 300

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: what happened is in the sandbox's own log."""

    def read_body(self) -> bytes:
        """The whole body, by Content-Length or chunked. Raises BadRequest."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunked()
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > MAX_BODY:
            raise BadRequest("Content-Length is wrong or too large.")
        data = self.rfile.read(int(length))
        if len(data) < int(length):
            raise Gone
        return data

    def _read_chunked(self) -> bytes:
        parts: list[bytes] = []
        total = 0
        while True:
            try:
                size = int(self.rfile.readline(64).split(b";")[0].strip() or b"x", 16)
            except ValueError:
                raise BadRequest("A chunk has no size.") from None
            total += size
            if size < 0 or total > MAX_BODY:
                raise BadRequest("The body is too large.")
            if size == 0:
                while self.rfile.readline(8192).strip():
                    pass
                return b"".join(parts)
            parts.append(self.rfile.read(size))
            self.rfile.readline(8)

    def send(
        self, status: int, data: bytes, content_type: str = "application/json; charset=utf-8", **headers: str
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def send_json(self, payload: Any, status: int = 200) -> None:
        self.send(status, json.dumps(payload, ensure_ascii=False).encode())

    def reset(self) -> None:
        """Drop the connection with a TCP reset, as a line does that breaks. Raises Gone."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()
        raise Gone

    def send_file(self, path: Path, content_type: str) -> int:
        """A file with Range, If-Range and HEAD; returns the number of bytes sent."""
        size, changed = path.stat().st_size, path.stat().st_mtime
        etag = f'"{path.name}-{size}"'
        span = self._span(size, etag)
        if span is None:
            self.send(416, b"", content_type, Content_Range=f"bytes */{size}", Accept_Ranges="bytes")
            return 0
        first, last = span
        partial = (first, last) != (0, size - 1)
        self.send_response(206 if partial else 200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", etag)
        self.send_header("Last-Modified", formatdate(changed, usegmt=True))
        if partial:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        if self.command == "HEAD":
            return 0
        left = last - first + 1
        with path.open("rb") as source:
            source.seek(first)
            while left:
                piece = source.read(min(CHUNK, left))
                if not piece:
                    break
                self.wfile.write(piece)
                left -= len(piece)
        return last - first + 1 - left

    def _span(self, size: int, etag: str) -> tuple[int, int] | None:
        """First and last byte asked for; the whole file without a usable range, None for a 416."""
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", "").strip())
        fresh = self.headers.get("If-Range", etag) == etag
        if not match or not fresh or match.group(0) == "bytes=-":
            return 0, size - 1
        start, end = match.groups()
        if not start:
            return (max(size - int(end), 0), size - 1) if int(end) and size else None
        first, last = int(start), min(int(end), size - 1) if end else size - 1
        return (first, last) if first <= last else None

    def send_slowly(self, data: bytes, content_type: str, per_second: float) -> None:
        """All the bytes, in ten pieces a second."""
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        step = max(int(per_second / 10), 1)
        for start in range(0, len(data), step):
            self.wfile.write(data[start : start + step])
            self.wfile.flush()
            time.sleep(0.1)

    def send_cut(self, data: bytes, content_type: str, share: float) -> int:
        """Promise everything, send a share of it, close."""
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        piece = data[: int(len(data) * share)]
        self.wfile.write(piece)
        self.wfile.flush()
        self.close_connection = True
        return len(piece)

    def send_endless(self, data: bytes, content_type: str) -> None:
        """The same bytes over and over, chunked, until the client leaves."""
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        piece = (data * (CHUNK // max(len(data), 1) + 1))[:CHUNK]
        while True:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.flush()


def multipart(body: bytes, content_type: str) -> dict[str, tuple[str, str, bytes]]:
    """Field name -> (file name, content type, bytes) of a multipart form; {} when it is none."""
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if not content_type.lower().startswith("multipart/form-data") or not found:
        return {}
    fields: dict[str, tuple[str, str, bytes]] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + found.group(1).encode())[1:-1]:
        head, gap, data = part.lstrip(b"\r\n").partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "replace")
        name = re.search(r'[; ]name="([^"]*)"', lines)
        if not gap or not name:
            continue
        file = re.search(r'filename="([^"]*)"', lines)
        kind = re.search(r"(?im)^content-type:\s*(\S+)", lines)
        fields[name.group(1)] = (file.group(1) if file else "", kind.group(1) if kind else "", data)
    return fields
