"""Finding one of all models: from a letter in the search box to the list that is painted, in Chromium.

The baseline is the same letter in a box beside it that nothing listens to: what the browser itself needs for an
event and a painted frame.
"""

from __future__ import annotations

import statistics
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

from tests.benchmarks.pages import sign_in
from tests.benchmarks.portal import Portal, members
from tests.browser import chromium
from tests.browser.conftest import FLAGS, WIDE
from tests.browser.visitor import until

ROUNDS = 5
TYPED = """([letters, ours]) => new Promise((done) => {
  const box = ours ? document.querySelector("#models [type=search]") : document.querySelector("#idle");
  requestAnimationFrame(() => {
    const begun = performance.now();
    box.value = letters;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    document.body.offsetHeight;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => done(performance.now() - begun);
      channel.port2.postMessage(null);
    });
  });
})"""


def measure() -> list[str]:
    from generations.catalogue import load

    letters = sorted({spec.title[:2].lower() for spec in load.models()})
    with Portal() as portal:
        member = members(1, slug="picker")[0]
        web = portal.start_web()
        session = sign_in(web, member.user.email)
        size = len(session.get(f"{web}/t/picker/create/", timeout=30).content)
        listed = len(session.get(f"{web}/t/picker/models/", timeout=30).content)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium.find(), args=FLAGS)
            context = browser.new_context(viewport=WIDE)
            host = urlsplit(web).hostname or ""
            for cookie in session.cookies:
                one = {"name": cookie.name, "value": cookie.value or "", "domain": host, "path": "/"}
                context.add_cookies([one])  # type: ignore[list-item]
            page = context.new_page()
            page.goto(f"{web}/t/picker/create/")
            ours, idle = _typed(page, letters, len(load.models()))
            browser.close()
    median, worst, baseline = statistics.median(ours), max(ours), statistics.median(idle)
    return [
        f"picker: {len(letters)} pairs of letters among {len(load.models())} models, painted after {median:.0f} ms,"
        f" at worst {worst:.0f} ms; the same letters in an idle box {baseline:.0f} ms:"
        f" ratio {median / baseline:.2f}, at worst {worst / baseline:.2f}",
        f"the page to create on: {size // 1024} KB of HTML; all models, fetched when the box has focus,"
        f" {listed // 1024} KB: ratio {listed / size:.2f}",
    ]


def _typed(page: Page, letters: list[str], models: int) -> tuple[list[float], list[float]]:
    page.evaluate(
        """() => {
          const idle = Object.assign(document.createElement("input"), { id: "idle" });
          document.querySelector("#models [type=search]").after(idle);
        }"""
    )
    page.locator("#models [type=search]").focus()
    until(lambda: page.locator("#models-list [data-filter-item]").count() == models, "the list", page=page)
    took: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(ROUNDS):
        for pair in letters:
            for ours in (True, False) if turn % 2 else (False, True):
                took[ours].append(page.evaluate(TYPED, [pair, ours]))
    warm = len(letters)
    return took[True][warm:], took[False][warm:]
