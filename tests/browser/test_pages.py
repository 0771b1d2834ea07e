"""Every page as a browser sees it: wide and on a phone, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import FATES, PHONE, SPEECH, WIDE, Entrance
from tests.browser.portal import ALICE, NORA, SAM, Portal
from tests.browser.visitor import Visitor, until
from tests.effort import thorough

pytestmark = [pytest.mark.browser]

LOOKS = Path(__file__).with_name("looks.js").read_text()
MODELS = (
    "rhart-audio--text-to-audio--speech-2.8-hd",
    "rhart-audio--text-to-audio--speech-2.8-turbo",
    "minimax--music-2.6--text-to-music",
    "minimax--music-2.6--text-to-instrumental",
    "rhart-audio--text-to-audio--voice-clone",
)
PAGES: dict[str, tuple[str, str]] = {
    "sign-in": ("", "/accounts/login/"),
    "forgotten password": ("", "/accounts/password/reset/"),
    **{f"create with {model}": (ALICE, f"/t/atlas/create/{model}/") for model in MODELS},
    "create with work in every state": (SAM, f"/t/harbour/create/{SPEECH}/"),
    "library": (SAM, "/t/harbour/library/"),
    "library with nothing found": (SAM, "/t/harbour/library/?q=zzyzzyva"),
    "empty library": (SAM, "/t/fresh/library/"),
    **{f"generation {state}": (SAM, f"/t/harbour/g/{state}/") for state in (*FATES, "queued")},
    "drafts": (SAM, "/t/harbour/drafts/"),
    "presets": (SAM, "/t/harbour/presets/"),
    "empty vault": (SAM, "/t/fresh/voices/"),
    "usage": (SAM, "/t/harbour/usage/"),
    "usage of nothing": (SAM, "/t/fresh/usage/"),
    "team": (ALICE, "/t/atlas/team/"),
    "team of a member": (NORA, "/t/narrow/team/"),
    "limits": (ALICE, "/t/atlas/team/limits/pool/"),
    "adding a member": (ALICE, "/t/atlas/team/add/"),
    "settings of the team": (ALICE, "/t/atlas/team/settings/"),
    "connections": (ALICE, "/t/atlas/team/connections/"),
    "entering a key": (ALICE, "/t/atlas/team/connections/add/"),
    "doctor": (ALICE, "/t/atlas/doctor/"),
    "nothing there": (ALICE, "/nothing/"),
    "nothing there in a team": (ALICE, "/t/atlas/g/00000000-0000-4000-8000-000000000000/"),
    "password": (ALICE, "/accounts/password/change/"),
}
SIZES = {"wide": WIDE, "phone": PHONE}
AT_ONCE = {(f"create with {MODELS[-2]}", "phone"), ("empty library", "wide")}


@pytest.fixture(scope="module")
def states(portal: Portal, enter: Entrance, ordered: dict[str, str]) -> dict[str, str]:
    """A generation of Sam's in every state that lasts, by the name of the state."""
    sam = enter(SAM)

    def stands(state: str) -> str:
        page = sam.context.request.get(f"{portal.address}/t/harbour/g/{ordered[state]}/").text()
        return page.partition("status--")[2].partition('"')[0]

    until(lambda: stands("cancelled") == "running", "the one to be cancelled running")
    sam.open(f"/t/harbour/g/{ordered['cancelled']}/").get_by_role("button", name="Cancel").click()
    for state in FATES:
        until(lambda state=state: stands(state) == state, state)
    portal.misbehave(submit=[{"refuse": 421}])
    queued = sam.order("harbour", SPEECH, text="Rain on the harbour, later")
    page = sam.open(f"/t/harbour/g/{queued}/")
    expect(page.get_by_text("Why it waits")).to_be_visible()
    assert sam.complaints == []
    enter.leave(sam)
    return {**ordered, "queued": queued}


@pytest.fixture(scope="module")
def reader(enter: Entrance, request: pytest.FixtureRequest) -> Iterator[Callable[[str, str], Visitor]]:
    """Leads somebody to one of the pages, in the same tab for everything they read."""
    visitors: dict[str, Visitor] = {}
    states: dict[str, str] = {}

    def reader(email: str, path: str) -> Visitor:
        if email not in visitors:
            visitors[email] = enter(email)
            visitors[email].expects(404)
        if "/harbour/" in path:
            states.update(request.getfixturevalue("states"))
        for state, pk in states.items():
            path = path.replace(f"/g/{state}/", f"/g/{pk}/")
        visitors[email].complaints.clear()
        visitors[email].open(path)
        return visitors[email]

    yield reader
    for visitor in visitors.values():
        enter.leave(visitor)


@pytest.mark.parametrize(
    ("page", "size"),
    [
        (pytest.param if (page, name) in AT_ONCE else thorough)(page, size, id=f"{page}-{name}")
        for page in PAGES
        for name, size in SIZES.items()
    ],
)
def test_page(page: str, size: ViewportSize, reader: Callable[[str, str], Visitor]) -> None:
    email, path = PAGES[page]
    visitor = reader(email, path)
    sheet = visitor.page
    sheet.set_viewport_size(size)
    for scheme in ("light", "dark"):
        sheet.emulate_media(color_scheme=scheme)
        judge(sheet)
    for _ in range(10):
        sheet.keyboard.press("Tab")
    rings = sheet.evaluate("window.rings")
    assert len(rings) > 1
    assert set(rings) == {"ring"}
    assert sheet.evaluate("window.shifted") < 0.1
    assert visitor.complaints == []


def judge(page: Page) -> None:
    looks = page.evaluate(LOOKS)
    assert looks["title"]
    assert looks["language"] == "en"
    assert (looks["h1"], looks["main"], looks["skipped"]) == (1, 1, 0)
    assert looks["read"] > 3
    for fault in ("faint", "sideways", "deep", "slides", "twice", "unlabelled", "nameless", "alike"):
        assert looks[fault] == [], fault


@pytest.mark.thorough
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_the_limits_sheet(size: ViewportSize, visit: Callable[..., Visitor]) -> None:
    alice = visit(ALICE, size=size)
    page = alice.open("/t/atlas/team/")
    page.get_by_role("link", name="Change the pool").click()
    sheet = page.get_by_role("dialog", name="Limits of the team pool")
    expect(sheet).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        judge(page)
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


@pytest.mark.thorough
def test_the_rail_refreshes_without_moving_anything(
    visit: Callable[..., Visitor], states: dict[str, str]
) -> None:
    sam = visit(SAM)
    page = sam.open(f"/t/harbour/create/{SPEECH}/")
    expect(page.locator("#now-list .job")).to_have_count(len(states))
    before = page.evaluate("window.shifted")
    for _ in range(2):
        with page.expect_response("**/now/**"):
            pass
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("window.shifted") - before < 0.02
