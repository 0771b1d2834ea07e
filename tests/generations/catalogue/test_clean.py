"""Requests, texts, uploads and unknown settings, and the sentences said about them."""

from __future__ import annotations

from typing import Any

import pytest

from generations.catalogue.spec import InvalidParams, ModelSpec
from tests.generations.catalogue.asking import CLONE, HD, INSTRUMENTAL, SONG, TURBO, faults, kept
from tests.generations.catalogue.facts import GIVEN, SOUNDS, UPLOAD


def test_defaults_fill_what_is_missing_in_the_order_of_the_request() -> None:
    assert list(HD.clean({"text": "Hello"}).items()) == [
        ("text", "Hello"),
        ("voice_id", "Wise_Woman"),
        ("speed", 1),
        ("volume", 1),
        ("pitch", 0),
        ("emotion", "happy"),
        ("enable_base64_output", False),
        ("english_normalization", False),
    ]
    assert TURBO.clean({"text": "Hello"})["voice_id"] == "Elegant_Man"


def test_an_optional_param_without_default_is_left_out_when_empty() -> None:
    given = GIVEN[CLONE.endpoint] | {"language_boost": " "}
    assert "language_boost" not in CLONE.clean(given)
    assert "pronunciation_dict" not in HD.clean({"text": "Hello", "pronunciation_dict": "\n \r\n"})
    assert "pronunciation_dict" not in HD.clean({"text": "Hello", "pronunciation_dict": []}, strict=True)


def test_an_empty_optional_value_takes_its_default() -> None:
    assert kept(HD, "emotion", "") == "happy"
    assert kept(HD, "pitch", "") == 0
    assert kept(HD, "speed", None) == 1
    assert kept(HD, "english_normalization", "") is False


def test_a_missing_required_value_says_so_at_its_key() -> None:
    with pytest.raises(InvalidParams) as caught:
        CLONE.clean({})
    assert caught.value.errors == {
        "audio": ["Add a file here: MP3 or WAV."],
        "text": ["Fill this in; the model needs it."],
    }
    assert faults(HD, {"text": " \n\t "}) == {"text": ["Fill this in; the model needs it."]}
    assert faults(HD, {"text": ""}, strict=True) == {"text": ["Fill this in; the model needs it."]}


def test_an_emptied_required_choice_is_a_fault_and_not_the_default() -> None:
    assert faults(HD, {"voice_id": ""}) == {"voice_id": ["Choose one."]}
    assert faults(CLONE, {"model": ""}) == {"model": ["Choose one."]}


def test_lyrics_are_required_also_when_they_are_to_be_polished() -> None:
    assert list(faults(SONG, {"lyrics": "", "lyricsOptimizer": "on"})) == ["lyrics"]


def test_text_keeps_inner_line_breaks_and_loses_outer_space() -> None:
    assert kept(HD, "text", "  one\r\ntwo\rthree\n\nfour\tfive \r\n") == "one\ntwo\nthree\n\nfour\tfive"


def test_text_is_counted_in_characters_and_the_sentence_names_the_bound() -> None:
    assert len(kept(INSTRUMENTAL, "prompt", "雨" * 2000)) == 2000
    assert len(kept(INSTRUMENTAL, "prompt", "🎻" * 2000 + "\n")) == 2000
    assert faults(INSTRUMENTAL, {"prompt": "x" * 2311}) == {
        "prompt": ["At most 2,000 characters; this has 2,311."]
    }
    assert faults(SONG, {"lyrics": "x" * 3501}) == {"lyrics": ["At most 3,500 characters; this has 3,501."]}
    assert len(kept(HD, "text", "x" * 9999)) == 9999
    assert faults(HD, {"text": "x" * 10_000}) == {"text": ["At most 9,999 characters; this has 10,000."]}


@pytest.mark.parametrize("bad", ["\x00", "\x07", "\x1b[31m", "\x1f", "\x7f", "\x85", "\x0b", "\x0c"])
@pytest.mark.parametrize("strict", [True, False])
def test_control_characters_are_refused_wherever_they_stand(bad: str, *, strict: bool) -> None:
    for text in (bad + "hello", "hel" + bad + "lo", "hello" + bad):
        (sentence,) = faults(HD, {"text": text}, strict=strict)["text"]
        assert sentence.startswith(f"Remove the control character U+{ord(bad[0]):04X}")


def test_half_of_a_surrogate_pair_is_refused() -> None:
    (sentence,) = faults(HD, {"text": "hello \ud83d"}, strict=True)["text"]
    assert "half of a pair is missing" in sentence


def test_a_hidden_param_has_its_default_whatever_is_asked() -> None:
    assert (
        HD.clean({"text": "Hello", "enable_base64_output": False}, strict=True)["enable_base64_output"]
        is False
    )
    assert faults(HD, {"enable_base64_output": True}, strict=True) == {
        "enable_base64_output": ["This setting is fixed and cannot be changed; leave it out."]
    }


