"""Large results pass through with memory flat: 20 pictures of 4K and a video of 200 MB, from upstream to the poster."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from accounts.models import Membership
from generations.models import Generation, State
from generations.pipeline import gather, posters

ROOT = Path(__file__).parents[2]
PICTURES, SIDE = 20, 4096
MIB = 1024**2
VIDEO_BYTES = 200 * MIB
ONE_UNPACKED = SIDE * SIDE * 4
WRITE_VIDEO = """
import io, sys
import numpy as np
from PIL import Image
from generations.sandbox.films import webm
noise = np.random.default_rng(1).integers(0, 255, (720, 1280, 3), np.uint8)
target = io.BytesIO()
Image.fromarray(noise).save(target, "WEBP", quality=95, method=0)
data = target.getvalue()
frame = data[data.index(b"VP8 ") + 8:]
count = int(sys.argv[2]) // len(frame) + 1
open(sys.argv[1], "wb").write(webm((frame for _ in range(count)), (1280, 720), 25, count))
"""


@pytest.fixture
def upstream_files(tmp_path: Path) -> Iterator[str]:
    """The address of a server on loopback that gives what lies in `tmp_path`."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class Memory:
    """The most memory of this process since it began, in bytes, beyond what it had then. The kernel counts it."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")
        self.before = self._read("VmRSS")

    @property
    def more(self) -> int:
        return self._read("VmHWM") - self.before

    def _read(self, name: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def arriving(member: Membership, make_generation: Any, base: str, names: list[str]) -> Generation:
    results = [{"url": f"{base}/{name}", "output_type": name.rpartition(".")[2]} for name in names]
    made: Generation = make_generation(
        member, status=State.GATHERING, kind="picture", results=results, params={}
    )
    return made


@pytest.mark.thorough
def test_a_batch_of_twenty_4k_pictures(
    bob: Membership, client_of: Any, make_generation: Any, upstream_files: str, tmp_path: Path
) -> None:
    noise = Image.effect_noise((SIDE, SIDE), 40).convert("RGB")
    names = []
    for number in range(PICTURES):
        names.append(f"{number}.{'png' if number % 4 == 0 else 'jpg'}")
        noise.rotate(number).save(tmp_path / names[-1], **({"compress_level": 1} if number % 4 == 0 else {}))
    del noise
    row = arriving(bob, make_generation, upstream_files, names)
    memory = Memory()
    gather.gather(row)
    posters.work()
    while row.outputs.filter(poster="").exists():
        posters.work()
    assert memory.more < 2 * ONE_UNPACKED, f"{memory.more / MIB:.0f} MiB for {PICTURES} pictures"
    row.refresh_from_db()
    assert row.status == State.SUCCEEDED
    assert {(one.width, one.height) for one in row.outputs.all()} == {(SIDE, SIDE)}
    page = client_of(bob).get(f"/t/tide/g/{row.pk}/").content.decode()
    assert page.count('/poster"') == PICTURES


@pytest.mark.thorough
def test_a_video_of_200_mb(
    bob: Membership, client_of: Any, make_generation: Any, upstream_files: str, tmp_path: Path, settings: Any
) -> None:
    path = tmp_path / "film.webm"
    command = [sys.executable, "-c", WRITE_VIDEO, str(path), str(VIDEO_BYTES)]
    subprocess.run(command, cwd=ROOT, check=True)
    assert path.stat().st_size > VIDEO_BYTES
    row = arriving(bob, make_generation, upstream_files, [path.name])
    memory = Memory()
    gather.gather(row)
    posters.work()
    output = row.outputs.get()
    assert (output.width, output.height, bool(output.poster)) == (1280, 720, True)
    address = f"/t/tide/g/{row.pk}/outputs/0/content"
    whole = client_of(bob).get(address)
    assert sum(len(block) for block in whole.streaming_content) == path.stat().st_size
    part = client_of(bob).get(address, headers={"Range": f"bytes={150 * MIB}-{150 * MIB + 99}"})
    assert (part.status_code, part["Content-Length"]) == (206, "100")
    assert len(b"".join(part.streaming_content)) == 100
    assert memory.more < 64 * MIB, f"{memory.more / MIB:.0f} MiB for a video of 200 MB"
    row.refresh_from_db()
    assert row.status == State.SUCCEEDED
