"""The sound of a video file, as far as it is stored in a way that can be read without a video library.

Inside MP4 and MOV that is PCM and MP3. Other sound, AAC above all, is named and refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from generations.sandbox.dsp import Sound
from generations.sandbox.encode import decode_channels

MOST_CHUNKS = 500_000
MP3_CODES = (b"\x04\x11\x6b", b"\x04\x11\x69")
"""Length and object type in an MP4 elementary stream descriptor that says MP3."""
PCM = {b"sowt": "<i2", b"twos": ">i2"}
MP3_SECONDS_BYTES = 40_000
"""Bytes of MP3 that never hold less than a second."""


@dataclass(frozen=True)
class _Track:
    codec: bytes
    channels: int
    rate: int
    entry: bytes
    table: bytes
    """The boxes that tell where the samples are."""


def soundtrack(data: bytes, seconds: float) -> tuple[Sound, int]:
    """The first ``seconds`` of sound ``(channels, n)`` and its rate, from a sound file or out of a video.

    Raises ValueError with the reason when there is none that can be read.
    """
    if data[4:8] not in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return decode_channels(data, seconds)
    try:
        track = _track(data)
        if track.codec in PCM:
            frame = track.channels * 2
            raw = _samples(data, track, int(seconds * track.rate) * frame, frame)
            count = len(raw) // frame
            samples = np.frombuffer(raw, PCM[track.codec], count * track.channels)
            return (samples.reshape(count, track.channels).T / 32_768).astype(np.float32), track.rate
        if track.codec == b".mp3" or any(code in track.entry for code in MP3_CODES):
            return decode_channels(_samples(data, track, int(seconds * MP3_SECONDS_BYTES), 0), seconds)
    except (struct.error, IndexError) as error:
        raise ValueError("the file is damaged") from error
    name = track.codec.decode("ascii", "replace").strip()
    raise ValueError(f"the sandbox reads PCM and MP3 sound in a video, not {name}")


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the contents of each box."""
    at = 0
    while at + 8 <= len(data):
        size, head = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        end = len(data) if size == 0 else at + size
        if size and size < head:
            return
        yield data[at + 4 : at + 8], at + head, min(end, len(data))
        at = end


def _inside(data: bytes, *path: bytes) -> list[bytes]:
    """The contents of every box at this path."""
    found = [data]
    for kind in path:
        found = [part[start:end] for part in found for name, start, end in _boxes(part) if name == kind]
    return found


def _track(data: bytes) -> _Track:
    """The first sound track. Raises ValueError when there is none."""
    for media in _inside(data, b"moov", b"trak", b"mdia"):
        if any(handler[8:12] == b"soun" for handler in _inside(media, b"hdlr")):
            for table in _inside(media, b"minf", b"stbl"):
                for described in _inside(table, b"stsd"):
                    entry = described[8:]
                    channels, _, _, rate = struct.unpack_from(">HHIH", entry, 24)
                    if not (1 <= channels <= 8 and rate >= 8_000):
                        raise ValueError("the sound of the video is of an unknown form")
                    return _Track(entry[4:8], channels, rate, entry, table)
    raise ValueError("the video has no sound")


def _samples(data: bytes, track: _Track, most: int, frame: int) -> bytes:
    """The bytes of the track in order, at most ``most``; ``frame`` bytes a sample, 0 where a table says."""
    (offsets,) = _inside(track.table, b"stco") or [b""]
    wide = not offsets
    if wide:
        (offsets,) = _inside(track.table, b"co64") or [b""]
    (sizes,), (runs,) = _inside(track.table, b"stsz") or [b""], _inside(track.table, b"stsc") or [b""]
    if not (offsets and sizes and runs):
        raise ValueError("the video has no sound")
    count = min(struct.unpack_from(">I", offsets, 4)[0], MOST_CHUNKS)
    places = struct.unpack_from(f">{count}{'Q' if wide else 'I'}", offsets, 8)
    many = _samples_per_chunk(runs, count)
    uniform = frame or struct.unpack_from(">I", sizes, 4)[0]
    taken, sample, kept = [], 0, 0
    for place, held in zip(places, many, strict=True):
        size = uniform * held or sum(struct.unpack_from(f">{held}I", sizes, 12 + 4 * sample))
        taken.append(data[place : place + min(size, most - kept)])
        sample, kept = sample + held, kept + size
        if kept >= most:
            break
    return b"".join(taken)


def _samples_per_chunk(runs: bytes, chunks: int) -> list[int]:
    entries = struct.unpack_from(">I", runs, 4)[0]
    read = [struct.unpack_from(">III", runs, 8 + 12 * at) for at in range(min(entries, MOST_CHUNKS))]
    many: list[int] = []
    for position, (first, held, _) in enumerate(read):
        until = read[position + 1][0] - 1 if position + 1 < len(read) else chunks
        many += [held] * max(min(until, chunks) - first + 1, 0)
    if len(many) != chunks:
        raise ValueError("the file is damaged")
    return many
