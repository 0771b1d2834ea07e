"""A zip written while it is sent: stored as it is, without a temporary file, in the memory of one block.

Python's own `zipfile` writes to what cannot be sought in, with sizes behind each file and zip64 where needed; sound is
packed already, so nothing is packed again. What is missing is a line in MISSING.txt and not the end of it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, BinaryIO, cast

from generations.media import Opaque
from generations.takeout.source import STORAGE_ERRORS

CHUNK = 256 * 1024
MISSING = "MISSING.txt"
_LIMIT = (1 << 31) - 1
_MOST_ENTRIES = (1 << 16) - 1


@dataclass(frozen=True)
class Entry:
    """A file of the zip. `size` in bytes where it is known before it is read; `open` may raise `FileNotFoundError`."""

    name: str
    size: int | None
    open: Callable[[], BinaryIO]
    modified: datetime


class Shortened(OSError):
    """A file has fewer bytes than the length of the whole was reckoned with; the connection breaks."""


class _Tube:
    """Where `zipfile` writes to, and what was written is taken from."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        data = b"".join(self._written)
        self._written.clear()
        return data


def stream(entries: Iterable[Entry], *, promised: bool = False) -> Iterator[bytes]:
    """The zip in blocks. `promised`: its length was told, so a file that comes out otherwise raises `Shortened`.

    Else a file that is not there or breaks off is named in MISSING.txt at the end.
    """
    tube = _Tube()
    missing: list[str] = []
    with zipfile.ZipFile(cast(IO[bytes], tube), "w", zipfile.ZIP_STORED) as archive:
        last: Entry | None = None
        for entry in entries:
            last = entry
            try:
                source = entry.open()
            except (*STORAGE_ERRORS, Opaque):
                if promised:
                    raise Shortened(entry.name) from None
                missing.append(f"{entry.name}: not in the storage")
                continue
            with source, archive.open(_info(entry), "w", force_zip64=_is_wide(entry)) as target:
                done = 0
                try:
                    while chunk := source.read(CHUNK):
                        target.write(chunk)
                        done += len(chunk)
                        yield tube.take()
                except STORAGE_ERRORS:
                    if promised:
                        raise Shortened(entry.name) from None
                if entry.size is not None and done != entry.size:
                    if promised:
                        raise Shortened(entry.name)
                    missing.append(f"{entry.name}: only {done:,} of {entry.size:,} bytes")
        if missing and last is not None:
            archive.writestr(_info(missing_note(missing, last.modified)), note_text(missing))
        yield tube.take()
    yield tube.take()


def note_text(missing: list[str]) -> bytes:
    """What MISSING.txt says."""
    head = "These files could not be read when this was taken out; all the others are whole.\r\n\r\n"
    return (head + "\r\n".join(missing) + "\r\n").encode()


def missing_note(missing: list[str], modified: datetime) -> Entry:
    """MISSING.txt as an entry, where it is known beforehand what is missing."""
    text = note_text(missing)
    return Entry(MISSING, len(text), lambda: io.BytesIO(text), modified)


def length(entries: Iterable[Entry]) -> int | None:
    """Bytes of the zip of these entries when none is missing; None where a size is not known."""
    at = central = many = 0
    for entry in entries:
        if entry.size is None:
            return None
        name, wide = len(_encoded(entry.name)), _is_wide(entry)
        extra = 8 * (2 * (entry.size > _LIMIT) + (at > _LIMIT))
        central += 46 + name + (extra + 4 if extra else 0)
        at += 30 + name + (20 if wide else 0) + entry.size + (24 if wide else 16)
        many += 1
    big = many > _MOST_ENTRIES or at > _LIMIT or central > _LIMIT
    return at + central + 22 + (76 if big else 0)


def _info(entry: Entry) -> zipfile.ZipInfo:
    year = min(max(entry.modified.year, 1980), 2107)
    info = zipfile.ZipInfo(entry.name, (year, *entry.modified.timetuple()[1:6]))
    info.compress_type = zipfile.ZIP_STORED
    info.external_attr = 0o644 << 16
    return info


def _is_wide(entry: Entry) -> bool:
    """Whether its size may need 64 bits, which is to be known before it is read."""
    return entry.size is None or entry.size * 1.05 > _LIMIT


def _encoded(name: str) -> bytes:
    return name.encode()
