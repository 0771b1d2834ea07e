"""Short real videos: frames of VP8, which is what a lossy WebP picture is, one behind the other in a WebM file.

Every browser of the Chromium family plays that, and no video library is needed. At most 480 lines and 10 pictures a
second, so that a video costs no more than a few seconds of work.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from PIL import Image

from generations.sandbox.canvas import video_size
from generations.sandbox.made import Made, UnusableSample
from generations.sandbox.pictures import landscape, lit, opened, seed_of

LINES, RATE, MOST_SECONDS = 480, 10, 30.0
QUICK_LINES, QUICK_RATE = 96, 2
USUAL_SECONDS = 5.0
CLUSTER_MS = 5_000
"""A block says its time as 16 bits after that of its cluster."""


def videos(params: Mapping[str, Any], sample: bytes | None, *, quick: bool) -> list[Made]:
    """One video of the asked length and shape, and its last frame where that is asked for. Raises UnusableSample.

    A given picture moves; of a given video only the length is taken, since the sandbox cannot decode it.
    """
    given = _picture(sample)
    size = video_size(params, given.size if given else None, QUICK_LINES if quick else LINES)
    seconds = min(MOST_SECONDS, asked_seconds(params) or length(sample) or USUAL_SECONDS)
    rate, seed = QUICK_RATE if quick else RATE, seed_of(params, 0)
    count = max(2, round(seconds * rate))
    last: Image.Image | None = None

    def frames() -> Iterator[bytes]:
        nonlocal last
        for number in range(count):
            moment = number / (count - 1)
            last = lit(given, size, seed, moment) if given else landscape(size, seed, moment)
            yield _vp8(last)

    made = [Made("webm", webm(frames(), size, rate, count))]
    if params.get("returnLastFrame") is True and last is not None:
        target = io.BytesIO()
        last.save(target, "PNG", compress_level=1)
        made.append(Made("png", target.getvalue()))
    return made


def asked_seconds(params: Mapping[str, Any]) -> float:
    """The length that is asked for, 0 where none is or the model chooses."""
    try:
        return max(0.0, float(params.get("duration") or 0))
    except (TypeError, ValueError):
        return 0.0


def length(data: bytes | None) -> float:
    """The seconds of a given MP4 or MOV as its index tells, 0 where it tells none."""
    at = (data or b"").find(b"mvhd")
    if data is None or at < 4 or len(data) < at + 40:
        return 0.0
    wide = data[at + 4] == 1
    scale, units = struct.unpack_from(">IQ" if wide else ">II", data, at + (24 if wide else 16))
    return units / scale if scale and units < 2**40 else 0.0


def _picture(sample: bytes | None) -> Image.Image | None:
    try:
        return opened(sample) if sample else None
    except UnusableSample:
        if sample and (
            sample[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free") or sample[:4] == b"\x1a\x45\xdf\xa3"
        ):
            return None
        raise


def _vp8(picture: Image.Image) -> bytes:
    """The key frame inside a lossy WebP file."""
    target = io.BytesIO()
    picture.save(target, "WEBP", quality=60, method=0)
    data = target.getvalue()
    at = data.index(b"VP8 ")
    (size,) = struct.unpack_from("<I", data, at + 4)
    return data[at + 8 : at + 8 + size]


def webm(frames: Iterator[bytes], size: tuple[int, int], rate: int, count: int) -> bytes:
    """A WebM file of VP8 key frames, `rate` a second."""
    info = _element(
        "1549A966",
        _number("2AD7B1", 1_000_000),
        _element("4489", struct.pack(">d", count * 1000 / rate)),
        _element("4D80", b"rhweb sandbox"),
        _element("5741", b"rhweb sandbox"),
    )
    shown = _element("E0", _number("B0", size[0]), _number("BA", size[1]))
    track = _element(
        "AE", _number("D7", 1), _number("73C5", 1), _number("83", 1), _element("86", b"V_VP8"),
        _number("23E383", 1_000_000_000 // rate), shown,
    )  # fmt: skip
    clusters: list[bytes] = []
    blocks: list[bytes] = []
    began = 0
    for number, frame in enumerate(frames):
        time = number * 1000 // rate
        if time - began >= CLUSTER_MS:
            clusters.append(_element("1F43B675", _number("E7", began), *blocks))
            blocks, began = [], time
        blocks.append(_element("A3", b"\x81" + struct.pack(">hB", time - began, 0x80) + frame))
    clusters.append(_element("1F43B675", _number("E7", began), *blocks))
    head = _element(
        "1A45DFA3", _number("4286", 1), _number("42F7", 1), _number("42F2", 4), _number("42F3", 8),
        _element("4282", b"webm"), _number("4287", 2), _number("4285", 2),
    )  # fmt: skip
    return head + _element("18538067", info, _element("1654AE6B", track), *clusters)


def _element(name: str, *contents: bytes) -> bytes:
    body = b"".join(contents)
    size = bytes([len(body) | 0x80]) if len(body) < 127 else struct.pack(">Q", len(body) | 1 << 56)
    return bytes.fromhex(name) + size + body


def _number(name: str, value: int) -> bytes:
    return _element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))
