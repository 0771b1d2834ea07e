"""Finding one of 374 models, and the large forms: nothing is lost when something is wrong with one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from generations.catalogue import load
from tests.browser.conftest import PHONE, WIDE
from tests.browser.portal import ALICE
from tests.browser.test_pages import LARGEST
from tests.browser.visitor import Visitor
from tests.effort import thorough

pytestmark = [pytest.mark.browser]

KEYSTROKE = """(letters) => new Promise((done) => {
  const box = document.querySelector("#models [type=search]");
  box.value = letters;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  requestAnimationFrame(() => requestAnimationFrame(done));
})"""
SHOWN = """() => [...document.querySelectorAll("#models-list [data-filter-item]:not([hidden]) .model__name")]
  .map((name) => name.textContent)"""
STUDIO_BYTES = 160_000


def found_after(page: Page, letters: str) -> list[str]:
    """What is seen after these letters, once it is painted."""
    page.evaluate(KEYSTROKE, letters)
    shown: list[str] = page.evaluate(SHOWN)
    return shown


@pytest.mark.thorough
def test_each_of_374_models_is_found_with_two_keystrokes(visit: Callable[..., Visitor]) -> None:
    page = visit(ALICE).open("/t/atlas/create/")
    assert page.locator("#models-list [data-filter-item]").count() < 50
    page.locator("#models [type=search]").focus()
    expect(page.locator("#models-list [data-filter-item]")).to_have_count(len(load.models()))
    crowded = 0
    titles = {spec.title for spec in load.models()}
    for letters in sorted({title[:2].lower() for title in titles if title[1] != " "}):
        names = found_after(page, letters)
        wanted = {title for title in titles if title.lower().startswith(letters)}
        assert wanted <= set(names), letters
        crowded = max(crowded, len(names))
    assert crowded < 120
    names = found_after(page, "v3")
    assert names
    assert all(name.startswith("V") for name in names)
    page.locator("#models [type=search]").press("Enter")
    expect(page.locator("#form-title")).to_contain_text("V")


def test_the_page_to_create_on_stays_small(visit: Callable[..., Visitor]) -> None:
    visitor = visit(ALICE)
    body = visitor.context.request.get(f"{visitor.portal.address}/t/atlas/create/").body()
    assert len(body) < STUDIO_BYTES


def write_everywhere(page: Page) -> dict[str, str]:
    """Something in every box of text that is seen or folded away; what was written by its name."""
    return dict(
        page.evaluate(
            """() => {
              const written = {};
              for (const fold of document.querySelectorAll("#create details")) fold.open = true;
              for (const box of document.querySelectorAll("#create textarea[id^=p-]:not([name^=_]):not([hidden])")) {
                box.value = "Rain over the harbour";
                written[box.name] = box.value;
              }
              return Object.entries(written);
            }"""
        )
    )


@pytest.mark.thorough
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("model", [LARGEST[0], *(thorough(model) for model in LARGEST[1:])])
def test_nothing_is_lost_of_a_large_form_when_something_is_wrong(
    model: str, size: ViewportSize, visit: Callable[..., Visitor]
) -> None:
    visitor = visit(ALICE, size=size)
    visitor.expects(422)
    page = visitor.open(f"/t/atlas/create/{model}/")
    expect(page.locator("#create")).to_be_visible()
    written = write_everywhere(page)
    page.locator("#p--copies").evaluate("(box) => { box.value = 0; }")
    page.evaluate("""() => document.querySelector("#create").requestSubmit()""")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent")
    kept: dict[str, Any] = page.evaluate(
        """() => Object.fromEntries(
          [...document.querySelectorAll("#create textarea")].map((one) => [one.name, one.value]),
        )"""
    )
    assert {name: kept[name] for name in written} == written
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_shots_are_written_in_rows_and_come_back_after_a_fault(visit: Callable[..., Visitor]) -> None:
    visitor = visit(ALICE)
    visitor.expects(422)
    page = visitor.open("/t/atlas/create/kling-video-o3-pro--text-to-video/")
    page.locator("#create summary", has_text="Advanced").click()
    field = page.locator("[data-entries]", has_text="Shots")
    field.locator("[data-entry=prompt]").first.fill("Waves")
    field.get_by_role("button", name="Add an entry").click()
    field.locator("[data-entry=prompt]").nth(1).fill("Gulls")
    field.locator("[data-entry=duration]").nth(1).fill("7")
    assert field.locator("textarea").input_value() == (
        '[{"prompt":"Waves","duration":5},{"prompt":"Gulls","duration":7}]'
    )
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent")
    field = page.locator("[data-entries]", has_text="Shots")
    expect(field.locator("[data-entry=prompt]").nth(1)).to_have_value("Gulls")
    expect(field.locator("[data-entry=duration]").nth(1)).to_have_value("7")
