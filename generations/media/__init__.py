"""Bytes: what a file really is, how long it sounds, how its waveform looks, and how a browser gets it.

Nothing here reads a row, a setting or the network; values come in as arguments. The bytes that were
given are the bytes that are kept and served: no function here changes a stored file.
"""

from __future__ import annotations

from .containers import NotMedia
from .convert import DECODED, convert, target
from .filenames import safe_filename
from .film import film
from .labels import Labels, Opaque, is_cleaned, labelled
from .peaks import ROW_BARS, STAGE_BARS
from .posters import CONTENT_TYPE as POSTER_TYPE
from .posters import EXTENSION as POSTER_EXTENSION
from .posters import Poster, picture_size, poster
from .probe import Probe, pcm_to_wav, probe, read_text
from .ranges import StoredFile, StoredFileCut, respond
from .sniff import SNIFF_BYTES, MediaType, sniff
from .splice import Piece, Spliced

__all__ = [
    "DECODED",
    "POSTER_EXTENSION",
    "POSTER_TYPE",
    "ROW_BARS",
    "SNIFF_BYTES",
    "STAGE_BARS",
    "Labels",
    "MediaType",
    "NotMedia",
    "Opaque",
    "Piece",
    "Poster",
    "Probe",
    "Spliced",
    "StoredFile",
    "StoredFileCut",
    "convert",
    "film",
    "is_cleaned",
    "labelled",
    "pcm_to_wav",
    "picture_size",
    "poster",
    "probe",
    "read_text",
    "respond",
    "safe_filename",
    "sniff",
    "target",
]
