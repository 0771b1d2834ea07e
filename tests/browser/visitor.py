"""Somebody in front of a browser, who notices everything that goes wrong in it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import APIResponse, BrowserContext, ConsoleMessage, Page, Request, Response

from tests.browser.portal import PASSWORD, Portal

PATIENCE = 90.0
FASTEST = 8
"""Times as fast as written: no test plays faster."""
WATCH = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`content policy: ${event.violatedDirective} ${event.blockedURI}`));
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) if (!shift.hadRecentInput) window.shifted += shift.value;
}).observe({ type: "layout-shift", buffered: true });
window.rings = [];
document.addEventListener("focusin", ({ target }) => {
  const ringed = (element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  };
  const around = [target, target.parentElement, target.closest("label"), ...target.labels ?? []];
  window.rings.push(around.some((one) => one && ringed(one)) ? "ring" : target.outerHTML.slice(0, 200));
});
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  window.heard = this;
  return play.call(this);
};
"""
HEARD = """() => {
  const { currentTime: at, duration, paused, loop, muted, src, error } = window.heard ?? { paused: true };
  return { at, duration, paused, loop, muted, src, error: error?.message ?? "" };
}"""


def until(what: Callable[[], Any], why: str, *, page: Page | None = None, within: float = PATIENCE) -> Any:
    """The first answer of `what` that is true. The browser goes on meanwhile when its page is given."""
    give_up = time.monotonic() + within
    while not (found := what()):
        assert time.monotonic() < give_up, f"{why} did not happen within {within:.0f} s"
        if page:
            page.wait_for_timeout(50)
        else:
            time.sleep(0.05)
    return found


@dataclass(frozen=True)
class Sound:
    """The audio element that was played last."""

    at: float
    duration: float
    paused: bool
    loop: bool
    muted: bool
    src: str
    error: str


class Visitor:
    """A page of a browser context, which others may share. `complaints` collects what must not happen: errors on the
    console, violations of the content policy, requests that fail or are answered with an error nobody expected.
    """

    def __init__(self, portal: Portal, context: BrowserContext) -> None:
        self.portal, self.context = portal, context
        self.complaints: list[str] = []
        self.answers: list[Response] = []
        self._expected: set[int] = set()
        self.page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def expects(self, *statuses: int) -> None:
        """Answers with these statuses are no complaint."""
        self._expected.update(statuses)

    def open(self, path: str) -> Page:
        self.page.goto(self.portal.address + path)
        return self.page

    def sign_in(self, email: str) -> None:
        """Through the form, as a person does."""
        page = self.open("/accounts/login/")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/create/**")

    def order(self, team: str, model: str, **fields: str) -> str:
        """Posts the form of a model without showing it; the id of the generation."""
        answer = self.post_form(f"/t/{team}/create/{model}/", **fields)
        found = re.search(r"from=([0-9a-f-]{36})", answer.url)
        assert found, (answer.status, answer.url)
        return found[1]

    def post_form(self, path: str, **fields: str) -> APIResponse:
        """Fills the form of the page at `path` in and sends it, in the session of this visitor."""
        page = self.context.request.get(self.portal.address + path).text()
        hidden = dict(re.findall(r'name="(csrfmiddlewaretoken|_once)" value="([^"]+)"', page))
        return self.context.request.post(
            self.portal.address + path,
            form={**hidden, **fields},
            headers={"Referer": self.portal.address + path},
        )

    def sound(self) -> Sound:
        heard = self.page.evaluate(HEARD)
        return Sound(**{name: heard.get(name) for name in Sound.__dataclass_fields__})

    def hears_on(self) -> Sound:
        """Waits until the sound has gone on for a second from here."""
        last = until(lambda: not (s := self.sound()).paused and s.duration and s, "playing", page=self.page)
        heard, looked = 0.0, time.monotonic()

        def a_second() -> Sound | None:
            nonlocal last, heard, looked
            now, when = self.sound(), time.monotonic()
            # A loop begins again, of which a second may never be left in one piece; a jump forward is no listening.
            step = now.at - last.at if now.at >= last.at else now.at
            heard += step if step < FASTEST * (when - looked) + 0.1 else 0
            last, looked = now, when
            return now if heard > 1 else None

        return until(a_second, "a second of sound", page=self.page)

    def leave(self) -> None:
        """Leaves the tab as it was found."""
        if self.page.url.startswith(self.portal.address):
            self.page.goto(
                self.portal.address + "/healthz"
            )  # where no script of ours keeps anything any more
            self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        self.page.goto("about:blank")
        self.page.emulate_media(color_scheme="light")
        self.complaints.clear()
        self.answers.clear()
        self._expected.clear()

    def _console(self, message: ConsoleMessage) -> None:
        expected = any(f"status of {status} " in message.text for status in self._expected)
        # A request that gave way to a newer one (hx-sync) htmx tells as an error too, in these two lines. One that
        # failed has a line more.
        expected = expected or message.text.startswith(("htmx:sendAbort", "htmx:afterRequest"))
        if message.type == "error" and not expected:
            self.complaints.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _failed(self, request: Request) -> None:
        # Aborted is what a browser calls a request that it gave up itself: another page, another place in the sound.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"request: {request.failure} {request.url}")

    def _answered(self, response: Response) -> None:
        self.answers.append(response)
        if response.status >= 400 and response.status not in self._expected:
            self.complaints.append(f"answer: {response.status} {response.url}")
