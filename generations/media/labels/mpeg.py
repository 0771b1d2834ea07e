"""Sound that is a bare row of frames: its labels stand before and behind it."""

from __future__ import annotations

from typing import BinaryIO

from generations.media.frames import id3_end
from generations.media.labels.label import Labels, Opaque, read
from generations.media.labels.riff import id3_of
from generations.media.splice import Piece

_V1, _APE, _LYRICS = 128, 32, b"LYRICS200"
_MOST_TAGS = 16


def mp3(file: BinaryIO, size: int, labels: Labels | None) -> list[Piece]:
    start, stop = _sound(file, size)
    return [(start, stop)] if labels is None else [id3_of(labels), (start, stop)]


def aac(file: BinaryIO, size: int, labels: Labels | None) -> list[Piece]:
    return [_sound(file, size)]


def _sound(file: BinaryIO, size: int) -> tuple[int, int]:
    """Where the frames begin and end."""
    start, stop = 0, size
    for _ in range(_MOST_TAGS):
        found = id3_end(read(file, start, min(10, size - start)))
        if not found:
            break
        start += found
    for _ in range(_MOST_TAGS):
        shorter = _before_tag(file, start, stop)
        if shorter == stop:
            break
        stop = shorter
    if start >= stop:
        raise Opaque("There is nothing between the tags.")
    return start, stop


def _before_tag(file: BinaryIO, start: int, stop: int) -> int:
    """Where the last tag begins; `stop` when there is none."""
    tail = read(file, max(start, stop - 160), min(160, stop - start))
    if tail[-_V1 : -_V1 + 3] == b"TAG":
        return stop - _V1
    if tail[-_APE:].startswith(b"APETAGEX"):
        footer = tail[-_APE:]
        has_head = int.from_bytes(footer[20:24], "little") & 0x80000000
        return max(start, stop - int.from_bytes(footer[12:16], "little") - (_APE if has_head else 0))
    if tail.endswith(_LYRICS) and tail[-15:-9].isdigit():
        return max(start, stop - int(tail[-15:-9]) - 15)
    if tail[-10:-7] == b"3DI" and max(tail[-4:]) < 0x80:
        a, b, c, d = tail[-4:]
        return max(start, stop - (a << 21 | b << 14 | c << 7 | d) - 20)
    return stop
