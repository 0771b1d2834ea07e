"""A file name for people, whatever a title holds."""

from __future__ import annotations

import re
import unicodedata

_MAX_BYTES = 120
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_JOINERS = "\u200c\u200d"


def safe_filename(title: str, extension: str, number: int = 1) -> str:
    """A name like "Lighthouse, first draft.mp3": at most 120 bytes of UTF-8, never empty, no part of a path.

    Control and direction-changing characters are dropped, characters that some file system forbids are
    replaced, and names that Windows keeps for itself get a "_" in front. An extension the title already ends
    with is not repeated. `extension` comes with or without its dot; "" gives a name without one. A `number` above 1
    stands behind the title in brackets, however long that is.
    """
    suffix = re.sub(r"[^a-z0-9]", "", extension.lower())[:10]
    dotted = f".{suffix}" if suffix else ""
    stem = _tidy(title)
    if dotted and stem.lower().endswith(dotted):
        stem = stem[: -len(dotted)]
    stem = _trim(stem) or "untitled"
    if _RESERVED.match(stem):
        stem = f"_{stem}"
    behind = (f" ({number})" if number > 1 else "") + dotted
    room = _MAX_BYTES - len(behind)
    return _trim(stem.encode()[:room].decode("utf-8", "ignore").rstrip(_JOINERS)) + behind


def _tidy(title: str) -> str:
    text = re.sub(r" ?: ", " - ", re.sub(r"\s+", " ", title))
    text = re.sub(r"[/\\|:]", "-", text)
    text = re.sub(r"[*?<>]", "", text).replace('"', "'")
    kept = (c for c in text if c in _JOINERS or not unicodedata.category(c).startswith("C"))
    return _trim(unicodedata.normalize("NFC", "".join(kept)))


def _trim(stem: str) -> str:
    return stem.lstrip(" .-" + _JOINERS).rstrip(" .")
