"""FLAC: blocks before the sound, of which one holds comments."""

from __future__ import annotations

import struct
from typing import BinaryIO

from generations.media.frames import id3_end
from generations.media.labels.label import Labels, Opaque, read
from generations.media.splice import Piece

_STREAMINFO, _SEEKTABLE, _COMMENT = 0, 3, 4
_MOST_BLOCKS = 1000


def flac(file: BinaryIO, size: int, labels: Labels | None) -> list[Piece]:
    at = id3_end(read(file, 0, min(10, size)))
    if read(file, at, 4) != b"fLaC":
        raise Opaque("This is no FLAC file.")
    at += 4
    blocks: list[tuple[int, bytes]] = []
    for _ in range(_MOST_BLOCKS):
        head = read(file, at, 4)
        kind, long = head[0] & 0x7F, int.from_bytes(head[1:], "big")
        if kind in (_STREAMINFO, _SEEKTABLE):
            blocks.append((kind, read(file, at + 4, long)))
        at += 4 + long
        if head[0] & 0x80:
            break
    else:
        raise Opaque("The file has too many blocks.")
    if not blocks or blocks[0][0] != _STREAMINFO or at > size:
        raise Opaque("The file does not say what it holds.")
    # An empty comment too: some players take a file without one for broken.
    blocks.append((_COMMENT, comments(labels)))
    written = b"fLaC"
    for place, (kind, data) in enumerate(blocks):
        last = 0x80 if place == len(blocks) - 1 else 0
        written += bytes([kind | last]) + len(data).to_bytes(3, "big") + data
    return [written, (at, size)]


def comments(labels: Labels | None) -> bytes:
    """The labels as Vorbis comments, without a program that wrote them."""
    pairs = [f"{name.upper()}={value}".encode() for name, value in (labels.given() if labels else {}).items()]
    listed = b"".join(struct.pack("<I", len(pair)) + pair for pair in pairs)
    return struct.pack("<II", 0, len(pairs)) + listed
