"""Songs, lyrics and recordings taken apart, as a client of the sandbox gets them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import soundfile

from generations.sandbox import lyrics
from generations.sandbox.music.brief import read_brief
from generations.sandbox.music.composer import compose
from generations.sandbox.music.form import plan
from generations.sandbox.separation import separated
from generations.sandbox.soundtrack import soundtrack
from tests.generations.media.samples import RATE, film, mp4, recording
from tests.generations.sandbox.conftest import Api, tone

IDEA = "a shanty about the lighthouse cat"
SEPARATION = "rhart-audio/source-separation"


def strength(sound: np.ndarray[Any, Any], hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(sound.mean(axis=0)))
    return float(spectrum[round(hz * sound.shape[1] / RATE)])


def test_lyrics_are_the_same_each_time_and_speak_of_the_prompt() -> None:
    written = lyrics.write(IDEA)
    assert written == lyrics.write(IDEA)
    assert written != lyrics.write("trains")
    assert "lighthouse" in written.text
    assert [line for line in written.text.splitlines() if line.startswith("[")] == [
        "[Verse]", "[Chorus]", "[Verse]", "[Chorus]", "[Bridge]", "[Chorus]",
    ]  # fmt: skip
    assert str(written).startswith("Title: ")


@pytest.mark.parametrize("prompt", ["", "雨", "\ud800", "a", "x" * 500, "and the with"])
def test_lyrics_come_from_any_prompt(prompt: str) -> None:
    written = lyrics.write(prompt)
    sections = plan(read_brief("folk", written.text), written.text)
    assert any(section.lines for section in sections)


def test_a_line_of_a_stanza_never_ends_as_another_does() -> None:
    for stanza in lyrics.write(IDEA).text.split("\n\n"):
        ends = [line.split()[-1] for line in stanza.splitlines()[1:]]
        assert len(set(ends)) == len(ends)


def test_another_take_is_another_piece_of_the_same_wishes() -> None:
    first, second = (read_brief("folk, 100 bpm, D minor", "", take) for take in (0, 1))
    assert first == read_brief("folk, 100 bpm, D minor")
    assert (first.tempo, first.key) == (second.tempo, second.key)
    assert compose(first).parts["chords"] != compose(second).parts["chords"]


def test_voice_and_background_are_told_apart_and_add_up_to_the_recording() -> None:
    whole = recording()
    voice, background = separated(whole, RATE)
    assert np.allclose(voice + background, whole, atol=1e-5)
    assert strength(voice, 700) > 20 * strength(background, 700)
    assert strength(background, 330) > 20 * strength(voice, 330)


@pytest.mark.parametrize(
    "sound", [np.zeros((2, 5000)), np.zeros((1, 1)), np.ones((1, 3000)), np.ones((6, 3000))]
)
def test_odd_recordings_are_taken_apart_too(sound: np.ndarray[Any, Any]) -> None:
    for stem in separated(sound.astype(np.float32), 8_000):
        assert stem.shape == (min(len(sound), 2), sound.shape[1])
        assert np.isfinite(stem).all()


@pytest.mark.parametrize(("codec", "order"), [(b"sowt", "<i2"), (b"twos", ">i2")])
def test_the_sound_of_a_film_is_read_up_to_a_length(codec: bytes, order: str) -> None:
    whole = recording(1.0)
    sound, rate = soundtrack(film((whole.T * 32_767).astype(order).tobytes(), codec=codec), 0.75)
    assert (rate, sound.shape) == (RATE, (2, RATE * 3 // 4))
    assert np.abs(sound - whole[:, : sound.shape[1]]).max() < 1e-3


def test_mp3_inside_a_film_is_read() -> None:
    file = io.BytesIO()
    soundfile.write(file, recording(1.0).T, RATE, format="MP3")
    data = file.getvalue()
    sound, rate = soundtrack(film(data[: len(data) // 4 * 4], codec=b".mp3"), 10)
    assert rate == RATE
    assert 0.8 * RATE < sound.shape[1] < 1.2 * RATE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        mp4(handlers=(b"vide", b"soun")),
        mp4(handlers=(b"vide",)),
        film(bytes(4000))[:4100],
        film(bytes(4000)).replace(b"stco", b"none"),
        film(bytes(4000)).replace(b"stsd", b"none"),
    ],
)
def test_what_cannot_be_read_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        soundtrack(data, 1.0)


def test_damage_anywhere_in_a_film_is_an_error_or_sound() -> None:
    whole = film(bytes(400))
    for at in range(0, len(whole), 7):
        try:
            sound, _ = soundtrack(whole[:at] + b"\xff\xff\xff\xff" + whole[at + 4 :], 1.0)
        except ValueError:
            continue
        assert sound.ndim == 2


@pytest.mark.thorough
def test_a_song_without_vocals_differs_from_one_that_is_sung(api: Api) -> None:
    made = [
        api.finished(
            api.submit("rhart-audio/suno-v5/single", {"description": IDEA, "make_instrumental": value})[
                "taskId"
            ]
        )["results"]
        for value in ("true", "false")
    ]
    assert [[entry["outputType"] for entry in results] for results in made] == [["mp3", "mp3"]] * 2
    assert len({api.get(entry["url"]).content for results in made for entry in results}) == 4


def test_lyrics_are_a_text_result(api: Api) -> None:
    (result,) = api.finished(api.submit("rhart-audio/suno/lyrics", {"prompt": IDEA})["taskId"])["results"]
    assert result["url"] is None
    assert result["text"] == str(lyrics.write(IDEA))


def test_a_sound_file_is_taken_apart_into_two_wav_files(api: Api) -> None:
    address = api.upload(tone(seconds=1.0))["data"]["download_url"]
    results = api.finished(api.submit(SEPARATION, {"videoUrl": address})["taskId"])["results"]
    assert [entry["outputType"] for entry in results] == ["wav", "wav"]
    assert soundfile.info(io.BytesIO(api.get(results[0]["url"]).content)).duration == pytest.approx(
        1.0, abs=0.01
    )


@pytest.mark.parametrize("address", ["https://files.example/film.mp4", "data:video/mp4;base64,AAAA"])
def test_a_video_that_cannot_be_had_or_read_fails_with_1013(api: Api, address: str) -> None:
    answer = api.finished(api.submit(SEPARATION, {"videoUrl": address})["taskId"])
    assert (answer["status"], answer["errorCode"]) == ("FAILED", "1013")
