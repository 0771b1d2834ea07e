"""What a process loads before it is forked, so that none of its children loads it again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TOGETHER = """
import json, threading
from generations.catalogue import load

found, start = set(), threading.Barrier(8)

def read():
    start.wait()
    found.add(id(load.models()))

threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps(len(found)))
"""
LOADED = """
import gc, json, sys
import rhweb.wsgi
from django.urls import get_resolver
from generations.catalogue import load

print(json.dumps([load._read.cache_info().currsize, get_resolver()._populated, gc.get_freeze_count() > 50_000]))
"""


def told_by(script: str, folder: Path) -> Any:
    environment = {**os.environ, "RHWEB_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "rhweb.settings"}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_threads_that_ask_for_the_catalogue_at_once_read_it_once(tmp_path: Path) -> None:
    assert told_by(TOGETHER, tmp_path) == 1


def test_the_web_server_has_all_before_the_first_request(tmp_path: Path) -> None:
    assert told_by(LOADED, tmp_path) == [1, True, True]
