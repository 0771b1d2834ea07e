"""axe-core on every page, light and dark, wide and on a narrow phone: it finds nothing."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import WIDE
from tests.browser.portal import SAM, Portal
from tests.browser.songs import songs
from tests.browser.test_pages import PAGES
from tests.browser.visitor import Visitor
from tests.effort import thorough

pytestmark = [pytest.mark.browser]

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
NARROW = ViewportSize(width=360, height=740)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = "(rules) => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })"
AT_ONCE = {"empty library"}


def violations(page: Page) -> list[str]:
    """What axe finds, a line for each element."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate(RUN, RULES)
    return [
        f"{one['id']}: {one['help']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def nothing_is_found(page: Page) -> None:
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert violations(page) == [], (size["width"], scheme)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= NARROW["width"]


@pytest.mark.thorough
@pytest.mark.parametrize("name", [name if name in AT_ONCE else thorough(name, id=name) for name in PAGES])
def test_page(name: str, reader: Callable[[str, str, ViewportSize], Visitor]) -> None:
    email, path = PAGES[name]
    nothing_is_found(reader(email, path, WIDE).page)


@pytest.fixture(scope="module")
def pair(portal: Portal) -> tuple[str, str]:
    first, second = songs(portal, "hours", "Slow rain on tin", "Quick rain on tin")
    return first, second


@pytest.mark.thorough
def test_what_opens_over_a_page(pair: tuple[str, str], visit: Callable[..., Visitor]) -> None:
    sam = visit(SAM)
    page = sam.open(f"/t/hours/compare/?a={pair[0]}&b={pair[1]}")
    page.get_by_role("button", name="Play or pause A").click()
    sam.hears_on()
    nothing_is_found(page)
    page.set_viewport_size(WIDE)
    page.keyboard.press("q")
    expect(page.get_by_role("dialog", name="Up next")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("q")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.set_viewport_size(NARROW)
    page.get_by_role("button", name="Position, speed and volume").click()
    assert violations(page) == []
