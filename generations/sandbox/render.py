"""What a job of each kind becomes: sound in the asked format, or text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generations.catalogue.spec import Kind
from generations.sandbox import lyrics
from generations.sandbox.encode import decode, encode
from generations.sandbox.music.perform import perform
from generations.sandbox.separation import separated
from generations.sandbox.soundtrack import soundtrack
from generations.sandbox.speech import SPEECH_RATE, speak
from generations.sandbox.voices import Traits, traits_of, traits_of_sample

SPEECH_BITRATE = 128_000
SONG_RATE, SONG_BITRATE = 44_100, 192_000
SAMPLE_SECONDS = 60
PARTED_SECONDS, PARTED_QUICK_SECONDS = 120.0, 4.0
"""The first so many seconds of a video are taken apart."""
TAKES = 2
LIP_SYNC_SPEECH = "kling-lip-sync/tts"
ONE_STEM = {"rhart-audio/extract-vocal": 0, "rhart-audio/extract-background": 1}
"""Which of the two stems the models give that do not give both."""


class UnusableSample(ValueError):
    """The sound a job works on, the sample of a voice or a recording, cannot be fetched or read."""


@dataclass(frozen=True)
class Made:
    """One result: the bytes of a file, or a text. ``traits`` are those of a voice just cloned."""

    ext: str
    data: bytes | None = None
    text: str | None = None
    traits: Traits | None = None


def make(
    kind: str,
    params: Mapping[str, Any],
    *,
    traits: Traits | None,
    sample: bytes | None,
    quick: bool,
    endpoint: str = "",
) -> list[Made]:
    """The results of one job, the same for the same arguments. Raises UnusableSample."""
    match kind:
        case Kind.VOICE.value:
            return [_clone(params, sample, quick=quick)]
        case Kind.SPEECH.value if endpoint == LIP_SYNC_SPEECH:
            return _lip_sync_speech(params, quick=quick)
        case Kind.SPEECH.value:
            return [_speech(params, traits or traits_of(str(params.get("voice_id", ""))), quick=quick)]
        case Kind.LYRICS.value | Kind.TEXT.value:
            return [Made("txt", text=str(lyrics.write(str(params.get("prompt", "")))))]
        case Kind.SONG.value:
            return _songs(params, quick=quick)
        case Kind.SEPARATION.value:
            return _stems(sample, endpoint, quick=quick)
    return [_music(params, quick=quick)]


def _speech(params: Mapping[str, Any], voice: Traits, *, quick: bool) -> Made:
    return Made("mp3", encode(speak(params, voice, quick=quick), SPEECH_RATE, "mp3", SPEECH_BITRATE))


def _lip_sync_speech(params: Mapping[str, Any], *, quick: bool) -> list[Made]:
    """The sound, and a text with the id a lip-sync video asks for; the real form of the answer is not documented."""
    said = {"text": params.get("text", ""), "speed": params.get("voiceSpeed", 1)}
    digest = hashlib.sha256(json.dumps(params, sort_keys=True).encode()).digest()
    told = json.dumps({"audioId": str(int.from_bytes(digest[:8], "big") % 10**18)})
    voice = traits_of(str(params.get("voiceId", "")))
    return [_speech(said, voice, quick=quick), Made("txt", text=told)]


def _music(params: Mapping[str, Any], *, quick: bool) -> Made:
    form = str(params.get("format", "mp3"))
    rate = int(params.get("sampleRate", "44100"))
    sound = perform(str(params.get("prompt", "")), str(params.get("lyrics", "")), rate=rate, quick=quick)
    return Made(form, encode(sound, rate, form, int(params.get("bitrate", "256000"))))


def _songs(params: Mapping[str, Any], *, quick: bool) -> list[Made]:
    """Two different songs: on words that were given as a prompt beside tags, or on our own about an idea."""
    style, words = str(params.get("tags", "")), str(params.get("prompt", ""))
    if "description" in params:
        style = str(params["description"])
        words = "" if params.get("make_instrumental") == "true" else lyrics.write(style).text
    sounds = [perform(style, words, rate=SONG_RATE, quick=quick, take=take) for take in range(TAKES)]
    return [Made("mp3", encode(sound, SONG_RATE, "mp3", SONG_BITRATE)) for sound in sounds]


def _stems(sample: bytes | None, endpoint: str, *, quick: bool) -> list[Made]:
    """The voice, the background, or both in this order, as WAV: nothing more is lost, whatever the rate."""
    if sample is None:
        raise UnusableSample("file processing failed: the video cannot be fetched")
    try:
        sound, rate = soundtrack(sample, PARTED_QUICK_SECONDS if quick else PARTED_SECONDS)
    except ValueError as error:
        raise UnusableSample(f"file processing failed: {error}") from error
    if sound.shape[1] < rate // 10:
        raise UnusableSample("file processing failed: the sound is too short")
    stems = separated(sound, rate)
    chosen = [stems[ONE_STEM[endpoint]]] if endpoint in ONE_STEM else list(stems)
    return [Made("wav", encode(stem, rate, "wav")) for stem in chosen]


def _clone(params: Mapping[str, Any], sample: bytes | None, *, quick: bool) -> Made:
    if sample is None:
        raise UnusableSample("file processing failed: the sample cannot be fetched")
    try:
        sound, rate = decode(sample, SAMPLE_SECONDS)
    except ValueError as error:
        raise UnusableSample(f"file processing failed: {error}") from error
    if len(sound) < rate // 2:
        raise UnusableSample("file processing failed: the sample is too short")
    traits = traits_of_sample(sound, rate, str(params.get("custom_voice_id", "")))
    preview = speak(params, traits, quick=quick)
    return Made("mp3", encode(preview, SPEECH_RATE, "mp3", SPEECH_BITRATE), traits=traits)
