"""How large and of which shape a result is to be, out of the names that models have for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SIDES = {"1k": 1024, "2k": 2048, "3k": 3072, "4k": 4096, "8k": 8192, "512": 512, "1024": 1024, "1536": 1536}
LINES = {"4k": 2160, "2k": 1440}
MOST_SIDE = 8192
PAIR = re.compile(r"(\d{2,5})\s*[x*×]\s*(\d{2,5})")
RATIO = re.compile(r"(\d{1,3}):(\d{1,3})")


def picture_size(params: Mapping[str, Any], like: tuple[int, int] | None) -> tuple[int, int]:
    """Width and height of a picture in pixels: as asked, else in the shape of the given one, else a square."""
    if (exact := _exact(params)) is not None:
        return exact
    named = str(params.get("resolution") or params.get("quality") or "").lower()
    side = SIDES.get(named, 2048 if params.get("hd") else 1024)
    wide, high = _shape(params) or like or (1, 1)
    # The area is that of a square of the named side, as the makers count it.
    scale = side / (wide * high) ** 0.5
    return _even(wide * scale), _even(high * scale)


def video_size(params: Mapping[str, Any], like: tuple[int, int] | None, lines: int) -> tuple[int, int]:
    """Width and height of a video whose short side has as many lines as asked, at most `lines`."""
    exact = _exact(params)
    named = str(params.get("resolution") or params.get("targetResolution") or "").lower()
    asked = LINES.get(named) or int((re.findall(r"\d{3,4}", named) or ["720"])[0])
    wide, high = exact or _shape(params) or like or (16, 9)
    scale = min(lines, min(exact) if exact else asked) / min(wide, high)
    return _even(wide * scale), _even(high * scale)


def _exact(params: Mapping[str, Any]) -> tuple[int, int] | None:
    if pair := PAIR.search(str(params.get("size") or "") or str(params.get("resolution") or "")):
        return _even(int(pair[1])), _even(int(pair[2]))
    for wide, high in (("customWidth", "customHeight"), ("width", "height")):
        asked = params.get(wide), params.get(high)
        if wide == "customWidth" and params.get("aspectRatio") != "custom":
            continue
        if all(isinstance(side, int) and side > 0 for side in asked):
            return _even(int(params[wide])), _even(int(params[high]))
    return None


def _shape(params: Mapping[str, Any]) -> tuple[int, int] | None:
    for key in ("aspectRatio", "ratio"):
        if ratio := RATIO.fullmatch(str(params.get(key) or "")):
            return int(ratio[1]), int(ratio[2])
    return None


def _even(side: float) -> int:
    return max(16, min(MOST_SIDE, round(side / 2) * 2))
