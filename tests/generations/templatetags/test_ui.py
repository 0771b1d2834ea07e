"""Numbers and marks of the pages."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.models import User
from generations.templatetags import ui


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (Decimal("0.8"), "CNY", "¥0.80"),
        (Decimal("0.113"), "USD", "$0.11"),
        (Decimal("0.005"), "USD", "$0.005"),
        (Decimal("0.0062"), "CNY", "¥0.0062"),
        (Decimal("0.00001"), "CNY", "<¥0.0001"),
        (Decimal("0.0099"), "CNY", "¥0.0099"),
        (Decimal("0.00999"), "CNY", "¥0.01"),
        (Decimal("1204.5"), "USD", "$1,204.50"),
        (Decimal("-1"), "CNY", "−¥1.00"),
        (Decimal(0), "CNY", "¥0.00"),
        (Decimal("1E+2"), "CNY", "¥100.00"),
        (Decimal("2.005"), "CNY", "¥2.01"),
        (3, "XYZ", "3.00 XYZ"),
        (None, "CNY", ""),
        ("nonsense", "CNY", ""),
        (Decimal("NaN"), "CNY", ""),
    ],
)
def test_money_has_two_decimals_and_never_shows_a_small_price_as_zero(
    amount: Any, currency: str, text: str
) -> None:
    assert ui.money(amount, currency) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (12, "0:12"),
        (12.9, "0:12"),
        (245, "4:05"),
        (3723, "1:02:03"),
        (None, ""),
        (float("nan"), ""),
        (-1, ""),
    ],
)
def test_the_clock_reads_like_a_player(seconds: Any, text: str) -> None:
    assert ui.clock(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(38, "38 s"), (59.9, "59 s"), (60, "1:00"), (100, "1:40"), (None, "")]
)
def test_a_usual_time_is_in_seconds_below_a_minute(seconds: Any, text: str) -> None:
    assert ui.usual(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (812, "812 B"),
        (340_000, "340 kB"),
        (999_600, "1.0 MB"),
        (1_240_000, "1.2 MB"),
        (52_000_000, "52 MB"),
        (3_400_000_000_000_000, "3400 TB"),
        (None, ""),
        (-1, ""),
    ],
)
def test_sizes_are_short(size: Any, text: str) -> None:
    assert ui.filesize_short(size) == text


def test_a_reset_within_a_week_names_the_day_on_the_active_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    now = timezone.now().astimezone(berlin)
    soon = (now + timedelta(days=2)).replace(hour=0, minute=0)
    far = (now + timedelta(days=20)).replace(hour=0, minute=0)
    with timezone.override(berlin):
        assert ui.resets(soon) == f"{soon:%a} 00:00"
        assert ui.resets(far) == f"{far.day} {far:%B}"
        assert ui.resets(far.replace(hour=6)) == f"{far.day} {far:%B} 06:00"
    assert ui.resets(None) == ""


@pytest.mark.parametrize(
    ("ahead", "text"),
    [
        (timedelta(seconds=20), "in a moment"),
        (timedelta(minutes=40, seconds=5), "in 40 minutes"),
        (timedelta(hours=1, seconds=5), "in 1 hour"),
        (timedelta(days=2, hours=9, seconds=5), "in 2 days 9 hours"),
        (timedelta(days=1, seconds=5), "in 1 day"),
        (timedelta(days=-3), "in a moment"),
    ],
)
def test_until_says_how_far_off_a_moment_is(ahead: timedelta, text: str) -> None:
    assert ui.until(timezone.now() + ahead) == text


def test_an_icon_is_silent_and_comes_from_the_sprite() -> None:
    assert ui.icon("play", "s") == (
        '<svg class="icon icon--s" aria-hidden="true"><use href="/static/img/icons.svg#play" /></svg>'
    )


def test_names_from_people_are_escaped_in_marks() -> None:
    assert "<script>" not in ui.kind_tile("music", play='"><script>alert(1)</script>')
    assert ui.avatar(User(pk=3, email="x@example.com", name="<b>")) == (
        '<span class="avatar avatar--4" aria-hidden="true">&lt;</span>'
    )


def test_a_kind_tile_with_a_title_is_the_button_that_plays() -> None:
    tile = ui.kind_tile("picture", play="Rain")
    assert tile.startswith(
        '<button class="tile tile--picture" type="button" data-play aria-label="Play: Rain">'
    )
    assert "#image" in tile
    assert "tile__glyph" in tile
    assert ui.kind_tile("music").startswith('<span class="tile tile--music">')
    assert "tile--text" in ui.kind_tile("a kind of tomorrow")


@pytest.mark.parametrize(
    ("used", "limit", "classes", "width"),
    [
        (Decimal("78.2"), Decimal(120), "meter", "65.2%"),
        (Decimal(80), Decimal(100), "meter meter--near", "80%"),
        (Decimal(100), Decimal(100), "meter meter--over", "100%"),
        (Decimal(300), Decimal(100), "meter meter--over", "100%"),
        (None, Decimal(100), "meter", "0%"),
        (Decimal(0), Decimal(0), "meter meter--over", "0%"),
    ],
)
def test_a_meter_warns_from_eighty_percent(used: Any, limit: Any, classes: str, width: str) -> None:
    drawn = ui.meter(used, limit, "words")
    assert drawn == (
        f'<svg class="{classes}" role="img" aria-label="words"><rect width="{width}" height="100%" /></svg>'
    )


def test_a_meter_shows_what_the_next_step_takes_and_what_goes_over() -> None:
    fits = ui.meter(Decimal(50), Decimal(100), next=Decimal(25))
    assert '<rect class="meter__next" x="50%" width="25%" height="100%" />' in fits
    assert "meter__over" not in fits
    over = ui.meter(Decimal("78.2"), Decimal(120), next=Decimal("54.6"))
    assert '<rect width="58.9%"' in over
    assert '<rect class="meter__next" x="58.9%" width="31.5%"' in over
    assert '<rect class="meter__over" x="90.4%" width="9.6%"' in over


def test_without_a_limit_the_meter_is_an_empty_line() -> None:
    assert ui.meter(Decimal(5), None, "no limit") == (
        '<svg class="meter meter--none" role="img" aria-label="no limit"></svg>'
    )


def test_dense_peaks_have_a_character_for_each() -> None:
    assert ui.dense("") == ""
    assert ui.dense("0 50 100 101") == "Af__"
