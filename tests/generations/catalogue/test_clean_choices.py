"""Numbers, switches and lists, from forms and from JSON."""

from __future__ import annotations

from typing import Any

import pytest

from tests.generations.catalogue.asking import CLONE, HD, INSTRUMENTAL, faults, kept


@pytest.mark.parametrize(
    ("given", "expected"),
    [("1", 1), ("1.0", 1), ("0.5", 0.5), (" 1.05 ", 1.05), ("2", 2), (".75", 0.75), ("1e0", 1), ("1.", 1)],
)
def test_numbers_of_a_form_become_json_numbers(given: str, expected: float) -> None:
    value = kept(HD, "speed", given)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize("given", ["1e400", "-1e400", "1e999", "0.4999", "2.0001", "-1", "0", "1e-400"])
def test_a_number_out_of_range_names_the_range(given: str) -> None:
    assert faults(HD, {"speed": given}) == {"speed": ["Between 0.5 and 2."]}


@pytest.mark.parametrize(
    "given", ["fast", "nan", "inf", "-Infinity", "0x1", "1_0", "١", "1 2", "--1", "1e", "e5"]
)
def test_what_is_not_a_number_is_asked_for_again(given: str) -> None:
    assert faults(HD, {"speed": given}) == {"speed": ["Enter a number between 0.5 and 2."]}
    assert faults(HD, {"pitch": given}) == {"pitch": ["Enter a whole number between -12 and 12."]}


def test_a_comma_in_a_number_is_explained() -> None:
    for key in ("speed", "pitch"):
        assert faults(HD, {key: "1,5"})[key] == [
            "Write the number with a point and without commas, like 1.05 or 1200."
        ]


@pytest.mark.parametrize("given", [float("nan"), float("inf"), float("-inf"), 1e300, 10**400])
def test_json_beyond_all_numbers_is_out_of_range(given: float) -> None:
    assert faults(HD, {"speed": given}, strict=True) == {"speed": ["Between 0.5 and 2."]}


def test_the_step_of_a_slider_does_not_bind_fractions() -> None:
    assert kept(HD, "speed", "1.005") == 1.005
    assert kept(CLONE, "accuracy", 0.75, strict=True) == 0.75


def test_whole_numbers_are_whole() -> None:
    assert kept(HD, "pitch", "-12") == -12
    assert kept(HD, "pitch", "\N{MINUS SIGN}3") == -3
    assert kept(HD, "pitch", "+3") == 3
    for given in ("1.5", "1.0", "1e1"):
        assert faults(HD, {"pitch": given}) == {"pitch": ["Enter a whole number between -12 and 12."]}
    assert faults(HD, {"pitch": "13"}) == {"pitch": ["Between -12 and 12."]}
    assert faults(HD, {"pitch": 10**5000}, strict=True) == {"pitch": ["Between -12 and 12."]}


@pytest.mark.parametrize("given", [True, "5", None, [5], {"v": 5}, float("nan"), float("inf"), 0.5])
def test_json_of_another_type_is_no_whole_number(given: Any) -> None:
    assert list(faults(HD, {"pitch": given}, strict=True)) == ["pitch"]


def test_a_whole_fraction_in_json_is_sent_as_a_whole_number() -> None:
    assert repr(kept(HD, "pitch", 5.0, strict=True)) == "5"
    assert repr(kept(HD, "speed", 2.0, strict=True)) == "2"
    assert repr(kept(CLONE, "accuracy", -0.0, strict=True)) == "0"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("on", True),
        ("true", True),
        ("1", True),
        ("Yes", True),
        ("off", False),
        ("false", False),
        ("0", False),
    ],
)
def test_a_switch_of_a_form_is_read(given: str, *, expected: bool) -> None:
    assert kept(HD, "english_normalization", given) is expected


def test_a_switch_in_json_is_true_or_false_and_nothing_else() -> None:
    for flag in (True, False):
        assert kept(HD, "english_normalization", flag, strict=True) is flag
    others: list[Any] = ["true", 1, 0, None, "on", []]
    for given in others:
        assert faults(HD, {"english_normalization": given}, strict=True) == {
            "english_normalization": ["This has to be true or false."]
        }
    assert faults(HD, {"english_normalization": "maybe"}) == {"english_normalization": ["Choose yes or no."]}


def test_a_list_takes_its_values_as_text_only() -> None:
    assert kept(INSTRUMENTAL, "sampleRate", "16000", strict=True) == "16000"
    assert kept(INSTRUMENTAL, "sampleRate", " 16000 ") == "16000"
    for given in (16000, 16000.0, "16000 ", "44.1 kHz", "", None, ["16000"], True):
        assert faults(INSTRUMENTAL, {"sampleRate": given}, strict=True) == {
            "sampleRate": ['Choose "16000", "24000", "32000" or "44100".']
        }
    assert faults(INSTRUMENTAL, {"format": "flac"}) == {"format": ["Choose MP3, WAV or PCM."]}
    assert faults(CLONE, {"language_boost": "Klingon"}) == {
        "language_boost": ["Choose one of the values in the list."]
    }
