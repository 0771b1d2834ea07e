"""One portal and one Chromium for all browser tests; both end with the last of them."""

from __future__ import annotations

import math
import tempfile
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ViewportSize, expect, sync_playwright

from tests.browser import chromium
from tests.browser.portal import SAM, Portal
from tests.browser.visitor import WATCH, Visitor, until

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--enable-blink-features=ComputedAccessibilityInfo",  # looks.js asks for the names of controls
    "--force-renderer-accessibility",  # else each of these names costs a tree of the whole page
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
SILENT, SPOKEN, RATE = 1.0, 10.6, 48_000
"""Seconds before somebody speaks into the microphone, and seconds of speaking."""
WIDE, PHONE = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)
SPEECH = "rhart-audio--text-to-audio--speech-2.8-turbo"
LINES = (
    "High water at noon, low water at six.",
    "Mind the buoy, it moved.",
    "The lamp is out until Friday, they say.",
)
FATES: dict[str, Any] = {
    "finished": {},
    "failed": {"fail": 1501},
    "unconfirmed": {"lost": "after"},
    "running": {"hang": True},
    "cancelled": {"hang": True},
}
PICTURES = Path(tempfile.gettempdir()) / "rhweb-browser-failures"
FAILED = pytest.StashKey[bool]()
WITHIN = 30_000
expect.set_options(timeout=WITHIN)


def heard(path: Path) -> None:
    """What the microphone hears each time it is opened: silence, somebody who speaks, silence."""
    spoken = bytearray()
    for at in range(int(SPOKEN * RATE)):
        loud = 9000 if at // 9600 % 5 else 2000  # syllables
        spoken += int(loud * math.sin(at * 0.02) * math.sin(at * 0.0007)).to_bytes(2, "little", signed=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(bytes(int(SILENT * RATE) * 2) + bytes(spoken) + bytes(60 * RATE * 2))


@pytest.fixture(scope="package")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    found = Portal(tmp_path_factory.mktemp("portal"))
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Not for the whole session: Django refuses its database to a thread in which Playwright is at work."""
    microphone = tmp_path_factory.mktemp("microphone") / "heard.wav"
    heard(microphone)
    flags = (*FLAGS, f"--use-file-for-fake-audio-capture={microphone}%noloop")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium.find(), args=flags, headless=True)
        yield found
        found.close()


class Entrance:
    """Calling it opens a tab for somebody, signed in unless no email is given. Options are those of a browser context.

    Whoever comes back with the same email and options finds the same tab, and what the browser has cached, unless
    `alone`.
    """

    def __init__(self, portal: Portal, browser: Browser) -> None:
        self.portal, self.browser = portal, browser
        self._contexts: dict[str, BrowserContext] = {}
        self._left: dict[BrowserContext, list[Visitor]] = {}

    def __call__(
        self, email: str = "", *, size: ViewportSize = WIDE, alone: bool = False, **options: Any
    ) -> Visitor:
        key = f"{email} {options}"
        if alone or key not in self._contexts:
            context = self._context(email, options)
            if not alone:
                self._contexts[key] = context
        else:
            context = self._contexts[key]
        visitor = self._left[context].pop() if self._left[context] else Visitor(self.portal, context)
        visitor.page.set_viewport_size(size)
        return visitor

    def leave(self, visitor: Visitor) -> None:
        visitor.leave()
        self._left[visitor.context].append(visitor)

    def _context(self, email: str, options: dict[str, Any]) -> BrowserContext:
        context = self.browser.new_context(reduced_motion="reduce", locale="en-GB", **options)
        context.set_default_timeout(WITHIN)
        context.add_init_script(WATCH)
        self._left[context] = []
        if email:
            first = Visitor(self.portal, context)
            first.sign_in(email)
            self.leave(first)
        return context


@pytest.fixture(scope="package")
def enter(portal: Portal, browser: Browser) -> Entrance:
    return Entrance(portal, browser)


@pytest.fixture(scope="package")
def ordered(portal: Portal, enter: Entrance) -> dict[str, str]:
    """What Sam ordered before any test began: words to hear, and one generation for each state that lasts.

    All of it is made while the first tests run.
    """
    portal.misbehave(submit=[{**fate, "when": f"({state})"} for state, fate in FATES.items()])
    sam = enter(SAM)
    for line in LINES:
        sam.order("tide", SPEECH, text=line)
    found = {state: sam.order("harbour", SPEECH, text=f"Rain on the harbour ({state})") for state in FATES}
    assert sam.complaints == []
    enter.leave(sam)
    return found


@pytest.fixture(scope="package")
def states(portal: Portal, enter: Entrance, ordered: dict[str, str]) -> dict[str, str]:
    """A generation of Sam's in every state that lasts, by the name of the state."""
    sam = enter(SAM)

    def stands(state: str) -> str:
        page = sam.context.request.get(f"{portal.address}/t/harbour/g/{ordered[state]}/").text()
        return page.partition("status--")[2].partition('"')[0]

    until(lambda: stands("cancelled") == "running", "the one to be cancelled running")
    sam.open(f"/t/harbour/g/{ordered['cancelled']}/").get_by_role("button", name="Cancel", exact=True).click()
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
def reader(
    enter: Entrance, request: pytest.FixtureRequest
) -> Iterator[Callable[[str, str, ViewportSize], Visitor]]:
    """Leads somebody to one of the pages, in the same tab for everything they read. The window has its size before the
    page is opened: what a change of size moves is no fault of the page.
    """
    visitors: dict[str, Visitor] = {}
    states: dict[str, str] = {}

    def reader(email: str, path: str, size: ViewportSize) -> Visitor:
        if email not in visitors:
            visitors[email] = enter(email)
            visitors[email].expects(404)
        if "/harbour/" in path:
            states.update(request.getfixturevalue("states"))
        for state, pk in states.items():
            path = path.replace(f"/g/{state}/", f"/g/{pk}/")
        visitors[email].complaints.clear()
        visitors[email].page.set_viewport_size(size)
        visitors[email].open(path)
        return visitors[email]

    yield reader
    for visitor in visitors.values():
        enter.leave(visitor)


@pytest.fixture
def visit(enter: Entrance, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visitor]]:
    """Like `enter`, for the length of a test, in which nobody may find anything to complain about."""
    visitors: list[Visitor] = []

    def visit(email: str = "", **options: Any) -> Visitor:
        visitors.append(enter(email, **options))
        return visitors[-1]

    yield visit
    if request.node.stash.get(FAILED, False):
        PICTURES.mkdir(exist_ok=True)
        for number, visitor in enumerate(visitors):
            visitor.page.screenshot(path=PICTURES / f"{request.node.name}-{number}.png")
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for visitor in visitors:
        enter.leave(visitor)
    assert complaints == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.when == "call" and report.failed:
        item.stash[FAILED] = True
    return report
