"""Containers from outside: is the file whole, what does it hold, how long does it say it is.

Only structure is read, by seeking over contents, so an hour of video costs a few small reads.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_TAIL_BYTES = 65_536
_MAX_PARTS = 10_000
_MOST_BYTES = 2**40
_STREAMED = 0xFFFFFFFF

_SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_TIMESTAMP_SCALE, _DURATION = 0x2AD7B1, 0x4489
_TRACK_ENTRY, _TRACK_TYPE, _AUDIO, _SAMPLING_FREQUENCY, _CHANNELS = 0xAE, 0x83, 0xE1, 0xB5, 0x9F

Span = tuple[int, int]


class NotMedia(ValueError):
    """The file is not the media it should be; the text is one sentence for members."""


CUT = "The file is cut off: it says it is longer than it is."
DAMAGED = "The file is damaged and cannot be read."


@dataclass(frozen=True)
class Tracks:
    """What an MP4 or Matroska file declares; seconds, Hz, and None where it declares nothing."""

    duration: float | None
    has_video: bool
    has_audio: bool
    sample_rate: int | None = None
    channels: int | None = None


def check_riff(file: BinaryIO, size: int) -> None:
    """Refuse a RIFF file (WAV, WebP, AVI) that claims more, or for sound clearly less, than it holds.

    A WAV written to a pipe cannot know its length and says 0xFFFFFFFF; players accept that, so do we.
    """
    header = _at(file, 0, 12)
    declared = int.from_bytes(header[4:8], "little")
    if header[8:12] != b"WAVE":
        if declared + 8 > size + 1:
            raise NotMedia(CUT)
        return
    if header[:4] == b"RF64" or declared == _STREAMED:
        return
    at, heard, slack = 12, False, 1024 + size // 100
    while at + 8 <= size:
        part = _at(file, at, 8)
        length = int.from_bytes(part[4:8], "little")
        if part[:4] == b"data" and length == _STREAMED:
            return
        if not (part[:4].isascii() and part[:4].decode("ascii").isprintable()):
            break
        if at + 8 + length > size + slack:
            if not heard:
                raise NotMedia(CUT)
            break
        heard = heard or part[:4] == b"data"
        at += 8 + length + (length & 1)
    if not heard:
        raise NotMedia(DAMAGED)
    if size - at > slack:
        raise NotMedia("The file is damaged: its header says it is shorter than it is.")


def check_aiff(file: BinaryIO, size: int) -> None:
    """Refuse an AIFF file that claims more bytes than it holds."""
    if int.from_bytes(_at(file, 4, 4), "big") + 8 > size + 1:
        raise NotMedia(CUT)


def check_picture(file: BinaryIO, size: int, extension: str) -> None:
    """Refuse a PNG, JPEG or GIF whose end is missing, or a PNG without a size."""
    tail = _at(file, max(0, size - _TAIL_BYTES), _TAIL_BYTES)
    if extension == "png" and (b"IEND" not in tail or b"\0\0\0\0" in (_at(file, 16, 4), _at(file, 20, 4))):
        raise NotMedia(CUT)
    if extension == "jpg" and b"\xff\xd9" not in tail:
        raise NotMedia(CUT)
    if extension == "gif" and not tail.rstrip(b"\0").endswith(b";"):
        raise NotMedia(CUT)


def check_glb(file: BinaryIO, size: int) -> None:
    """Refuse a binary glTF file that claims more bytes than it holds."""
    if int.from_bytes(_at(file, 8, 4), "little") > size:
        raise NotMedia(CUT)


def mp4_tracks(file: BinaryIO, size: int) -> Tracks:
    """The tracks of an MP4, M4A or MOV file; NotMedia when it is cut or has no index."""
    for kind, _, end in _boxes(file, 0, size):
        if end > size and kind in {b"moov", b"mdat", b"moof"}:
            raise NotMedia(CUT)
    duration, handlers = None, set()
    for movie in _named(file, (0, size), b"moov"):
        for start, end in _named(file, movie, b"mvhd"):
            duration = _mp4_duration(_at(file, start, min(end - start, 32)))
        for track in _named(file, movie, b"trak"):
            for media in _named(file, track, b"mdia"):
                handlers |= {_at(file, start + 8, 4) for start, _ in _named(file, media, b"hdlr")}
    if not handlers:
        raise NotMedia(DAMAGED)
    return Tracks(duration, b"vide" in handlers, b"soun" in handlers)


def check_heif(file: BinaryIO, size: int) -> None:
    """Refuse an AVIF or HEIC picture that is cut or has no index."""
    kinds = set()
    for kind, _, end in _boxes(file, 0, size):
        if end > size:
            raise NotMedia(CUT)
        kinds.add(kind)
    if not kinds & {b"meta", b"moov"}:
        raise NotMedia(DAMAGED)


def matroska_tracks(file: BinaryIO, size: int) -> Tracks:
    """The tracks of a WebM or Matroska file. A live recording declares no duration, and that is no fault."""
    segment = next(iter(_children(file, (0, size)).get(_SEGMENT, [])), None)
    if segment is None:
        raise NotMedia(DAMAGED)
    if segment[1] > size:
        raise NotMedia(CUT)
    parts = _children(file, segment)
    duration, kinds, rate, channels = None, set(), None, None
    for span in parts.get(_INFO, []):
        info = _children(file, span)
        scale = int.from_bytes(_value(file, info, _TIMESTAMP_SCALE), "big") or 1_000_000
        ticks = _ebml_float(_value(file, info, _DURATION))
        duration = ticks * scale / 1e9 if ticks else None
    for tracks in parts.get(_TRACKS, []):
        for span in _children(file, tracks).get(_TRACK_ENTRY, []):
            entry = _children(file, span)
            kinds.add(int.from_bytes(_value(file, entry, _TRACK_TYPE), "big"))
            for audio in entry.get(_AUDIO, []):
                figures = _children(file, audio)
                rate = int(_ebml_float(_value(file, figures, _SAMPLING_FREQUENCY)) or 0) or None
                channels = int.from_bytes(_value(file, figures, _CHANNELS), "big") or None
    if not kinds & {1, 2}:
        raise NotMedia(DAMAGED)
    return Tracks(duration, 1 in kinds, 2 in kinds, rate, channels)


def _at(file: BinaryIO, offset: int, count: int) -> bytes:
    if offset >= _MOST_BYTES:  # a length of 64 bits may point where no file reaches and seeking fails
        return b""
    file.seek(offset)
    return file.read(max(0, count))


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, start of contents, end) of each MP4 box; the last end may lie beyond `end` in a cut file."""
    for _ in range(_MAX_PARTS):
        header = _at(file, start, 16)
        if start + 8 > end or len(header) < 8:
            return
        length, inner = int.from_bytes(header[:4], "big"), 8
        if length == 1:
            length, inner = int.from_bytes(header[8:16], "big"), 16
        if length == 0:
            length = end - start
        if length < inner:
            return
        yield header[4:8], start + inner, start + length
        start += length


