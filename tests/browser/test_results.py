"""What is made besides sound, as somebody looks at it: pictures large and compared, a video that plays, an object."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.portal import ALICE
from tests.browser.visitor import Visitor, until

pytestmark = [pytest.mark.browser]


def made(visitor: Visitor, model: str, **params: str) -> Page:
    """The page of a finished generation."""
    pk = visitor.order("atlas", model, **params)
    page = visitor.open(f"/t/atlas/g/{pk}/")
    expect(page.locator(".status--finished")).to_be_visible(timeout=90_000)
    return page


@pytest.mark.thorough
def test_pictures_open_large_turn_over_and_are_compared(visit: Callable[..., Visitor]) -> None:
    page = made(visit(ALICE), "rhart-imagine-image-quality--text-to-image", prompt="Boats", numImages="3")
    expect(page.locator("[data-shot] img")).to_have_count(3)
    page.locator("[data-shot]").first.click()
    box = page.get_by_role("dialog", name="Picture")
    expect(box.locator("[data-lightbox-name]")).to_have_text("Take A")
    page.keyboard.press("ArrowRight")
    expect(box.locator("[data-lightbox-name]")).to_have_text("Take B")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(box.locator("[data-lightbox-name]")).to_have_text("Take C")
    box.get_by_role("button", name="Compare").click()
    expect(box.locator("[data-lightbox-name]")).to_have_text("Take C | Take A")
    expect(box.locator("[data-lightbox-under]")).to_be_visible()
    until(
        lambda: box.locator("[data-lightbox-under]").evaluate("(one) => one.naturalWidth") > 0,
        "loaded",
        page=page,
    )
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()


@pytest.mark.thorough
def test_on_a_phone_everything_around_a_large_picture_can_be_reached(visit: Callable[..., Visitor]) -> None:
    page = made(
        visit(ALICE, size=PHONE), "rhart-imagine-image-quality--text-to-image", prompt="Boats", numImages="2"
    )
    page.locator("[data-shot]").first.click()
    box = page.get_by_role("dialog", name="Picture")
    for name in ("Compare", "Previous", "Next", "Close"):
        expect(box.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    box.get_by_role("button", name="Close").click()
    expect(box).to_be_hidden()


@pytest.mark.thorough
def test_a_video_plays_and_gets_a_poster(visit: Callable[..., Visitor]) -> None:
    page = made(visit(ALICE), "pixverse-v6--text-to-video", prompt="Waves")
    video = page.locator("video.screen")
    video.evaluate("(one) => { one.muted = true; one.play(); }")
    until(lambda: video.evaluate("(one) => one.currentTime") > 0, "playing", page=page)
    assert video.evaluate("(one) => one.videoWidth") > 0

    def poster() -> str:
        page.reload()
        return page.locator("video.screen").get_attribute("poster") or ""

    assert "/poster" in until(poster, "a poster", page=page)


@pytest.mark.thorough
def test_an_object_turns_with_the_arrow_keys(visit: Callable[..., Visitor]) -> None:
    page = made(visit(ALICE), "hunyuan3d-v3.1--text-to-3d", prompt="A boat")
    viewer = page.locator("glb-viewer")
    viewer.scroll_into_view_if_needed()
    until(
        lambda: viewer.evaluate("(one) => one.dataset.shown === 'yes' || one.textContent"),
        "an answer",
        page=page,
    )
    if viewer.evaluate("(one) => one.dataset.shown") != "yes":
        expect(viewer).to_contain_text("cannot be shown here")  # a browser without WebGL says so
        return
    before = viewer.evaluate("(one) => one.turn[0]")
    viewer.focus()
    page.keyboard.press("ArrowRight")
    assert viewer.evaluate("(one) => one.turn[0]") > before
