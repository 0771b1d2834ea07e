"""Sound in another type: what is chosen, what comes out, and that memory does not grow with it."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from generations import media
from tests.effort import thorough
from tests.generations.media.samples import tone, webm, write

FORMS = {"ogg": "VORBIS", "flac": "PCM_16", "aiff": "PCM_16", "wav": "FLOAT"}


@pytest.mark.parametrize("to", ["wav", "flac", "mp3"])
@pytest.mark.parametrize(
    ("extension", "rate"), [("ogg", 44_100), ("aiff", 8_000), ("flac", 96_000), ("wav", 48_000)]
)
def test_what_goes_in_comes_out(tmp_path: Path, extension: str, rate: int, to: str) -> None:
    source = write(tmp_path / f"in.{extension}", tone(2, rate=rate), rate=rate, subtype=FORMS[extension])
    media.convert(source, tmp_path / f"out.{to}", to)
    found = media.probe(tmp_path / f"out.{to}", expected="audio")
    assert found.type.extension == to
    assert found.duration == pytest.approx(2, abs=0.06)
    assert (found.sample_rate, found.channels) == (min(rate, 48_000), 2)
    heard, _ = sf.read(tmp_path / f"out.{to}")
    assert np.abs(heard).max() == pytest.approx(0.5, abs=0.08)


def test_the_same_sound_gives_the_same_bytes(tmp_path: Path) -> None:
    source = write(tmp_path / "in.ogg", tone(1))
    for to in ("wav", "flac", "mp3"):
        for name in ("a", "b"):
            media.convert(source, tmp_path / f"{name}.{to}", to)
        assert (tmp_path / f"a.{to}").read_bytes() == (tmp_path / f"b.{to}").read_bytes()


def test_more_than_two_channels_become_two_and_loud_sound_is_clipped(tmp_path: Path) -> None:
    loud = np.full((8000, 6), 1.5, np.float32)
    source = write(tmp_path / "in.wav", loud, rate=8000, subtype="FLOAT")
    media.convert(source, tmp_path / "out.wav", "wav")
    heard, _ = sf.read(tmp_path / "out.wav")
    assert heard.shape == (8000, 2)
    assert heard.min() == pytest.approx(1.0, abs=0.001)


def test_what_cannot_be_decoded_or_written_is_said(tmp_path: Path) -> None:
    bad = tmp_path / "bad.webm"
    bad.write_bytes(webm(track_types=(2,)))
    with pytest.raises(media.NotMedia):
        media.convert(bad, tmp_path / "out.wav", "wav")
    odd = write(tmp_path / "odd.wav", tone(1, rate=10_000), rate=10_000)
    with pytest.raises(media.NotMedia, match="10,000 Hz"):
        media.convert(odd, tmp_path / "out.mp3", "mp3")


@pytest.mark.parametrize(
    ("found", "accepted", "seconds", "most", "to"),
    [
        ("ogg", {"mp3", "wav"}, 10, 10_000_000, "wav"),
        ("ogg", {"mp3", "wav"}, 200, 10_000_000, "mp3"),
        ("flac", {"mp3", "m4a"}, 10, None, "mp3"),
        ("ogg", {"mp3", "wav", "flac"}, 60, 9_000_000, "flac"),
        ("ogg", {"wav"}, 9_999, 10_000_000, "wav"),
        ("m4a", {"mp3", "wav"}, 10, None, None),
        ("weba", {"mp3", "wav"}, 10, None, None),
        ("ogg", {"m4a"}, 10, None, None),
    ],
)
def test_the_best_type_that_fits_is_chosen(
    found: str, accepted: set[str], seconds: float, most: int | None, to: str | None
) -> None:
    assert media.target(found, accepted, seconds, most) == to


@pytest.mark.parametrize("minutes", [20, thorough(120)])
def test_memory_does_not_grow_with_the_sound(tmp_path: Path, minutes: int) -> None:
    block = tone(60, rate=16_000, channels=1)
    with sf.SoundFile(tmp_path / "long.flac", "w", 16_000, 1) as file:
        for _ in range(minutes):
            file.write(block)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    media.convert(tmp_path / "long.flac", tmp_path / "long.wav", "wav")
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 12_000_000
    assert (tmp_path / "long.wav").stat().st_size == minutes * 60 * 16_000 * 2 + 44