def _named(file: BinaryIO, within: Span, name: bytes) -> list[Span]:
    return [(start, end) for kind, start, end in _boxes(file, *within) if kind == name]


def _mp4_duration(mvhd: bytes) -> float | None:
    form = ">12xII" if mvhd[:1] == b"\0" else ">20xIQ"
    if len(mvhd) < struct.calcsize(form):
        return None
    scale, ticks = struct.unpack_from(form, mvhd)
    unknown = 0xFFFFFFFF if form == ">12xII" else 0xFFFFFFFFFFFFFFFF
    return ticks / scale if scale and ticks and ticks != unknown else None


def _elements(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(id, start of contents, end) of each EBML element; an element of unknown size reaches to `end`."""
    for _ in range(_MAX_PARTS):
        header = _at(file, start, 12)
        if start >= end or len(header) < 2 or header[0] < 0x10:
            return
        id_length = 9 - header[0].bit_length()
        rest = header[id_length:]
        if not rest or rest[0] == 0:
            return
        size_length = 9 - rest[0].bit_length()
        if len(rest) < size_length:
            return
        mask = (1 << 7 * size_length) - 1
        length = int.from_bytes(rest[:size_length], "big") & mask
        inner = start + id_length + size_length
        stop = end if length == mask else inner + length
        yield int.from_bytes(header[:id_length], "big"), inner, stop
        start = stop


def _children(file: BinaryIO, within: Span) -> dict[int, list[Span]]:
    """The elements inside a span by id, up to the first cluster: there the contents begin."""
    found: dict[int, list[Span]] = {}
    for name, start, end in _elements(file, *within):
        if name == _CLUSTER:
            break
        found.setdefault(name, []).append((start, end))
    return found


def _value(file: BinaryIO, elements: dict[int, list[Span]], name: int) -> bytes:
    for start, end in elements.get(name, [])[:1]:
        return _at(file, start, min(end - start, 8))
    return b""


def _ebml_float(value: bytes) -> float | None:
    if len(value) not in (4, 8):
        return None
    number: float = struct.unpack(">f" if len(value) == 4 else ">d", value)[0]
    return number if 0 < number < 1e15 else None
