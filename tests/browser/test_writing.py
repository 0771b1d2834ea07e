"""Comforts while writing: what is half written stays, words are taught by rows, lines become generations."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SPEECH
from tests.browser.portal import NORA, SAM
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser]

TURBO = "rhart-audio--text-to-audio--speech-2.8-turbo"


@pytest.mark.thorough
def test_a_half_filled_form_survives_its_tab(visit: Callable[..., Visitor]) -> None:
    first = visit(SAM)
    page = first.open(f"/t/fresh/create/{TURBO}/")
    with page.expect_response("**/draft/"):
        page.get_by_label("Text", exact=True).fill("Half a sentence")
    page.goto("about:blank")
    again = visit(SAM).open(f"/t/fresh/create/{TURBO}/")
    expect(again.get_by_label("Text", exact=True)).to_have_value("Half a sentence")
    expect(again.locator("#resumed")).to_be_visible()
    again.get_by_role("button", name="Reset").click()
    expect(again.get_by_label("Text", exact=True)).to_have_value("")


@pytest.mark.thorough
def test_pronunciation_is_written_in_rows(visit: Callable[..., Visitor]) -> None:
    page = visit(SAM).open(f"/t/fresh/create/{TURBO}/")
    page.get_by_text("Advanced", exact=True).click()
    page.get_by_label("As written").fill("ASAP")
    page.get_by_label("As spoken").fill("as soon as possible")
    page.get_by_role("button", name="Add a word").click()
    page.get_by_label("As written").nth(1).fill("quay")
    page.get_by_label("As spoken").nth(1).fill("key")
    sent = page.locator("[name=pronunciation_dict]")
    expect(sent).to_have_value("ASAP/as soon as possible\nquay/key")
    page.get_by_role("button", name="Remove this word").first.click()
    expect(sent).to_have_value("quay/key")
    with page.expect_response("**/draft/"):
        page.get_by_label("As spoken").fill("kee")
    page.reload()
    page.get_by_text("Advanced", exact=True).click()
    expect(page.get_by_label("As spoken")).to_have_value("kee")
    page.get_by_role("button", name="Reset").click()


@pytest.mark.thorough
def test_lines_that_a_limit_stops_wait_and_the_page_says_so_in_money(visit: Callable[..., Visitor]) -> None:
    page = visit(NORA).open(f"/t/script/create/{SPEECH}/")
    page.get_by_label("Text", exact=True).fill("\n".join(f"Line {n}: " + "wave " * 220 for n in range(1, 5)))
    page.get_by_text("More than one").click()
    with page.expect_response("**/quote/"):
        page.get_by_text("One generation for each line").click()
    expect(page.locator("#quote-left")).to_contain_text("2 of 4 fit")
    expect(page.locator("#quote-left")).to_contain_text("2 would wait as a draft, ¥0.82")
    page.get_by_role("button", name="Generate 2").click()
    page.wait_for_url("**/b/**")
    rest = page.get_by_role("region", name="2 of 4 sent; 2 wait as a draft")
    expect(rest).to_contain_text("which costs about ¥0.82")
    expect(page.locator("#rows [data-row]")).to_have_count(2)
    expect(page.locator("#rows [data-track]")).to_have_count(2)
    rest.get_by_role("button", name="Throw the rest away").click()
    page.wait_for_url("**/drafts/")
