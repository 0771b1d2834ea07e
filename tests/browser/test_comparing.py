"""Two takes at one playhead, and what their settings tell."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, WIDE
from tests.browser.portal import SAM, Portal
from tests.browser.songs import songs
from tests.browser.test_pages import judge
from tests.browser.visitor import Visitor, until

pytestmark = [pytest.mark.browser]

SOUNDING = "[player.audio(), player.spare()].filter((one) => !one.paused).length"
GAP = """
window.silent = 0;
window.watched = setInterval(() => {
  const sounding = [player.audio(), player.spare()].some((one) => !one.paused && one.readyState > 2 && !one.seeking);
  if (!sounding) window.silent += 1;
}, 10);
"""


@pytest.fixture(scope="module")
def pair(portal: Portal) -> tuple[str, str]:
    """Two takes of thirty seconds; the second is quieter."""
    first, second = songs(portal, "hours", "Loud rain on the roof", "Soft rain on the roof", seconds=30)
    return first, second


@pytest.mark.thorough
def test_s_goes_from_one_to_the_other_at_the_same_moment_without_a_gap(
    pair: tuple[str, str], visit: Callable[..., Visitor]
) -> None:
    sam = visit(SAM)
    page = sam.open(f"/t/hours/compare/?a={pair[0]}&b={pair[1]}")
    a, b = (page.locator(f"[data-side={letter}]") for letter in "AB")
    a.get_by_role("button", name="Play or pause A").click()
    page.evaluate("player.seek(() => 10)")
    until(lambda: sam.sound().at > 10.5 and pair[0] in sam.sound().src, "A at eleven seconds", page=page)
    until(lambda: page.evaluate("player.spare().readyState") >= 3, "B at hand", page=page)
    page.evaluate(GAP)
    for turn in range(1, 4):
        at = sam.sound().at
        page.keyboard.press("s")
        playing = pair[turn % 2]
        heard = until(
            lambda playing=playing: playing in (s := sam.sound()).src and not s.paused and s, "the other"
        )
        assert at - 0.3 < heard.at < at + 1
        after = until(
            lambda heard=heard: (s := sam.sound()).at > heard.at + 0.5 and s, "it going on", page=page
        )
        assert after.src == heard.src
        until(lambda: page.evaluate(SOUNDING) == 1, "only one of them sounding", page=page)
    assert page.evaluate("window.silent") <= 2, "hundredths of a second of silence"
    expect(b).to_have_class(re.compile("is-sounding"))
    shown = [float(str(side.locator("wave-form").get_attribute("played"))) for side in (a, b)]
    assert shown[0] == pytest.approx(shown[1], abs=0.01)
    page.keyboard.press("Space")
    until(lambda: sam.sound().paused, "a pause", page=page)
    page.keyboard.press("s")
    expect(a).to_have_class(re.compile("is-playing"))
    assert page.evaluate("player.audio().paused"), "a switch starts nothing that was paused"


@pytest.mark.thorough
def test_both_can_be_heard_equally_loud(pair: tuple[str, str], visit: Callable[..., Visitor]) -> None:
    sam = visit(SAM)
    page = sam.open(f"/t/hours/compare/?a={pair[0]}&b={pair[1]}")
    page.get_by_role("button", name="Play or pause A").click()
    sam.hears_on()
    volume = "player.audio().volume"
    assert page.evaluate(volume) == pytest.approx(0.8)
    page.get_by_role("switch", name="Same loudness").check()
    expect(page.get_by_role("switch", name="Same loudness")).to_be_enabled()
    until(lambda: page.evaluate(volume) < 0.7, "the louder one being turned down", page=page)
    assert page.evaluate(volume) == pytest.approx(0.8 * 35 / 60, rel=0.05)
    page.keyboard.press("s")
    until(lambda: pair[1] in sam.sound().src, "the softer one", page=page)
    assert page.evaluate(volume) == pytest.approx(0.8)


@pytest.mark.thorough
def test_it_is_reached_from_the_generation_and_looks_well(
    pair: tuple[str, str], visit: Callable[..., Visitor]
) -> None:
    sam = visit(SAM)
    page = sam.open(f"/t/hours/g/{pair[0]}/")
    page.get_by_role("link", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare with what?")
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        judge(page)
    page.get_by_role("link", name="Compare with Soft rain on the roof").click()
    expect(page.locator("del")).to_have_text("Loud")
    expect(page.locator("ins")).to_have_text("Soft")
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            judge(page)
    page.get_by_role("link", name="Swap A and B").click()
    expect(page.locator("del")).to_have_text("Soft")


@pytest.mark.thorough
def test_without_scripts_there_are_two_players_and_the_difference(
    pair: tuple[str, str], visit: Callable[..., Visitor]
) -> None:
    sam = visit(SAM, alone=True, java_script_enabled=False)
    page = sam.open(f"/t/hours/compare/?a={pair[0]}&b={pair[1]}")
    expect(page.locator("main audio[controls]")).to_have_count(2)
    expect(page.locator("main audio[controls]").first).to_be_visible()
    expect(page.get_by_role("button", name="Switch")).to_be_hidden()
    expect(page.locator("ins")).to_have_text("Soft")
    sam.open(f"/t/hours/compare/?a={pair[0]}")
    page.get_by_label("Address of another generation").fill(f"{sam.portal.address}/t/hours/g/{pair[1]}/")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("ins")).to_have_text("Soft")