def test_pronunciations_come_one_a_line_and_go_as_an_array() -> None:
    lines = "ASAP/As soon as possible\r\n\r\n  Skye / sky \n"
    assert kept(TURBO, "pronunciation_dict", lines) == ["ASAP/As soon as possible", "Skye / sky"]
    assert kept(TURBO, "pronunciation_dict", ["a/b"], strict=True) == ["a/b"]


@pytest.mark.parametrize("given", ["ASAP", "/sound", "word/", " / ", "a/b/c", "word/ "])
def test_a_pronunciation_without_two_sides_is_explained(given: str) -> None:
    assert faults(TURBO, {"pronunciation_dict": given}) == {
        "pronunciation_dict": ["Write a word, one slash and how it sounds, like ASAP/As soon as possible."]
    }
    assert faults(TURBO, {"pronunciation_dict": f"good/one\n{given}"})["pronunciation_dict"][0].startswith(
        "Entry 2: "
    )


def test_pronunciations_are_counted() -> None:
    assert faults(HD, {"pronunciation_dict": "a/b\nc/d\ne/f"}) == {
        "pronunciation_dict": ["At most 1 entry; this has 3."]
    }
    assert len(kept(TURBO, "pronunciation_dict", "a/b\n" * 20)) == 20
    assert faults(TURBO, {"pronunciation_dict": ["a/b"] * 21}, strict=True) == {
        "pronunciation_dict": ["At most 20 entries; this has 21."]
    }


def test_pronunciations_in_json_are_a_list_of_lines() -> None:
    assert faults(TURBO, {"pronunciation_dict": "a/b"}, strict=True) == {
        "pronunciation_dict": ["Send a list of values."]
    }
    for entries in ([""], ["a/b\nc"], [1], [None], [["a/b"]]):
        assert list(faults(TURBO, {"pronunciation_dict": entries}, strict=True)) == ["pronunciation_dict"]


@pytest.mark.parametrize(
    "voice_id", ["Cantonese_ProfessionalHost（F)", "French_Female_News Anchor", "MyOwnVoice1"]
)
def test_any_voice_id_of_one_line_is_passed_on(voice_id: str) -> None:
    assert kept(HD, "voice_id", voice_id) == voice_id


def test_a_voice_id_of_two_lines_is_refused() -> None:
    assert list(faults(HD, {"voice_id": "Wise\nWoman"})) == ["voice_id"]


@pytest.mark.parametrize(
    "name", ["1Harbour", "Harbour-1", "Harbour 1", "Härbour12", "Harbour_1", "Harbour１"]
)
def test_an_id_for_a_new_voice_has_letters_and_digits_only(name: str) -> None:
    assert faults(CLONE, {"custom_voice_id": name}) == {
        "custom_voice_id": ["Start with a letter and use only the letters A to Z and digits, like Harbour01."]
    }


def test_an_id_for_a_new_voice_has_eight_characters() -> None:
    assert faults(CLONE, {"custom_voice_id": "Harbou1"}) == {
        "custom_voice_id": ["At least 8 characters; this has 7."]
    }
    assert kept(CLONE, "custom_voice_id", "Harbour1") == "Harbour1"


@pytest.mark.parametrize(
    "given",
    [
        "https://files.example/a.wav",
        "data:audio/wav;base64,AAAA",
        "upload:",
        "upload:1",
        UPLOAD + "0",
        5,
        [UPLOAD],
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_media_is_an_upload_of_ours_and_nothing_else(given: Any, *, strict: bool) -> None:
    assert list(faults(CLONE, {"audio": given}, strict=strict)) == ["audio"]


def test_unknown_settings_are_named() -> None:
    assert faults(HD, {"webhookUrl": "https://x.example"}) == {
        "webhookUrl": ["Speech 2.8 HD has no setting called “webhookUrl”; leave it out."]
    }


def test_very_many_unknown_settings_get_a_short_answer() -> None:
    errors = faults(HD, {f"k{n}": n for n in range(5000)})
    assert len(errors) == 21
    assert errors[""] == ["5,000 unknown settings in all; the first 20 are named."]


def test_an_unknown_key_that_cannot_be_encoded_is_answered_in_words_that_can() -> None:
    for key in ("\ud800", "\x00", "k" * 10_000):
        (said,) = faults(HD, {key: 1}).items()
        assert len(repr(said)) < 400
        repr(said).encode("utf-8")
        said[0].encode("utf-8")


@pytest.mark.parametrize("raw", [None, [], "text", 5, True, [["text", "Hello"]]])
def test_settings_that_are_no_object_are_refused_as_a_whole(raw: Any) -> None:
    with pytest.raises(InvalidParams) as caught:
        HD.clean(raw, strict=True)
    assert list(caught.value.errors) == [""]


def test_every_fault_is_said_at_once() -> None:
    errors = faults(HD, {"text": "", "speed": "9", "emotion": "bored", "nonsense": "1"})
    assert sorted(errors) == ["emotion", "nonsense", "speed", "text"]


@pytest.mark.parametrize("spec", SOUNDS, ids=lambda spec: spec.slug)
def test_cleaning_leaves_what_was_given_untouched(spec: ModelSpec) -> None:
    given = dict(GIVEN[spec.endpoint])
    spec.clean(given)
    assert given == GIVEN[spec.endpoint]
