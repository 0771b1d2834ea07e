"""What a job of each kind becomes: sound in the asked format, or text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generations.catalogue.spec import Kind
from generations.sandbox.encode import decode, encode
from generations.sandbox.music.perform import perform
from generations.sandbox.speech import SPEECH_RATE, speak
from generations.sandbox.voices import Traits, traits_of, traits_of_sample

SPEECH_BITRATE = 128_000
SAMPLE_SECONDS = 60


class UnusableSample(ValueError):
    """The sound a voice is to be cloned from cannot be fetched or read."""


@dataclass(frozen=True)
class Made:
    """One result: the bytes of a file, or a text. ``traits`` are those of a voice just cloned."""

    ext: str
    data: bytes | None = None
    text: str | None = None
    traits: Traits | None = None


def make(
    kind: str, params: Mapping[str, Any], *, traits: Traits | None, sample: bytes | None, quick: bool
) -> list[Made]:
    """The results of one job, the same for the same arguments. Raises UnusableSample."""
    if kind == Kind.VOICE.value:
        return [_clone(params, sample, quick=quick)]
    if kind == Kind.SPEECH.value:
        voice = traits or traits_of(str(params.get("voice_id", "")))
        return [Made("mp3", encode(speak(params, voice, quick=quick), SPEECH_RATE, "mp3", SPEECH_BITRATE))]
    if kind in (Kind.LYRICS.value, Kind.TEXT.value):
        return [Made("txt", text=_lyrics(str(params.get("prompt", ""))))]
    return [_music(params, quick=quick)]


def _music(params: Mapping[str, Any], *, quick: bool) -> Made:
    form = str(params.get("format", "mp3"))
    rate = int(params.get("sampleRate", "44100"))
    sound = perform(str(params.get("prompt", "")), str(params.get("lyrics", "")), rate=rate, quick=quick)
    return Made(form, encode(sound, rate, form, int(params.get("bitrate", "256000"))))


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


def _lyrics(prompt: str) -> str:
    """A short song text around the words of the prompt."""
    words = [word.strip(".,;:!?") for word in prompt.split() if len(word.strip(".,;:!?")) > 3] or [
        "morning",
        "light",
    ]
    start = hashlib.sha256(prompt.encode()).digest()[0]
    pick = [words[(start + step) % len(words)] for step in range(6)]
    return (
        f"[Verse]\nI heard the {pick[0]} calling low\nWhere all the quiet rivers go\n"
        f"The {pick[1]} waited by the door\nAnd I was listening for more\n\n"
        f"[Chorus]\nOh {pick[2]}, stay a while with me\nThe {pick[3]} sets the evening free\n\n"
        f"[Verse]\nA {pick[4]} in the window light\nKept every promise through the night\n\n"
        f"[Outro]\nOh {pick[5]}, stay a while with me\n"
    )
