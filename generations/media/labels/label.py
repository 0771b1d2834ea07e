"""The labels, and reading what holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO


class Opaque(ValueError):
    """The container cannot be read, so it is not known what the file says about itself."""


@dataclass(frozen=True)
class Labels:
    """What players show of a file. Empty: not said. `date` is a day such as 2026-05-31."""

    title: str = ""
    artist: str = ""
    album: str = ""
    date: str = ""
    comment: str = ""

    def given(self) -> dict[str, str]:
        """Those that say something, by their names."""
        return {name: value for name, value in vars(self).items() if value}


def read(file: BinaryIO, start: int, length: int) -> bytes:
    """Exactly so many bytes from there, else `Opaque`."""
    file.seek(start)
    data = b""
    while len(data) < length:
        more = file.read(length - len(data))
        if not more:
            raise Opaque("The file ends too early.")
        data += more
    return data
