"""What everything else stands on: sign in, generate, listen, keep. With nothing prepared but a team and its members."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import soundfile
from playwright.sync_api import expect

from tests.browser.conftest import Entrance
from tests.browser.portal import ALICE, PASSWORD, Portal
from tests.browser.visitor import Visitor, until

pytestmark = [pytest.mark.browser]

MUSIC = "minimax--music-2.6--text-to-instrumental"
PROMPT = "Unhurried kalimba over marshland at dusk, 84 bpm, in G major"
WORD = "marshland"


@dataclass
class Made:
    """A piece of music that Alice made through the page, and the browser she made it with."""

    alice: Visitor
    page: str
    source: str
    title: str

    @property
    def stored(self) -> dict[str, object]:
        """The first output, as the REST interface describes it."""
        found = self.alice.portal.ask(f"generations/{self.page.strip('/').rpartition('/')[2]}")
        assert found["status"] == "succeeded"
        return dict(found["outputs"][0])


@pytest.fixture(scope="module")
def made(enter: Entrance) -> Iterator[Made]:
    alice = enter(alone=True)
    alice.sign_in(ALICE)
    page = alice.page
    page.get_by_role("link", name=re.compile(r"^Music 2\.6 Instrumental")).click()
    page.wait_for_url(f"**/create/{MUSIC}/")
    page.evaluate("window.stayed = true")
    page.get_by_label("Prompt").fill(PROMPT)
    page.get_by_role("button", name="Generate").click()
    card = page.locator("#now-list .job").filter(has_text="Unhurried kalimba")
    expect(card).to_have_count(1)
    expect(card).to_have_attribute("data-unfinished", "")
    seen = [card.get_attribute("class")]
    until(
        lambda: seen.append(card.get_attribute("class")) or "job--finished" in str(seen[-1]),
        f"the card becoming finished, last seen as {card.text_content()}",
        page=page,
    )
    assert page.evaluate("window.stayed"), "the page was not loaded anew"
    assert page.evaluate("window.shifted") < 0.1, "nothing jumped while the card changed"
    link = card.locator("h3 a")
    yield Made(
        alice,
        str(link.get_attribute("href")),
        str(card.get_attribute("data-src")),
        str(link.text_content()),
    )
    assert alice.complaints == []
    enter.leave(alice)


def test_the_card_plays_real_sound_of_the_stored_length_and_seeks(made: Made) -> None:
    alice, page = made.alice, made.alice.page
    page.locator(".job[data-track] [data-play]").first.click()
    sound = alice.hears_on()
    assert sound.src.endswith(made.source)
    data = alice.context.request.get(alice.portal.address + made.source).body()
    length = soundfile.info(io.BytesIO(data)).duration
    assert length > 10
    assert sound.duration == pytest.approx(length, abs=0.1)
    assert made.stored["duration"] == pytest.approx(length, abs=0.1)
    box = page.locator("#player wave-form").bounding_box()
    assert box
    page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2)
    until(lambda: alice.sound().at > 0.59 * length, "the jump to where the waveform was clicked", page=page)
    assert alice.hears_on().at < 0.9 * length, "it plays on from there"
    partial = [one for one in alice.answers if one.url.endswith(made.source) and one.status == 206]
    assert partial, "the player asked for parts of the file"
    answer = alice.context.request.get(alice.portal.address + made.source, headers={"Range": "bytes=100-199"})
    assert answer.status == 206
    assert answer.body() == data[100:200]


@pytest.mark.thorough
def test_the_sound_goes_on_from_page_to_page(made: Made) -> None:
    alice, page = made.alice, made.alice.page
    before = alice.hears_on()
    page.locator("#now-list .job").get_by_role("link", name=made.title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(made.title)
    assert page.url == alice.portal.address + made.page
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Library").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Library")
    after = alice.hears_on()
    assert after.src == before.src
    assert after.at > before.at
    assert page.evaluate("window.stayed"), "the window was not left"
    expect(page.locator("#player")).to_be_visible()
    expect(page.locator(f'tr[data-src="{made.source}"]')).to_have_class(re.compile("is-sounding"))
    page.keyboard.press("Space")
    until(lambda: alice.sound().paused, "silence", page=page)


@pytest.mark.thorough
def test_it_is_there_after_a_reload_and_found_by_a_word_of_its_prompt(made: Made) -> None:
    page = made.alice.page
    made.alice.open(f"/t/{made.page.split('/')[2]}/library/")
    page.reload()
    row = page.locator(f'tr[data-src="{made.source}"]')
    expect(row).to_be_visible()
    search = page.get_by_role("searchbox", name="Search the library")
    search.fill("zzyzzyva")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    expect(row).to_have_count(0)
    search.fill(WORD)
    expect(row).to_be_visible()
    expect(search).to_be_focused()
    assert f"q={WORD}" in page.url
    expect(page.locator("#saved-query")).to_have_value(f"q={WORD}")
    expect(page.locator("#bulk-next")).to_have_value(re.compile(rf"/library/\?q={WORD}$"))
    page.get_by_label("Saved searches").click()
    expect(page.get_by_label("Save this view as")).to_be_visible()
    search.fill("")
    expect(page.locator("#saved-query")).to_have_value("")
    page.get_by_label("Saved searches").click()
    expect(page.get_by_label("Save this view as")).to_be_hidden()
    search.fill(WORD)
    expect(page.locator("#saved-query")).to_have_value(f"q={WORD}")
    row.get_by_role("link", name=made.title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(made.title)


def test_the_receipt_and_the_download(made: Made) -> None:
    alice, page = made.alice, made.alice.page
    alice.open(made.page)
    receipt = page.get_by_role("region", name="Receipt")
    expect(receipt).to_contain_text("¥0.80")
    expect(page.get_by_text(PROMPT, exact=False).first).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download", exact=True).click()
    name = downloading.value.suggested_filename
    assert re.fullmatch(r"Unhurried.kalimba.*\.mp3", name), name
    data = downloading.value.path().read_bytes()
    assert data == alice.context.request.get(alice.portal.address + made.source).body()
    assert hashlib.sha256(data).hexdigest() == made.stored["sha256"]


@pytest.mark.thorough
def test_all_of_it_works_without_scripts(portal: Portal, visit: Callable[..., Visitor]) -> None:
    alice = visit(alone=True, java_script_enabled=False)
    page = alice.open("/")
    page.get_by_label("Email").fill(ALICE)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=re.compile(r"^Speech 2\.8 Turbo")).click()
    page.get_by_label("Text", exact=True).fill("The ferry leaves at nine, whatever the weather.")
    page.get_by_role("button", name="Generate").click()
    card = page.locator("#now-list .job").filter(has_text="The ferry leaves at nine")
    expect(card).to_have_count(1)

    def finished() -> bool:
        page.get_by_role("link", name="Refresh").click()
        return card.locator("[data-play]").count() == 1

    until(finished, "the card being finished when looked at again")
    card.get_by_role("link", name="The ferry leaves").click()
    expect(page.get_by_role("region", name="Receipt")).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download", exact=True).click()
    assert downloading.value.suggested_filename.startswith("The ferry leaves")
    assert soundfile.info(downloading.value.path()).duration > 1
