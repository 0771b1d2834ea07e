"""Files of chunks: WAV (RIFF and RF64) and AIFF. Their labels stand in chunks of their own."""

from __future__ import annotations

import io
import struct
from collections.abc import Collection
from typing import Any, BinaryIO

import mutagen.id3

from generations.media.labels.label import Labels, Opaque, read
from generations.media.splice import Piece, length

_WAV_KEPT = {b"fmt ", b"data", b"fact", b"ds64"}
_AIFF_KEPT = {b"COMM", b"SSND", b"FVER"}
_INFO = {"title": b"INAM", "artist": b"IART", "album": b"IPRD", "date": b"ICRD", "comment": b"ICMT"}
_STREAMED = 0xFFFFFFFF
_MOST_CHUNKS = 10_000


def wav(file: BinaryIO, size: int, labels: Labels | None) -> list[Piece]:
    """A file written to a pipe does not know its length and is all sound up to its end: it takes no labels."""
    head = read(file, 0, 12)
    if head[:4] not in (b"RIFF", b"RF64") or head[8:12] != b"WAVE":
        raise Opaque("This is no WAV file.")
    kept, to_the_end = _chunks(file, size, _WAV_KEPT, "little", wide=head[:4] == b"RF64")
    body: list[Piece] = [b"WAVE", *kept]
    if labels is not None and not to_the_end and head[:4] == b"RIFF":
        body.append(_list(labels))
        body.append(_id3(labels))
    if head[:4] == b"RF64":
        # The sizes stand in ds64, whose own place is the first one and whose first figure is that of the whole.
        return _rf64(file, head, body)
    total = length(body)
    said = _STREAMED if to_the_end and int.from_bytes(head[4:8], "little") == _STREAMED else total
    if said > _STREAMED:
        raise Opaque("This WAV file is larger than it can say.")
    return [b"RIFF" + struct.pack("<I", said), *body]


def aiff(file: BinaryIO, size: int, labels: Labels | None) -> list[Piece]:
    head = read(file, 0, 12)
    if head[:4] != b"FORM" or head[8:12] not in (b"AIFF", b"AIFC"):
        raise Opaque("This is no AIFF file.")
    kept, _ = _chunks(file, size, _AIFF_KEPT, "big")
    body: list[Piece] = [head[8:12], *kept]
    if labels is not None:
        tag = id3_of(labels)
        body.append(b"ID3 " + struct.pack(">I", len(tag)) + tag + bytes(len(tag) % 2))
    return [b"FORM" + struct.pack(">I", length(body)), *body]


def id3_of(labels: Labels) -> bytes:
    """An ID3v2.3 tag, which every player reads."""
    id3: Any = mutagen.id3
    frames = {"title": id3.TIT2, "artist": id3.TPE1, "album": id3.TALB, "date": id3.TDRC}
    tag = id3.ID3()
    for name, value in labels.given().items():
        if name == "comment":
            tag.add(id3.COMM(encoding=3, lang="eng", desc="", text=[value]))
        else:
            tag.add(frames[name](encoding=3, text=[value]))
    tag.update_to_v23()
    out = io.BytesIO()
    tag.save(out, v1=0, v2_version=3, padding=lambda info: 0)
    return out.getvalue()


def _chunks(
    file: BinaryIO, size: int, wanted: Collection[bytes], order: str, *, wide: bool = False
) -> tuple[list[Piece], bool]:
    """The chunks that are kept; whether the last one is sound that does not say where it ends."""
    kept: list[Piece] = []
    at, data_bytes = 12, None
    for _ in range(_MOST_CHUNKS):
        if at + 8 > size:
            return kept, False
        head = read(file, at, 8)
        name = head[:4]
        long = int.from_bytes(head[4:], "little" if order == "little" else "big")
        if wide and name == b"ds64":
            data_bytes = int.from_bytes(read(file, at + 16, 8), "little")
        if name == b"data" and wide and data_bytes is not None and long == _STREAMED:
            long = data_bytes
        stop = at + 8 + long
        if stop > size:
            if name != b"data" or not kept:
                # A part that is not there any more says nothing either.
                return kept, False
            return [*kept, (at, size)], True
        if name in wanted:
            kept.append((at, stop))
            if long % 2:
                kept.append(b"\0")
        at = stop + long % 2
    raise Opaque("The file has too many parts.")


def _rf64(file: BinaryIO, head: bytes, body: list[Piece]) -> list[Piece]:
    if len(body) < 2 or isinstance(body[1], bytes) or read(file, body[1][0], 4) != b"ds64":
        raise Opaque("The sizes of this file are not where they belong.")
    start, stop = body[1]
    sizes = bytearray(read(file, start, stop - start))
    sizes[8:16] = struct.pack("<Q", length(body))
    return [head[:8], body[0], bytes(sizes), *body[2:]]


def _list(labels: Labels) -> bytes:
    """What Windows and editors of sound show."""
    entries = b"INFO"
    for name, value in labels.given().items():
        text = value.encode() + b"\0"
        entries += _INFO[name] + struct.pack("<I", len(text)) + text + bytes(len(text) % 2)
    return b"LIST" + struct.pack("<I", len(entries)) + entries


def _id3(labels: Labels) -> bytes:
    tag = id3_of(labels)
    return b"id3 " + struct.pack("<I", len(tag)) + tag + bytes(len(tag) % 2)
