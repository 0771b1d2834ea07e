"""The programs that the page of the documentation shows, run as they stand there."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import requests
import soundfile as sf
from django.db import connection
from django.test import Client

from accounts.models import ApiToken, Role, Team
from generations import signing
from generations.models import Generation, State
from generations.models.receiver import new_secret
from tests.conftest import join, run_pipeline


def shown(page: str, name: str) -> str:
    """The program of this name, for whoever copies it from the page."""
    [found] = re.findall(rf'<pre id="{name}"><code>(.*?)</code></pre>', page, re.S)
    return html.unescape(found)


def lines(program: str) -> int:
    return len([line for line in program.splitlines() if line.strip()])


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_fifteen_lines_make_music_from_nothing_but_a_token(
    live_server: Any, sandbox: Any, tmp_path: Path
) -> None:
    script = shown(requests.get(f"{live_server.url}/api/v1/docs", timeout=10).text, "script")
    assert lines(script) <= 15
    assert f"{live_server.url}/api/v1/" in script
    bob = join(Team.objects.create(slug="tide", name="Tide"), "bob", Role.MEMBER)
    over = threading.Event()

    def work() -> None:
        try:
            while not over.is_set():
                if Generation.objects.filter(status=State.QUEUED).exists():
                    run_pipeline()
                over.wait(0.05)
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        environment = {**os.environ, "RHWEB_TOKEN": ApiToken.issue(bob, scopes=["generate"])}
        subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True, timeout=120)
    finally:
        over.set()
        worker.join()
    [file] = tmp_path.iterdir()
    assert sf.info(file).duration > 1


def test_ten_lines_tell_a_message_of_the_portal_from_another(db: None) -> None:
    program = shown(Client().get("/api/v1/docs").content.decode(), "verify")
    assert lines(program) <= 10
    space: dict[str, Any] = {}
    exec(program, space)
    verify = space["is_from_the_portal"]
    secret, message = new_secret(), "“Rain”".encode()
    headers = signing.headers(secret, "some-id", message)
    assert verify(secret, headers, message)
    assert not verify(secret, headers, message + b" ")
    assert not verify(new_secret(), headers, message)
    assert not verify(secret, headers | {"webhook-id": "other"}, message)
    assert not verify(secret, signing.headers(secret, "some-id", message, now=1.0), message)
