"""From safe to visible: how long what was stored stays unseen on pages that are open, in Chromium.

The baseline is the longest that a page may wait by its own word, the time between two of its questions.
"""

from __future__ import annotations

import statistics
import time
from urllib.parse import urlsplit

import requests
from playwright.sync_api import sync_playwright

from tests.benchmarks.pages import sign_in
from tests.benchmarks.pipeline import MODEL, upstream
from tests.benchmarks.portal import Portal, members
from tests.browser import chromium
from tests.browser.conftest import FLAGS, WIDE

GENERATIONS, SLOTS = 12, 3
SECONDS = 2.3
EVERY = 1.5
OPEN = {"create/": ".job--finished", "library/": "#rows tr[data-track]"}
WATCH = """(selector) => {
  window.seen = {};
  setInterval(() => document.querySelectorAll(selector).forEach((one) => {
    window.seen[one.id.slice(-36)] ??= Date.now() / 1000;
  }), 10);
}"""


def measure() -> list[str]:
    with upstream(0.0, seconds=SECONDS) as url, Portal(upstream=url) as portal:
        from generations.models import Connection, Generation, State
        from generations.pipeline.accept import accept

        member = members(1, slug="visible")[0]
        for n in range(GENERATIONS):
            accept(member, MODEL, {"prompt": f"piece {n}"})
        Connection.objects.filter(pk=Connection.current().pk).update(slots=SLOTS)
        web = portal.start_web()
        session = sign_in(web, member.user.email)
        seen = _watched(portal, web, session)
        ends = {str(one.pk): one.finished_at for one in Generation.objects.filter(status=State.SUCCEEDED)}
    told = []
    for path, found in seen.items():
        took = sorted(at - ends[pk].timestamp() for pk, at in found.items())
        if len(took) < GENERATIONS:
            raise SystemExit(f"/{path} shows {len(took)} of {GENERATIONS}")
        told.append(
            f"safe to visible in an open /{path}: median {statistics.median(took):.2f} s, at worst {took[-1]:.2f} s:"
            f" {took[-1] / EVERY:.2f} of the {EVERY} s between two questions"
        )
    return told


def _watched(portal: Portal, web: str, session: requests.Session) -> dict[str, dict[str, float]]:
    """When each page showed each generation as finished, in seconds since 1970."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=FLAGS)
        pages = {}
        for path, selector in OPEN.items():
            context = browser.new_context(viewport=WIDE)
            for cookie in session.cookies:
                host = urlsplit(web).hostname or ""
                one = {"name": cookie.name, "value": cookie.value or "", "domain": host, "path": "/"}
                context.add_cookies([one])  # type: ignore[list-item]
            page = pages[path] = context.new_page()
            page.goto(f"{web}/t/visible/{path}")
            page.evaluate(WATCH, selector)
        portal.start("manage.py", "worker")
        give_up = time.monotonic() + 120
        while time.monotonic() < give_up:
            page.wait_for_timeout(500)
            seen = {path: page.evaluate("window.seen") for path, page in pages.items()}
            if all(len(found) == GENERATIONS for found in seen.values()):
                break
        browser.close()
        return seen
