"""A file that is put together while it is read: parts of another file, and bytes of our own between them.

So a tag is taken off or put on without a copy on any disk, and a range of the result costs what it costs of the file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, BinaryIO

from generations.media.placed import Placed

Piece = bytes | tuple[int, int]
"""Bytes of our own, or a part of the file: from its first byte to the one after its last."""


def length(pieces: Sequence[Piece]) -> int:
    """Bytes of the whole."""
    return sum(_length(piece) for piece in pieces)


def is_plain(pieces: Sequence[Piece], size: int) -> bool:
    """Whether the pieces are the file of this size, as it is."""
    return all(isinstance(piece, tuple) for piece in pieces) and _joined(pieces) == [(0, size)]


class Spliced(Placed):
    """The pieces as one seekable file from the byte `at` on, only to be read. Closing it closes the file."""

    def __init__(self, file: BinaryIO, pieces: Sequence[Piece], at: int = 0) -> None:
        self._file = file
        self._pieces = [piece for piece in pieces if _length(piece)]
        self._stops = list(accumulate(_length(piece) for piece in self._pieces))
        self.size = self._stops[-1] if self._stops else 0
        self._at = at

    def readinto(self, buffer: Any) -> int:
        """Up to the end of the piece; 0 at the end, or where the file is shorter than it should be."""
        place = bisect_right(self._stops, self._at)
        if place == len(self._pieces):
            return 0
        piece = self._pieces[place]
        within = self._at - (self._stops[place] - _length(piece))
        most = min(len(buffer), _length(piece) - within)
        if isinstance(piece, bytes):
            data = piece[within : within + most]
        else:
            self._file.seek(piece[0] + within)
            data = self._file.read(most)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _length(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]


def _joined(pieces: Sequence[Piece]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for piece in pieces:
        if isinstance(piece, bytes) or piece[0] == piece[1]:
            continue
        if found and found[-1][1] == piece[0]:
            found[-1] = (found[-1][0], piece[1])
        else:
            found.append(piece)
    return found
