"""Small real files, made here byte by byte or by an encoder; nothing is stored in the repository."""

from __future__ import annotations

import io
import json
import struct
import wave
import zipfile
import zlib
from pathlib import Path

import lameenc
import numpy as np
import soundfile as sf
from numpy.typing import NDArray

RATE = 44_100
HTML = b"<!doctype html>\n<html><head><title>Not found</title></head><body>Sorry</body></html>"
SVG = (
    b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'
)
JSON = json.dumps({"code": 404, "msg": "gone"}).encode()


def tone(seconds: float, *, rate: int = RATE, channels: int = 2, level: float = 0.5) -> NDArray[np.float32]:
    """A steady tone, shape (frames, channels)."""
    time = np.arange(round(seconds * rate)) / rate
    wave_ = (level * np.sin(2 * np.pi * 220 * time)).astype(np.float32)
    return np.repeat(wave_[:, None], channels, axis=1)


def write(path: Path, sound: NDArray[np.float32], *, rate: int = RATE, **form: str) -> Path:
    """Encode in blocks: one long write of Vorbis crashes libsndfile."""
    with sf.SoundFile(path, "w", rate, sound.shape[1], **form) as file:
        for at in range(0, len(sound), 65_536):
            file.write(sound[at : at + 65_536])
    return path


def wav_bytes(seconds: float = 1.0) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes((tone(seconds) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def mp3_bytes(seconds: float = 1.0, *, bit_rate: int = 128) -> bytes:
    """Constant bit rate and no Info header, as plain encoders write it."""
    encoder = lameenc.Encoder()
    encoder.set_bit_rate(bit_rate)
    encoder.set_in_sample_rate(RATE)
    encoder.set_channels(2)
    encoder.silence()
    samples = (tone(seconds) * 32767).astype("<i2").tobytes()
    return bytes(encoder.encode(samples) + encoder.flush())


def recording(seconds: float = 3.0) -> NDArray[np.float32]:
    """A moving tone of 700 Hz in the middle over a lasting one of 330 Hz at the side, shape (2, n)."""
    time = np.arange(int(seconds * RATE)) / RATE
    voice = 0.3 * np.sin(2 * np.pi * 700 * time) * (np.sin(2 * np.pi * 2 * time) > 0.3)
    organ = 0.2 * np.sin(2 * np.pi * 330 * time)
    return np.stack([voice + organ, voice - 0.3 * organ]).astype(np.float32)


def id3(size: int, *, fill: bytes = b"\0") -> bytes:
    """An ID3v2.4 tag whose contents are `size` bytes long."""
    digits = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\0\0" + digits + (fill * size)[:size]


def adts(frames: int) -> bytes:
    """AAC frames with true headers (44.1 kHz, stereo, 1024 samples each) and empty contents."""
    length = 100
    header = bytes(
        [0xFF, 0xF1, 0x50, 0x80 | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC],
    )
    return (header + bytes(length - 7)) * frames


def box(kind: bytes, *contents: bytes) -> bytes:
    body = b"".join(contents)
    return struct.pack(">I", 8 + len(body)) + kind + body


def mp4(
    *, handlers: tuple[bytes, ...], seconds: float = 3.0, brand: bytes = b"isom", described: bool = True
) -> bytes:
    """An MP4 whose index declares its tracks; the contents themselves are zeros.

    A track that is not `described` has no codec parameters, as mutagen wants them.
    """
    mvhd = box(b"mvhd", struct.pack(">B3xIIII", 0, 0, 0, 1000, int(seconds * 1000)), bytes(80))
    tracks = []
    for handler in handlers:
        mdhd = box(b"mdhd", struct.pack(">B3xIIII", 0, 0, 0, RATE, int(seconds * RATE)), bytes(4))
        codec = bytes.fromhex("0319000100041140150000000001f4000001f40005021210060102")
        entry = box(
            b"mp4a", bytes(6), struct.pack(">H", 1), bytes(8), struct.pack(">HHIHH", 2, 16, 0, RATE, 0),
            box(b"esds", bytes(4), codec) if described else b"",
        )  # fmt: skip
        stsd = box(b"stsd", bytes(4), struct.pack(">I", 1), entry)
        hdlr = box(b"hdlr", bytes(8), handler, bytes(13))
        tracks.append(box(b"trak", box(b"mdia", mdhd, hdlr, box(b"minf", box(b"stbl", stsd)))))
    return box(b"ftyp", brand, bytes(4), brand) + box(b"moov", mvhd, *tracks) + box(b"mdat", bytes(5000))


def element(name: int, body: bytes) -> bytes:
    size = 0x10000000 | len(body)
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + size.to_bytes(4, "big") + body


def webm(*, track_types: tuple[int, ...], seconds: float | None = 2.5) -> bytes:
    header = element(0x1A45DFA3, element(0x4282, b"webm").replace(b"\x10\0\0\x04", b"\x84"))
    info = element(0x2AD7B1, (1_000_000).to_bytes(3, "big"))
    if seconds is not None:
        info += element(0x4489, struct.pack(">d", seconds * 1000))
    audio = element(0xE1, element(0xB5, struct.pack(">f", 48_000.0)) + element(0x9F, b"\x01"))
    entries = b"".join(
        element(0xAE, element(0x83, bytes([kind])) + (audio if kind == 2 else b"")) for kind in track_types
    )
    return header + element(0x18538067, element(0x1549A966, info) + element(0x1654AE6B, entries))


def png(width: int = 2, height: int = 2) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    pixels = zlib.compress((b"\0" + bytes(3 * width)) * height)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def webp() -> bytes:
    body = b"WEBPVP8L" + struct.pack("<I", 10) + bytes(10)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def glb() -> bytes:
    body = b'{"asset":{"version":"2.0"}} '
    return b"glTF" + struct.pack("<II", 2, 20 + len(body)) + struct.pack("<I4s", len(body), b"JSON") + body


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.txt", "a")
    return buffer.getvalue()


def film(sound: bytes, *, codec: bytes = b"sowt", channels: int = 2, rate: int = RATE) -> bytes:
    """A MOV with a picture track without pictures and `sound` as its sound track, in two chunks of PCM frames."""
    frame = 2 * channels
    frames = len(sound) // frame
    first = frames // 2
    start = 8 + 12 + 8
    entry = box(
        codec, bytes(6), struct.pack(">H", 1), bytes(8), struct.pack(">HHIHH", channels, 16, 0, rate, 0)
    )
    table = box(
        b"stbl",
        box(b"stsd", bytes(4), struct.pack(">I", 1), entry),
        box(b"stsc", bytes(4), struct.pack(">IIIIIII", 2, 1, first, 1, 2, frames - first, 1)),
        box(b"stsz", bytes(4), struct.pack(">II", frame, frames)),
        box(b"stco", bytes(4), struct.pack(">III", 2, start, start + first * frame)),
    )
    length = struct.pack(">B3xIIII", 0, 0, 0, rate, frames)
    tracks = [
        box(b"trak", box(b"mdia", box(b"mdhd", length), box(b"hdlr", bytes(8), handler, bytes(13)), *more))
        for handler, more in ((b"vide", ()), (b"soun", (box(b"minf", table),)))
    ]
    return (
        box(b"ftyp", b"qt  ", bytes(4), b"qt  ")[:20]
        + box(b"mdat", sound)
        + box(b"moov", box(b"mvhd", length, bytes(80)), *tracks)
    )
