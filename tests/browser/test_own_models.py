"""An AI app and a workflow of the sandbox, from the pasted number to the finished picture, wide and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.browser.conftest import PHONE, WIDE
from tests.browser.portal import SAM
from tests.browser.test_pages import judge
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
TEAMS = {"wide": (WIDE, "hours"), "phone": (PHONE, "shelf")}


@pytest.mark.parametrize(("size", "team"), TEAMS.values(), ids=TEAMS)
def test_an_app_is_brought_in_settled_and_run(
    size: ViewportSize, team: str, visit: Callable[..., Visitor]
) -> None:
    sam = visit(SAM, size=size)
    page = sam.open(f"/t/{team}/team/own-models/")
    page.get_by_label("Address or number").fill("https://example.com/ai-detail/1900000000000000001")
    page.get_by_role("button", name="Fetch what it asks for").click()
    expect(page.get_by_role("heading", name="What it asks for")).to_be_visible(timeout=20_000)
    page.get_by_label("What it makes").select_option("picture")
    first = page.locator("#input-0")
    first.get_by_label("What to do with it").select_option("leave")
    page.locator("#input-1").get_by_label("Name").fill("Your wish")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        judge(page)
    if size is WIDE:
        page.locator("#input-0 [data-grip]").scroll_into_view_if_needed()
        page.locator("#input-1 [data-grip]").drag_to(
            page.locator("#input-0"), target_position={"x": 200, "y": 20}
        )
        assert [box.input_value() for box in page.locator("[data-place]").all()] == ["1", "2", "3", "4"]
        order = [box.get_attribute("id") for box in page.locator("[data-sortable] > fieldset").all()]
        assert order == ["input-1", "input-0", "input-2", "input-3"]
    page.get_by_role("button", name="Save and use it").click()
    expect(page.get_by_role("heading", name="In use")).to_be_visible()
    expect(page.get_by_text("1 input goes as it comes")).to_be_visible()
    judge(page)
    page.get_by_role("link", name="Set its price").click()
    page.get_by_label("Price", exact=True).fill("0.05")
    page.get_by_role("button", name="Save the price").click()
    page.goto(f"{sam.portal.address}/t/{team}/create/")
    page.goto(f"{sam.portal.address}/t/{team}/models/?q=Poster")
    page.get_by_role("link", name="Poster press").click()
    page.get_by_label("Your wish").fill("A pier in the fog")
    judge(page)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".job").filter(has_text="A pier in the fog").first).to_be_visible()
    page.goto(f"{sam.portal.address}/t/{team}/team/own-models/")
    judge(page)


def test_inputs_of_a_workflow_are_opened_and_nothing_typed_is_lost(visit: Callable[..., Visitor]) -> None:
    sam = visit(SAM, size=PHONE)
    page = sam.open("/t/hours/team/own-models/")
    page.get_by_label("ComfyUI workflow").check()
    page.get_by_label("Address or number").fill("1900000000000000101")
    page.get_by_role("button", name="Fetch what it asks for").click()
    expect(page.get_by_role("heading", name="What it asks for")).to_be_visible(timeout=20_000)
    page.get_by_label("Name", exact=True).fill("Harbour view")
    page.get_by_label("Text (Prompt)").check()
    page.get_by_role("button", name="Open the ticked ones").click()
    expect(page.get_by_label("Name", exact=True).first).to_have_value("Harbour view")
    expect(page.get_by_label("Begins with, or is always")).to_have_value("a harbour at dawn, watercolour")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        judge(page)


def test_a_running_workflow_shows_what_it_tells_of_itself(visit: Callable[..., Visitor]) -> None:
    sam = visit(SAM)
    page = sam.open("/t/hours/team/own-models/")
    page.get_by_label("ComfyUI workflow").check()
    page.get_by_label("Address or number").fill("1900000000000000102")
    page.get_by_role("button", name="Fetch what it asks for").click()
    expect(page.get_by_role("heading", name="What it asks for")).to_be_visible(timeout=20_000)
    page.get_by_label("Name", exact=True).fill("Slow harbour")
    page.get_by_label("What it makes").select_option("picture")
    page.get_by_label("Text (Prompt)").check()
    page.get_by_role("button", name="Open the ticked ones").click()
    expect(page.get_by_label("Begins with, or is always")).to_be_visible()
    page.get_by_label("Access password").fill("sandbox")
    page.get_by_role("button", name="Save and use it").click()
    page.get_by_role("link", name="Set its price").click()
    page.get_by_label("Price", exact=True).fill("0.05")
    page.get_by_role("button", name="Save the price").click()
    sam.portal.misbehave(submit=[{"seconds": 60}])  # a busy machine needs long to judge four pages
    page.goto(f"{sam.portal.address}/t/hours/models/?q=Slow")
    page.get_by_role("link", name="Slow harbour").click()
    page.get_by_role("button", name="Generate").click()
    card = page.locator(".job", has_text="RunningHub tells:").first
    expect(card).to_be_visible()
    expect(card.locator("svg rect")).to_have_attribute("width", re.compile(r"\d+%"))
    link = card.locator("h3 a").element_handle()
    told = card.inner_text()
    expect(card).not_to_have_text(told, use_inner_text=True)
    assert link.is_visible(), "the link was replaced under the pointer"
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            judge(page)
    card.locator("h3 a").click()
    expect(page.locator("#progress")).to_contain_text("RunningHub tells:")
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            judge(page)
    assert "ws://" not in page.content()
    expect(page.locator("#generation")).to_contain_text("Finished", timeout=120_000)
