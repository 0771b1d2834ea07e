"""Finding one of 374 models, and the large forms: nothing is lost when something is wrong with one."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect

from generations.catalogue import load
from tests.browser.conftest import PHONE, WIDE
from tests.browser.portal import ALICE
from tests.browser.test_pages import LARGEST, judge
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
STUDIO_BYTES = 80_000


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


def test_what_is_looked_for_is_looked_for_on_every_shelf(visit: Callable[..., Visitor]) -> None:
    page = visit(ALICE).open("/t/atlas/create/")
    items = page.locator("#models-list [data-filter-item]")
    page.locator("#models-shelf-video").click()
    expect(page.locator("#models-shelf-video")).to_have_attribute("aria-current", "true")
    expect(page.locator("#models-list")).to_contain_text("Veo")
    page.locator("#models-find").press_sequentially("speech")
    expect(items).to_have_count(len(load.models()))
    expect(page.locator("#models-list [data-filter-item]:visible").first).to_contain_text("Speech")
    page.locator("#models-find").fill("v3")
    page.locator("#models-shelf-video").click()
    expect(page.locator("#models-find")).to_have_value("v3")
    expect(page.locator("#models-list [data-filter-item]:visible").first).to_contain_text("Veo 3")
    page.locator("#models-shelf-sound").click()
    expect(page.locator("#models-shelf-sound")).to_have_attribute("aria-current", "true")
    expect(page.locator("#models-list [data-filter-none]")).to_be_visible()


def test_the_page_to_create_on_stays_small(visit: Callable[..., Visitor]) -> None:
    visitor = visit(ALICE)
    body = visitor.context.request.get(f"{visitor.portal.address}/t/atlas/create/").body()
    assert len(body) < STUDIO_BYTES


WRITTEN = """() => Object.fromEntries(
  [...document.querySelectorAll("#create :is(input, textarea, select)[name]:not([type=file], [type=hidden])")]
    .filter((box) => box.type !== "radio" || box.checked)
    .map((box) => [box.name, box.type === "checkbox" ? String(box.checked) : box.value]),
)"""
OPEN = """() => { for (const fold of document.querySelectorAll("#create details.fold")) fold.open = true; }"""
WRITE = """() => {
  const boxes = [...document.querySelectorAll("#create :is(input, textarea, select)[name]:not([name^=_])")];
  for (const box of boxes) {
    if (["file", "hidden", "range"].includes(box.type) || box.hidden) continue;
    if (box.tagName === "SELECT") box.selectedIndex = box.options.length - 1;
    else if (box.type === "checkbox") box.checked = !box.checked;
    else if (box.type === "radio") box.checked = true;
    else if (box.type === "number") box.value = box.min || 1;
    else if (!box.closest("[data-entries], [data-pairs]")) box.value = "Rain over the harbour";
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }
}"""


@pytest.mark.thorough
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("model", [LARGEST[0], *(thorough(model) for model in LARGEST[1:])])
def test_nothing_is_lost_of_a_large_form_when_something_is_wrong(
    model: str, size: ViewportSize, visit: Callable[..., Visitor]
) -> None:
    visitor = visit(ALICE, size=size)
    visitor.expects(422)
    page = visitor.open(f"/t/atlas/create/{model}/?new")
    expect(page.locator("#create")).to_be_visible()
    untouched = page.evaluate(WRITTEN)
    page.evaluate(OPEN)
    page.evaluate(WRITE)
    given = given_a_picture(page)
    page.locator("#p--copies").evaluate("(box) => { box.value = 0; }")
    written: dict[str, Any] = page.evaluate(WRITTEN)
    assert len([name for name in written if written[name] != untouched.get(name)]) > 3
    page.evaluate("""() => document.querySelector("#create").requestSubmit()""")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent")
    assert page.evaluate(WRITTEN) == written
    if given:
        expect(page.locator("#create [data-files]", has_text="boat.png")).to_have_count(1)
    page.evaluate(
        """() => document.querySelectorAll("#create details.fold").forEach((fold) => { fold.open = true; })"""
    )
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        judge(page)
    expect(page.locator("#generate")).to_be_in_viewport()


def given_a_picture(page: Page) -> bool:
    """Gives a picture to the first input that takes one, as far as the form has any."""
    places = page.locator("#create input[type=file][data-picture]:not([data-sizes])")
    if not places.count():
        return False
    picture = io.BytesIO()
    Image.new("RGB", (640, 480), "teal").save(picture, "PNG")
    places.first.set_input_files({"name": "boat.png", "mimeType": "image/png", "buffer": picture.getvalue()})
    expect(page.locator("#create [data-files]", has_text="boat.png")).to_have_count(1)
    expect(page.locator("#create [data-uploading]")).to_have_count(0)
    return True


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
