"""Ids of new voices: readable, of the form that the model takes, and never given twice."""

from __future__ import annotations

import re
import secrets
import unicodedata

from generations.catalogue import load
from generations.catalogue.param import ParamSpec
from generations.models import Voice

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what looks alike."""
SUFFIX = 6
STEM = 24
FALLBACK = "Voice"
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
     "đ": "d", "Đ": "D", "ð": "d", "þ": "th", "ı": "i"}
)  # fmt: skip


def allot(name: str, param: ParamSpec) -> str:
    """An id that nobody has, made of the words of `name` and a random end: "Harbour master" gives Harbourmaster7k3f9q.

    It starts with a letter and has letters and digits only, which every documented form of an id allows (the
    catalogue has RunningHub's). A name without Latin letters falls back to a word.
    """
    room = min(STEM, (param.max_length or STEM + SUFFIX) - SUFFIX)
    stem = _stem(name)[: max(room, 1)]
    padding = max(0, (param.min_length or 0) - len(stem) - SUFFIX)
    while True:
        end = "".join(secrets.choice(ALPHABET) for _ in range(SUFFIX + padding))
        if not is_taken(found := stem + end):
            return found


def is_taken(voice_id: str) -> bool:
    """Whether a voice of any team had this id ever, or a system voice has it, in whatever case of letters."""
    if Voice.objects.filter(voice_id__iexact=voice_id).exists():
        return True
    return voice_id.casefold() in {voice.voice_id.casefold() for voice in load.voices()}


def _stem(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS)).encode("ascii", "ignore").decode()
    words = re.findall(r"[A-Za-z0-9]+", plain)
    stem = "".join(word[0].upper() + word[1:] for word in words)
    return stem if re.match(r"[A-Za-z]", stem) else FALLBACK + stem
