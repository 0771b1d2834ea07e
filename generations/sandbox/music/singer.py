"""A voice that sings: espeak says each word, and its changing spectrum is laid over tones of the melody.

The vowel of a syllable is held for the length of its note; consonants keep their own speed and come just
before the beat. In a chorus a second voice joins a third above.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generations.sandbox import espeak, markup
from generations.sandbox.dsp import Sound, resampled
from generations.sandbox.music.brief import Brief
from generations.sandbox.music.score import Note, Score
from generations.sandbox.music.synth import Instrument
from generations.sandbox.music.theory import Key

RATE = 22_050
HOP, FRAME, FFT = 128, 512, 1024
SMOOTH = 46
"""Cepstral coefficients kept: enough for formants, too few for the pitch of the speaker."""
LEAD_FRAMES = 12
"""How much of a syllable's opening consonant may come before the beat."""
FLOOR = 1e-4
MEN = re.compile(r"(?<![a-z])(male|man|men|baritone|tenor|bass voice|his)(?![a-z])|男", re.IGNORECASE)


@dataclass
class Spoken:
    """A word as espeak says it, frame by frame: smooth spectra, how voiced, how loud."""

    spectra: NDArray[np.float32]
    voiced: NDArray[np.float32]
    power: NDArray[np.float32]


def sing(score: Score, brief: Brief, prompt: str, rate: int, n: int, offset: float) -> Sound | None:
    """The sung lines on a bus of ``n`` samples that begins ``offset`` seconds into the piece."""
    lines = [line for line in score.sung if line.words]
    if not lines:
        return None
    male = bool(MEN.search(prompt)) and "female" not in prompt.lower()
    if not espeak.available():
        return _hummed(
            [note for line in lines for _, notes in line.words for note in notes], brief, rate, n, offset
        )
    track = Track(int(n / rate * RATE / HOP) + 2)
    beat = 60 / brief.tempo
    whole = " ".join(word for line in lines for word, _ in line.words)
    voice = f"{markup.language_of(whole, 'en-us')}+{'m3' if male else 'f3'}"
    choruses = [
        (s.first_bar * score.meter, (s.first_bar + s.bars) * score.meter)
        for s in score.sections
        if s.kind == "chorus"
    ]
    words = sorted({word for line in lines for word, _ in line.words})
    sounds, _ = espeak.say([espeak.Phrase(word, voice, span=0) for word in words])
    said = {word: _spoken(sound) for word, sound in zip(words, sounds, strict=True)}
    for line in lines:
        for word, notes in line.words:
            spoken = said[word]
            if spoken is None:
                continue
            second = any(first <= notes[0].start < last for first, last in choruses)
            for part, note in zip(_parts(spoken, len(notes)), notes, strict=True):
                track.place(
                    spoken, part, note, beat, offset, brief.key if second else None, 12 if male else 0
                )
    mono = resampled(track.sung(), rate / RATE)[:n]
    mono = np.pad(mono, (0, n - len(mono)))
    return _doubled(mono, rate)


