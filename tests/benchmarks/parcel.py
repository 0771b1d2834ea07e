"""A zip of 2 GB and 500 files: the memory of the server that sends it, and the pages meanwhile.

The files are sparse, so they take no room on the disk. Memory is what all web processes hold together (VmRSS), seen
every twentieth of a second, against what they held after a small zip of the same kind.
"""

from __future__ import annotations

import itertools
import statistics
import struct
import threading
import time
import uuid
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import requests

from tests.benchmarks.pages import MODEL, sign_in
from tests.benchmarks.portal import Portal, members
from tests.upstream import descendants

FILES = 500
EACH = 2 * 1024**3 // FILES
LOOKS = 30


def measure() -> list[str]:
    with Portal() as portal:
        member = members(1)[0]
        ids = made(member, FILES)
        web = portal.start_web()
        browser = sign_in(web, member.user.email)
        folder = Path(portal.folder.name)
        alone = page(browser, web)
        send(browser, web, ids[:5], folder / "small.zip", "on")
        lines = []
        for words, tags in (("as they are", ""), ("with tags", "on")):
            lines += one(portal, browser, web, ids, folder, alone, words, tags)
        return [*lines, *missing(browser, web, ids, folder)]


def one(
    portal: Portal,
    browser: requests.Session,
    web: str,
    ids: list[uuid.UUID],
    folder: Path,
    alone: float,
    words: str,
    tags: str,
) -> list[str]:
    before, most, pages = resident(portal), [0], []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            most[0] = max(most[0], resident(portal))

    def look() -> None:
        while not over.is_set():
            pages.append(page(browser, web, 1))

    watchers = [threading.Thread(target=watch), threading.Thread(target=look)]
    for each in watchers:
        each.start()
    begun = time.perf_counter()
    size, told = send(browser, web, ids, folder / "all.zip", tags)
    took = time.perf_counter() - begun
    over.set()
    for each in watchers:
        each.join()
    with zipfile.ZipFile(folder / "all.zip") as archive:
        count = len(archive.namelist())
    (folder / "all.zip").unlink()
    return [
        f"zip of {FILES} files {words}: {size / 1024**3:.2f} GB in {took:.0f} s ({size / took / 1024**2:.0f} MB/s),"
        f" {count} entries, length {'told' if told else 'not told'}",
        f"  memory of the web processes: {before} MB before, at most {most[0]} MB meanwhile, {most[0] - before:+} MB",
        f"  library page meanwhile: {statistics.median(pages):.0f} ms, alone {alone:.0f} ms:"
        f" ratio {statistics.median(pages) / alone:.2f}",
    ]


def missing(browser: requests.Session, web: str, ids: list[uuid.UUID], folder: Path) -> list[str]:
    """One of the files is taken away."""
    from generations.models import Output

    lost = Output.objects.get(generation=ids[7])
    lost.file.storage.delete(str(lost.file.name))
    send(browser, web, ids[:20], folder / "some.zip", "")
    with zipfile.ZipFile(folder / "some.zip") as archive:
        broken = archive.testzip()
        note = archive.read("MISSING.txt").decode().splitlines()[-1]
        count = len(archive.namelist())
    return [f"one of 20 files missing: {count} entries, damaged: {broken}, MISSING.txt says {note!r}"]


def send(
    browser: requests.Session, web: str, ids: Iterable[uuid.UUID], path: Path, tags: str
) -> tuple[int, bool]:
    """Takes it out, gives its bytes and whether their number was told beforehand."""
    form = {
        "ids": " ".join(map(str, ids)),
        "pattern": "{index} {title}",
        "sidecar": "on",
        "tags": tags,
        "csrfmiddlewaretoken": browser.cookies["rhweb_csrf"],
    }
    if not tags:
        form.pop("tags")
    with browser.post(f"{web}/t/bench/download/zip/", form, stream=True, timeout=120) as answer:
        assert answer.status_code == 200, answer.status_code
        with path.open("wb") as file:
            for block in answer.iter_content(1 << 20):
                file.write(block)
        told = answer.headers.get("Content-Length")
        assert told is None or int(told) == path.stat().st_size
    return path.stat().st_size, told is not None


def page(browser: requests.Session, web: str, looks: int = LOOKS) -> float:
    """Milliseconds of the library page, in the middle."""
    took = []
    for _ in range(looks):
        begun = time.perf_counter()
        assert browser.get(f"{web}/t/bench/library/", timeout=60).status_code == 200
        took.append(1000 * (time.perf_counter() - begun))
    return statistics.median(took)


def resident(portal: Portal) -> int:
    """MB that gunicorn and its workers hold."""
    total = 0
    for pid in itertools.chain.from_iterable([one.pid, *descendants(one.pid)] for one in portal.children):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)
    return total // 1024


def made(member: Any, count: int) -> list[uuid.UUID]:
    """That many finished generations with a WAV of silence each."""
    from django.core.files.base import ContentFile

    from generations.models import Connection, Generation, Output

    head = (
        b"RIFF"
        + struct.pack("<I", EACH - 8)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    )
    head += b"data" + struct.pack("<I", EACH - 44)
    ids = []
    for n in range(count):
        row = Generation.objects.create(
            team=member.team, author=member.user, connection=Connection.current(), model=MODEL, kind="music",
            title=f"Piece {n}", params={"prompt": f"Piece {n} of many, slow piano over rain"}, status="succeeded",
            next_check_at=None,
        )  # fmt: skip
        output = Output(
            generation=row, index=0, kind="audio", content_type="audio/wav", extension="wav", bytes=EACH,
            sha256="0" * 64,
        )  # fmt: skip
        output.file.save(Output.file_name(row, 0, "wav"), ContentFile(head), save=False)
        with output.file.storage.open(str(output.file.name), "r+b") as file:
            file.truncate(EACH)
        output.save()
        ids.append(row.pk)
    return ids
