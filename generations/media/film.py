"""Sound as a film without pictures, for those who take sound only inside a video: a QuickTime file of PCM and black."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import soundfile as sf

from .containers import DAMAGED, NotMedia
from .convert import reduced

_SIDE = 16
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_AT = 8 + 12 + 8
"""Where the picture stands: behind the brand and the head of the data."""


def film(source: Path, target: Path, most_bytes: int) -> None:
    """Writes the sound of `source` to `target` as a MOV: 16-bit PCM, at most 2 channels and 48 kHz, and one black
    picture that is shown for each second. Memory stays flat.

    Raises NotMedia when it cannot be decoded, or would have more than `most_bytes`.
    """
    picture = _black()
    try:
        with (
            source.open("rb") as raw,
            sf.SoundFile(raw.fileno(), closefd=False) as sound,
            target.open("wb") as made,
        ):
            step = max(1, -(-sound.samplerate // 48_000))
            rate, channels = sound.samplerate // step, min(sound.channels, 2)
            made.write(
                _box(b"ftyp", b"qt  " + bytes(4) + b"qt  ")[:20] + struct.pack(">I4s", 0, b"mdat") + picture
            )
            frames = 0
            while len(block := sound.read(65_536 * step, dtype="float32", always_2d=True)):
                samples = reduced(block, step, channels)
                made.write((samples * 32_767).astype("<i2").tobytes())
                frames += len(samples)
                if made.tell() > most_bytes:
                    raise NotMedia(
                        f"The sound is too long: as a video it has more than {most_bytes // 1024**2} MB."
                    )
            size = made.tell() - 20
            made.write(_index(frames, rate, channels, len(picture)))
            made.seek(20)
            made.write(struct.pack(">I", size))
    except sf.SoundFileError as error:
        raise NotMedia(DAMAGED) from error


def _index(frames: int, rate: int, channels: int, picture: int) -> bytes:
    """The moov box. Sound stands in chunks of a second; the picture is named again for each of them."""
    seconds = -(-frames // rate)
    last = frames - (seconds - 1) * rate
    shown = _table(b"stts", *([(seconds - 1, rate)] if seconds > 1 else []), (1, last))
    look = (
        struct.pack(">6xH16xHHIIIH", 1, _SIDE, _SIDE, 72 << 16, 72 << 16, 0, 1)
        + bytes(32)
        + b"\0\x18\xff\xff"
    )
    video = [
        _table(b"stsd", box=_box(b"png ", look)), shown, _table(b"stsc", (1, 1, 1)),
        _box(b"stsz", struct.pack(">4xII", picture, seconds)), _table(b"stco", *[(_AT,)] * seconds),
    ]  # fmt: skip
    heard = struct.pack(">6xH8xHHHHI", 1, channels, 16, 0, 0, rate << 16)
    first = [(1, rate, 1)] if seconds > 1 else []
    chunks = [(_AT + picture + n * rate * 2 * channels,) for n in range(seconds)]
    audio = [
        _table(b"stsd", box=_box(b"sowt", heard)), _table(b"stts", (frames, 1)),
        _table(b"stsc", *first, (seconds, last, 1)),
        _box(b"stsz", struct.pack(">4xII", 2 * channels, frames)), _table(b"stco", *chunks),
    ]  # fmt: skip
    head = struct.pack(">4x8xIIIH10x", rate, frames, 0x10000, 0x100) + _MATRIX + struct.pack(">24xI", 3)
    return _box(
        b"moov",
        _box(b"mvhd", head),
        _track(1, b"vide", _box(b"vmhd", b"\0\0\0\1" + bytes(8)), frames, rate, video),
        _track(2, b"soun", _box(b"smhd", bytes(8)), frames, rate, audio),
    )


def _track(number: int, kind: bytes, media_head: bytes, frames: int, rate: int, tables: list[bytes]) -> bytes:
    side = _SIDE << 16 if kind == b"vide" else 0
    volume = 0 if kind == b"vide" else 0x100
    place = (
        struct.pack(">I8xI4xI12xH2x", 7, number, frames, volume) + _MATRIX + struct.pack(">II", side, side)
    )
    itself = _box(b"dinf", _table(b"dref", box=_box(b"url ", b"\0\0\0\1")))
    return _box(
        b"trak",
        _box(b"tkhd", place),
        _box(
            b"mdia",
            _box(b"mdhd", struct.pack(">4x8xIIHH", rate, frames, 0, 0)),
            _box(b"hdlr", b"\0\0\0\0mhlr" + kind + bytes(13)),
            _box(b"minf", media_head, itself, _box(b"stbl", *tables)),
        ),
    )


def _box(kind: bytes, *contents: bytes) -> bytes:
    body = b"".join(contents)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _table(kind: bytes, *rows: tuple[int, ...], box: bytes = b"") -> bytes:
    """A box that counts its entries: rows of 32-bit numbers, or one box."""
    body = b"".join(struct.pack(f">{len(row)}I", *row) for row in rows)
    return _box(kind, struct.pack(">4xI", len(rows) or 1), body, box)


def _black() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    lines = np.zeros((_SIDE, 1 + 3 * _SIDE), np.uint8).tobytes()
    head = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )
