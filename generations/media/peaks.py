"""Decoding sound once, in blocks: how long it is, and its waveform as bars.

A bar is one third peak and two thirds loudness (RMS), scaled to the loudest bar. Memory stays the
same for a minute and for hours: blocks of 65,536 frames, condensed at once into a few thousand cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from .containers import DAMAGED, NotMedia

ROW_BARS = 96
STAGE_BARS = 360

_BLOCK_FRAMES = 65_536
_SMALL_FRAMES = 1024
_MOST_CELLS = 8192
_MOST_CHANNELS = 8
_RATES = range(4000, 768_001)
# A few bytes of FLAC can stand for hours of silence; past this the sound is refused instead of decoded.
_MOST_SECONDS = 6 * 3600
_SILENCE = 1e-4
_PCM = {"format": "RAW", "subtype": "PCM_16", "endian": "LITTLE"}


class _Forward(sf.SoundFile):  # type: ignore[misc]
    """Read straight on: soundfile otherwise seeks after each block and fails where no length is known."""

    def seekable(self) -> bool:
        return False


@dataclass(frozen=True)
class Decoded:
    """What was heard: `frames` were decoded, `declared` is what the file promised (None: nothing)."""

    frames: int
    declared: int | None
    sample_rate: int
    channels: int
    complete: bool
    envelope: Envelope

    @property
    def slack(self) -> int:
        """How many frames may be missing before it is a fault: encoders and estimates round."""
        return max(self.sample_rate // 2, self.frames // 50)


class Envelope:
    """Loudest value and mean square of small equal cells; cells are merged in pairs as the sound grows."""

    def __init__(self) -> None:
        self._cell = 64
        self._loudest: list[NDArray[np.float32]] = []
        self._squares: list[NDArray[np.float32]] = []
        self._count = 0

    def add(self, block: NDArray[np.float32]) -> None:
        """Take the next samples, shape (frames, channels)."""
        frames, channels = block.shape
        short = -frames % self._cell
        if short:
            block = np.concatenate([block, np.zeros((short, channels), np.float32)])
        cells = block.reshape(-1, self._cell * channels)
        with np.errstate(over="ignore", invalid="ignore"):
            loudest = np.maximum(cells.max(axis=1), -cells.min(axis=1))
            squares = np.einsum("ij,ij->i", cells, cells) / np.float32(cells.shape[1])
        self._loudest.append(np.nan_to_num(loudest, nan=0, posinf=0, neginf=0))
        self._squares.append(np.nan_to_num(squares, nan=0, posinf=0, neginf=0))
        self._count += len(cells)
        while self._count > _MOST_CELLS and self._cell < _BLOCK_FRAMES:
            self._merge()

    def _merge(self) -> None:
        even = self._count % 2
        loudest = np.pad(np.concatenate(self._loudest), (0, even)).reshape(-1, 2).max(axis=1)
        squares = np.pad(np.concatenate(self._squares), (0, even)).reshape(-1, 2).mean(axis=1)
        self._loudest, self._squares, self._count = [loudest], [squares], len(loudest)
        self._cell *= 2

    def bars(self, count: int) -> list[int]:
        """`count` whole numbers from 0 to 100; [] when nothing was added, all 0 for silence."""
        if not self._count:
            return []
        starts = np.arange(count) * self._count // count
        covered = np.maximum(1, np.diff(starts, append=self._count))
        loudest = np.maximum.reduceat(np.concatenate(self._loudest).astype(np.float64), starts)
        means = np.add.reduceat(np.concatenate(self._squares).astype(np.float64), starts) / covered
        bars = loudest / 3 + np.sqrt(means) * 2 / 3
        top = bars.max()
        return [int(bar) for bar in np.rint(bars * (100 / top))] if top > _SILENCE else [0] * count


def decode(path: Path, *, raw: tuple[int, int] | None = None) -> Decoded:
    """Decode the whole sound in blocks. `raw` is (Hz, channels) of headerless 16-bit little-endian samples.

    Raises NotMedia when nothing can be decoded, or for more than 8 channels, absurd rates and six hours.
    """
    form: dict[str, Any] = {}
    if raw is not None:
        form = _PCM | {"samplerate": raw[0], "channels": raw[1]}
    try:
        # By descriptor: given a path, libsndfile would let the name decide how the bytes are read.
        with path.open("rb") as file, _Forward(file.fileno(), closefd=False, **form) as sound:
            if not 1 <= sound.channels <= _MOST_CHANNELS or sound.samplerate not in _RATES:
                raise NotMedia("The sound has a number of channels or a sample rate that no player takes.")
            return _decode(sound)
    except sf.SoundFileError as error:
        raise NotMedia(DAMAGED) from error


def _decode(sound: sf.SoundFile) -> Decoded:
    rate, channels, declared = sound.samplerate, sound.channels, sound.frames
    known = 0 < declared < 2**48
    # An mp3 only estimates its length, from its first frame and the size of any cover picture.
    if known and sound.format != "MP3" and declared > _MOST_SECONDS * rate:
        raise NotMedia("The sound is longer than six hours.")
    envelope, frames, complete = Envelope(), 0, True
    size = _BLOCK_FRAMES
    buffer = np.empty((size, channels), np.float32)
    while True:
        try:
            block = sound.read(out=buffer[:size])
        except sf.SoundFileError:
            # The samples in front of a fault are lost with the block, so come closer in small steps.
            if size == _SMALL_FRAMES:
                complete = False
                break
            size = _SMALL_FRAMES
            try:
                sound.seek(frames)
            except sf.SoundFileError:
                complete = False
                break
            continue
        if not len(block):
            break
        envelope.add(block)
        frames += len(block)
        if frames > _MOST_SECONDS * rate:
            raise NotMedia("The sound is longer than six hours.")
    if not frames:
        raise NotMedia(DAMAGED)
    return Decoded(frames, declared if known else None, rate, channels, complete, envelope)
