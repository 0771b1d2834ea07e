"""Where the bytes come from: a seekable file of which only what is read is fetched, on a disk or in a bucket."""

from __future__ import annotations

import io
from typing import Any, BinaryIO, cast

from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from generations.media.placed import Placed
from generations.models import Output

STORAGE_ERRORS = (OSError, BotoCoreError, ClientError)
_GONE = {"404", "NoSuchKey", "NotFound"}


def open_output(output: Output) -> BinaryIO:
    """The file of an output, or its text as if it were one. Raises `FileNotFoundError`, `STORAGE_ERRORS`."""
    if not output.file:
        return io.BytesIO(output.text.encode())
    storage: Any = output.file.storage
    name = str(output.file.name)
    if hasattr(storage, "bucket"):
        return cast(BinaryIO, _InBucket(storage, name, output.bytes))
    return cast(BinaryIO, storage.open(name, "rb"))


class _InBucket(Placed):
    """An object of a bucket, asked for from where it is read on. The storage's own file would first fetch it whole
    into memory.
    """

    def __init__(self, storage: Any, name: str, size: int) -> None:
        self._object = storage.bucket.Object(storage._normalize_name(name))
        self.size = size
        self._body: Any = None
        self._reads_at = -1
        if size:
            self._ask()

    def readinto(self, buffer: Any) -> int:
        if self._at >= self.size:
            return 0
        if self._reads_at != self._at:
            self._ask()
        data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        self._reads_at = self._at
        return len(data)

    def close(self) -> None:
        self._let_go()
        super().close()

    def _ask(self) -> None:
        self._let_go()
        try:
            self._body = self._object.get(Range=f"bytes={self._at}-")["Body"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _GONE:
                raise FileNotFoundError(self._object.key) from None
            raise
        self._reads_at = self._at

    def _let_go(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None
