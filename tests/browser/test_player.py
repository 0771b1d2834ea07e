"""The player: what comes next, what repeats, and that nothing stops it that should not."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.portal import SAM, Portal
from tests.browser.songs import songs
from tests.browser.test_pages import judge
from tests.browser.visitor import Visitor, until

pytestmark = [pytest.mark.browser]

SHELF = [f"Song {number:02}" for number in range(1, 28)]
HANDLERS = """
window.handlers = {};
const set = MediaSession.prototype.setActionHandler;
MediaSession.prototype.setActionHandler = function (name, act) {
  window.handlers[name] = act;
  return set.call(this, name, act);
};
const tell = MediaSession.prototype.setPositionState;
MediaSession.prototype.setPositionState = function (state) { window.position = state; return tell.call(this, state); };
"""
CONTROLS = """
[...document.querySelectorAll("#player :is(button, select, input)")].filter((one) => one.checkVisibility())
  .map((one) => one.getBoundingClientRect()).map(({ top, width, height }) => [top, width, height])
"""
EVENTS = """
window.events = [];
for (const name of ["pause", "emptied", "ended", "error"]) {
  document.addEventListener(name, ({ target }) => target.id === "audio" && window.events.push(name), true);
}
window.stayed = true;
"""


@pytest.fixture(scope="module")
def shelf(portal: Portal) -> list[str]:
    """Twenty-seven songs, more than a page of the library; the newest is listed first."""
    return songs(portal, "shelf", *SHELF, seconds=30)


@pytest.fixture(scope="module")
def hour(portal: Portal) -> str:
    return songs(portal, "hours", "One hour", seconds=3600)[0]


@pytest.fixture
def sam(shelf: list[str], visit: Callable[..., Visitor]) -> Visitor:
    sam = visit(SAM)
    sam.open("/t/shelf/library/")
    return sam


def play(sam: Visitor, title: str) -> None:
    sam.page.locator("#rows [data-track]", has_text=title).locator("[data-play]").click()
    sounds(sam, title)


def sounds(sam: Visitor, title: str) -> None:
    until(
        lambda: not sam.sound().paused and sam.page.locator("[data-player-title]").text_content() == title,
        f"{title} playing",
        page=sam.page,
    )


@pytest.mark.thorough
def test_a_song_goes_on_through_four_pages(sam: Visitor) -> None:
    page = sam.page
    play(sam, SHELF[-1])
    page.evaluate(EVENTS)
    at = sam.hears_on().at
    menu = page.get_by_role("navigation", name="Main")
    for name in ("Create", "Voices", "Usage", "Team", "Library"):
        menu.get_by_role("link", name=name).click()
        expect(page.get_by_role("navigation", name="Main").get_by_role("link", name=name)).to_have_attribute(
            "aria-current", re.compile("page|true")
        )
        heard = sam.hears_on()
        assert heard.at > at
        at = heard.at
    page.go_back()
    assert sam.hears_on().at > at
    assert page.evaluate("window.events") == []
    assert page.evaluate("window.stayed")


@pytest.mark.thorough
def test_the_queue_shows_what_comes_next_and_jumps(sam: Visitor) -> None:
    page = sam.page
    play(sam, SHELF[-1])
    page.get_by_role("button", name="Up next").click()
    panel = page.get_by_role("dialog", name="Up next")
    expect(panel.locator("[data-jump]")).to_have_count(24)
    expect(panel.locator("[aria-current]")).to_have_text(re.compile(SHELF[-1]))
    expect(panel.locator("[aria-current]")).to_be_focused()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        judge(page)
    panel.locator("[data-jump]", has_text=SHELF[-5]).click()
    sounds(sam, SHELF[-5])
    expect(panel.locator("[aria-current]")).to_have_text(re.compile(SHELF[-5]))
    panel.get_by_role("button", name="Show more of the list").click()
    expect(panel.locator("[data-jump]")).to_have_count(27)
    expect(panel.get_by_text("The list ends here")).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


@pytest.mark.thorough
def test_next_and_previous_go_across_the_pages_of_the_library_and_after_them(sam: Visitor) -> None:
    page = sam.page
    last_of_page = SHELF[-24]
    play(sam, last_of_page)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Usage").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Usage")
    for key, title in (("n", SHELF[2]), ("n", SHELF[1]), ("n", SHELF[0]), ("p", SHELF[1])):
        page.keyboard.press(key)
        sounds(sam, title)
    page.keyboard.press("n")
    sounds(sam, SHELF[0])
    page.keyboard.press("n")
    sounds(sam, SHELF[0])


@pytest.mark.thorough
def test_a_song_that_ends_is_followed_by_the_next_without_a_gap(sam: Visitor) -> None:
    page = sam.page
    play(sam, SHELF[-1])
    page.evaluate("player.seek(({ duration }) => duration - 3)")
    until(lambda: page.evaluate("player.spare().readyState") >= 3, "the next one at hand", page=page)
    sounds(sam, SHELF[-2])
    assert sam.hears_on().at < 10


@pytest.mark.thorough
def test_a_and_b_repeat_a_part_and_l_ends_it(sam: Visitor) -> None:
    page = sam.page
    play(sam, SHELF[-1])
    page.evaluate("player.seek(() => 10)")
    until(lambda: sam.sound().at > 10, "ten seconds", page=page)
    page.keyboard.press("a")
    until(lambda: sam.sound().at > 11.5, "a second and a half later", page=page)
    page.keyboard.press("b")
    expect(page.get_by_role("button", name="Loop")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#toasts")).to_contain_text(re.compile(r"Loops from 0:10\.\d to 0:1[12]\.\d"))
    until(lambda: sam.sound().at < 11, "back at the beginning of the part", page=page)
    until(lambda: sam.sound().at > 11.3, "the end of the part", page=page)
    until(lambda: sam.sound().at < 11, "round again", page=page)
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Loop")).to_have_attribute("aria-pressed", "false")
    until(lambda: sam.sound().at > 12.5, "beyond the end", page=page)


@pytest.mark.thorough
def test_a_drag_over_the_big_waveform_repeats_that_part_and_a_click_goes_there(
    sam: Visitor, shelf: list[str]
) -> None:
    page = sam.open(f"/t/shelf/g/{shelf[0]}/")
    wave = page.locator("[data-stage] wave-form")
    box = wave.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.55, middle, steps=4)
    page.mouse.up()
    until(lambda: sam.sound().at >= 15 and not sam.sound().paused, "the part playing", page=page)
    until(lambda: sam.sound().at > 16, "the end of the part", page=page)
    until(lambda: sam.sound().at < 15.7, "its beginning again", page=page)
    page.mouse.click(box["x"] + box["width"] * 0.8, middle)
    until(lambda: 24 <= sam.sound().at < 27, "where the click was", page=page)
    sam.hears_on()


@pytest.mark.thorough
def test_speed_and_volume_stay_and_the_pitch_does_too(sam: Visitor) -> None:
    page = sam.page
    play(sam, SHELF[-1])
    page.keyboard.press(">")
    page.keyboard.press("-")
    state = "(({ playbackRate, preservesPitch, volume }) => ({ playbackRate, preservesPitch, volume }))(player.audio())"
    assert page.evaluate(state) == {"playbackRate": 1.25, "preservesPitch": True, "volume": 0.75}
    page.reload()
    assert page.evaluate(state) == {"playbackRate": 1.25, "preservesPitch": True, "volume": 0.75}


@pytest.mark.thorough
def test_after_a_reload_the_song_waits_where_it_was_with_its_queue(sam: Visitor) -> None:
    page = sam.page
    play(sam, SHELF[-3])
    page.evaluate("player.seek(() => 20)")
    until(lambda: sam.sound().at > 20, "twenty seconds", page=page)
    sam.open("/t/shelf/usage/")
    expect(page.locator("[data-player-title]")).to_have_text(SHELF[-3])
    assert page.evaluate("player.audio().paused")
    page.keyboard.press("Space")
    until(lambda: sam.sound().at > 20.2, "going on where it was", page=page)
    page.keyboard.press("n")
    sounds(sam, SHELF[-4])


@pytest.mark.thorough
def test_a_tab_that_was_thrown_away_plays_on(shelf: list[str], visit: Callable[..., Visitor]) -> None:
    sam = visit(SAM, alone=True)
    page = sam.open("/t/shelf/library/")
    play(sam, SHELF[-3])
    page.evaluate("player.seek(() => 15)")
    until(lambda: sam.sound().at > 15, "fifteen seconds", page=page)
    page.add_init_script("Object.defineProperty(Document.prototype, 'wasDiscarded', { value: true })")
    page.reload()
    until(lambda: not sam.sound().paused and sam.sound().at > 15.5, "playing on by itself", page=page)


@pytest.mark.thorough
def test_what_is_gone_after_a_reload_is_not_laid_ready(sam: Visitor) -> None:
    page = sam.page
    play(sam, SHELF[-3])
    source = page.evaluate("player.audio().src")
    page.keyboard.press("Space")
    until(lambda: sam.sound().paused, "a pause", page=page)
    page.route(source, lambda route: route.fulfill(status=404))
    sam.expects(404)
    page.evaluate("fetch(player.audio().src, { cache: 'reload' })")
    page.reload()
    expect(page.locator("#player")).to_be_hidden()
    assert page.locator(".toast").count() == 0
    page.unroute(source)
    sam.complaints.clear()


@pytest.mark.thorough
def test_somebody_else_in_the_same_tab_finds_nothing_of_it(
    shelf: list[str], visit: Callable[..., Visitor]
) -> None:
    sam = visit(SAM, alone=True)  # its script stays with the tab, which nobody else gets
    page = sam.open("/t/shelf/library/")
    play(sam, SHELF[-3])
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    kept = "JSON.parse(sessionStorage.getItem('playing'))"
    assert page.evaluate(f"{kept}.item.title") == SHELF[-3]
    page.add_init_script(
        "const kept = location.protocol === 'http:' && JSON.parse(sessionStorage.getItem('playing'));"
        " if (kept) sessionStorage.setItem('playing', JSON.stringify({ ...kept, person: 'somebody else' }));"
    )
    page.reload()
    expect(page.locator("#player")).to_be_hidden()


@pytest.mark.thorough
def test_a_long_sound_starts_by_ranges_and_is_gone_on_with_where_it_was_left(
    hour: str, visit: Callable[..., Visitor]
) -> None:
    sam = visit(SAM)
    page = sam.open("/t/hours/library/")
    play(sam, "One hour")
    page.evaluate("player.seek(() => 3000)")
    until(lambda: 3000 < sam.sound().at < 3010, "the place that was sought", page=page)
    parts = [one.headers for one in sam.answers if one.url.endswith("/content")]
    assert parts
    assert all(one["content-range"] for one in parts)
    assert max(int(one["content-length"]) for one in parts) <= 2 * 1024**2
    page.keyboard.press("Space")
    until(lambda: sam.sound().paused, "a pause", page=page)
    sam.open("/healthz")  # where no script of ours keeps what plays
    page.evaluate("sessionStorage.clear()")
    sam.open("/t/hours/library/")
    assert page.locator("#player").is_hidden()
    play(sam, "One hour")
    until(lambda: sam.sound().at > 3000, "going on where it was left", page=page)
    expect(page.locator("#toasts")).to_contain_text("Goes on where you left it, at 50:0")
    assert sam.hears_on().at < 3030


@pytest.mark.thorough
def test_part_after_part_is_fetched_without_a_stop(portal: Portal, visit: Callable[..., Visitor]) -> None:
    songs(portal, "hours", "Eleven megabytes", seconds=120, rate=96_000)
    sam = visit(SAM)
    page = sam.open("/t/hours/library/")
    play(sam, "Eleven megabytes")
    page.evaluate(EVENTS)
    page.evaluate("player.audio().playbackRate = 8")
    until(lambda: sam.sound().at > 100, "a hundred seconds of it", page=page)
    assert page.evaluate("window.events") == []
    ranges = [one.headers["content-range"] for one in sam.answers if one.url.endswith("/content")]
    begins = [int(one.partition(" ")[2].partition("-")[0]) for one in ranges]
    assert len(begins) >= 4
    assert begins == sorted(begins)


@pytest.mark.thorough
def test_a_line_that_breaks_is_taken_up_again(hour: str, visit: Callable[..., Visitor]) -> None:
    sam = visit(SAM)
    page = sam.open("/t/hours/library/")
    play(sam, "One hour")
    sam.hears_on()
    sam.context.set_offline(True)
    page.evaluate("player.seek(() => 2000)")
    until(
        lambda: page.evaluate("player.audio().error !== null || player.audio().readyState < 3"),
        "silence",
        page=page,
    )
    page.wait_for_timeout(4000)  # so that it is tried in vain too
    sam.context.set_offline(False)
    heard = until(lambda: (s := sam.sound()).at > 2001 and s, "going on by itself", page=page)
    assert heard.at < 2060
    sam.complaints.clear()


@pytest.mark.thorough
def test_a_tab_that_was_asleep_goes_on(sam: Visitor) -> None:
    page = sam.page
    play(sam, SHELF[-1])
    sam.hears_on()
    page.evaluate("document.dispatchEvent(new Event('freeze'))")
    page.evaluate("player.audio().pause()")  # as browsers do that stop the sound of a page they freeze
    until(lambda: sam.sound().paused, "silence", page=page)
    page.evaluate("document.dispatchEvent(new Event('resume'))")
    sam.hears_on()


@pytest.mark.thorough
def test_the_machine_s_own_keys_drive_it(shelf: list[str], visit: Callable[..., Visitor]) -> None:
    sam = visit(SAM, alone=True)
    sam.page.add_init_script(HANDLERS)
    page = sam.open("/t/shelf/library/")
    play(sam, SHELF[-2])
    assert page.evaluate("navigator.mediaSession.metadata.title") == SHELF[-2]
    page.evaluate("window.handlers.nexttrack()")
    sounds(sam, SHELF[-3])
    page.evaluate("window.handlers.seekto({ seekTime: 12 })")
    until(lambda: page.evaluate("window.position?.position ?? 0") >= 12, "the position being told", page=page)
    assert page.evaluate("window.position.duration") == pytest.approx(30, abs=0.1)
    page.evaluate("window.handlers.seekforward({ seekOffset: 10 })")
    until(lambda: sam.sound().at >= 22, "ten seconds on", page=page)
    page.evaluate("window.handlers.pause()")
    until(lambda: sam.sound().paused, "a pause", page=page)
    for title in (SHELF[-2], SHELF[-1]):
        page.evaluate("window.handlers.previoustrack()")
        sounds(sam, title)
    assert page.evaluate("window.handlers.previoustrack") is None


def phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})


@pytest.mark.thorough
def test_on_a_narrow_phone_all_of_it_is_near_the_thumb(sam: Visitor) -> None:
    page = sam.page
    phone(page)
    sam.open("/t/shelf/library/")
    play(sam, SHELF[-1])
    for top, width, height in page.evaluate(CONTROLS):
        assert top > 740 / 2
        assert min(width, height) >= 44
    page.get_by_role("button", name="Position, speed and volume").click()
    page.get_by_role("button", name="Previous").click()
    page.get_by_role("button", name="Up next").click()
    panel = page.get_by_role("dialog", name="Up next")
    expect(panel).to_be_visible()
    judge(page)
    for _top, width, height in page.evaluate(CONTROLS):
        assert min(width, height) >= 44
    panel.locator("[data-jump]", has_text=SHELF[-2]).click()
    sounds(sam, SHELF[-2])
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
