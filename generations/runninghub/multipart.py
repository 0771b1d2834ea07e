"""One file as a multipart form, read while it is being sent."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from typing import BinaryIO

_BLOCK = 64 * 1024


class MultipartFile:
    """The body of a form with a single file field; its length is known before anything is read.

    ``file`` must be seekable and is sent from its beginning. Only one block of it is in memory at a time.
    """

    def __init__(self, file: BinaryIO, *, field: str, name: str, content_type: str) -> None:
        self.boundary = secrets.token_hex(16)
        if not re.fullmatch(r"[\w.+-]+/[\w.+-]+", content_type, re.ASCII):
            content_type = "application/octet-stream"
        self._head = (
            f"--{self.boundary}\r\n"
            f'Content-Disposition: form-data; name="{field}"; filename="{_quoted(name)}"\r\n'
            f"Content-Type: {content_type}\r\n\r\n"
        ).encode("utf-8", "replace")
        self._tail = f"\r\n--{self.boundary}--\r\n".encode()
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        self._blocks = self._read_all()

    @property
    def content_type(self) -> str:
        return f"multipart/form-data; boundary={self.boundary}"

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        return self._blocks

    def _read_all(self) -> Iterator[bytes]:
        yield self._head
        self._file.seek(0)
        left = self._size
        while left:
            block = self._file.read(min(_BLOCK, left))
            if not block:
                # Without this the other side would wait for bytes that never come.
                raise OSError("the file became shorter while it was being sent")
            left -= len(block)
            yield block
        yield self._tail


def _quoted(name: str) -> str:
    """A file name inside the quotes of a header, as browsers write it."""
    name = "".join(" " if ord(c) < 32 or ord(c) == 127 else c for c in os.path.basename(name))
    return name.replace('"', "%22").replace("\\", "%5C") or "file"
