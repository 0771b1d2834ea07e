"""Speech obeys its params, measured on the samples."""

from __future__ import annotations

import time

import numpy as np
import pytest

from generations.sandbox import espeak, markup
from generations.sandbox.dsp import loudness
from generations.sandbox.encode import decode, encode
from generations.sandbox.markup import Noise, Silence, Words
from generations.sandbox.speech import MOODS, SPEECH_RATE, speak
from generations.sandbox.voices import median_pitch, traits_of
from tests.generations.sandbox.conftest import until

pytestmark = pytest.mark.thorough

TEXT = "The rain had stopped by the time we reached the harbour, and nobody said a word."
VOICE = traits_of("Wise_Woman")


def said(**params: object) -> np.ndarray:
    return speak({"text": TEXT, "emotion": "neutral", **params}, VOICE)


def seconds(sound: np.ndarray) -> float:
    return len(sound) / SPEECH_RATE


def test_speech_is_heard_at_an_even_loudness_without_clipping() -> None:
    sound = said()
    assert 3 < seconds(sound) < 9
    assert -21 < loudness(sound, SPEECH_RATE) < -17
    assert np.abs(sound).max() <= 0.86


def test_speed_shortens_and_lengthens() -> None:
    usual = seconds(said())
    assert seconds(said(speed=2)) == pytest.approx(usual / 2, rel=0.2)
    assert seconds(said(speed=0.5)) == pytest.approx(usual * 2, rel=0.2)


def test_pitch_moves_in_semitones() -> None:
    usual = median_pitch(said(), SPEECH_RATE)
    for semitones in (-9, -5, 5, 9):
        heard = 12 * np.log2(median_pitch(said(pitch=semitones), SPEECH_RATE) / usual)
        assert heard == pytest.approx(semitones, abs=1.8)


def test_volume_is_a_factor_that_never_clips() -> None:
    usual = loudness(said(), SPEECH_RATE)
    assert loudness(said(volume=0.25), SPEECH_RATE) == pytest.approx(usual - 12, abs=0.7)
    loud = said(volume=10)
    assert loudness(loud, SPEECH_RATE) > usual + 4
    assert np.abs(loud).max() <= 0.86


@pytest.mark.parametrize("pause", [0.5, 2.5, 6.0])
def test_a_pause_is_silence_of_its_length(pause: float) -> None:
    sound = speak({"text": f"Hello there.<#{pause}#>Goodbye now."}, VOICE)
    inside = sound[int(0.1 * SPEECH_RATE) : -int(0.3 * SPEECH_RATE)]
    frames = inside[: len(inside) // 320 * 320].reshape(-1, 320)
    quiet = np.sqrt((frames**2).mean(axis=1)) < 2e-3
    longest = run = 0
    for silent in quiet:
        run = run + 1 if silent else 0
        longest = max(longest, run)
    # The room rings on for a moment into every silence.
    assert pause - 0.3 < longest * 0.01 < pause + 0.15


@pytest.mark.thorough
def test_every_emotion_sounds_different() -> None:
    sounds = [said(emotion=emotion).tobytes() for emotion in MOODS]
    assert len(set(sounds)) == len(sounds)


def test_the_same_text_gives_the_same_bytes_and_another_voice_others() -> None:
    assert encode(said(), SPEECH_RATE, "mp3") == encode(said(), SPEECH_RATE, "mp3")
    deep = speak({"text": TEXT}, traits_of("Deep_Voice_Man"))
    assert deep.tobytes() != speak({"text": TEXT}, VOICE).tobytes()


@pytest.mark.thorough
def test_the_hour_of_the_day_does_not_change_a_voice() -> None:
    words = [espeak.Phrase(word, "en-us+f3") for word in TEXT.split()]
    first, second = espeak.say(words)[0], int(time.time())
    until(lambda: int(time.time()) > second)
    assert all(np.array_equal(a, b) for a, b in zip(first, espeak.say(words)[0], strict=True))


@pytest.mark.thorough
def test_interjections_are_sounds_and_not_words() -> None:
    tokens = markup.read("That is great (laughs) really.", language="en-us")
    assert [type(t) for t in tokens if not isinstance(t, Silence)] == [Words, Noise, Words]
    for name in markup.INTERJECTIONS:
        sound = speak({"text": f"({name})"}, VOICE)
        assert np.abs(sound).max() > 0.01, name
        assert seconds(sound) < 5, name


def test_other_brackets_are_read_out() -> None:
    tokens = markup.read("Good (very good) morning.", language="en-us")
    assert [t.text for t in tokens if isinstance(t, Words)] == ["Good (very good) morning."]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("雨停了，没有人说话。", "cmn"),
        ("今日はいい天気です", "ja"),
        ("안녕하세요", "ko"),
        ("Привет, как дела", "ru"),
        ("La pluie est dans le port et les bateaux.", "fr-fr"),
        ("Der Regen ist vorbei und die Boote sind da.", "de"),
        ("The rain is over and the boats are here.", "en-us"),
    ],
)
def test_the_language_is_heard_from_the_text(text: str, language: str) -> None:
    assert markup.language_of(text, "en-us") == language
    assert len(speak({"text": text}, VOICE)) > SPEECH_RATE


def test_a_pronunciation_replaces_whole_words() -> None:
    tokens = markup.read(
        "ASAP, not ASAPs.", language="en-us", replacements=["ASAP/as soon as possible", "broken"]
    )
    assert [t.text for t in tokens if isinstance(t, Words)] == ["as soon as possible, not ASAPs."]


def test_punctuation_alone_is_a_short_silence() -> None:
    sound = speak({"text": "... !!"}, VOICE)
    assert len(sound) > 0
    assert not sound.any()


@pytest.mark.thorough
def test_a_long_text_is_spoken_to_its_end() -> None:
    sound = speak({"text": TEXT * 12, "emotion": "neutral"}, VOICE)
    assert seconds(sound) > 10 * seconds(said()) * 0.8
    assert np.abs(sound[-SPEECH_RATE * 3 :]).max() > 0.05


def test_without_espeak_the_text_is_hummed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "available", lambda: False)
    sound = said()
    assert 2 < seconds(sound) < 12
    assert -22 < loudness(sound, SPEECH_RATE) < -16


def test_an_mp3_of_speech_decodes_to_what_was_said() -> None:
    sound = said()
    heard, rate = decode(encode(sound, SPEECH_RATE, "mp3"), 60)
    assert rate == SPEECH_RATE
    assert len(heard) / rate == pytest.approx(seconds(sound), abs=0.12)
    assert 0 < np.abs(heard).max() < 1
