"""What is sung and played: music of one take, songs of several, a song that goes on, a cover of a recording."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from generations.sandbox import lyrics
from generations.sandbox.dsp import Sound, resampled
from generations.sandbox.encode import decode_channels, encode
from generations.sandbox.made import Made, UnusableSample
from generations.sandbox.music.perform import perform
from generations.sandbox.voices import FEMALE, Traits

RATE, BITRATE = 44_100, 192_000
TAKES = 2
"""Of a model that is not told how many."""
LONGEST, QUICK = 420.0, 2.0
"""Seconds of a song that are read to go on with it."""
SHORTEST_COVER, LONGEST_COVER = 6.0, 360.0
"""Seconds of a recording that can be covered."""
JOIN = 0.05
"""Seconds in which one part of a song fades into the next."""
REFERENCES = ("referenceId", "melodyId", "instrumentalId")


def music(params: Mapping[str, Any], *, quick: bool) -> Made:
    """One piece with a format of its own: sung when there are lyrics, or when the model may write them."""
    style, words = str(params.get("prompt", "")), str(params.get("lyrics", ""))
    if params.get("isInstrumental"):
        words = ""
    elif not words and params.get("lyricsOptimizer"):
        words = lyrics.write(style).text
    return _formed(params, style, words, quick=quick)


def songs(params: Mapping[str, Any], singer: Traits | None, *, quick: bool) -> list[Made]:
    """Different takes: of words beside tags or a style, of our own words about an idea, or without words.

    A singer who was cloned decides between a woman's voice and a man's; what else was referred to, the piece.
    """
    style = str(params.get("tags") or params.get("description") or params.get("prompt", ""))
    if "tags" in params:
        words = str(params.get("prompt", ""))
    elif "description" in params:
        words = "" if params.get("make_instrumental") == "true" else lyrics.write(style).text
    else:
        words = str(params.get("lyrics", ""))
    if singer is not None:
        style += ", female voice" if singer.variant in FEMALE else ", male voice"
    style = " ".join([style, *(str(params[key]) for key in REFERENCES if key in params)])
    takes = range(int(params.get("n", TAKES)))
    return [_song(perform(style, words, rate=RATE, quick=quick, take=take)) for take in takes]


def extended(params: Mapping[str, Any], sample: bytes | None, *, quick: bool) -> Made:
    """The song up to a point with a new part after it, or whole with the new part before it.

    AAC cannot be read here: a song in it is answered with the new part alone.
    """
    if sample is None:
        raise UnusableSample("file processing failed: the song cannot be fetched")
    words = str(params.get("lyrics", ""))
    new = perform(hashlib.sha256(sample).hexdigest(), words, rate=RATE, quick=quick)
    try:
        sound, rate = decode_channels(sample, QUICK if quick else LONGEST)
    except ValueError as error:
        if not is_mp4(sample):
            raise UnusableSample(f"file processing failed: {error}") from error
        return _song(new)
    song = np.repeat(sound[:1], 2, axis=0) if len(sound) == 1 else sound[:2]
    song = np.stack([resampled(channel, RATE / rate) for channel in song])
    if params.get("extendType") == "head":
        return _song(_joined(new, song))
    return _song(_joined(song[:, : int(params.get("extendAt", 8_000)) * RATE // 1000], new))


def cover(params: Mapping[str, Any], sample: bytes | None, *, quick: bool) -> Made:
    """A piece in the asked style on the given words, or on those heard in the recording."""
    _recording(sample)
    words = str(params.get("lyrics", "")) or heard(sample or b"")
    return _formed(params, str(params.get("prompt", "")), words, quick=quick)


def heard(sample: bytes | None) -> str:
    """The words of a recording. Nothing here can listen, so they are words of our own, the same for the same one."""
    _recording(sample)
    return lyrics.write(hashlib.sha256(sample or b"").hexdigest()).text


def is_mp4(data: bytes) -> bool:
    """Whether it is a file such as M4A, whose AAC the sandbox cannot read."""
    return data[4:8] == b"ftyp"


def _recording(sample: bytes | None) -> None:
    """Raises UnusableSample unless there is a recording of six seconds to six minutes."""
    if sample is None:
        raise UnusableSample("file processing failed: the recording cannot be fetched")
    try:
        sound, rate = decode_channels(sample, LONGEST_COVER + 1)
    except ValueError as error:
        raise UnusableSample(f"file processing failed: {error}") from error
    if not SHORTEST_COVER <= sound.shape[1] / rate <= LONGEST_COVER:
        raise UnusableSample("file processing failed: the recording must have 6 seconds to 6 minutes")


def _formed(params: Mapping[str, Any], style: str, words: str, *, quick: bool) -> Made:
    form = str(params.get("format", "mp3"))
    rate = int(params.get("sampleRate", "44100"))
    sound = perform(style, words, rate=rate, quick=quick)
    return Made(form, encode(sound, rate, form, int(params.get("bitrate", "256000"))))


def _song(sound: Sound) -> Made:
    return Made("mp3", encode(sound, RATE, "mp3", BITRATE))


def _joined(first: Sound, second: Sound) -> Sound:
    n = min(int(JOIN * RATE), first.shape[1], second.shape[1])
    rise = np.linspace(0, 1, n, dtype=np.float32)
    seam = first[:, first.shape[1] - n :] * (1 - rise) + second[:, :n] * rise
    return np.concatenate([first[:, : first.shape[1] - n], seam, second[:, n:]], axis=1).astype(np.float32)
