"""The id in the text of an earlier result, for a param that takes one.

How RunningHub writes such a text is not documented, so it is read tolerantly: JSON with the id under one of the names
that the data file gives, at any depth; a line such as "Vocal id: abc"; or the bare id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from generations.catalogue.param import ParamSpec

_VALUE = r"[\"']?\s*[:=]\s*[\"']?([A-Za-z0-9_.-]+)"


def id_in(param: ParamSpec, text: str) -> str:
    """The id that `text` holds for this param of the widget "result"; "" when it holds none."""
    try:
        found = _named(param.result_keys, json.loads(text))
    except (ValueError, RecursionError):
        found = _written(param.result_keys, text)
    bare = text.strip()
    return found or (bare if re.fullmatch(r"[^\s{}\[\]\"]+", bare) else "")


def _named(names: Sequence[str], data: Any) -> str:
    """The first name counts most, then the value that stands highest."""
    pairs = list(_pairs(data))
    for name in names:
        for key, value in pairs:
            if _plain(key) == _plain(name) and isinstance(value, (str, int)) and not isinstance(value, bool):
                return str(value).strip()
    return data.strip() if isinstance(data, str) and not re.search(r"\s", data.strip()) else ""


def _pairs(data: Any) -> Iterator[tuple[str, Any]]:
    level = [data]
    while level:
        below: list[Any] = []
        for entry in level:
            if isinstance(entry, dict):
                yield from entry.items()
                below += entry.values()
            elif isinstance(entry, list):
                below += entry
        level = below


def _written(names: Sequence[str], text: str) -> str:
    for name in names:
        words = "[ _-]?".join(re.findall(r"[A-Z]?[a-z0-9]+", name))
        if (found := re.search(rf"(?<![A-Za-z]){words}{_VALUE}", text, re.IGNORECASE)) is not None:
            return found[1]
    return ""


def _plain(name: str) -> str:
    return re.sub(r"[ _-]", "", name).lower()
