"""What a file says about itself: taken off, or put on, without touching its sound or picture.

Whatever made a file may have written into it: the id of a task, a prompt, a program, a date. A file for outsiders keeps
only those parts of its container that are known to be needed to play or show it; what is not known to be needed goes.
A file for the team can carry title, author, album and a comment instead.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import BinaryIO

import mutagen

from generations.media.labels import flac, mp4, mpeg, ogg, pictures, riff
from generations.media.labels.label import Labels, Opaque
from generations.media.splice import Piece

__all__ = ["CLEANED", "Labels", "Opaque", "is_cleaned", "labelled"]

_READERS: Mapping[str, Callable[[BinaryIO, int, Labels | None], list[Piece]]] = {
    "wav": riff.wav,
    "aiff": riff.aiff,
    "mp3": mpeg.mp3,
    "aac": mpeg.aac,
    "flac": flac.flac,
    "ogg": ogg.ogg,
    "opus": ogg.ogg,
    "ogv": ogg.ogg,
    "m4a": mp4.mp4,
    "mp4": mp4.mp4,
    "mov": mp4.mp4,
    "png": pictures.png,
    "jpg": pictures.jpeg,
    "webp": pictures.webp,
    "pcm": lambda file, size, labels: [(0, size)],
}
CLEANED = frozenset(_READERS)
"""Endings of the files from which everything can be taken off that they say about themselves."""


def is_cleaned(extension: str) -> bool:
    """Whether files of this ending can be rid of what they say about themselves."""
    return extension.lower() in CLEANED


def labelled(file: BinaryIO, size: int, extension: str, labels: Labels | None) -> list[Piece]:
    """The pieces of the file with `labels` in place of what it said about itself; None: it says nothing any more.

    Sounds take labels where their container has a place for them; pictures and bare sound are merely rid of what they
    said. Only the container is read. Raises `Opaque` where the file is not what its ending says, or of a kind of
    which it is not known what it may hold.
    """
    reader = _READERS.get(extension.lower())
    if reader is None:
        raise Opaque(f"What {extension} files may say about themselves is not known.")
    try:
        return reader(file, size, labels)
    except (ValueError, IndexError, EOFError, struct.error, mutagen.MutagenError) as error:
        raise Opaque(f"This {extension} file cannot be read.") from error
