"""Sound that is a row of frames, each with its own header: MPEG audio (mp3) and ADTS (AAC).

Walking the headers counts such sound exactly, without decoding it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, BinaryIO

_ADTS_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_MPEG_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MPEG1_LAYER3 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG1_LAYER2 = (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)
_MPEG2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SIDE_BYTES = {(1152, 2): 32, (1152, 1): 17, (576, 2): 17, (576, 1): 9}
_CHUNK_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: bytes, samples per channel, Hz, and what all frames of one stream have in common."""

    length: int
    samples: int
    sample_rate: int
    channels: int
    same: tuple[int, ...]


@dataclass(frozen=True)
class Stream:
    """The unbroken row of frames from byte `start` to byte `stop` of a file, and its first header."""

    start: int
    stop: int
    frames: int
    first: Frame
    header: bytes

    @property
    def samples(self) -> int:
        return self.frames * self.first.samples

    @property
    def bit_rate(self) -> int:
        return round((self.stop - self.start) * 8 * self.first.sample_rate / self.samples)


Reader = Callable[[bytes, int], Frame | None]


def id3_end(head: bytes) -> int:
    """Where the ID3v2 tag at the start of `head` ends, in bytes; 0 when there is none."""
    if len(head) < 10 or head[:3] != b"ID3" or head[3] not in (2, 3, 4) or max(head[6:10]) > 0x7F:
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return size + (20 if head[5] & 0x10 else 10)


def adts_frame(data: bytes, at: int) -> Frame | None:
    """The ADTS frame (AAC) whose header stands at `at`, or None."""
    header = data[at : at + 7]
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return None
    rate, length = header[2] >> 2 & 15, (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    if rate >= len(_ADTS_RATES) or length <= 7:
        return None
    channels = (header[2] & 1) << 2 | header[3] >> 6
    same = (header[1] & 8, rate, channels)
    return Frame(length, 1024, _ADTS_RATES[rate], 8 if channels == 7 else channels, same)


def mpeg_frame(data: bytes, at: int) -> Frame | None:
    """The MPEG audio frame (layers II and III) whose header stands at `at`, or None.

    Layer I is left out: its header is also the byte order mark of UTF-16 text.
    """
    header = data[at : at + 4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer, bits, rate = header[1] >> 3 & 3, header[1] >> 1 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer not in (1, 2) or bits in (0, 15) or rate == 3:
        return None
    table = _MPEG2 if version != 3 else _MPEG1_LAYER3 if layer == 1 else _MPEG1_LAYER2
    sample_rate = _MPEG_RATES[version][rate]
    samples = 576 if layer == 1 and version != 3 else 1152
    length = samples // 8 * table[bits - 1] * 1000 // sample_rate + (header[2] >> 1 & 1)
    return Frame(length, samples, sample_rate, 1 if header[3] >> 6 == 3 else 2, (version, layer, rate))


def two_frames(data: bytes, frame: Reader) -> bool:
    """Whether `data` begins with a frame and another of its stream, as far as `data` reaches."""
    first = frame(data, 0)
    if first is None:
        return False
    if len(data) < first.length + 7:
        return True
    second = frame(data, first.length)
    return second is not None and second.same == first.same


def walk(file: BinaryIO, frame: Reader) -> Stream | None:
    """Count the frames behind an ID3 tag and padding; None when there are none.

    The walk ends at the first thing that is no frame: a tag behind the sound, damage, or the end.
    """
    file.seek(0)
    start = id3_end(file.read(10))
    file.seek(start)
    data = file.read(_CHUNK_BYTES)
    at = len(data) - len(data.lstrip(b"\0"))
    first, header, frames, offset = frame(data, at), data[at : at + 4], 0, start
    start += at
    while (found := frame(data, at)) is not None:
        if at + found.length > len(data):
            # The rest of this frame and the next ones; the last frame of a file may also end too early.
            offset, data, at = offset + at, data[at:] + file.read(_CHUNK_BYTES), 0
            if found.length > len(data):
                break
        frames, at = frames + 1, at + found.length
        if at + 7 > len(data):
            offset, data, at = offset + at, data[at:] + file.read(_CHUNK_BYTES), 0
    return Stream(start, offset + at, frames, first, header) if first is not None and frames else None


def promised_frames(file: BinaryIO, stream: Stream) -> int | None:
    """How many frames the Xing or Info header of an mp3 promises, if it has one."""
    file.seek(stream.start)
    head = file.read(64)
    for mark in (b"Xing", b"Info"):
        at = head.find(mark)
        if at >= 0 and len(head) >= at + 12 and head[at + 7] & 1:
            return int.from_bytes(head[at + 8 : at + 12], "big")
    return None


def copy_with_count(file: BinaryIO, stream: Stream, copy: IO[bytes]) -> None:
    """Copy an mp3 with an Info header in front that says how many frames there are.

    Without one, decoders estimate the length from the first frame and stop there: a variable stream that
    begins quietly would lose its end.
    """
    header = bytearray(stream.header)
    header[1] |= 1  # no checksum
    header[2] = header[2] & 0x0D | 0x90  # a bit rate whose frames have room for the header
    frame = mpeg_frame(bytes(header), 0) or stream.first
    side = _SIDE_BYTES[frame.samples, frame.channels]
    info = bytes(header) + bytes(side) + b"Info\0\0\0\x01" + stream.frames.to_bytes(4, "big")
    copy.write(info.ljust(frame.length, b"\0"))
    file.seek(stream.start)
    shutil.copyfileobj(file, copy)
    copy.flush()
