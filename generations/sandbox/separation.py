"""A recording taken apart into the voice and everything else.

A voice is usually in the middle of the stereo picture, within its band, and it moves, while what accompanies it
lies wider and lasts longer. Each point of the spectrum is shared out by these three signs. What is not given to the
voice is background, so the two add up to the recording.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generations.sandbox.dsp import Floats, Sound

FRAME, HOP = 2048, 512
BLOCK = 256
"""Frames in work at a time, which bounds the memory whatever the length."""
NEIGHBOURS = tuple(range(-84, 85, 12))
"""Frames, a second to either side, over which something counts as lasting."""
LOW, HIGH = 110.0, 9_000.0


def separated(sound: Sound, rate: int) -> tuple[Sound, Sound]:
    """(voice, background) of sound ``(channels, n)``; of more than two channels the first two are used."""
    stereo = sound[:2]
    n = stereo.shape[1]
    window = np.hanning(FRAME + 1)[:-1].astype(np.float32)
    count = -(-n // HOP) + FRAME // HOP
    padded = np.pad(stereo, ((0, 0), (FRAME, count * HOP + FRAME - n)))
    voice, weight = np.zeros_like(padded), np.zeros(padded.shape[1], np.float32)
    band = _band(np.fft.rfftfreq(FRAME, 1 / rate))
    reach = NEIGHBOURS[-1]
    for first in range(0, count, BLOCK):
        last = min(first + BLOCK, count)
        start, end = max(first - reach, 0), min(last + reach, count)
        starts = np.arange(start, end) * HOP
        frames = padded[:, starts[:, None] + np.arange(FRAME)] * window
        spectra = np.fft.rfft(frames, axis=-1)
        share = _share(spectra, first - start, last - first) * band
        own = np.fft.irfft(spectra[:, first - start : last - start] * share, FRAME, axis=-1) * window
        for at in range(last - first):
            place = slice((first + at) * HOP, (first + at) * HOP + FRAME)
            voice[:, place] += own[:, at].astype(np.float32)
            weight[place] += window**2
    found = (voice / np.maximum(weight, 1e-3))[:, FRAME : FRAME + n].astype(np.float32)
    return found, (stereo - found).astype(np.float32)


def _share(spectra: NDArray[np.complexfloating], first: int, count: int) -> Floats:
    """How much of each point belongs to the voice, for ``count`` frames from ``first`` on."""
    size = np.abs(spectra.mean(axis=0)).astype(np.float32)
    frames = np.arange(first, first + count)
    around = np.stack([size[np.clip(frames + step, 0, len(size) - 1)] for step in NEIGHBOURS])
    lasting = np.median(around, axis=0)
    moving = np.maximum(size[first : first + count] - lasting, 0) ** 2
    share = moving / (moving + lasting**2 + 1e-9)
    if len(spectra) == 2:
        left, right = spectra[:, first : first + count]
        both = np.abs(left) ** 2 + np.abs(right) ** 2
        share = share * np.clip(2 * (left * right.conj()).real / (both + 1e-9), 0, 1) ** 2
    return np.asarray(share, np.float32)


def _band(hz: Floats) -> Floats:
    """1 where voices are, falling gently below and above."""
    safe = np.maximum(hz, 1.0)
    return np.asarray(1 / ((1 + (LOW / safe) ** 4) * (1 + (safe / HIGH) ** 6)), np.float32)
