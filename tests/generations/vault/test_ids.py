"""Ids of new voices: of the form the model takes, readable, and never given twice."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as PropertyCase

from accounts.models import Membership
from generations import vault
from generations.catalogue import load
from generations.catalogue.spec import ModelSpec

MAKERS = [spec for spec in load.models() if vault.maker(spec)]
CLONE = load.get("minimax/voice-clone")
PARAM = CLONE.param("custom_voice_id")


@pytest.mark.parametrize("spec", MAKERS, ids=lambda spec: spec.slug)
class TestMakers:
    def test_an_allotted_id_is_one_that_the_model_takes(self, spec: ModelSpec, db: None) -> None:
        param = vault.maker(spec)
        assert param is not None
        given_id = vault.allot("Harbour master", param)
        assert given_id.startswith("HarbourMaster")
        assert replace(spec, params=(param,)).clean({param.key: given_id}) == {param.key: given_id}


class Allotted(PropertyCase):
    @given(st.text(max_size=120))
    def test_any_name_gives_an_id_of_the_documented_form(self, name: str) -> None:
        found = vault.allot(name, PARAM)
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]{7,255}", found), found

    @given(st.text(max_size=40), st.integers(1, 60), st.integers(0, 200))
    def test_the_bounds_of_the_param_are_kept(self, name: str, least: int, more: int) -> None:
        most = max(least, 12) + more
        found = vault.allot(name, replace(PARAM, min_length=least, max_length=most))
        assert least <= len(found) <= most


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Harbour master", "HarbourMaster"),
        ("Łódź straße Ærø", "LodzStrasseAero"),
        ("小满", "Voice"),
        ("Øyvind", "Oyvind"),
        ("2nd mate", "Voice2ndMate"),
        ("---", "Voice"),
    ],
)
def test_an_id_is_read_as_the_name(name: str, stem: str) -> None:
    assert re.fullmatch(f"{stem}[a-z2-9]{{6,8}}", vault.allot(name, PARAM))


def test_two_voices_of_one_name_have_two_ids(db: None) -> None:
    assert len({vault.allot("Harbour", PARAM) for _ in range(50)}) == 50


def test_what_anybody_has_or_had_is_taken(bob: Membership, zoe: Membership, make_voice: object) -> None:
    make_voice(zoe, voice_id="Harbour01")  # type: ignore[operator]
    make_voice(zoe, voice_id="Broken001", status="failed")  # type: ignore[operator]
    system = load.voices()[0].voice_id
    assert [vault.is_taken(one) for one in ("Harbour01", "harbour01", "Broken001", system, "Free00001")] == [
        True, True, True, True, False,
    ]  # fmt: skip
