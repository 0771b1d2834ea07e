from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generations.media import safe_filename


@pytest.mark.parametrize(
    ("title", "extension", "expected"),
    [
        ("Lighthouse, first draft", "mp3", "Lighthouse, first draft.mp3"),
        ("Lighthouse, first draft", ".MP3", "Lighthouse, first draft.mp3"),
        ("Lighthouse.mp3", "mp3", "Lighthouse.mp3"),
        ("AC/DC: live", "wav", "AC-DC - live.wav"),
        ("../../etc/passwd", "txt", "etc-passwd.txt"),
        ('He said "go"', "mp3", "He said 'go'.mp3"),
        ("a\r\nSet-Cookie: x", "mp3", "a Set-Cookie - x.mp3"),
        ("a\0b\x7fc", "mp3", "abc.mp3"),
        ("gpj.\u202eexe", "mp3", "gpj.exe.mp3"),
        ("月光 🎹", "mp3", "月光 🎹.mp3"),
        ("family 👩\u200d🎤", "png", "family 👩\u200d🎤.png"),
        ("", "mp3", "untitled.mp3"),
        (" ... ", "mp3", "untitled.mp3"),
        (".hidden", "", "hidden"),
        ("con", "mp3", "_con.mp3"),
        ("\ud800", "mp3", "untitled.mp3"),
        ("what?*", "m/p\n3", "what.mp3"),
    ],
)
def test_a_title_becomes_a_name_for_people(title: str, extension: str, expected: str) -> None:
    assert safe_filename(title, extension) == expected


def test_a_long_title_is_cut_between_characters() -> None:
    name = safe_filename("é" * 500, "mp3")
    assert name == "é" * 58 + ".mp3"
    assert len(safe_filename("🎹" * 500, "mp3").encode()) <= 120


def test_a_cut_name_does_not_end_in_a_joiner() -> None:
    assert safe_filename("a" * 113 + "\u200d🎤", "mp3") == "a" * 113 + ".mp3"


@given(st.text(), st.text(max_size=12))
def test_every_name_is_short_and_harmless(title: str, extension: str) -> None:
    name = safe_filename(title, extension)
    assert 0 < len(name.encode()) <= 120
    assert name not in {".", ".."}
    assert not re.search(r'[\x00-\x1f\x7f/\\:*?"<>|]', name)
    assert not name.startswith((".", " ", "-"))
    assert not name.endswith((".", " "))
    stem, dot, suffix = name.rpartition(".")
    again = safe_filename(stem, suffix) if dot else safe_filename(name, "")
    assert 0 < len(again.encode()) <= 120
