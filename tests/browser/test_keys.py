"""The keys that the help sheet names."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LINES, SPEECH
from tests.browser.portal import SAM, Portal
from tests.browser.songs import songs
from tests.browser.visitor import Visitor, until

pytestmark = [pytest.mark.thorough, pytest.mark.browser]


@pytest.fixture
def sam(ordered: dict[str, str], visit: Callable[..., Visitor]) -> Visitor:
    """In front of a library with a few things to hear, with nothing focused."""
    sam = visit(SAM)
    rows = sam.open("/t/tide/library/").locator("#rows [data-track]")
    until(lambda: rows.count() >= len(LINES), "three finished rows", page=sam.page)
    return sam


def current(page: Page) -> int:
    return int(
        page.evaluate(
            "[...document.querySelectorAll('[data-row]')].findIndex((row) => row.matches('.is-current'))"
        )
    )


def test_slash_goes_to_the_search_and_c_to_create(sam: Visitor) -> None:
    page = sam.page
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search the library")).to_be_focused()
    page.keyboard.type("c?/")
    expect(page.get_by_role("searchbox", name="Search the library")).to_have_value("c?/")
    sam.open("/t/tide/library/")
    page.keyboard.press("c")
    page.wait_for_url("**/create/**")
    page.locator("main").focus()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Find a model")).to_be_focused()


def test_cards_are_walked_taken_and_starred_like_rows(sam: Visitor) -> None:
    page = sam.open("/t/tide/library/?show=grid")
    cards = page.locator("#rows .shot")
    expect(page.locator("table.rows")).to_have_count(0)
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert current(page) == 1
    expect(cards.nth(1).locator(".rows__title")).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator("#bulk")).to_contain_text("1 selected")
    page.keyboard.press("s")
    expect(cards.nth(1).locator(".btn--star")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("s")
    expect(cards.nth(1).locator(".btn--star")).to_have_attribute("aria-pressed", "false")
    cards.nth(1).locator("summary").click()
    expect(cards.nth(1).locator(".menu__panel")).to_contain_text("Download")
    page.keyboard.press("Escape")
    cards.nth(1).locator(".rows__title").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/g/**")
    assert sam.complaints == []


def test_a_filter_whose_lines_come_when_it_is_opened_is_walked_with_the_arrows(sam: Visitor) -> None:
    page = sam.open("/t/tide/library/")
    address, menu = page.url, page.locator("details.menu", has=page.locator("summary.chip", has_text="Model"))
    menu.locator(".menu__panel").evaluate(
        "(panel) => panel.setHTMLUnsafe(`<a class=menu__item href=filter/model/ data-stays>All of them</a>`)"
    )
    menu.locator("summary").press("Enter")
    expect(menu.locator("button.menu__item").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(menu.locator("button.menu__item").first).to_be_focused()
    assert page.url == address
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/library/\?.*model="))
    assert sam.complaints == []


def test_question_mark_opens_the_list_of_keys_and_escape_closes_it(sam: Visitor) -> None:
    page = sam.page
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    page.keyboard.press("?")
    expect(sheet).to_be_visible()
    page.keyboard.press("c")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_every_key_of_the_sheet_is_tried_here(sam: Visitor) -> None:
    """A and B in test_player.py, S of two takes in test_comparing.py."""
    sam.page.keyboard.press("?")
    named = {key.strip() for key in sam.page.locator("#keys kbd").all_text_contents()}
    assert named == {
        "/",
        "C",
        "?",
        "Esc",
        "Space",
        "←",
        "→",
        "P",
        "N",
        "L",
        "M",
        "A",
        "B",
        "Q",
        "S",
        "<",
        ">",
        "-",
        "+",
        "Shift",
        "J",
        "K",
        "X",
        "Enter",
        "Ctrl",
        "Tab",
    }


def test_j_and_k_walk_the_rows_and_enter_opens_one(sam: Visitor) -> None:
    page = sam.page
    for key, at in (("j", 0), ("j", 1), ("j", 2), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        assert current(page) == at
    title = page.locator("[data-row].is-current .rows__title").text_content()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(str(title))


def test_x_takes_a_row_s_stars_it_and_both_stay_in_the_list(sam: Visitor) -> None:
    page = sam.page
    page.keyboard.press("j")
    row = page.locator("[data-row].is-current")
    page.keyboard.press("x")
    expect(row.get_by_role("checkbox")).to_be_checked()
    expect(page.locator("#bulk")).to_contain_text("1 selected")
    page.keyboard.press("x")
    expect(page.locator("#bulk")).to_be_hidden()
    page.evaluate("window.stayed = true")
    star = row.locator(".btn--star")
    for pressed in ("true", "false"):
        page.keyboard.press("s")
        expect(star).to_have_attribute("aria-pressed", pressed)
    assert page.evaluate("window.stayed")
    assert page.url.endswith("/library/")


def test_space_arrows_n_p_l_and_m_drive_the_player(sam: Visitor) -> None:
    page = sam.page
    rows = page.locator("#rows [data-track]").all()
    sources = [sam.portal.address + str(row.get_attribute("data-src")) for row in rows]
    page.locator("#rows [data-play]").first.click()
    until(lambda: sam.sound().src == sources[0] and not sam.sound().paused, "the first playing", page=page)
    page.keyboard.press("l")
    assert sam.sound().loop
    expect(page.get_by_role("button", name="Loop")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("m")
    assert sam.sound().muted
    expect(page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    page.locator("main").focus()
    page.keyboard.press("Space")
    until(lambda: sam.sound().paused, "a pause", page=page)
    page.keyboard.press("ArrowRight")
    until(
        lambda: sam.sound().at > 0.95 * min(5, sam.sound().duration), "five seconds on, or the end", page=page
    )
    page.keyboard.press("ArrowLeft")
    until(lambda: sam.sound().at < 1, "five seconds back", page=page)
    for key, at in (("n", 1), ("n", 2), ("p", 1)):
        page.keyboard.press(key)
        until(lambda at=at: sam.sound().src == sources[at], f"track {at} after {key}", page=page)
    expect(page.locator("#rows [data-track]").nth(1)).to_have_class(re.compile("is-playing"))


def test_shift_and_the_arrows_go_half_a_minute(portal: Portal, visit: Callable[..., Visitor]) -> None:
    songs(portal, "hours", "Ninety seconds", seconds=90)
    sam = visit(SAM)
    page = sam.open("/t/hours/library/")
    page.locator("#rows [data-track]", has_text="Ninety seconds").locator("[data-play]").click()
    sam.hears_on()
    page.locator("main").focus()
    page.keyboard.press("Shift+ArrowRight")
    until(lambda: 30 < sam.sound().at < 40, "half a minute on", page=page)
    page.keyboard.press("Shift+ArrowLeft")
    until(lambda: sam.sound().at < 10, "half a minute back", page=page)


def test_speed_and_volume_by_keys(sam: Visitor) -> None:
    page = sam.page
    page.locator("#rows [data-play]").first.click()
    until(lambda: not sam.sound().paused, "playing", page=page)
    for key, speed in ((">", 1.25), (">", 1.5), ("<", 1.25), ("<", 1), ("<", 0.75), ("<", 0.75)):
        page.keyboard.press(key)
        assert page.evaluate("[player.audio().playbackRate, player.audio().preservesPitch]") == [speed, True]
    for key, volume in (("-", 0.75), ("-", 0.7), ("+", 0.75), ("=", 0.8)):
        page.keyboard.press(key)
        assert page.evaluate("player.audio().volume") == pytest.approx(volume)


def test_q_shows_what_comes_next(sam: Visitor) -> None:
    page = sam.page
    page.locator("#rows [data-play]").first.click()
    panel = page.get_by_role("dialog", name="Up next")
    page.keyboard.press("q")
    expect(panel).to_be_visible()
    page.keyboard.press("q")
    expect(panel).to_be_hidden()


def test_no_key_acts_in_a_field(sam: Visitor) -> None:
    page = sam.page
    page.locator("#rows [data-play]").first.click()
    until(lambda: not sam.sound().paused, "playing", page=page)
    before = page.url
    search = page.get_by_role("searchbox", name="Search the library")
    search.focus()
    state = "(({ volume, muted, playbackRate, loop, src }) => [volume, muted, playbackRate, loop, src])(player.audio())"
    kept = page.evaluate(state)
    page.evaluate("document.getElementById('q').closest('form').removeAttribute('hx-trigger')")
    typed = "/c?pnlmabqsjk<>+-= "
    page.keyboard.type(typed)
    page.keyboard.press("Shift+ArrowLeft")
    expect(search).to_have_value(typed)
    assert page.evaluate(state) == kept
    assert not page.locator("#player-queue").is_visible()
    assert page.url.partition("?")[0] == before
    assert current(page) == -1
    page.get_by_role("combobox", name="Playback speed").focus()
    page.keyboard.press("m")
    assert not sam.sound().muted


def test_single_keys_can_be_switched_off(sam: Visitor) -> None:
    page = sam.page
    page.keyboard.press("?")
    page.get_by_role("switch", name="Single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("?")
    assert current(page) == -1
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


def test_control_enter_generates(sam: Visitor) -> None:
    page = sam.open(f"/t/tide/create/{SPEECH}/")
    page.get_by_label("Text", exact=True).fill("Sent from the keyboard.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#now-list .job").filter(has_text="Sent from the keyboard")).to_have_count(1)


def test_escape_closes_a_menu_and_tab_leaves_the_text(sam: Visitor) -> None:
    page = sam.page
    menu = page.locator("#filters details.menu").first
    menu.locator("summary").click()
    expect(menu).to_have_attribute("open", "")
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(menu.locator("summary")).to_be_focused()
    sam.open(f"/t/tide/create/{SPEECH}/")
    text = page.get_by_label("Text", exact=True)
    text.focus()
    page.keyboard.press("Tab")
    expect(text).not_to_be_focused()
