"""Another server that speaks API.md: small, fast and foreign to our sandbox, for tests and measurements.

It shares no code with the portal. Tasks take `seconds`; `hold(route)` stops every request of a route half way, so that
a test can pull the plug exactly there.
"""

from __future__ import annotations

import io
import itertools
import json
import threading
import time
import wave
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def sound(seconds: float = 1.0, rate: int = 16000) -> bytes:
    """A mono 16-bit WAV file of a saw tooth."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(
            b"".join(
                (i * 211 % 20000 - 10000).to_bytes(2, "little", signed=True)
                for i in range(int(seconds * rate))
            )
        )
    return out.getvalue()


def descendants(pid: int) -> list[int]:
    """The processes that this one started, and those that they started."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, look = [], [pid]
    while look:
        look = [child for parent in look for child in children.get(parent, [])]
        found += look
    return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    upstream: Upstream

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no news."""


class Upstream:
    """A RunningHub with as many slots as asked.

    `submits`, `uploads` (their bytes), `queries` and `downloads` tell what reached it.
    """

    def __init__(
        self, *, seconds: float = 0.0, slots: int = 1000, answer_seconds: float = 0.0, audio: bytes = b""
    ) -> None:
        self.seconds, self.slots, self.answer_seconds = seconds, slots, answer_seconds
        self.audio = audio or sound()
        self.currency = "CNY"
        self.submits: list[dict[str, Any]] = []
        self.started: dict[str, float] = {}
        self.queries: Counter[str] = Counter()
        self.downloads: Counter[str] = Counter()
        self.cancelled: set[str] = set()
        self.ids = itertools.count(1_900_000_000_000_000_000)
        self.lock = threading.Lock()
        self.gates = {route: threading.Event() for route in ("submit", "query", "download", "upload")}
        self.prompts: dict[str, str] = {"upload": "upload"}
        self.uploads: list[int] = []
        self.held: dict[str, str] = {}
        self.entered = {route: threading.Event() for route in self.gates}
        for gate in self.gates.values():
            gate.set()

    def __enter__(self) -> Upstream:
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.upstream = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        for gate in self.gates.values():
            gate.set()
        self.server.shutdown()
        self.server.server_close()

    def hold(self, route: str, prompt: str) -> threading.Event:
        """Requests of this route about this prompt get stuck after their work is done; the event tells of the first."""
        self.entered[route].clear()
        self.held[route] = prompt
        self.gates[route].clear()
        return self.entered[route]

    def let_go(self, route: str) -> None:
        self.gates[route].set()

    def running(self) -> int:
        now = time.monotonic()
        return sum(
            1
            for task, begun in self.started.items()
            if now - begun < self.seconds and task not in self.cancelled
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(6, 1, 1)  # TCP_NODELAY

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def answer(self, value: Any, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def gate(self, route: str, task: str) -> None:
        up = self.server.upstream
        if up.answer_seconds:
            time.sleep(up.answer_seconds)
        if not up.gates[route].is_set() and up.held[route] == up.prompts.get(task):
            up.entered[route].set()
            up.gates[route].wait(120)

    def do_GET(self) -> None:
        up = self.server.upstream
        if self.path == "/openapi/v2/queue/status":
            self.answer(
                {
                    "concurrentLimit": up.slots,
                    "runningCount": up.running(),
                    "queuedCount": 0,
                    "totalCurrentTasks": up.running(),
                }
            )
        elif self.path.startswith("/files/"):
            up.downloads[self.path] += 1
            self.send_response(200)
            self.send_header("Content-Type", "audio/wav")
            self.send_header("Content-Length", str(len(up.audio)))
            self.end_headers()
            half = len(up.audio) // 2
            self.wfile.write(up.audio[:half])
            self.gate("download", self.path.removeprefix("/files/").removesuffix(".wav"))
            self.wfile.write(up.audio[half:])
        else:
            self.answer({"code": 404, "msg": "NOT_FOUND", "data": None}, 404)

    def do_POST(self) -> None:
        up = self.server.upstream
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/openapi/v2/media/upload/binary":
            with up.lock:
                up.uploads.append(len(raw))
                address = f"{up.url}/files/in-{len(up.uploads)}.wav"
            self.gate("upload", "upload")
            self.answer(
                {
                    "code": 0,
                    "message": "success",
                    "data": {
                        "type": "audio",
                        "download_url": address,
                        "fileName": "openapi/in.wav",
                        "size": "1",
                    },
                }
            )
            return
        body = json.loads(raw or b"{}")
        if self.path == "/openapi/v2/query":
            self.query(body)
        elif self.path == "/uc/openapi/accountStatus":
            self.answer(
                {
                    "code": 0,
                    "msg": "success",
                    "data": {
                        "remainMoney": "100",
                        "remainCoins": "0",
                        "currency": up.currency,
                        "apiType": "SHARED",
                        "currentTaskCounts": "0",
                    },
                }
            )
        elif self.path == "/task/openapi/cancel":
            up.cancelled.add(body["taskId"])
            self.answer({"code": 0, "msg": "success", "data": None})
        else:
            self.submit(body)

    def submit(self, body: dict[str, Any]) -> None:
        up = self.server.upstream
        with up.lock:
            if up.running() >= up.slots:
                self.answer(
                    {
                        "taskId": "",
                        "status": "",
                        "errorCode": "421",
                        "errorMessage": "queue full",
                        "results": None,
                    }
                )
                return
            task = str(next(up.ids))
            up.prompts[task] = str(body.get("prompt", ""))
            up.started[task] = time.monotonic()
            up.submits.append(
                {"path": self.path, "body": body, "key": self.headers.get("Authorization"), "task": task}
            )
        self.gate("submit", task)
        self.answer(
            {
                "taskId": task,
                "status": "RUNNING",
                "errorCode": "",
                "errorMessage": "",
                "results": None,
                "clientId": "x",
                "promptTips": "",
            }
        )

    def query(self, body: dict[str, Any]) -> None:
        up = self.server.upstream
        task = body["taskId"]
        up.queries[task] += 1
        self.gate("query", task)
        begun = up.started.get(task)
        if begun is None:
            self.answer({"taskId": task, "status": "", "errorCode": "1004", "errorMessage": "no such task"})
            return
        answer: dict[str, Any] = {
            "taskId": task,
            "status": "RUNNING",
            "errorCode": "",
            "errorMessage": "",
            "results": None,
            "usage": {},
        }
        if task in up.cancelled:
            answer["status"] = "CANCEL"
        elif time.monotonic() - begun >= up.seconds:
            usage = {
                "consumeMoney": None,
                "consumeCoins": None,
                "taskCostTime": "0",
                "thirdPartyConsumeMoney": "0.8",
            }
            answer |= {
                "status": "SUCCESS",
                "usage": usage,
                "results": [
                    {"url": f"{up.url}/files/{task}.wav", "outputType": "wav", "nodeId": "1", "text": None}
                ],
            }
        self.answer(answer)
