"""From a recording to a voice that speaks, and from the list of built-in voices to one that is heard and chosen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import FilePayload, expect

from tests.browser.conftest import PHONE, SPEECH, WIDE
from tests.browser.portal import SAM
from tests.browser.test_pages import judge
from tests.browser.visitor import Visitor
from tests.conftest import tone

pytestmark = [pytest.mark.browser]

CLONE = "rhart-audio--text-to-audio--voice-clone"


@pytest.mark.thorough
def test_a_voice_is_cloned_speaks_and_is_kept(visit: Callable[..., Visitor]) -> None:
    sam = visit(SAM)
    page = sam.open(f"/t/fresh/create/{CLONE}/")
    recording = FilePayload(name="pier.wav", mimeType="audio/wav", buffer=tone(11))
    page.locator("#p-audio").set_input_files(recording)
    page.get_by_label("Preview text").fill("Good morning from the pier.")
    page.get_by_label("Name of the voice").fill("Pier")
    page.get_by_label("Name of the speaker").fill("Ada Byron")
    expect(page.locator(".voice__people")).to_be_hidden()
    page.get_by_label("Some people").check()
    expect(page.locator(".voice__people")).to_be_visible()
    page.get_by_label("Everyone in the team").check()
    sam.expects(422)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#p--voice_consent-error")).to_be_visible()
    page.get_by_label("The speaker has agreed").check()
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#now-list .job--finished", has_text="Pier")).to_have_count(1)

    page = sam.open("/t/fresh/voices/")
    card = page.locator(".voice--card", has_text="Pier")
    card.locator("[data-play]").click()
    sam.hears_on()
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        judge(page)
    page.set_viewport_size(WIDE)
    card.get_by_role("link", name="Use in speech").click()
    page.wait_for_url("**/create/**voice=*")
    expect(page.locator("[data-voice-select]")).to_have_value(page.url.rpartition("voice=")[2])
    page.get_by_label("Text", exact=True).fill("High water at noon.")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#now-list .job--finished", has_text="High water")).to_have_count(1)

    page = sam.open("/t/fresh/voices/")
    expect(page.locator(".voice--card")).to_contain_text("1 time, just now")
    page.locator("#vault").get_by_role("link", name="Pier").click()
    expect(page.get_by_role("heading", name="Pier")).to_be_visible()
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            judge(page)
    page.set_viewport_size(WIDE)
    page.get_by_role("button", name="Keep alive").click()
    expect(page.get_by_text("kept for 7 more days")).to_be_visible()


@pytest.mark.thorough
def test_a_built_in_voice_is_heard_marked_and_chosen(visit: Callable[..., Visitor]) -> None:
    sam = visit(SAM)
    page = sam.open(f"/t/harbour/create/{SPEECH}/")
    page.get_by_role("button", name="All voices").click()
    row = page.locator("[data-filter-item]", has_text="Calm Woman").first
    row.locator("label").click()
    row.get_by_role("button", name="Hear").click()
    expect(row.locator("[data-play]")).to_have_count(1)
    assert "/outputs/0/content" in sam.hears_on().src
    row.get_by_role("button", name="Favourite").click()
    expect(row.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "true")
    expect(row.locator("[name=voice-choice]")).to_be_checked()
    page.get_by_role("button", name="Use this voice").click()
    expect(page.locator("[data-voice-select]")).to_have_value("Calm_Woman")
    page.goto(f"{sam.portal.address}/t/harbour/voices/?show=built-in")
    expect(page.locator("#voice-list h2").first).to_have_text("Favourites")
