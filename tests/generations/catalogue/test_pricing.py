from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generations.catalogue.load import get
from generations.catalogue.pricing import STEP, Estimate, estimate, learned
from generations.catalogue.spec import ModelSpec, Price, PriceRule
from tests.generations.catalogue.facts import SOUNDS

HD = get("minimax/speech-2.8-hd")
relaxed = settings(deadline=None)
money = st.decimals(min_value=Decimal("0.0001"), max_value=Decimal(1000), places=4)


def priced(price: Price | None) -> ModelSpec:
    return replace(HD, price=price)


def per(unit: str, param: str = "", amount: str = "0.5", *rules: PriceRule) -> Price:
    return Price(Decimal(amount), "CNY", unit, param=param, as_of=date(2026, 4, 29), rules=rules)


def test_speech_is_priced_by_the_characters_of_its_text() -> None:
    assert estimate(HD, {"text": "x" * 129}) == Estimate(
        amount=Decimal("0.0800"),
        currency="CNY",
        basis="129 characters at 0.62 per 1,000",
        as_of=date(2026, 4, 29),
        is_starting_price=False,
    )
    assert estimate(HD, {"text": "🎻雨"}).basis == "2 characters at 0.62 per 1,000"
    assert estimate(HD, {"text": "x" * 9999}).amount == Decimal("6.1994")


def test_music_has_a_starting_price_for_each_run() -> None:
    said = estimate(get("minimax/music-2.6/text-to-music"), {"prompt": "x" * 500})
    assert (said.amount, said.basis, said.is_starting_price) == (
        Decimal("0.8"),
        "from 0.80 for each run",
        True,
    )


def test_a_clone_has_one_price_whatever_its_preview() -> None:
    clone = get("minimax/voice-clone")
    assert estimate(clone, {"text": "x" * 900}).amount == Decimal("3.12")
    assert estimate(clone, {}).basis == "3.12 for each run"


def test_an_unknown_price_is_none_and_not_zero() -> None:
    said = estimate(priced(None), {"text": "Hello"})
    assert (said.amount, said.basis, said.as_of) == (None, "Price unknown", None)


@pytest.mark.parametrize("text", [None, "", 5, ["x"], "x"])
def test_a_text_that_is_not_there_yet_costs_as_one_character(text: Any) -> None:
    said = estimate(HD, {"text": text})
    assert (said.amount, said.basis) == (Decimal("0.0007"), "1 character at 0.62 per 1,000")


def test_amounts_are_rounded_up() -> None:
    assert estimate(HD, {"text": "xx"}).amount == Decimal("0.0013")


def test_a_factor_of_past_charges_changes_the_amount_and_the_basis() -> None:
    said = estimate(HD, {"text": "x" * 1000}, factor=Decimal("1.5"))
    assert said.amount == Decimal("0.93")
    assert said.basis == "1,000 characters at 0.62 per 1,000, adjusted to recent charges"
    assert estimate(HD, {"text": "x"}, factor=Decimal(1)) == estimate(HD, {"text": "x"})


def test_seconds_and_images_are_counted_from_their_param() -> None:
    video = priced(per("second", "duration"))
    assert estimate(video, {"duration": "5"}).amount == Decimal("2.5")
    assert estimate(video, {"duration": 7}).basis == "7 seconds at 0.5 each"
    assert estimate(video, {"duration": 1.5}).amount == Decimal("0.75")
    assert (
        estimate(priced(per("5 seconds", "duration")), {"duration": "10"}).basis == "10 seconds at 0.5 per 5"
    )
    for unknown in ("auto", None, -1, 0, True, float("nan"), float("inf"), 10**400, [5]):
        assert estimate(video, {"duration": unknown}).amount is None