def _spoken(sound: Sound) -> Spoken | None:
    """None for a word of which nothing is heard."""
    heard = np.flatnonzero(np.abs(sound) > 0.006)
    if len(heard) < FRAME:
        return None
    sound = np.pad(sound[heard[0] : heard[-1]], FRAME // 2)
    count = (len(sound) - FRAME) // HOP + 1
    index = np.arange(count)[:, None] * HOP + np.arange(FRAME)
    spectrum = np.abs(np.fft.rfft(sound[index] * np.hanning(FRAME).astype(np.float32), FFT, axis=1))
    power = (spectrum**2).sum(axis=1)
    low = (spectrum[:, : int(1200 / RATE * FFT)] ** 2).sum(axis=1)
    cepstrum = np.fft.irfft(np.log(spectrum + FLOOR), axis=1)
    cepstrum[:, SMOOTH : FFT - SMOOTH + 1] = 0
    smooth = np.exp(np.fft.rfft(cepstrum, axis=1).real)
    voiced = np.clip((low / (power + 1e-9) - 0.25) / 0.3, 0, 1)
    return Spoken(smooth.astype(np.float32), voiced.astype(np.float32), power.astype(np.float32))


def _parts(spoken: Spoken, count: int) -> list[tuple[int, int, int]]:
    """First frame, frame of the vowel and end of each syllable: cut where the word is softest."""
    frames = len(spoken.power)
    weight = spoken.power * spoken.voiced
    edges = [0]
    for place in range(1, count):
        aim, reach = frames * place / count, frames / count * 0.35
        low, high = max(int(aim - reach), edges[-1] + 1), min(int(aim + reach) + 1, frames - 1)
        edges.append(low + int(weight[low:high].argmin()) if high > low else min(int(aim), frames - 1))
    edges.append(frames)
    found = []
    for first, end in itertools.pairwise(edges):
        end = max(end, first + 1)
        found.append((first, first + int(weight[first:end].argmax()) if end > first else first, end))
    return found


class Track:
    """The voice over the whole recording, as frames that are still to become sound."""

    def __init__(self, frames: int) -> None:
        self.spectra = np.zeros((frames, FFT // 2 + 1), np.float32)
        self.voiced = np.ones(frames, np.float32)
        self.pitch = np.full(frames, 220.0)
        self.second = np.zeros(frames)

    def place(
        self,
        spoken: Spoken,
        part: tuple[int, int, int],
        note: Note,
        beat: float,
        offset: float,
        key: Key | None,
        down: int,
    ) -> None:
        """Put a syllable under its note. With a key a second voice sings a third above."""
        first, vowel, end = part
        frames = len(self.pitch)
        ahead = min(vowel - first, LEAD_FRAMES)
        start = int((note.start * beat - offset) * RATE / HOP)
        length = max(int(note.beats * beat * RATE / HOP), 6)
        at, stop = start - ahead, start + length - 1
        if at < 0 or stop >= frames:
            return
        source = _stretched(first, vowel, end, stop - at)
        low = np.floor(source).astype(int)
        rest = (source - low).astype(np.float32)[:, None]
        high = np.minimum(low + 1, end - 1)
        shape = spoken.spectra[low] * (1 - rest) + spoken.spectra[high] * rest
        fade = np.clip((stop - at - np.arange(stop - at)) / 8, 0, 1).astype(np.float32)[:, None]
        self.spectra[at:stop] = shape * fade
        self.voiced[at:stop] = spoken.voiced[low]
        t = np.arange(stop - at) * HOP / RATE
        vibrato = 28 * np.clip((t - 0.25) / 0.4, 0, 1) * np.sin(2 * np.pi * 5.4 * t)
        scoop = -60 * np.exp(-t / 0.05)
        bend = 2 ** ((vibrato + scoop) / 1200)
        self.pitch[at : min(stop + 40, frames)] = 440 * 2 ** ((note.pitch - down - 69) / 12)
        self.pitch[at:stop] *= bend
        if key is not None:
            third = next(step for step in (4, 3, 5) if key.contains(note.pitch + step) or step == 5)
            self.second[at:stop] = 440 * 2 ** ((note.pitch + third - down - 69) / 12) * bend

    def sung(self) -> Sound:
        """The frames as sound: tones and breath through the spectra, overlapped and added."""
        frames = len(self.pitch)
        n = frames * HOP + FFT
        smooth = np.convolve(np.pad(self.pitch, 5, mode="edge"), np.ones(11) / 11, "valid")
        source = _tones(smooth, n) + 0.5 * _tones(self.second, n)
        random = np.random.default_rng(3)
        voiced = np.repeat(self.voiced, HOP)
        voiced = np.pad(voiced, (0, n - len(voiced)), mode="edge")
        source = source * (0.08 + 0.92 * voiced) + random.standard_normal(n) * (0.04 + 0.5 * (1 - voiced))
        out = np.zeros(n, np.float32)
        window = np.hanning(FRAME).astype(np.float32)
        active = np.flatnonzero(self.spectra[:, 1:].any(axis=1))
        for block in np.array_split(active, max(len(active) // 1024, 1)):
            pieces = source[block[:, None] * HOP + np.arange(FRAME)].astype(np.float32) * window
            shaped = np.fft.irfft(np.fft.rfft(pieces, FFT, axis=1) * self.spectra[block], FFT, axis=1).astype(
                np.float32
            )
            for frame, piece in zip(block.tolist(), shaped, strict=True):
                out[frame * HOP : frame * HOP + FFT] += piece
        return out[FRAME // 2 :]


def _stretched(first: int, vowel: int, end: int, length: int) -> NDArray[np.float64]:
    """Which frame of the speech is heard at each frame of the note: the vowel waits, the rest keeps its
    speed.
    """
    opening, closing = vowel - first, max(end - 1 - vowel, 0)
    if opening + closing >= length:
        return np.linspace(first, end - 1, length)
    held = length - opening - closing
    wander = np.minimum(2.0, closing) * (0.5 - 0.5 * np.cos(np.arange(held) * 2 * np.pi * 7 / 172))
    return np.concatenate([np.arange(first, vowel), vowel + wander, np.arange(vowel, vowel + closing)]).clip(
        first, end - 1
    )


def _tones(pitch: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """A tone rich in harmonics that follows the pitch (Hz per frame, 0 is silence)."""
    hz = np.interp(np.arange(n), np.arange(len(pitch)) * HOP, pitch)
    phase = np.cumsum(hz) / RATE
    index = (phase * 4096).astype(np.int64) & 4095
    x = np.arange(4096) / 4096
    dark, bright = (
        sum(np.sin(2 * np.pi * (k * x + k * k * 0.11)) for k in range(1, top)) / np.sqrt(top)
        for top in (20, 40)
    )
    tone = np.where(hz > 260, np.asarray(dark)[index], np.asarray(bright)[index])
    return np.asarray(np.where(hz > 40, tone, 0.0))


def _doubled(mono: Sound, rate: int) -> Sound:
    """The voice in the middle with a faint early copy on each side."""
    out = np.stack([mono, mono])
    for channel, seconds in ((0, 0.017), (1, 0.026)):
        delay = int(seconds * rate)
        out[channel, delay:] += mono[:-delay] * np.float32(0.28)
    return out


def _hummed(notes: list[Note], brief: Brief, rate: int, n: int, offset: float) -> Sound:
    """The melody by the choir, where there is nobody to say the words."""
    choir, bus, beat = Instrument("choir", rate), np.zeros((2, n), np.float32), 60 / brief.tempo
    for note in notes:
        at = int((note.start * beat - offset) * rate)
        if 0 <= at < n:
            sound = choir.note(note.pitch, note.beats * beat)
            end = min(at + sound.shape[1], n)
            bus[:, at:end] += sound[:, : end - at]
    return bus
