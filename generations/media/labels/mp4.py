"""MP4 and its kin: boxes in boxes. The index (`moov`) is written anew without what it says beside the tracks; where it
stands before the sound, the places it gives are moved by as much as it became shorter or longer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from generations.media.labels.label import Labels, Opaque, read
from generations.media.splice import Piece

_KEPT = {b"ftyp", b"moov", b"mdat", b"styp", b"sidx", b"moof", b"mfra"}
_INSIDE = {
    b"moov": {b"mvhd", b"trak", b"mvex", b"iods"},
    b"trak": {b"tkhd", b"edts", b"mdia", b"tref"},
    b"mdia": {b"mdhd", b"hdlr", b"minf"},
    b"minf": {b"vmhd", b"smhd", b"nmhd", b"hmhd", b"sthd", b"dinf", b"stbl"},
}
_NAMES = {
    "title": b"\xa9nam",
    "artist": b"\xa9ART",
    "album": b"\xa9alb",
    "date": b"\xa9day",
    "comment": b"\xa9cmt",
}
_MOST_BOXES = 100_000
_MOST_INDEX = 256 * 1024**2
_HANDLER_NAME = 24


def mp4(file: BinaryIO, size: int, labels: Labels | None) -> list[Piece]:
    """Films in fragments give places in many boxes, so they are rid of their labels in place and take no others."""
    boxes = list(_boxes(file, size))
    moov = next((box for box in boxes if box[0] == b"moov"), None)
    if moov is None or moov[2] - moov[1] > _MOST_INDEX:
        raise Opaque("This file has no index.")
    index = read(file, moov[1], moov[2] - moov[1])
    if any(name == b"moof" for name, _, _ in boxes):
        return [_in_place(name, start, stop, index) for name, start, stop in boxes]
    written = _box(b"moov", _tidy(b"moov", index[8:]) + (_user_data(labels) if labels else b""))
    kept = [box for box in boxes if box[0] in _KEPT]
    moves: list[tuple[int, int]] = []
    at = 0
    for name, start, stop in kept:
        moves.append((start, at - start))
        at += len(written) if name == b"moov" else stop - start
    written = _moved(written, moves)
    return [written if name == b"moov" else (start, stop) for name, start, stop in kept]


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    at = 0
    for _ in range(_MOST_BOXES):
        if at >= size:
            return
        head = read(file, at, 8)
        long = int.from_bytes(head[:4], "big")
        if long == 1:
            long = int.from_bytes(read(file, at + 8, 8), "big")
            if head[4:] == b"moov":
                raise Opaque("This index is written in an unusual way.")
        elif long == 0:
            long = size - at
        if long < 8 or at + long > size:
            raise Opaque("A part of the file is cut off.")
        yield head[4:], at, at + long
        at += long
    raise Opaque("The file has too many parts.")


def _children(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        long = int.from_bytes(data[at : at + 4], "big")
        if long < 8 or at + long > len(data):
            raise Opaque("A part of the index is cut off.")
        yield data[at + 4 : at + 8], data[at + 8 : at + long]
        at += long


def _box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data) + 8) + name + data


def _tidy(parent: bytes, data: bytes) -> bytes:
    """The boxes inside that are needed, and a handler without its name."""
    written = b""
    for name, inside in _children(data):
        if name not in _INSIDE[parent]:
            continue
        if name == b"hdlr":
            inside = inside[:_HANDLER_NAME] + b"\0"
        written += _box(name, _tidy(name, inside) if name in _INSIDE else inside)
    return written


def _in_place(name: bytes, start: int, stop: int, index: bytes) -> Piece:
    """The box, or as many bytes that say nothing."""
    if name == b"moov":
        tidy = _tidy(b"moov", index[8:])
        spare = len(index) - 8 - len(tidy)
        if 0 < spare < 8:
            raise Opaque("This index cannot be made shorter.")
        return _box(b"moov", tidy + (_box(b"free", bytes(spare - 8)) if spare else b""))
    return (start, stop) if name in _KEPT else _box(b"free", bytes(stop - start - 8))


def _moved(moov: bytes, moves: list[tuple[int, int]]) -> bytes:
    """The index with every place that it gives moved as the box moved in which it lies."""
    found = bytearray(moov)

    def new_place(place: int) -> int:
        return place + next((by for start, by in reversed(moves) if place >= start), 0)

    def walk(start: int, stop: int) -> None:
        at = start
        while at + 8 <= stop:
            long, name = int.from_bytes(found[at : at + 4], "big"), bytes(found[at + 4 : at + 8])
            if name in (b"trak", b"mdia", b"minf", b"stbl"):
                walk(at + 8, at + long)
            elif name in (b"stco", b"co64"):
                width, code = (4, ">I") if name == b"stco" else (8, ">Q")
                many = int.from_bytes(found[at + 12 : at + 16], "big")
                if 16 + many * width > long:
                    raise Opaque("The index gives fewer places than it says.")
                for entry in range(at + 16, at + 16 + many * width, width):
                    (place,) = struct.unpack_from(code, found, entry)
                    moved = new_place(place)
                    if moved >= 256**width:
                        raise Opaque("The file would be too large for its index.")
                    struct.pack_into(code, found, entry, moved)
            at += long

    if any(by for _start, by in moves):
        walk(8, len(found))
    return bytes(found)


def _user_data(labels: Labels) -> bytes:
    entries = b"".join(
        _box(_NAMES[name], _box(b"data", struct.pack(">II", 1, 0) + value.encode()))
        for name, value in labels.given().items()
    )
    handler = _box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    return _box(b"udta", _box(b"meta", bytes(4) + handler + _box(b"ilst", entries)))
