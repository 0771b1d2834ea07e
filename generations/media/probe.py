"""Is this file what it should be, and what are its figures? Asked once, when a file is taken in."""

from __future__ import annotations

import contextlib
import tempfile
import wave
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import mutagen
import mutagen.mp4

from . import containers, frames
from . import sniff as types
from .containers import CUT, DAMAGED, NotMedia
from .frames import id3_end
from .packets import played
from .peaks import ROW_BARS, STAGE_BARS, Decoded, decode
from .sniff import SNIFF_BYTES, MediaType, sniff

_ACCEPTED = {
    "audio": ("audio",),
    "image": ("image",),
    "video": ("video",),
    "3d": ("3d", "archive"),
    "text": ("text",),
    "archive": ("archive",),
}
_WANTED = {
    "audio": "Sound", "image": "A picture", "video": "A video", "3d": "A 3D object", "text": "Text",
    "archive": "An archive",
}  # fmt: skip
_FOUND = {
    "audio": "sound", "image": "a picture", "video": "a video", "3d": "a 3D object", "archive": "an archive",
}  # fmt: skip
_FOUND_TEXT = {"html": "a web page", "json": "a JSON text", "xml": "an XML text", "txt": "plain text"}
_TAG_BYTES = 65_536
_FROM_HEADERS_ALONE = {"mp3", "aac", "bin"}


@dataclass(frozen=True)
class Probe:
    """The figures of a file: seconds, Hz, bits a second; None where they do not apply or are not declared.

    `peaks_row` holds 96 and `peaks_stage` 360 whole numbers from 0 to 100; both are empty for anything that
    is not sound, and for sound that is only measured and not decoded (m4a, aac, webm).
    """

    type: MediaType
    duration: float | None = None
    sample_rate: int | None = None
    channels: int | None = None
    bit_rate: int | None = None
    peaks_row: list[int] = field(default_factory=list)
    peaks_stage: list[int] = field(default_factory=list)


def probe(
    path: Path,
    *,
    expected: str | None = None,
    declared_extension: str = "",
    sample_rate_hint: int | None = None,
    channels_hint: int | None = None,
) -> Probe:
    """Read a file through and say what it is; raises NotMedia with a sentence for members.

    `expected` is a kind of `MediaType` (3d also takes an archive); None takes anything that is whole.
    `declared_extension` is believed only where bytes cannot tell: "pcm" for headerless 16-bit little-endian
    sound, whose rate and channels come from the hints (no rate: no duration), and "obj" for a 3D text.
    """
    if expected is not None and expected not in _ACCEPTED:
        raise ValueError(f"unknown kind {expected!r}")
    size = path.stat().st_size
    if not size:
        raise NotMedia("The file is empty.")
    declared = declared_extension.lower().lstrip(".")
    with path.open("rb") as file:
        found = _look(file)
        if declared == "pcm" and found.extension in _FROM_HEADERS_ALONE:
            found = types.PCM
        if declared == "obj" and expected == "3d" and found == types.TEXT:
            found = types.OBJ
        found, tracks = _inside(file, size, found)
        _agree(found, expected, declared)
        if tracks is not None:
            if not tracks.duration:
                tracks = replace(tracks, duration=played(path, found.extension))
            return _measured(file, size, found, tracks)
        if found == types.AAC:
            return _aac(file)
        if found == types.MP3:
            return _mp3(path, file, size)
    if found == types.PCM:
        return _pcm(path, sample_rate_hint, channels_hint)
    if found.kind != "audio":
        return Probe(found)
    sound = decode(path)
    if sound.declared and sound.declared - sound.frames > sound.slack:
        raise NotMedia(CUT)
    return _heard(found, sound, round(size * 8 * sound.sample_rate / sound.frames))


