"""espeak-ng out of the installed package, in a process of its own for each piece (see ``espeak_process``)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generations.sandbox.dsp import Sound
from generations.sandbox.encode import espeakng_loader

WORDS_A_MINUTE = 165
"""What speed 1 means."""
REACH = 9.5
"""Semitones up and down that espeak's own pitch setting covers."""
STRETCH = 1.22
"""Its settings 0 to 99 were measured to move the pitch by less than the octaves its manual speaks of."""
TIMEOUT_SECONDS = 180
SCRIPT = Path(__file__).with_name("espeak_process.py")


class EspeakFailed(RuntimeError):
    """The process that speaks ended without an answer."""


@dataclass(frozen=True)
class Phrase:
    """Something to say. ``voice`` is a language with an optional variant ("en-us+f3").

    ``span`` is the width of the intonation, 50 is usual. ``semitones`` shift the voice's own pitch, as far as
    REACH. ``phonemes`` says that the text is in [[...]].
    """

    text: str
    voice: str
    speed: float = 1.0
    semitones: float = 0.0
    span: int = 50
    phonemes: bool = False

    def order(self) -> dict[str, object]:
        pitch = round(50 + 50 * STRETCH * max(min(self.semitones, REACH), -REACH) / 12)
        return {
            "text": self.text,
            "voice": self.voice,
            "words": max(80, min(450, round(WORDS_A_MINUTE * self.speed))),
            "pitch": max(0, min(99, pitch)),
            "span": self.span,
            "phonemes": self.phonemes,
        }


def available() -> bool:
    return espeakng_loader is not None


def say(phrases: Sequence[Phrase]) -> tuple[list[Sound], int]:
    """The phrases as mono samples, and their rate; always the same for the same. Raises EspeakFailed."""
    if not phrases:
        return [], 22_050
    order = {
        "library": str(espeakng_loader.get_library_path()),
        "data": str(espeakng_loader.get_data_path()),
        "phrases": [phrase.order() for phrase in phrases],
    }
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-I", "-S", str(SCRIPT)],
            input=json.dumps(order).encode(),
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=True,
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise EspeakFailed(f"espeak-ng did not answer: {error}") from error
    head, _, pcm = done.stdout.partition(b"\n")
    told = json.loads(head)
    sounds, at = [], 0
    for length in told["lengths"]:
        samples = np.frombuffer(pcm[at : at + length], "<i2") / np.float32(32_768)
        sounds.append(samples.astype(np.float32))
        at += length
    return sounds, int(told["rate"])
