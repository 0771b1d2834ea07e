"""Seeking in an hour of sound, and what fifty listeners cost everybody else.

A listener reads as fast as the sound plays, with little room to read ahead, from somewhere in the middle to the end:
the worst that a player behind a slow line does. Where nginx is on the PATH or named by NGINX, the same is measured
behind it by X-Accel.
"""

from __future__ import annotations

import os
import random
import selectors
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.benchmarks.pages import fill, sign_in
from tests.benchmarks.portal import Portal, free_port, members

SECONDS, RATE = 3600, 8000
BYTES_A_SECOND = 2 * RATE
LISTENERS = 50
LOOKS = 60
ROWS = 1000


def measure() -> list[str]:
    with Portal() as portal:
        member = members(1, slug="hour")[0]
        fill(member, ROWS)
        path = _hour(member)
        web = portal.start_web()
        lines = [_seek(web, member, path), _listen(web, web, member, path, "")]
        nginx = os.environ.get("NGINX") or shutil.which("nginx")
        if nginx:
            portal.environment["RHWEB_ACCEL_PREFIX"] = "/protected/"
            behind = portal.start_web()
            with _in_front(nginx, behind, Path(portal.folder.name) / "media") as front:
                lines.append(_listen(front, behind, member, path, " behind nginx"))
        return lines


