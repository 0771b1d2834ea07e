"""Pictures: what is drawn is kept, what is said beside it goes. They take no labels."""

from __future__ import annotations

import struct
from typing import BinaryIO

from generations.media.labels.label import Labels, Opaque, read
from generations.media.splice import Piece, length

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"pHYs",
    b"acTL", b"fcTL", b"fdAT", b"cICP",
}  # fmt: skip
_WEBP_KEPT = {b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"ICCP"}
_WEBP_SAYS = 0x08 | 0x04
"""The flags of Exif and XMP."""
_MOST_PARTS = 100_000
_JPEG_FRAMES = set(range(0xC0, 0xD0)) | {0xDB, 0xDD}
_SCAN, _END = 0xDA, 0xD9


def png(file: BinaryIO, size: int, labels: Labels | None) -> list[Piece]:
    if read(file, 0, 8) != _PNG:
        raise Opaque("This is no PNG file.")
    kept: list[Piece] = [(0, 8)]
    at = 8
    for _ in range(_MOST_PARTS):
        head = read(file, at, 8)
        stop = at + 12 + int.from_bytes(head[:4], "big")
        if stop > size:
            raise Opaque("A part of the picture is cut off.")
        if head[4:] in _PNG_KEPT:
            kept.append((at, stop))
        if head[4:] == b"IEND":
            return kept
        at = stop
    raise Opaque("The picture has too many parts.")


def jpeg(file: BinaryIO, size: int, labels: Labels | None) -> list[Piece]:
    if read(file, 0, 2) != b"\xff\xd8":
        raise Opaque("This is no JPEG file.")
    kept: list[Piece] = [(0, 2)]
    at = 2
    for _ in range(_MOST_PARTS):
        head = read(file, at, 4)
        if head[0] != 0xFF:
            raise Opaque("The picture is damaged.")
        if head[1] == 0xFF:
            at += 1
            continue
        stop = at + 2 + int.from_bytes(head[2:], "big")
        if stop > size:
            raise Opaque("A part of the picture is cut off.")
        if head[1] == _SCAN:
            return [*kept, *_scans(file, at, size)]
        begins = read(file, at + 4, min(12, stop - at - 4))
        wanted = (
            head[1] in _JPEG_FRAMES
            or (head[1] == 0xE0 and begins.startswith(b"JFIF\0"))
            or (head[1] == 0xE2 and begins.startswith(b"ICC_PROFILE"))
            or (head[1] == 0xEE and begins.startswith(b"Adobe"))
        )
        if wanted:
            kept.append((at, stop))
        at = stop
    raise Opaque("The picture has too many parts.")


def _scans(file: BinaryIO, start: int, size: int) -> list[Piece]:
    """The compressed picture up to its end; between its scans only tables are kept, behind it nothing."""
    data = read(file, start, size - start)
    kept: list[Piece] = []
    at = begun = 0
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        mark = data[at + 1]
        if mark == 0 or mark == 0xFF or 0xD0 <= mark <= 0xD7:
            at += 1 if mark == 0xFF else 2
        elif mark == _END:
            return [*kept, (start + begun, start + at + 2)]
        else:
            stop = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
            if mark not in _JPEG_FRAMES and mark != _SCAN:
                kept.append((start + begun, start + at))
                begun = stop
            at = stop
    raise Opaque("The picture does not end.")


def webp(file: BinaryIO, size: int, labels: Labels | None) -> list[Piece]:
    head = read(file, 0, 12)
    if head[:4] != b"RIFF" or head[8:] != b"WEBP":
        raise Opaque("This is no WebP file.")
    kept: list[Piece] = [b"WEBP"]
    at = 12
    for _ in range(_MOST_PARTS):
        if at + 8 > size:
            return [b"RIFF" + struct.pack("<I", length(kept)), *kept]
        part = read(file, at, 8)
        long = int.from_bytes(part[4:], "little")
        if at + 8 + long > size:
            raise Opaque("A part of the picture is cut off.")
        if part[:4] == b"VP8X":
            flags = bytearray(read(file, at, 8 + long))
            flags[8] &= ~_WEBP_SAYS & 0xFF
            kept.append(bytes(flags))
        elif part[:4] in _WEBP_KEPT:
            kept.append((at, at + 8 + long))
        if part[:4] in _WEBP_KEPT and long % 2:
            kept.append(b"\0")
        at += 8 + long + long % 2
    raise Opaque("The picture has too many parts.")
