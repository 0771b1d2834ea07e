"""Bytes: what a file really is, how long it sounds, how its waveform looks, and how a browser gets it.

Nothing here reads a row, a setting or the network; values come in as arguments. The bytes that were
given are the bytes that are kept and served: no function here changes a stored file.
"""

from __future__ import annotations

from .containers import NotMedia
from .convert import DECODED, convert, target
from .filenames import safe_filename
from .film import film
from .peaks import ROW_BARS, STAGE_BARS
from .probe import Probe, pcm_to_wav, probe, read_text
from .ranges import StoredFile, StoredFileCut, respond
from .sniff import SNIFF_BYTES, MediaType, sniff

__all__ = [
    "DECODED",
    "ROW_BARS",
    "SNIFF_BYTES",
    "STAGE_BARS",
    "MediaType",
    "NotMedia",
    "Probe",
    "StoredFile",
    "StoredFileCut",
    "convert",
    "film",
    "pcm_to_wav",
    "probe",
    "read_text",
    "respond",
    "safe_filename",
    "sniff",
    "target",
]
