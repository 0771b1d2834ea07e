"""Sound as a film: what our own reader and a foreign one find in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from generations import media
from generations.sandbox.soundtrack import soundtrack
from tests.generations.media.samples import tone, webm, write


@pytest.mark.parametrize(
    ("seconds", "rate", "channels"), [(3.4, 44_100, 2), (1.0, 16_000, 1), (0.3, 96_000, 2), (2.0, 48_000, 6)]
)
def test_the_sound_is_in_the_film_with_a_picture(
    tmp_path: Path, seconds: float, rate: int, channels: int
) -> None:
    sound = tone(seconds, rate=rate, channels=channels)
    source = write(tmp_path / "in.flac", sound, rate=rate)
    media.film(source, tmp_path / "out.mov", 10 * 1024**2)
    found = media.probe(tmp_path / "out.mov", expected="video")
    assert (found.type.extension, found.duration) == ("mov", pytest.approx(seconds, abs=0.01))
    heard, at = soundtrack((tmp_path / "out.mov").read_bytes(), 10)
    assert (at, heard.shape[0]) == (min(rate, 48_000), min(channels, 2))
    assert heard.shape[1] == pytest.approx(seconds * at, abs=2)
    if rate <= 48_000:
        assert np.abs(heard[0] - sound[:, 0]).max() < 0.001


def test_too_much_and_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    source = write(tmp_path / "in.flac", tone(8))
    with pytest.raises(media.NotMedia, match="more than 1 MB"):
        media.film(source, tmp_path / "out.mov", 1024**2)
    (tmp_path / "bad.webm").write_bytes(webm(track_types=(2,)))
    with pytest.raises(media.NotMedia):
        media.film(tmp_path / "bad.webm", tmp_path / "out.mov", 1024**2)
