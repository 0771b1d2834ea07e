"""From samples to a file: mp3 in a constant bit rate, wav in 16 bits, pcm as bare little-endian 16-bit
samples, Opus in an Ogg file.
"""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from generations.sandbox.dsp import Sound, resampled

try:
    import lameenc
except ImportError:  # the optional group is not installed
    lameenc = None

try:
    import espeakng_loader
except ImportError:  # the optional group is not installed
    espeakng_loader = None

__all__ = ["decode", "decode_channels", "encode", "espeakng_loader", "missing_libraries"]

FRAMES = 65_536
"""Written at a time: libsndfile crashes on long single writes in some formats."""
BEST, FAST = 2, 7
OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)


def missing_libraries() -> list[str]:
    """A sentence for each optional library that is not there and what happens without it."""
    told = []
    if espeakng_loader is None:
        told.append(
            "espeakng-loader is not installed: the sandbox hums its speech. Install the group sandbox."
        )
    if lameenc is None:
        told.append(
            "lameenc is not installed: mp3 files come in a variable bit rate. Install the group sandbox."
        )
    return told


def encode(sound: Sound, rate: int, form: str, bitrate: int = 128_000) -> bytes:
    """``sound`` mono ``(n,)`` or stereo ``(2, n)`` at ``rate`` Hz as ``mp3``, ``wav``, ``pcm`` or ``ogg_opus``.

    ``bitrate`` in bit/s counts for mp3 only; below 32 kHz the mp3 format itself ends at 160,000.
    """
    frames = np.ascontiguousarray(np.atleast_2d(sound).T)
    samples = (np.clip(frames, -1, 1) * 32_767).astype("<i2")
    if form == "pcm":
        return samples.tobytes()
    if form == "wav":
        return _wav(samples, rate)
    if form == "ogg_opus":
        return _opus(sound, rate)
    if form != "mp3":
        raise ValueError(f"Unknown sound format: {form}")
    return _mp3(samples, rate, bitrate) if lameenc is not None else _any_mp3(samples, rate)


def _wav(samples: NDArray[np.int16], rate: int) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return target.getvalue()


def _mp3(samples: NDArray[np.int16], rate: int, bitrate: int) -> bytes:
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(samples.shape[1])
    encoder.set_in_sample_rate(rate)
    encoder.set_out_sample_rate(rate)
    encoder.set_bit_rate(min(bitrate // 1000, 320 if rate >= 32_000 else 160))
    encoder.set_quality(FAST)
    return bytes(encoder.encode(samples.tobytes())) + bytes(encoder.flush())


def _opus(sound: Sound, rate: int) -> bytes:
    """Opus knows few rates; any other becomes the highest of them."""
    if rate not in OPUS_RATES:
        sound, rate = resampled(sound, max(OPUS_RATES) / rate), max(OPUS_RATES)
    return _written(np.atleast_2d(np.clip(sound, -1, 1)).T, rate, format="OGG", subtype="OPUS")


def _any_mp3(samples: NDArray[np.int16], rate: int) -> bytes:
    return _written(samples, rate, format="MP3")


def _written(samples: NDArray[Any], rate: int, **kind: str) -> bytes:
    target = io.BytesIO()
    with soundfile.SoundFile(target, "w", rate, samples.shape[1], **kind) as file:
        for start in range(0, len(samples), FRAMES):
            file.write(samples[start : start + FRAMES])
    return target.getvalue()


def decode(data: bytes, seconds: float) -> tuple[Sound, int]:
    """The first ``seconds`` of a sound file as mono, and its rate. Raises ValueError when it is not sound."""
    sound, rate = decode_channels(data, seconds)
    return sound.mean(axis=0), rate


def decode_channels(data: bytes, seconds: float) -> tuple[Sound, int]:
    """As `decode`, with all its channels: ``(channels, n)``."""
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            frames = file.read(int(file.samplerate * seconds), dtype="float32", always_2d=True)
            rate = int(file.samplerate)
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise ValueError("the file is not sound that can be read") from error
    return np.ascontiguousarray(frames.T, np.float32), rate
