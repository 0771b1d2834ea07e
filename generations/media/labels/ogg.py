"""Ogg: the second packet of a stream holds its comments. Pages of a stream are counted, so the number of pages before
the sound must stay what it was; then no page of the sound changes.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import mutagen.ogg

from generations.media.labels.flac import comments
from generations.media.labels.label import Labels, Opaque
from generations.media.splice import Piece

_Page: Any = mutagen.ogg.OggPage
_VORBIS, _OPUS, _THEORA = b"\x03vorbis", b"OpusTags", b"\x81theora"
_HEADERS = {b"\x01vorbis": 3, b"OpusHead": 2, b"\x80theora": 3}
"""How many packets of a stream come before its sound or pictures."""
_MOST_PAGES = 4096


def ogg(file: BinaryIO, size: int, labels: Labels | None) -> list[Piece]:
    """Where the labels are too long for the pages that are there, as is hardly ever so, they are left out."""
    begins, streams, spans = _beginning(file)
    pieces: list[Piece] = []
    for serial, pages in streams.items():
        renewed = _renewed(pages, begins[serial], labels) or _renewed(pages, begins[serial], None)
        if renewed is None:
            raise Opaque("The comments of this file cannot be taken off.")
        streams[serial] = renewed
    stop = 0
    for serial, _start, end in spans:
        pieces.append(streams[serial].pop(0).write())
        stop = end
    return [*pieces, (stop, size)]


def _beginning(
    file: BinaryIO,
) -> tuple[dict[int, int], dict[int, list[Any]], list[tuple[int, int, int]]]:
    """How many packets each stream begins with, its pages with these, and where every such page lies."""
    file.seek(0)
    wanted: dict[int, int] = {}
    pages: dict[int, list[Any]] = {}
    spans: list[tuple[int, int, int]] = []
    for _ in range(_MOST_PAGES):
        start = file.tell()
        page = _Page(file)
        if page.first:
            wanted[page.serial] = _packets(page)
        if page.serial not in wanted:
            raise Opaque("A page belongs to no stream.")
        pages.setdefault(page.serial, []).append(page)
        spans.append((page.serial, start, file.tell()))
        whole = {serial: len(_Page.to_packets(some, strict=False)) for serial, some in pages.items()}
        unfinished = {serial for serial, some in pages.items() if not some[-1].complete}
        if all(whole[one] >= wanted[one] and one not in unfinished for one in wanted):
            return wanted, pages, spans
    raise Opaque("The file has too many pages before its sound.")


def _packets(page: Any) -> int:
    for head, many in _HEADERS.items():
        if page.packets and page.packets[0].startswith(head):
            return many
    raise Opaque("A stream of this file is of no known kind.")


def _renewed(pages: list[Any], headers: int, labels: Labels | None) -> list[Any] | None:
    """As many pages, with other comments; None when these do not fit."""
    packets = _Page.to_packets(pages, strict=False)
    old = packets[1]
    kind = next((one for one in (_VORBIS, _OPUS, _THEORA) if old.startswith(one)), None)
    if kind is None or len(packets) != headers:
        raise Opaque("The comments of this file are not where they belong.")
    packets[1] = kind + comments(labels) + (b"\x01" if kind == _VORBIS else b"")
    first, rest = pages[0], pages[1:]
    if len(first.packets) != 1:
        raise Opaque("A stream does not begin with a page of its own.")
    size = max(4096, *(sum(map(len, page.packets)) for page in rest))
    for padding in (0, len(old)):
        # Fewer pages than there were are as bad as more; as long as it was, the packet takes as many.
        if padding > len(packets[1]):
            packets[1] = _padded(packets[1], kind, padding)
        made = _Page.from_packets(packets[1:], sequence=rest[0].sequence, default_size=size, wiggle_room=size)
        if len(made) == len(rest):
            for new, was in zip(made, rest, strict=True):
                new.serial, new.position, new.version = was.serial, was.position, was.version
            return [first, *made]
    return None


def _padded(packet: bytes, kind: bytes, size: int) -> bytes:
    """The comments with spaces for the program that wrote them, so many bytes in all."""
    more = size - len(packet)
    at = len(kind)
    return packet[:at] + more.to_bytes(4, "little") + b" " * more + packet[at + 4 :]
