"""Sound in another file type, for those who take only some. Reads and writes in blocks: memory stays flat."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from .containers import DAMAGED, NotMedia

DECODED = frozenset({"wav", "flac", "mp3", "ogg", "opus", "aiff"})
"""Extensions of what can be read here. AAC (m4a) and WebM cannot: no library of ours decodes them."""
_WRITTEN = {"wav": ("WAV", "PCM_16"), "flac": ("FLAC", "PCM_16"), "mp3": ("MP3", "MPEG_LAYER_III")}
_BLOCK = 65_536
_MP3_RATES = {8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000}
_FLAC_SHARE = 0.7
"""What FLAC makes of PCM at worst in practice; used only to choose a type."""
_MP3_BYTES_A_SECOND = 24_000


def target(found: str, accepted: Iterable[str], seconds: float, most_bytes: int | None) -> str | None:
    """The type to convert a sound of `found` to: the best one that is accepted and keeps within `most_bytes`
    at 48 kHz in stereo, else the smallest; None when it cannot be read here or nothing accepted can be written.
    """
    possible = [kind for kind in _WRITTEN if kind in set(accepted)]
    if found not in DECODED or not possible:
        return None
    wave = seconds * 48_000 * 4
    sizes = {"wav": wave, "flac": wave * _FLAC_SHARE, "mp3": seconds * _MP3_BYTES_A_SECOND}
    fitting = [kind for kind in possible if most_bytes is None or sizes[kind] <= most_bytes]
    return (fitting or possible[-1:])[0]


def convert(source: Path, target: Path, extension: str) -> None:
    """Writes the sound of `source` to `target` as "wav", "flac" or "mp3", at most 2 channels and 48 kHz.

    The same bytes give the same file. Raises NotMedia when it cannot be decoded.
    """
    form, subtype = _WRITTEN[extension]
    try:
        with source.open("rb") as raw, sf.SoundFile(raw.fileno(), closefd=False) as sound:
            step = max(1, -(-sound.samplerate // 48_000))
            rate = sound.samplerate // step
            if extension == "mp3" and rate not in _MP3_RATES:
                raise NotMedia(f"Sound at {sound.samplerate:,} Hz cannot be converted to MP3.")
            channels = min(sound.channels, 2)
            with sf.SoundFile(target, "w", rate, channels, format=form, subtype=subtype) as made:
                while len(block := sound.read(_BLOCK * step, dtype="float32", always_2d=True)):
                    made.write(reduced(block, step, channels))
    except sf.SoundFileError as error:
        raise NotMedia(DAMAGED) from error


def reduced(block: NDArray[np.float32], step: int, channels: int) -> NDArray[np.float32]:
    """Every `step` frames as their mean; more than `channels` channels as one mean on each; within -1 to 1."""
    if block.shape[1] > channels:
        block = np.repeat(block.mean(axis=1, keepdims=True), channels, axis=1)
    whole = len(block) // step * step
    mean = block[:whole].reshape(-1, step, channels).mean(axis=1) if step > 1 else block
    return np.clip(np.nan_to_num(mean), -1.0, 1.0)
