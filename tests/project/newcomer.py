"""`python -m tests.project.newcomer`: does what a newcomer does, from a fresh clone, and says where it stops working.

Clones the committed state, types `make run`, waits for the invitation, signs in over HTTP, plays a piece of the demo,
orders one more with the form as it stands, plays that when it is made, stops with Ctrl-C, and does it once more to
see that a second start is fine too.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

from tests.generations.views.reading import Seen

ROOT = Path(__file__).resolve().parents[2]
MODEL = "minimax--music-2.6--text-to-instrumental"
SERVES_WITHIN = 180.0
MADE_WITHIN = 120.0
ENDS_WITHIN = 120.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read_until(process: subprocess.Popen[str], words: str, within: float) -> str:
    """The output up to a line with these words. Raises `SystemExit` with what came instead."""
    give_up, seen = time.monotonic() + within, ""
    assert process.stdout is not None
    while time.monotonic() < give_up:
        line = process.stdout.readline()
        if not line:
            break
        seen += line
        if words in line:
            return seen
    raise SystemExit(f"“{words}” did not come within {within:.0f} s. This came:\n{seen}")


def use(address: str, email: str, password: str) -> None:
    """Signs in, listens, generates and listens again, as a browser without JavaScript would."""
    browser = requests.Session()

    def token(page: str) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found, page[:500]
        return found[1]

    page = browser.get(f"{address}/accounts/login/", timeout=10)
    form = {"login": email, "password": password, "csrfmiddlewaretoken": token(page.text)}
    page = browser.post(page.url, form, timeout=10)
    assert "/create/" in page.url, f"signing in led to {page.url}"

    def play(page: str) -> None:
        sound = re.search(r'data-src="([^"]+)"', page)
        assert sound, f"nothing to play in {page}"
        heard = browser.get(address + sound[1], headers={"Range": "bytes=0-99"}, timeout=10)
        assert (heard.status_code, len(heard.content)) == (206, 100), heard.status_code

    play(browser.get(f"{address}/t/demo/library/", timeout=10).text)
    form = browser.get(f"{address}/t/demo/create/{MODEL}/", timeout=10)
    filled = {**Seen(form.text).sent(), "prompt": "A tune for newcomers"}
    ordered = browser.post(form.url, filled, headers={"Referer": form.url}, timeout=10)
    made = re.search(r"from=([0-9a-f-]{36})", ordered.url)
    assert ordered.status_code == 200, Seen(ordered.text).texts
    assert made, f"generating led to {ordered.url}"
    give_up = time.monotonic() + MADE_WITHIN
    while "status--finished" not in (page := browser.get(f"{address}/t/demo/g/{made[1]}/", timeout=10).text):
        assert time.monotonic() < give_up, f"not finished within {MADE_WITHIN:.0f} s: {page}"
        time.sleep(1)
    play(page)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "rhweb"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        ours = ("RHWEB_", "RUNNINGHUB_", "DATABASE_URL", "REDIS_URL", "DJANGO_", "VIRTUAL_ENV", "PYTEST_")
        environment = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        for attempt in ("first", "second"):
            port, started = free_port(), time.monotonic()
            process = subprocess.Popen(
                ["make", "run", f"PORT={port}"],
                cwd=clone,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            try:
                said = read_until(process, "Ctrl-C stops everything", SERVES_WITHIN)
                took = time.monotonic() - started
                account = re.search(r"(\S+@example\.com)\s+(\S+)", said)
                assert account, said
                use(f"http://127.0.0.1:{port}", account[1], account[2])
                os.killpg(process.pid, signal.SIGINT)
                process.wait(ENDS_WITHIN)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
            sys.stdout.write(
                f"{attempt} start: served after {took:.1f} s, played, generated, ended cleanly\n"
            )


if __name__ == "__main__":
    main()