def test_a_price_by_param_follows_its_rules() -> None:
    rules = (
        PriceRule((("size", "1536"), ("sound", "true")), Decimal("7.00")),
        PriceRule((("size", "720"),), Decimal("0.90")),
    )
    spec = priced(per("call", "", "0.90", *rules))
    assert estimate(spec, {"size": "1536", "sound": True}).amount == Decimal("7")
    assert estimate(spec, {"size": 1536, "sound": True}).amount == Decimal("7")
    assert estimate(spec, {"size": "720"}).amount == Decimal("0.9")
    said = estimate(spec, {"size": "1536", "sound": False})
    assert (said.amount, said.basis) == (None, "Price unknown for these settings")


@pytest.mark.parametrize("spec", [s for s in SOUNDS if s.price], ids=lambda spec: spec.slug)
@given(text=st.text(max_size=300), more=st.text(max_size=50), factor=st.none() | money)
@relaxed
def test_a_price_is_never_zero_and_never_falls_with_a_longer_text(
    spec: ModelSpec, text: str, more: str, factor: Decimal | None
) -> None:
    shorter = estimate(spec, {"text": text, "prompt": text, "n": 1}, factor=factor).amount
    longer = estimate(spec, {"text": text + more, "prompt": text + more, "n": 1}, factor=factor).amount
    assert shorter is not None
    assert longer is not None
    assert Decimal(0) < shorter <= longer
    assert shorter % STEP == 0


@given(length=st.integers(1, 9999))
@relaxed
def test_a_hold_is_at_least_the_exact_price_and_less_than_a_step_above(length: int) -> None:
    amount = estimate(HD, {"text": "x" * length}).amount
    assert amount is not None
    assert Decimal(0) <= amount - Decimal("0.62") * length / 1000 < STEP


@given(takes=st.integers(1, 3))
@relaxed
def test_each_take_is_charged(takes: int) -> None:
    song = get("mureka-ai/mureka-v7.6/generate-song")
    said = estimate(song, {"n": takes})
    assert said.amount == Decimal("0.19") * takes
    assert said.basis == f"{takes} take{'s' if takes > 1 else ''} from 0.19 each"
    assert estimate(song, {"n": str(takes)}).amount == said.amount


@pytest.mark.parametrize("n", [None, "", "two", 0, -1, True, 10**400])
def test_takes_nobody_can_count_have_no_price(n: object) -> None:
    assert estimate(get("mureka-ai/mureka-v9/generate-bgm"), {"n": n}).amount is None


def test_an_unknown_price_stays_unknown() -> None:
    said = estimate(get("bytedance/doubao-seed-audio-1.0"), {"text_prompt": "Rain"})
    assert (said.amount, said.basis) == (None, "Price unknown")


def test_two_charges_teach_nothing() -> None:
    assert learned([]) is None
    assert learned([(Decimal("0.8"), Decimal("1.6"))] * 2) is None
    assert learned([(Decimal("0.8"), Decimal("1.6"))] * 3) == Decimal(2)


def test_free_and_unpriced_generations_teach_nothing() -> None:
    nothing = [(Decimal("0.8"), Decimal(0)), (Decimal(0), Decimal("0.8")), (Decimal("NaN"), Decimal(1))]
    assert learned(nothing * 5) is None
    assert learned(nothing + [(Decimal("0.8"), Decimal("0.4"))] * 3) == Decimal("0.5")


def test_one_odd_charge_does_not_move_what_is_learned() -> None:
    assert learned([(Decimal(1), Decimal(90)), *[(Decimal(1), Decimal("1.2"))] * 4]) == Decimal("1.2")


def test_only_the_newest_charges_teach() -> None:
    newest, older = (Decimal(1), Decimal(2)), (Decimal(1), Decimal(5))
    assert learned([newest] * 20 + [older] * 100) == Decimal(2)


@given(pairs=st.lists(st.tuples(st.decimals(), st.decimals()), max_size=8))
@relaxed
def test_what_is_learned_is_positive_whatever_was_charged(pairs: list[tuple[Decimal, Decimal]]) -> None:
    factor = learned(pairs)
    assert factor is None or factor > 0
