"""Text from outside: line ends settled, control and broken characters refused, counted in code points."""

from __future__ import annotations

import re

MAX_TEXT = 10_000
"""Characters of a text whose model states no limit."""

_UNSENDABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Fault(Exception):
    """A value cannot be taken; the message is the sentence for the person who gave it."""


def settled(raw: str) -> str:
    r"""The text with \n as its only line end and no outer whitespace. Raises Fault on bad characters."""
    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    if (found := _UNSENDABLE.search(text)) is not None:
        code = ord(found.group())
        if code >= 0xD800:
            raise Fault("Remove the broken character: half of a pair is missing, so it cannot be sent.")
        raise Fault(f"Remove the control character U+{code:04X}; only line breaks and tabs may be used.")
    return text.strip()


def within(text: str, min_length: int | None, max_length: int | None) -> str:
    """The text itself when its length fits. Raises Fault naming the bound and the length."""
    most = MAX_TEXT if max_length is None else max_length
    if len(text) > most:
        raise Fault(f"At most {most:,} characters; this has {len(text):,}.")
    if min_length is not None and len(text) < min_length:
        raise Fault(f"At least {min_length:,} characters; this has {len(text):,}.")
    return text


def printable(raw: object, most: int = 60) -> str:
    """A short form of anything that can stand in a sentence and be encoded."""
    text = raw if isinstance(raw, str) else type(raw).__name__
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:most])
    return shown + "…" if len(text) > most else shown
