"""A text spoken by a voice: espeak-ng, shaped by the model's params and put into a small room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np

from generations.sandbox import espeak, markup
from generations.sandbox.dsp import (
    Floats,
    Sound,
    bell,
    db,
    filtered,
    levelled,
    limited,
    resampled,
    room,
    shelf,
)
from generations.sandbox.noises import hummed, noise, voiced_phrases
from generations.sandbox.voices import Traits

SPEECH_RATE = 32_000
LUFS = -19.0
CEILING = 0.85
QUICK_SECONDS = 2.5
QUICK_CHARACTERS = 60
QUIET = 0.004


@dataclass(frozen=True)
class Mood:
    """How an emotion bends a voice: semitones, width of intonation (50 is usual), a factor on speed,
    decibels.
    """

    semitones: float = 0.0
    span: int = 55
    speed: float = 1.0
    gain: float = 0.0


MOODS = {
    "happy": Mood(0.8, 72, 1.03),
    "sad": Mood(-1.5, 32, 0.86, -2.0),
    "angry": Mood(0.6, 68, 1.1, 2.0),
    "fearful": Mood(1.8, 62, 1.12, -1.0),
    "disgusted": Mood(-1.0, 42, 0.92),
    "surprised": Mood(2.4, 92, 1.02, 1.0),
    "neutral": Mood(),
    "calm": Mood(-0.4, 45, 0.94),
}


def speak(params: Mapping[str, Any], voice: Traits, *, quick: bool = False) -> Sound:
    """Mono speech at SPEECH_RATE; ``params`` are those of a speech model (text, speed, volume, pitch, emotion
    ...).
    """
    mood = MOODS.get(str(params.get("emotion", "neutral")), Mood())
    text = str(params.get("text", ""))
    tokens = markup.read(
        text[:QUICK_CHARACTERS] if quick else text,
        language=voice.language or _boost(params),
        replacements=params.get("pronunciation_dict") or (),
    )
    speed = float(params.get("speed", 1)) * mood.speed * voice.pace
    semitones = float(params.get("pitch", 0)) + mood.semitones + voice.semitones
    pieces = _said(tokens, Manner(voice, mood, speed, semitones))
    sound = np.concatenate(
        [
            np.zeros(int(0.08 * SPEECH_RATE), np.float32),
            *pieces,
            np.zeros(int(0.25 * SPEECH_RATE), np.float32),
        ]
    )
    if quick:
        sound = sound[: int(QUICK_SECONDS * SPEECH_RATE)]
    return _finished(sound, gain=db(mood.gain) * float(params.get("volume", 1)))


def _boost(params: Mapping[str, Any]) -> str:
    return {"Chinese": "cmn", "Chinese,Yue": "yue", "Japanese": "ja"}.get(
        str(params.get("language_boost", "")), ""
    )


@dataclass(frozen=True)
class Manner:
    """How everything in one text is said."""

    voice: Traits
    mood: Mood
    speed: float
    semitones: float

    @property
    def size(self) -> float:
        """The playback speed: the throat of the voice, and what espeak's own pitch cannot reach."""
        beyond = self.semitones - 12 * log2(self.voice.size)
        rest = beyond - max(min(beyond, espeak.REACH), -espeak.REACH)
        return float(self.voice.size * 2 ** (rest / 12))

    def phrase(self, words: markup.Words) -> espeak.Phrase:
        """Speed and pitch are asked for so that the change of playback speed cancels out."""
        return espeak.Phrase(
            words.text,
            f"{words.language}+{self.voice.variant}",
            speed=self.speed / self.size,
            semitones=self.semitones - 12 * log2(self.size),
            span=self.mood.span,
        )


def _said(tokens: list[markup.Token], manner: Manner) -> list[Sound]:
    """The sound of each token; everything that espeak says is asked for at once."""
    spoken = espeak.available()
    asked: list[list[espeak.Phrase]] = []
    for token in tokens:
        if isinstance(token, markup.Words):
            asked.append([manner.phrase(token)] if spoken else [])
        elif isinstance(token, markup.Noise) and spoken:
            asked.append(voiced_phrases(token.name, manner.voice, manner.semitones))
        else:
            asked.append([])
    sounds, rate = espeak.say([phrase for phrases in asked for phrase in phrases])
    waiting = iter(sounds)
    found = []
    for token, phrases in zip(tokens, asked, strict=True):
        own = [_trimmed(next(waiting)) for _ in phrases]
        if isinstance(token, markup.Silence):
            found.append(np.zeros(int(token.seconds * SPEECH_RATE), np.float32))
        elif isinstance(token, markup.Noise):
            voiced = [resampled(sound, SPEECH_RATE / rate / manner.voice.size) for sound in own]
            found.append(noise(token.name, voiced, SPEECH_RATE))
        elif own:
            found.append(resampled(own[0], SPEECH_RATE / rate / manner.size))
        else:
            found.append(hummed(token.text, manner.voice, manner.speed, manner.semitones, SPEECH_RATE))
    return found


def _trimmed(sound: Sound) -> Sound:
    """Without the silence espeak leaves around each piece, so that pauses are as long as the text says."""
    loud = np.flatnonzero(np.abs(sound) > QUIET)
    return sound[max(loud[0] - 64, 0) : loud[-1] + 256] if len(loud) else sound[:0]


def _finished(sound: Sound, gain: float) -> Sound:
    """Warmth, less of espeak's harshness, a small room, an even loudness, then the asked volume."""
    if len(sound) == 0 or not sound.any():
        return np.zeros(max(len(sound), SPEECH_RATE // 2), np.float32)

    def curve(hz: Floats) -> Floats:
        tone = shelf(hz, 180, 2.5, high=False) * bell(hz, 3200, -3.5, 1.2) * shelf(hz, 6500, -2.0)
        return np.asarray(tone * (hz / np.sqrt(hz**2 + 70.0**2)) / np.sqrt(1 + (hz / 10_200) ** 12))

    space = room(SPEECH_RATE, 0.22, 0.16, seed=11, predelay=0.006)[0]
    pieces = []
    block = SPEECH_RATE * 40
    for start in range(0, len(sound), block):
        lead = min(start, SPEECH_RATE // 2)
        piece = filtered(sound[start - lead : start + block], SPEECH_RATE, curve, space)
        pieces.append(piece[lead:])
    level = levelled(np.concatenate(pieces), SPEECH_RATE, LUFS, CEILING)
    return limited(level * np.float32(gain), CEILING)
