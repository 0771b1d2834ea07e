"""Files and the microphone in the form: sent at once, heard first, refused in words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PHONE, SILENT, SPOKEN
from tests.browser.portal import SAM
from tests.conftest import tone
from tests.generations.media.samples import archive

pytestmark = [pytest.mark.browser]
CLONE = "/t/tide/create/rhart-audio--text-to-audio--voice-clone/"
SAMPLE = {"name": "Lena.wav", "mimeType": "audio/wav", "buffer": tone(11)}


def fill(page: Page, name: str) -> None:
    """Every text that the form asks for."""
    for box in page.locator("#create :is(input.input, textarea)[required]:visible").all():
        if not box.input_value():
            box.fill(name if box.get_attribute("id") == "p--voice_name" else "Good evening from the pier.")
    page.get_by_label("The speaker has agreed").check()


def generate(page: Page) -> None:
    page.get_by_role("button", name="Generate").click()


def record(page: Page, seconds: float) -> None:
    page.get_by_role("button", name="Record", exact=True).click()
    time = page.locator("[data-recorder-time]")
    expect(time).to_have_text(f"0:{int(seconds):02}", timeout=60_000)
    page.get_by_role("button", name="Stop").click()


@pytest.mark.thorough
def test_a_chosen_file_is_there_before_the_form_is_sent(visit: Any) -> None:
    sam = visit(SAM)
    page = sam.open(CLONE)
    page.locator("#p-audio").set_input_files(SAMPLE)
    chosen = page.locator("[data-chosen]")
    expect(chosen).to_contain_text("Lena.wav")
    expect(chosen).to_contain_text("0:11")
    expect(page.locator("[data-uploading]")).to_have_count(0)
    expect(page.locator("#quote")).not_to_contain_text("Recording")
    chosen.locator("[data-play]").click()
    assert sam.hears_on().duration == pytest.approx(11, abs=0.1)
    page.get_by_role("button", name="Remove Lena.wav").click()
    expect(chosen).to_have_count(0)


def test_a_file_that_is_no_sound_is_refused_where_it_stands_and_nothing_is_sent_with_it(visit: Any) -> None:
    sam = visit(SAM, size=PHONE)
    sam.expects(422)
    page = sam.open(CLONE)
    fill(page, "Nobody001")
    page.locator("#p-audio").set_input_files(
        {"name": "song.mp3", "mimeType": "audio/mpeg", "buffer": archive()}
    )
    failed = page.locator(".uploading--failed")
    expect(failed).to_contain_text("Sound was expected, but the file is an archive.")
    generate(page)
    expect(failed.get_by_role("button", name="Remove")).to_be_focused()
    assert page.url.endswith(CLONE)
    failed.get_by_role("button", name="Remove").click()
    expect(failed).to_have_count(0)


def test_a_cut_connection_is_said_and_tried_again(visit: Any) -> None:
    sam = visit(SAM)
    page = sam.open(CLONE)
    page.route("**/uploads/?**", lambda route: route.abort("connectionreset"))
    page.locator("#p-audio").set_input_files(SAMPLE)
    failed = page.locator(".uploading--failed")
    expect(failed).to_contain_text("the connection was cut or the portal did not answer")
    page.unroute("**/uploads/?**")
    failed.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-chosen]")).to_contain_text("Lena.wav")
    assert all("ERR_CONNECTION_RESET" in complaint for complaint in sam.complaints)
    sam.complaints.clear()


@pytest.mark.thorough
def test_a_form_that_is_sent_meanwhile_waits_for_its_file(visit: Any) -> None:
    sam = visit(SAM)
    page = sam.open(CLONE)
    held: list[Route] = []
    page.route("**/uploads/?**", lambda route: held.append(route))
    fill(page, "Waits0001")
    page.locator("#p-audio").set_input_files(SAMPLE)
    generate(page)
    expect(page.locator("[data-uploading]")).to_contain_text("It is generated as soon as this file is there.")
    assert page.url.endswith(CLONE)
    held[0].continue_()
    page.unroute("**/uploads/?**")
    page.wait_for_url(re.compile(r"\?from="))
    expect(page.locator("#now-list")).to_contain_text("Voice clone")


@pytest.mark.thorough
def test_a_row_of_the_library_leads_into_a_form_with_its_sound(visit: Any, ordered: Any) -> None:
    page = visit(SAM).open("/t/tide/library/")
    row = page.locator("tr[data-track]", has_text="High water at noon")
    expect(row).to_have_count(1, timeout=90_000)
    row.locator("summary").click()
    row.get_by_role("link", name="Separate this").click()
    expect(page.locator("#form-title")).to_have_text("Voice and background")
    expect(page.locator("[data-chosen]")).to_contain_text("From the library")


@pytest.mark.thorough
def test_a_short_recording_is_trimmed_and_refused(visit: Any) -> None:
    sam = visit(SAM)
    page = sam.open("/t/fresh/create/minimax--music-cover/")
    record(page, 2)
    take = page.locator("[data-recorder-take]")
    expect(take).to_contain_text(re.compile(r"removes [01]\.\d s at the ends"))
    said = page.locator("[data-recorder-says]")
    expect(said).to_contain_text("This is too short: the model takes 6 seconds to 6 minutes.")
    expect(take.get_by_role("button", name="Use it")).to_be_disabled()
    take.get_by_role("button", name="Discard").click()
    expect(take).to_be_hidden()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("error", "sentence"),
    [("NotAllowedError", "did not allow the microphone"), ("NotFoundError", "No microphone was found"),
     ("NotReadableError", "another program may have it")],
)  # fmt: skip
def test_a_microphone_that_cannot_be_had_is_said(error: str, sentence: str, visit: Any) -> None:
    page = visit(SAM).open(CLONE)
    page.evaluate(
        "name => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', name); }; }",
        error,
    )
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator("[data-recorder-says]")).to_contain_text(sentence)
    expect(page.locator("[data-recorder-runs]")).to_be_hidden()


@pytest.mark.thorough
def test_a_voice_is_recorded_trimmed_cloned_and_heard(visit: Any) -> None:
    sam = visit(SAM)
    page = sam.open(CLONE)
    record(page, SILENT + SPOKEN + 2)
    take = page.locator("[data-recorder-take]")
    expect(take).to_be_visible()
    cut = re.search(r"removes ([\d.]+) s at the ends", take.inner_text())
    length = re.search(r"Recording ([\d.]+) s", take.inner_text())
    assert cut
    assert length
    assert float(length[1]) == pytest.approx(SPOKEN + 0.3, abs=0.4)
    assert float(cut[1]) > 1.5
    take.get_by_role("button", name="Play the recording").click()
    expect(take.locator("[data-recorder-play]")).to_have_attribute("aria-pressed", "true")
    take.get_by_role("button", name="Use it").click()
    expect(page.locator("[data-chosen]")).to_contain_text("Recording 2")
    fill(page, "Recorded1")
    generate(page)
    page.wait_for_url(re.compile(r"\?from="))
    card = page.locator("#now-list [data-track]").first
    card.locator("[data-play]").click(timeout=90_000)
    assert sam.hears_on().duration > 1
