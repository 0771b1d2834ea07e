"""Arithmetic on sound: filters, rooms, loudness, limiting. Arrays are float32, mono ``(n,)`` or stereo ``(2,
n)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]
Response = Callable[[Floats], Floats]
BLOCK = 64
LOOK_AHEAD = 5


def db(value: float) -> float:
    """Decibels to a factor."""
    return float(10.0 ** (value / 20.0))


def fast_length(n: int) -> int:
    """The next length of the form 2^a times 9, 10, 12, 15 or 16, which the FFT does quickly."""
    power = 1 << max(n - 1, 16).bit_length()
    return next(size for share in (9, 10, 12, 15, 16) if (size := power * share // 16) >= n)


def filtered(sound: Sound, rate: int, response: Response, room: Sound | None = None) -> Sound:
    """The sound with a magnitude response (a function of Hz) and, if given, a room's impulse response.

    The length stays the same: what would ring on after the end is dropped.
    """
    n = sound.shape[-1]
    size = fast_length(n + (room.shape[-1] if room is not None else rate // 20))
    spectrum = np.fft.rfft(sound, size, axis=-1)
    gain = response(np.fft.rfftfreq(size, 1 / rate)).astype(np.float32)
    if room is not None:
        spectrum *= gain * (1 + np.fft.rfft(room, size, axis=-1))
    else:
        spectrum *= gain
    return np.fft.irfft(spectrum, size, axis=-1)[..., :n].astype(np.float32)


def room(
    rate: int, seconds: float, wet: float, seed: int, *, predelay: float = 0.012, dark: float = 0.5
) -> Sound:
    """A stereo impulse response: early reflections, then noise that decays (60 dB in ``seconds``) and
    darkens.

    ``wet`` is its energy as a factor against the dry sound.
    """
    random = np.random.default_rng(seed)
    n = int(rate * seconds)
    t = np.arange(n, dtype=np.float32) / rate
    tail = random.standard_normal((2, n)).astype(np.float32) * np.exp(-6.9 * t / seconds, dtype=np.float32)
    width = max(int(1 + dark * 10 * rate / 44_100), 1)
    kernel = np.hanning(width + 2)[1:-1].astype(np.float32)
    smooth = np.stack([np.convolve(channel, kernel / kernel.sum(), "same") for channel in tail])
    mix = np.clip(t / (0.35 * seconds), 0, 1)
    tail = (tail * (1 - mix) * (1 - dark) + smooth * (mix + dark)).astype(np.float32)
    tail *= np.clip(t / 0.02, 0, 1)
    for _ in range(7):
        at = int(rate * random.uniform(0.003, 0.045))
        if at < n:
            tail[int(random.integers(2)), at] += random.uniform(1.5, 3.0) * np.exp(-at / (0.03 * rate))
    tail *= wet / np.sqrt((tail**2).sum(axis=1, keepdims=True))
    return np.concatenate([np.zeros((2, int(rate * predelay)), np.float32), tail], axis=1).astype(np.float32)


def shelf(hz: Floats, corner: float, decibels: float, *, high: bool = True) -> Floats:
    """The magnitude of a gentle shelf."""
    part = hz**2 / (hz**2 + corner**2)
    return np.asarray(1 + (db(decibels) - 1) * (part if high else 1 - part))


def bell(hz: Floats, centre: float, decibels: float, octaves: float = 1.0) -> Floats:
    distance = np.log2(np.maximum(hz, 1.0) / centre) / octaves
    return np.asarray(1 + (db(decibels) - 1) * np.exp(-2 * distance**2))


def loudness(sound: Sound, rate: int) -> float:
    """LUFS after ITU-R BS.1770, with its K weighting approximated in the spectrum and blocks that do not
    overlap.
    """
    stereo = np.atleast_2d(sound)
    size = int(rate * 0.4)
    count = stereo.shape[1] // size
    if count == 0:
        stereo = np.pad(stereo, ((0, 0), (0, size - stereo.shape[1])))
        count = 1
    blocks = stereo[:, : count * size].reshape(stereo.shape[0], count, size)
    hz = np.fft.rfftfreq(size, 1 / rate)
    weight = (1 + 0.585 * hz**2 / (hz**2 + 1500.0**2)) ** 2 * (hz**2 / (hz**2 + 38.0**2)) ** 2
    power = (np.abs(np.fft.rfft(blocks, axis=-1)) ** 2 * weight).sum(axis=-1) * 2 / size**2
    per_block = power.sum(axis=0)
    levels = -0.691 + 10 * np.log10(np.maximum(per_block, 1e-12))
    heard = levels > -70
    if not heard.any():
        return -70.0
    gate = -0.691 + 10 * np.log10(per_block[heard].mean()) - 10
    heard &= levels > gate
    return float(-0.691 + 10 * np.log10(per_block[heard].mean()))


def limited(sound: Sound, ceiling: float) -> Sound:
    """The sound with its peaks turned down ahead of time, never above ``ceiling``."""
    stereo = np.atleast_2d(sound)
    n = stereo.shape[1]
    count = -(-n // BLOCK)
    peaks = (
        np.abs(np.pad(stereo, ((0, 0), (0, count * BLOCK - n)))).max(axis=0).reshape(count, BLOCK).max(axis=1)
    )
    gain = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    if gain.min() >= 1.0:
        return sound
    padded = np.pad(gain, LOOK_AHEAD, mode="edge")
    lowest = np.min([padded[i : i + count] for i in range(2 * LOOK_AHEAD + 1)], axis=0)
    padded = np.pad(lowest, LOOK_AHEAD, mode="edge")
    smooth = np.mean([padded[i : i + count] for i in range(2 * LOOK_AHEAD + 1)], axis=0)
    curve = np.interp(np.arange(n), np.arange(count) * BLOCK + BLOCK / 2, smooth).astype(np.float32)
    return np.asarray(np.clip(sound * curve, -ceiling, ceiling), np.float32)


def levelled(sound: Sound, rate: int, lufs: float, ceiling: float) -> Sound:
    """Brought to a loudness, with peaks held below the ceiling."""
    measured = loudness(sound, rate)
    if measured <= -69:
        return sound
    return limited(sound * np.float32(db(min(lufs - measured, 30.0))), ceiling)


def resampled(sound: Sound, ratio: float) -> Sound:
    """``ratio`` times as many samples, by linear interpolation; the caller filters what lies above the old
    limit.
    """
    n = round(sound.shape[-1] * ratio)
    at = np.arange(n, dtype=np.float64) / ratio
    return np.interp(at, np.arange(sound.shape[-1]), sound).astype(np.float32)
