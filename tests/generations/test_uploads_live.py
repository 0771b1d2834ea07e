"""Uploads against a portal that runs as it is operated: too much, half of it, and what is left of either."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.browser.portal import ALICE, PASSWORD, Portal
from tests.generations.media.samples import mp3_bytes

pytestmark = pytest.mark.thorough
MB = 1024**2
CLONE = "rhart-audio--text-to-audio--voice-clone"
AHEAD = f"/t/atlas/uploads/?model={CLONE}&param=audio"
FORM = f"/t/atlas/create/{CLONE}/"
REST = "/api/v1/uploads"
BOUNDARY = "x9x9x9"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    found = Portal(tmp_path_factory.mktemp("uploads"))
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def alice(portal: Portal) -> requests.Session:
    session = requests.Session()
    page = f"{portal.address}/accounts/login/"
    session.get(page)
    given = {"login": ALICE, "password": PASSWORD, "csrfmiddlewaretoken": session.cookies["rhweb_csrf"]}
    session.post(page, given, headers={"Referer": page})
    assert session.get(portal.address + "/t/atlas/library/").status_code == 200
    return session


def until(what: Callable[[], Any], why: str, within: float = 30.0) -> None:
    give_up = time.monotonic() + within
    while not what():
        assert time.monotonic() < give_up, why
        time.sleep(0.05)


def resident(portal: Portal) -> int:
    """Bytes in memory of the web server and its children."""
    web = portal._processes[-1].pid
    said = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,rss="], capture_output=True, text=True, check=True
    ).stdout
    rows = [tuple(map(int, line.split())) for line in said.splitlines()]
    return sum(rss for pid, parent, rss in rows if web in (pid, parent)) * 1024


def left(portal: Portal) -> list[Path]:
    """Files of uploads, kept or on their way."""
    folders = (portal.folder / "tmp", portal.folder / "media" / "uploads")
    return [path for folder in folders if folder.exists() for path in folder.rglob("*") if path.is_file()]


def head(session: requests.Session, token: str, to: str, host: str, size: int) -> bytes:
    who = (
        f"Authorization: Bearer {token}"
        if to == REST
        else "Cookie: " + "; ".join(f"{name}={value}" for name, value in session.cookies.items())
    )
    lines = [
        f"POST {to} HTTP/1.1", f"Host: {host}", who, f"Referer: http://{host}{to}",
        f"X-CSRFToken: {session.cookies['rhweb_csrf']}",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}", f"Content-Length: {size}",
    ]  # fmt: skip
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def part(name: str = "file") -> bytes:
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="a.mp3"\r\n'
        "Content-Type: audio/mpeg\r\n\r\n"
    ).encode()


@pytest.mark.parametrize(("to", "status"), [(AHEAD, 413), (FORM, 422), (REST, 413)])
def test_600_mb_are_refused_before_they_are_read(
    to: str, status: int, portal: Portal, alice: requests.Session
) -> None:
    alice.get(portal.address + FORM)
    before = resident(portal)
    host = urlsplit(portal.address).netloc
    with socket.create_connection(host.split(":"), timeout=30) as wire:  # type: ignore[arg-type]
        wire.sendall(head(alice, portal.token, to, host, 600 * MB) + part())
        answer = wire.recv(4096)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer
    assert resident(portal) - before < 20 * MB
    assert left(portal) == []


@pytest.mark.parametrize(
    ("to", "name", "status"), [(AHEAD, "file", 422), (FORM, "audio", 422), (REST, "file", 422)]
)
def test_400_mb_of_nothing_go_through_with_flat_memory_and_leave_nothing(
    to: str, name: str, status: int, portal: Portal, alice: requests.Session
) -> None:
    begun, end = part(name), f"\r\n--{BOUNDARY}--\r\n".encode()
    alice.get(portal.address + FORM)
    before, highest = resident(portal), 0
    host = urlsplit(portal.address).netloc
    with socket.create_connection(host.split(":"), timeout=60) as wire:  # type: ignore[arg-type]
        size = len(begun) + 400 * MB + len(end)
        wire.sendall(head(alice, portal.token, to, host, size) + begun)
        for sent in range(100):
            wire.sendall(bytes(4 * MB))
            if sent % 10 == 0:
                highest = max(highest, resident(portal))
        wire.sendall(end)
        answer = wire.recv(4096)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer
    assert max(highest, resident(portal)) - before < 40 * MB
    until(lambda: left(portal) == [], "a file is left")


@pytest.mark.parametrize("to", [AHEAD, FORM, REST])
def test_half_of_a_song_is_no_song(to: str, portal: Portal, alice: requests.Session) -> None:
    """Half of an MP3 is a whole MP3 to every decoder: only the length of the body tells."""
    alice.get(portal.address + FORM)
    song = mp3_bytes(20)
    host = urlsplit(portal.address).netloc
    with socket.create_connection(host.split(":"), timeout=30) as wire:  # type: ignore[arg-type]
        body = part("audio" if to == FORM else "file") + song
        wire.sendall(head(alice, portal.token, to, host, len(body) + 10_000) + body)
        until(lambda: left(portal), "the file began to arrive")
    until(lambda: left(portal) == [], "what had arrived is gone")
    assert requests.get(portal.address + "/healthz", timeout=10).status_code == 200
    assert left(portal) == []


def test_what_a_killed_server_left_goes_with_the_next_upload(portal: Portal, alice: requests.Session) -> None:
    folder = portal.folder / "tmp"
    folder.mkdir(exist_ok=True)
    old, fresh = folder / "tmpold.upload.mp3", folder / "tmpnew.upload.mp3"
    old.write_bytes(b"x")
    fresh.write_bytes(b"x")
    os.utime(old, (time.time() - 90_000,) * 2)
    try:
        answer = requests.post(
            portal.address + REST,
            files={"file": ("a.mp3", mp3_bytes(1))},
            headers={"Authorization": f"Bearer {portal.token}"},
            timeout=30,
        )
        assert answer.status_code == 201
        assert (old.exists(), fresh.exists()) == (False, True)
    finally:
        fresh.unlink()
