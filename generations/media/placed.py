"""What is read from a place that one can set, at the cost of what is read from there on."""

from __future__ import annotations

import io


class Placed(io.RawIOBase):
    """A seekable file of `size` bytes, only to be read. Who reads on sets `_at`, the place of the next byte."""

    size: int
    _at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, start + offset)
        return self._at
