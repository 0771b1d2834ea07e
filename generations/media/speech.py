"""Speech in the type that somebody asked for: one channel, also as raw samples or Opus."""

from __future__ import annotations

import io
from typing import IO

import numpy as np
import soundfile as sf

from .containers import DAMAGED, NotMedia

RATE = 24_000
"""Of raw samples and of Opus."""
TYPES = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "opus": "audio/ogg",
    "pcm": "audio/pcm",
}
_WRITTEN = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "opus": ("OGG", "OPUS"),
}
_BLOCK = 65_536


def encode(source: IO[bytes], wanted: str) -> bytes:
    """The sound as one of TYPES: `pcm` is 16 bit, little end first, 24 kHz. Raises NotMedia when it cannot be decoded.

    For speech, which is minutes at most: it is held in memory as a whole.
    """
    try:
        samples, rate = sf.read(source, dtype="float32", always_2d=True)
        mono = np.clip(np.nan_to_num(samples.mean(axis=1)), -1.0, 1.0)
        if wanted in ("pcm", "opus", "mp3") and rate != RATE:
            count = max(1, round(len(mono) * RATE / rate))
            mono = np.interp(np.arange(count) * (rate / RATE), np.arange(len(mono)), mono)
            rate = RATE
        if wanted == "pcm":
            raw: bytes = (mono * 32767).astype("<i2").tobytes()
            return raw
        form, subtype = _WRITTEN[wanted]
        out = io.BytesIO()
        with sf.SoundFile(out, "w", rate, 1, format=form, subtype=subtype) as made:
            for start in range(0, len(mono), _BLOCK):
                made.write(mono[start : start + _BLOCK])
        return out.getvalue()
    except sf.SoundFileError as error:
        raise NotMedia(DAMAGED) from error
