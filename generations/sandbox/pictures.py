"""Real pictures: a landscape out of the words, or the given picture in other light."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from generations.sandbox.canvas import picture_size
from generations.sandbox.made import Made, UnusableSample

Image.MAX_IMAGE_PIXELS = 100_000_000
"""Of what is given; a picture that claims to have more is no picture for the sandbox."""
MOST = 15
QUICK_PIXELS = 4_000_000
COUNTS = ("n", "imageNum", "numImages")
PNG_PIXELS = 3_000_000
"""Larger pictures come as JPEG where nobody asked for a format."""
HILLS = 4

Numbers = NDArray[np.float32]


def pictures(params: Mapping[str, Any], sample: bytes | None, *, quick: bool) -> list[Made]:
    """As many pictures as asked, of the asked size and format. Raises UnusableSample."""
    given = opened(sample) if sample is not None else None
    size = picture_size(params, given.size if given is not None else None)
    made = []
    for number in range(how_many(params)):
        seed = seed_of(params, number)
        picture = lit(given, size, seed) if given is not None else landscape(size, seed)
        made.append(_saved(picture, str(params.get("outputFormat") or ""), quick=quick))
    return made


def enlarged(params: Mapping[str, Any], sample: bytes | None) -> list[Made]:
    """The given picture, larger by the asked factor, at most fourfold here. Raises UnusableSample."""
    given = opened(sample)
    factor = str(params.get("scale") or params.get("upscale") or "2").rstrip("x")
    times = min(4.0, float(factor) if factor.replace(".", "", 1).isdigit() else 2.0)
    size = (round(given.width * times), round(given.height * times))
    return [
        _saved(
            given.resize(size, Image.Resampling.BICUBIC), str(params.get("outputFormat") or ""), quick=False
        )
    ]


def how_many(params: Mapping[str, Any]) -> int:
    if params.get("sequentialImageGeneration") == "auto":
        return max(1, min(MOST, int(params.get("maxImages") or 1)))
    asked = next((str(params[key]) for key in COUNTS if str(params.get(key, "")).isdigit()), "1")
    return max(1, min(MOST, int(asked)))


def opened(sample: bytes | None) -> Image.Image:
    """The given picture, upright and in colours. Raises UnusableSample."""
    if sample is None:
        raise UnusableSample("file processing failed: the picture cannot be fetched")
    try:
        with Image.open(io.BytesIO(sample)) as picture:
            return ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnusableSample(f"file processing failed: {error}") from error


def seed_of(params: Mapping[str, Any], number: int) -> int:
    told = "\n".join(
        str(params.get(key, "")) for key in ("prompt", "textPrompt", "style", "seed", "negativePrompt")
    )
    return int.from_bytes(hashlib.sha256(f"{told}\n{number}".encode()).digest()[:8], "big")


def landscape(size: tuple[int, int], seed: int, moment: float = 0.0) -> Image.Image:
    """A sky with a sun over layers of hills, always the same for a seed. `moment` from 0 to 1 moves sun and hills."""
    dice = np.random.default_rng(seed)
    wide, high = size
    hue = dice.uniform(0, 1)
    top, low = _colour(hue, 0.55, 0.45), _colour(hue + dice.uniform(0.08, 0.3), 0.5, 0.95)
    share = np.linspace(0, 1, high, dtype=np.float32)[:, None, None]
    sky = (top * (1 - share) + low * share).astype(np.uint8)
    picture = Image.fromarray(np.broadcast_to(sky, (high, wide, 3)).copy())
    draw = ImageDraw.Draw(picture)
    radius = min(size) * dice.uniform(0.06, 0.13)
    at_x = wide * (dice.uniform(0.2, 0.8) + 0.1 * (moment - 0.5))
    at_y = high * (dice.uniform(0.2, 0.45) + 0.12 * moment)
    sun = tuple(int(part) for part in _colour(hue + 0.1, 0.25, 1.0))
    draw.ellipse((at_x - radius, at_y - radius, at_x + radius, at_y + radius), fill=sun)
    across = np.linspace(0, 1, 160)
    for layer in range(HILLS):
        depth = (layer + 1) / HILLS
        waves = sum(
            np.sin(across * np.pi * turns + dice.uniform(0, 7) + moment * depth) / turns
            for turns in dice.uniform(1.5, 9, 4)
        )
        heights = high * (0.45 + 0.14 * layer) + waves * high * 0.06
        shade = tuple(
            int(part) for part in _colour(hue + 0.35 + 0.05 * layer, 0.5, 0.6 * (1 - 0.75 * depth) + 0.1)
        )
        points = [(float(x * wide), float(y)) for x, y in zip(across, heights, strict=True)]
        draw.polygon([(0.0, float(high)), *points, (float(wide), float(high))], fill=shade)
    return picture


def lit(given: Image.Image, size: tuple[int, int], seed: int, moment: float = 0.0) -> Image.Image:
    """The given picture cut to the size, in the light of a seed; `moment` from 0 to 1 moves closer."""
    dice = np.random.default_rng(seed)
    filled = ImageOps.fit(given, size, Image.Resampling.BILINEAR, bleed=0.12 * moment)
    tint = tuple(int(part) for part in _colour(dice.uniform(0, 1), 0.6, 0.8))
    return Image.blend(filled, Image.new("RGB", size, tint), 0.25)


def _colour(hue: float, fullness: float, light: float) -> Numbers:
    turns = (np.array([0.0, 1 / 3, 2 / 3]) + hue) * 2 * np.pi
    bright = 1 - fullness * (0.5 - 0.5 * np.cos(turns))
    return np.asarray(255 * light * bright, np.float32)


def _saved(picture: Image.Image, asked: str, *, quick: bool) -> Made:
    form = asked.partition("(")[0].strip().lower()
    if form not in ("png", "jpeg", "jpg", "webp"):
        form = "png" if picture.width * picture.height <= PNG_PIXELS else "jpeg"
    target = io.BytesIO()
    if form == "png":
        picture.save(target, "PNG", compress_level=1)
    elif form == "webp":
        picture.save(target, "WEBP", quality=80, method=0, lossless="lossless" in asked and not quick)
    else:
        picture.save(target, "JPEG", quality=85)
    return Made({"jpeg": "jpg"}.get(form, form), target.getvalue())
