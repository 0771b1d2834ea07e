"""Keeping order in a browser: a collection that is heard, ordered, rated and taken back without a pause."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LINES, PHONE, SPEECH
from tests.browser.portal import SAM
from tests.browser.test_pages import judge
from tests.browser.visitor import Visitor, until

pytestmark = [pytest.mark.thorough, pytest.mark.browser]


@pytest.fixture
def sam(ordered: dict[str, str], visit: Callable[..., Visitor]) -> Visitor:
    sam = visit(SAM)
    rows = sam.open("/t/tide/library/").locator("#rows [data-track]")
    until(lambda: rows.count() >= len(LINES), "three finished rows", page=sam.page)
    return sam


@pytest.fixture
def album(sam: Visitor) -> Iterator[str]:
    """The address of a collection of three songs, in the order in which they were made."""
    ids = sam.page.evaluate(
        "[...document.querySelectorAll('#rows [data-track]')].map((row) => row.id.slice(2))"
    )
    picks = "&".join(f"pick={pk}" for pk in sorted(ids)[:3])
    page = sam.open(f"/t/tide/collections/new/?{picks}")
    page.get_by_label("Name").fill("Harbour tales")
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url(re.compile(r"/collections/[0-9a-f-]{36}/$"))
    address = page.url.removeprefix(sam.portal.address)
    yield address
    sam.open(f"{address}edit/").get_by_role("button", name="Delete the collection").click()
    page.wait_for_url("**/collections/")


def order(page: Page) -> list[str]:
    return page.locator(".shelf__item .rows__title").all_text_contents()


def test_heard_ordered_rated_and_taken_back_without_a_pause(sam: Visitor, album: str) -> None:
    page = sam.page
    first = order(page)
    assert len(first) == 3
    page.locator(".shelf__item [data-play]").first.click()
    sam.hears_on()
    page.get_by_role("button", name="Loop").click()

    page.get_by_role("button", name=f"Move down: {first[0]}").click()
    expect(page.locator(".shelf__item .rows__title").first).to_have_text(first[1])
    until(lambda: in_order(sam, album) == [first[1], first[0], first[2]], "the order kept", page=page)
    expect(page.get_by_role("button", name=f"Move down: {first[0]}")).to_be_focused()

    page.locator("[data-grip]").nth(2).drag_to(
        page.locator(".shelf__item").first, target_position={"x": 40, "y": 4}
    )
    until(lambda: in_order(sam, album) == [first[2], first[1], first[0]], "the dragged order kept", page=page)

    bar = page.locator("#bulk")
    expect(bar).to_be_hidden()
    boxes = page.locator('.shelf__item input[name="pick"]')
    boxes.nth(0).check()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(bar).to_contain_text("3 selected")
    bar.get_by_text("Star, rate").click()
    bar.get_by_role("button", name="4 of 5").click()
    toast = page.locator(".toasts form")
    expect(toast).to_contain_text("3 rated")
    ids = page.evaluate("[...document.querySelectorAll('.shelf__item')].map((row) => row.dataset.item)")
    assert [rating(sam, pk) for pk in ids] == [4, 4, 4]
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".notes")).to_contain_text("3 are as they were")
    assert [rating(sam, pk) for pk in ids] == [0, 0, 0]
    sam.hears_on()


def in_order(sam: Visitor, album: str) -> list[str]:
    text = sam.context.request.get(sam.portal.address + album).text()
    return re.findall(r'class="rows__title clip" href="[^"]+">([^<]+)<', text)


def rating(sam: Visitor, pk: str) -> int:
    text = sam.context.request.get(f"{sam.portal.address}/t/tide/g/{pk}/").text()
    return text.count("rating__bar is-on")


def test_a_row_stays_on_its_page_and_goes_home_when_the_drag_is_given_up(sam: Visitor, album: str) -> None:
    """As if the page ended after the second of three."""
    page = sam.open(album)
    first = order(page)
    page.evaluate(
        """() => {
            const last = document.querySelector(".shelf__item:last-child");
            last.parentElement.dataset.next = last.dataset.item;
            last.remove();
        }"""
    )
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    grip, below = page.locator("[data-grip]").first, page.locator(".shelf__item").last
    grip.hover()
    page.mouse.down()
    box = below.bounding_box()
    assert box is not None
    for inset in (6, 5, 4):
        page.mouse.move(box["x"] + 40, box["y"] + box["height"] - inset)
    expect(page.locator(".shelf__item .rows__title").first).to_have_text(first[1])
    page.keyboard.press("Escape")
    expect(page.locator(".shelf__item .rows__title").first).to_have_text(first[0])
    page.mouse.up()
    assert posted == []

    grip.drag_to(below, target_position={"x": 40, "y": 40})
    until(lambda: in_order(sam, album) == [first[1], first[0], first[2]], "the end of its page", page=page)
    page.get_by_role("button", name=f"Move down: {first[1]}").click()
    until(lambda: in_order(sam, album) == first, "down on its page", page=page)
    assert len(posted) == 2


def test_one_is_starred_rated_tagged_and_thrown_away_and_comes_back(sam: Visitor) -> None:
    page = sam.page
    page.locator("#rows .rows__title").first.click()
    page.wait_for_url("**/g/**")
    star = page.get_by_role("button", name="Favourite:").first
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="3 of 5").click()
    expect(page.locator(".rating .is-on")).to_have_count(3)
    page.get_by_role("combobox", name="Add a tag").fill("episode 12")
    page.get_by_role("button", name="Add the tag").click()
    expect(page.get_by_role("link", name="episode 12")).to_be_visible()
    page.get_by_role("button", name="Take the tag off: episode 12").click()
    expect(page.get_by_role("link", name="episode 12")).to_be_hidden()
    page.get_by_role("button", name="Trash", exact=True).click()
    page.locator(".toasts form", has_text="moved to the trash").get_by_role("button", name="Undo").click()
    expect(page.locator(".notes")).to_contain_text("1 is as it was")
    page.locator("#rows .rows__title").first.click()
    page.wait_for_url("**/g/**")
    page.get_by_role("button", name="Favourite:").first.click()
    page.get_by_role("button", name="3 of 5").click()
    expect(page.locator(".rating .is-on")).to_have_count(0)


def test_a_row_is_rated_starred_and_has_its_menu_where_it_stands(sam: Visitor) -> None:
    page = sam.page
    row = page.locator("#rows [data-track]").first
    pk = str(row.get_attribute("id")).removeprefix("g-")
    row.locator("[data-play]").click()
    sam.hears_on()
    page.get_by_role(
        "button", name="Loop"
    ).click()  # a sound of a few seconds is over before a slow machine is done
    page.evaluate("window.stayed = true")
    for name, shown in (("3 of 5", 3), ("4 of 5", 4), ("4 of 5", 0)):
        bar = row.get_by_role("button", name=name)
        bar.click()
        expect(row.locator("rating-bars .is-on, .rating .is-on")).to_have_count(shown)
        assert rating(sam, pk) == shown
        expect(bar).to_be_focused()
    star = row.get_by_role("button", name="Favourite:")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "false")
    row.locator("summary").click()
    row.get_by_role("link", name="Add to a collection").click()
    page.wait_for_url("**/library/choose/**")
    page.go_back()
    assert page.evaluate("window.stayed")
    sam.hears_on()
    page.set_viewport_size(PHONE)
    row.locator("summary").click()
    row.get_by_role("button", name="2 of 5").click()
    expect(row.locator(".menu__marks .is-on")).to_have_count(2)
    row.get_by_role("button", name="2 of 5").click()
    expect(row.locator(".menu__marks .is-on")).to_have_count(0)


def test_what_is_picked_is_taken_out(sam: Visitor) -> None:
    page = sam.page
    page.locator("#rows [name=pick]").first.check()
    page.locator("#bulk").get_by_role("button", name="Download").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("main")).to_contain_text("1 file")


@pytest.mark.parametrize("size", [None, PHONE], ids=["wide", "phone"])
def test_the_pages_look_as_they_should(size: object, sam: Visitor, album: str) -> None:
    page = sam.page
    if size:
        page.set_viewport_size(PHONE)
    pk = page.locator(".shelf__item").first.get_attribute("data-item")
    paths = {
        "collection": album,
        "collections": "/t/tide/collections/",
        "trash": "/t/tide/trash/",
        "choose": f"/t/tide/library/choose/?deed=collect&pick={pk}",
        "tag": f"/t/tide/library/choose/?deed=tag&pick={pk}",
        "generation": f"/t/tide/g/{pk}/",
        "again": f"/t/tide/create/{SPEECH}/?from={pk}",
        "retention": "/t/tide/team/retention/",
        "edit": f"{album}edit/",
    }
    for name, path in paths.items():
        sam.open(path)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            judge(page)
        assert page.evaluate("window.shifted") < 0.1, name