def read_text(path: Path, max_bytes: int) -> str:
    """The text of a UTF-8 file, lines ended by "\\n"; NotMedia when longer than `max_bytes`, or no text."""
    with path.open("rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise NotMedia(f"The text is longer than {max_bytes:,} bytes.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotMedia("The file is not text.") from error
    if "\0" in text:
        raise NotMedia("The file is not text.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def pcm_to_wav(src: Path, dst: Path, rate: int, channels: int) -> None:
    """Write headerless 16-bit little-endian samples as a WAV file that browsers can play.

    No browser plays headerless samples. The stored output stays as it was received; this makes a second
    file for listening. An incomplete last frame is left out.
    """
    frame = 2 * channels
    with src.open("rb") as samples, wave.open(str(dst), "wb") as sound:
        sound.setparams((channels, 2, rate, src.stat().st_size // frame, "NONE", ""))
        while block := samples.read(65_536 * frame):
            sound.writeframesraw(block[: len(block) // frame * frame])


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(SNIFF_BYTES)


def _look(file: BinaryIO) -> MediaType:
    head = _head(file)
    tag = id3_end(head)
    if tag < len(head):
        return sniff(head)
    file.seek(tag)
    behind = sniff(file.read(SNIFF_BYTES))
    return behind if behind in (types.FLAC, types.AAC) else types.MP3


def _inside(file: BinaryIO, size: int, found: MediaType) -> tuple[MediaType, containers.Tracks | None]:
    """Refuse what is cut; a video container without pictures is sound."""
    tracks = None
    if found in (types.WAV, types.WEBP, types.AVI):
        containers.check_riff(file, size)
    elif found == types.AIFF:
        containers.check_aiff(file, size)
    elif found in (types.PNG, types.JPEG, types.GIF):
        containers.check_picture(file, size, found.extension)
    elif found == types.GLB:
        containers.check_glb(file, size)
    elif found in (types.AVIF, types.HEIC):
        containers.check_heif(file, size)
    elif found in (types.MP4, types.MOV, types.M4A):
        tracks = containers.mp4_tracks(file, size)
        if found != types.M4A and tracks.has_audio and not tracks.has_video:
            found = types.M4A
    elif found in (types.WEBM, types.MKV):
        tracks = containers.matroska_tracks(file, size)
        if not tracks.has_video:
            found = types.WEBA if found == types.WEBM else types.MKA
    return found, tracks


def _agree(found: MediaType, expected: str | None, declared: str) -> None:
    if expected is None:
        return
    text_in_disguise = expected == "text" and found in (types.HTML, types.XML) and declared != found.extension
    if found.kind in _ACCEPTED[expected] and not text_in_disguise:
        return
    what = _FOUND_TEXT.get(found.extension) or _FOUND.get(found.kind) or "something unreadable"
    raise NotMedia(f"{_WANTED[expected]} was expected, but the file is {what}.")


def _measured(file: BinaryIO, size: int, found: MediaType, tracks: containers.Tracks) -> Probe:
    duration, rate, channels = tracks.duration, tracks.sample_rate, tracks.channels
    if found == types.M4A:
        file.seek(0)
        # What mutagen cannot read (odd tags, other codecs) may still play: the index is known to be whole.
        with contextlib.suppress(mutagen.MutagenError):
            info: Any = mutagen.mp4.MP4(file).info  # type: ignore[no-untyped-call]
            duration = info.length or duration
            rate, channels = info.sample_rate or None, info.channels or None
    bit_rate = round(size * 8 / duration) if duration else None
    return Probe(found, duration, rate, channels, bit_rate)


def _aac(file: BinaryIO) -> Probe:
    stream = frames.walk(file, frames.adts_frame)
    if stream is None or stream.frames < 2:
        raise NotMedia(DAMAGED)
    first = stream.first
    duration = stream.samples / first.sample_rate
    return Probe(types.AAC, duration, first.sample_rate, first.channels or None, stream.bit_rate)


def _mp3(path: Path, file: BinaryIO, size: int) -> Probe:
    stream = frames.walk(file, frames.mpeg_frame)
    if stream is None:
        raise NotMedia(DAMAGED)
    promised = frames.promised_frames(file, stream)
    sound = decode(path)
    if promised is None and stream.samples > sound.frames + sound.slack:
        with tempfile.NamedTemporaryFile() as copy:
            frames.copy_with_count(file, stream, copy.file)
            sound = decode(Path(copy.name))
    if promised is not None and promised * stream.first.samples - sound.frames > sound.slack:
        raise NotMedia(CUT)
    # A decoder stumbles over a tag behind the sound as over damage; damage leaves much more unread.
    if not sound.complete and size - stream.stop > max(_TAG_BYTES, size // 10):
        raise NotMedia(DAMAGED)
    return _heard(types.MP3, sound, stream.bit_rate)


def _pcm(path: Path, rate: int | None, channels: int | None) -> Probe:
    sound = decode(path, raw=(rate or 44_100, channels or 1))
    if rate and channels:
        return _heard(types.PCM, sound, rate * channels * 16)
    heard = _heard(types.PCM, sound, 0)
    return replace(heard, duration=None, sample_rate=rate, channels=channels, bit_rate=None)


def _heard(found: MediaType, sound: Decoded, bit_rate: int) -> Probe:
    return Probe(
        found,
        sound.frames / sound.sample_rate,
        sound.sample_rate,
        sound.channels,
        bit_rate,
        sound.envelope.bars(ROW_BARS),
        sound.envelope.bars(STAGE_BARS),
    )