def _hour(member: Any) -> str:
    """An hour of sound in the library; the path of its bytes."""
    from django.core.files.base import ContentFile

    from generations.models import Generation, Output

    row = Generation.objects.filter(team=member.team).latest("created_at")
    output = row.outputs.get()
    with tempfile.NamedTemporaryFile(suffix=".wav") as made:
        with wave.open(made.name, "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(bytes(SECONDS * BYTES_A_SECOND))
        data = Path(made.name).read_bytes()
    output.file.save(Output.file_name(row, 0, "wav"), ContentFile(data), save=False)
    output.bytes, output.duration, output.content_type = len(data), SECONDS, "audio/wav"
    output.save()
    return f"/t/{member.team.slug}/g/{row.pk}/outputs/0/content"


def _page(browser: requests.Session, web: str) -> float:
    begun = time.perf_counter()
    answer = browser.get(f"{web}/t/hour/library/", timeout=30)
    took = time.perf_counter() - begun
    assert answer.status_code == 200, answer.status_code
    return took


def _seek(web: str, member: Any, path: str) -> str:
    """One request each: from asking to the first byte of the sound there, and a page beside it."""
    browser = sign_in(web, member.user.email)
    seeks, pages = [], []
    size = SECONDS * BYTES_A_SECOND
    for turn in range(LOOKS):
        at = random.randrange(size)
        begun = time.perf_counter()
        asked = {"Range": f"bytes={at}-", "Sec-Fetch-Dest": "audio"}
        with browser.get(web + path, headers=asked, stream=True, timeout=30) as answer:
            assert answer.raw.read(1)
            took = time.perf_counter() - begun
            assert (answer.status_code, len(answer.history)) == (206, 0)
            assert answer.headers["Content-Range"].startswith(f"bytes {at}-")
            for _ in answer.iter_content(65536):
                pass  # so that the next one finds the connection free
        page = _page(browser, web)
        if turn >= 5:
            seeks.append(took)
            pages.append(page)
    seek, page = statistics.median(seeks) * 1000, statistics.median(pages) * 1000
    return (
        f"seek in {SECONDS // 60} minutes ({size / 1e6:.0f} MB): first byte after {seek:.1f} ms in one request,"
        f" library page {page:.1f} ms: ratio {seek / page:.2f}"
    )


def _listen(web: str, python: str, member: Any, path: str, where: str) -> str:
    """The page alone and while all listen, in turns so that both see the same machine."""
    browser = sign_in(web, member.user.email)
    idle: list[float] = []
    busy: list[float] = []
    for _ in range(5):
        _page(browser, web)
    for _ in range(3):
        idle += [_page(browser, web) for _ in range(LOOKS // 3)]
        with _listeners(web, browser, path) as heard:
            busy += [_page(browser, web) for _ in range(LOOKS // 3)]
            threads = _sending(python)
            assert heard.going() == LISTENERS, f"only {heard.going()} of {LISTENERS} still listen"
    before, during = (statistics.median(times) * 1000 for times in (idle, busy))
    last = sorted(busy)[int(len(busy) * 0.95)] / sorted(idle)[int(len(idle) * 0.95)]
    return (
        f"{LISTENERS} listeners at once{where}: library page {during:.1f} ms, alone {before:.1f} ms: ratio"
        f" {during / before:.2f}, of the p95 {last:.2f}; connections of theirs that Python holds: {threads}"
    )


class _Heard:
    """Fifty connections that are read at the pace of the sound, by one thread."""

    def __init__(self, web: str, cookie: str, path: str) -> None:
        address = urlsplit(web)
        self.selector = selectors.DefaultSelector()
        self.read: dict[socket.socket, int] = {}
        self.over = False
        for number in range(LISTENERS):
            line = socket.socket()
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            line.connect((address.hostname or "", address.port or 80))
            start = SECONDS * BYTES_A_SECOND // 2 // LISTENERS * number
            line.sendall(
                f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {cookie}\r\n"
                f"Range: bytes={start}-\r\n\r\n".encode()
            )
            self.read[line] = 0
        for line in self.read:
            assert line.recv(4096).startswith(b"HTTP/1.1 206"), "no partial answer"
        self.thread = threading.Thread(target=self._go_on)
        self.thread.start()

    def _go_on(self) -> None:
        while not self.over:
            for line in self.read:
                line.settimeout(0)
                try:
                    got = line.recv(BYTES_A_SECOND // 4)
                    self.read[line] += len(got) if got else -(10**9)
                except BlockingIOError:
                    pass
                except OSError:
                    self.read[line] = -(10**9)
            time.sleep(0.25)

    def going(self) -> int:
        return sum(count >= 0 for count in self.read.values())

    def end(self) -> None:
        self.over = True
        self.thread.join()
        for line in self.read:
            line.close()


@contextmanager
def _listeners(web: str, browser: requests.Session, path: str) -> Iterator[_Heard]:
    heard = _Heard(web, "; ".join(f"{one.name}={one.value}" for one in browser.cookies), path)
    try:
        time.sleep(1)  # all of them hear something
        yield heard
    finally:
        heard.end()


def _sending(web: str) -> int:
    """How many connections to this server hold bytes that nobody has taken yet."""
    port = f"{urlsplit(web).port:04X}"
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    columns = [row.split() for row in rows]
    return sum(one[1].endswith(f":{port}") and int(one[4].partition(":")[0], 16) > 0 for one in columns)


@contextmanager
def _in_front(nginx: str, behind: str, media: Path) -> Iterator[str]:
    """nginx as the README has it, on a port of its own."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        config = Path(folder) / "nginx.conf"
        config.write_text(f"""
            daemon off; pid {folder}/pid; error_log {folder}/error.log; user {os.environ.get("USER", "root")};
            events {{ worker_connections 256; }}
            http {{
                access_log off; sendfile on;
                client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
                fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
                server {{
                    listen 127.0.0.1:{port};
                    location / {{ proxy_pass {behind}; proxy_set_header Host $http_host; }}
                    location /protected/ {{ internal; alias {media}/; }}
                }}
            }}
        """)
        running = subprocess.Popen([nginx, "-c", str(config), "-p", folder], stderr=subprocess.DEVNULL)
        try:
            give_up = time.monotonic() + 10
            while time.monotonic() < give_up:
                try:
                    requests.get(f"http://127.0.0.1:{port}/healthz", timeout=2)
                    break
                except requests.ConnectionError:
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            running.wait()
