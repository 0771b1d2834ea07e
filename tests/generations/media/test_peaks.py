from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from generations.media import probe
from tests.generations.media import samples

RATE = samples.RATE


def peaks(path: Path) -> tuple[list[int], list[int]]:
    result = probe(path, expected="audio")
    return result.peaks_row, result.peaks_stage


def test_a_steady_tone_is_a_flat_line_at_the_top(tmp_path: Path) -> None:
    row, stage = peaks(samples.write(tmp_path / "a.wav", samples.tone(5)))
    assert (len(row), len(stage)) == (96, 360)
    assert min(row) >= 97
    assert max(row) == max(stage) == 100


def test_quiet_and_loud_parts_stand_where_they_sound(tmp_path: Path) -> None:
    sound = np.concatenate([samples.tone(3, level=level) for level in (0.1, 0.8, 0.0)])
    row, stage = peaks(samples.write(tmp_path / "a.wav", sound))
    assert {*row[:31]} <= {12, 13}
    assert {*row[33:63]} <= {99, 100}
    assert {*row[65:]} == {0}
    assert stage[60] in (12, 13)


def test_a_bar_is_one_third_peak_and_two_thirds_loudness(tmp_path: Path) -> None:
    clicks = np.zeros((RATE * 4, 1), np.float32)
    clicks[: RATE * 2] = 0.8
    clicks[RATE * 2 :: 1000] = 0.8
    row, _ = peaks(samples.write(tmp_path / "a.wav", clicks, subtype="FLOAT"))
    loudness = (1 / 1000) ** 0.5
    assert row[10] == 100
    assert row[80] == pytest.approx(100 * (1 / 3 + loudness * 2 / 3), abs=1)


def test_quiet_sound_is_scaled_up_and_silence_stays_silent(tmp_path: Path) -> None:
    assert max(peaks(samples.write(tmp_path / "q.wav", samples.tone(2, level=0.01)))[0]) == 100
    assert {*peaks(samples.write(tmp_path / "s.wav", samples.tone(2, level=0.0)))[0]} == {0}


def test_one_channel_is_enough_to_be_seen(tmp_path: Path) -> None:
    sound = samples.tone(2)
    sound[:, 1] = 0
    assert min(peaks(samples.write(tmp_path / "a.wav", sound))[0]) >= 97


@pytest.mark.parametrize("frames", [1, 50, 700, 65_536, 65_537, 300_001])
def test_every_length_has_all_bars(tmp_path: Path, frames: int) -> None:
    row, stage = peaks(samples.write(tmp_path / "a.wav", samples.tone(8)[:frames] + 0.1))
    assert (len(row), len(stage)) == (96, 360)
    assert all(0 <= bar <= 100 for bar in row + stage)
    assert max(row) == 100


def test_broken_numbers_in_float_sound_do_not_reach_the_bars(tmp_path: Path) -> None:
    sound = samples.tone(2)
    sound[1000:2000] = np.nan
    sound[40_000:40_010] = np.inf
    row, stage = peaks(samples.write(tmp_path / "a.wav", sound, subtype="FLOAT"))
    assert all(0 <= bar <= 100 for bar in row + stage)
    assert min(row[70:]) >= 97
    sound[60_000:60_010] = 3e38
    assert max(peaks(samples.write(tmp_path / "a.wav", sound, subtype="FLOAT"))[0]) == 100


@pytest.mark.thorough
def test_memory_does_not_grow_with_the_length_of_the_sound(tmp_path: Path) -> None:
    path = tmp_path / "hour.flac"
    minute = (samples.tone(60, rate=8000, channels=1) * 32767).astype(np.int16)
    with sf.SoundFile(path, "w", 8000, 1, format="FLAC") as file:
        for _ in range(60):
            file.write(minute)
    tracemalloc.start()
    try:
        result = probe(path, expected="audio")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.duration == 3600.0
    assert most < 4_000_000


@pytest.mark.thorough
def test_forty_seconds_of_mp3_cost_little(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(samples.mp3_bytes(40, bit_rate=192))
    costs = []
    for _ in range(3):
        before = time.process_time()
        probe(path, expected="audio")
        costs.append(time.process_time() - before)
    assert min(costs) < 0.5
