"""A running sandbox and a client that speaks to it over loopback."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import requests
import soundfile

from generations.sandbox import Sandbox

MUSIC = "minimax/music-2.6/text-to-instrumental"
SONG = "minimax/music-2.6/text-to-music"
SPEECH = "rhart-audio/text-to-audio/speech-2.8-hd"
CLONE = "rhart-audio/text-to-audio/voice-clone"
SPOKEN = {
    "text": "The boats rocked gently.",
    "voice_id": "Wise_Woman",
    "enable_base64_output": False,
    "english_normalization": False,
}


class Api:
    """What a client of RunningHub does, without judgement."""

    def __init__(self, sandbox: Sandbox, key: str | None = None) -> None:
        self.url = sandbox.url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {key or sandbox.key}"

    def post(self, path: str, body: Any) -> requests.Response:
        return self.session.post(self.url + path, json=body, timeout=20)

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.session.get(path if path.startswith("http") else self.url + path, timeout=20, **more)

    def submit(self, endpoint: str = MUSIC, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self.post(f"/openapi/v2/{endpoint}", body or {"prompt": "calm piano"}).json()

    def query(self, task_id: str) -> dict[str, Any]:
        return self.post("/openapi/v2/query", {"taskId": task_id}).json()

    def finished(self, task_id: str) -> dict[str, Any]:
        """The answer once the task is over."""
        return until(lambda: (a := self.query(task_id))["status"] in ("SUCCESS", "FAILED", "CANCEL") and a)

    def upload(self, data: bytes, name: str = "voice.wav") -> dict[str, Any]:
        files = {"file": (name, data, "audio/wav")}
        return self.session.post(self.url + "/openapi/v2/media/upload/binary", files=files, timeout=20).json()


def until(ready: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first truthy value; fails the test when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = ready()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


def tone(hz: float = 120.0, seconds: float = 2.0, rate: int = 16_000) -> bytes:
    """A wav file with a buzzing voice-like tone."""
    t = np.arange(int(seconds * rate)) / rate
    wave = sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 12)) * 0.2
    target = io.BytesIO()
    soundfile.write(target, wave, rate, format="WAV", subtype="PCM_16")
    return target.getvalue()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(pace=0, quick=True) as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Api:
    return Api(sandbox)
