"""How much a generation asks for, as one number: what takes long is guessed from others of about the same size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CHARACTERS_A_SECOND = 15
"""About as many are spoken in a second; it only serves to add seconds that are asked for to texts."""


def size(params: Mapping[str, Any]) -> int:
    """How much is asked for: characters of all texts that are given, and of each number named as a duration the
    characters that are spoken in that time. What it is worth is only learned by comparing.
    """
    total = 0.0
    for key, value in params.items():
        if isinstance(value, bool):
            continue
        seconds = "duration" in key.lower() or "seconds" in key.lower()
        if isinstance(value, str) and not value.startswith(("upload:", "output:")):
            words = value.strip()
            if not seconds:
                total += len(words)
            elif words.isdecimal() and len(words) < 6:
                total += int(words) * CHARACTERS_A_SECOND
        elif isinstance(value, int | float) and seconds and 0 < value < 100_000:
            total += value * CHARACTERS_A_SECOND
    return min(int(total), 2**31 - 1)
