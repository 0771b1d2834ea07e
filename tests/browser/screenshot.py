"""`python -m tests.browser.screenshot OUT.png`: the library of the demo with a piece playing, as the README shows it.

Starts `manage.py serve` in a folder of its own, so that nothing but a newcomer's first sight is in the picture.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser import chromium
from tests.browser.conftest import FLAGS, WIDE
from tests.browser.portal import ROOT, free_port
from tests.browser.visitor import WATCH, until

SERVES_WITHIN = 180.0


def take(address: str, email: str, password: str, out: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=FLAGS)
        page = browser.new_page(viewport=WIDE, color_scheme="light")
        page.add_init_script(WATCH)
        page.goto(address)
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Library", exact=True).click()
        page.locator("tr", has_text="Boss fight").locator("[data-play]").click()
        until(lambda: page.evaluate("window.heard?.readyState") == 4, "sound", page=page)
        page.evaluate("window.heard.currentTime = 0.36 * window.heard.duration")
        until(
            lambda: page.evaluate("window.heard.currentTime > 0.37 * window.heard.duration"),
            "a bit of it",
            page=page,
        )
        page.mouse.move(0, 0)
        page.screenshot(path=out)
        browser.close()


def main(out: Path) -> None:
    port = free_port()
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("RHWEB_", "RUNNINGHUB_"))
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        serve = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=ROOT,
            env={**kept, "DATABASE_URL": "", "RHWEB_DATA_DIR": folder},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            assert serve.stdout is not None
            said = ""
            while "Ctrl-C stops everything" not in said:
                line = serve.stdout.readline()
                if not line:
                    raise SystemExit(f"The portal did not start.\n{said}")
                said += line
            account = re.search(r"(\S+@example\.com)\s+(\S+)", said)
            assert account, said
            take(f"http://127.0.0.1:{port}", account[1], account[2], out)
        finally:
            serve.send_signal(signal.SIGTERM)
            serve.wait(SERVES_WITHIN)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
