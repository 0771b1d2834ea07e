"""What the sandbox tells of running apps and workflows over a WebSocket, as ComfyUI does (API.md 9)."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from websockets.datastructures import Headers
from websockets.http11 import Request
from websockets.server import ServerProtocol

if TYPE_CHECKING:
    from generations.sandbox.tasks import Task

PATH = "/ws/c_instance"
STEPS = 20
EVERY = 0.3
HIDDEN = b"\x00\x00\x00\x01a small picture would stand here"


def address(task: Task, base: str) -> str | None:
    """Where a running task tells of itself; whoever has it may listen. Standard models do not."""
    if not task.nodes:
        return None
    return f"ws://{base.partition('://')[2]}{PATH}?taskId={task.task_id}&Rh-Comfy-Auth={_secret(task)}"


def found(tasks: Mapping[str, Task], query: str) -> Task | None:
    """The task whose address was called."""
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    task = tasks.get(asked.get("taskId", ""))
    if task is None or not task.nodes:
        return None
    return task if hmac.compare_digest(_secret(task), asked.get("Rh-Comfy-Auth", "")) else None


def _secret(task: Task) -> str:
    return hashlib.sha256(f"{task.owner}/{task.task_id}/progress".encode()).hexdigest()


class Teller:
    """One listener: the greeting, then what there is to say until the task is over."""

    def __init__(self, task: Task, path: str, headers: Sequence[tuple[str, str]]) -> None:
        self.task = task
        self.protocol = ServerProtocol()
        self.greeting = self.protocol.accept(Request(path, Headers(headers)))

    def pieces(self) -> Iterator[bytes]:
        """The bytes, as time goes by."""
        self.protocol.send_response(self.greeting)
        yield from self._due()
        if self.greeting.status_code != 101:
            return
        self._say("execution_cached", nodes=[])
        self.protocol.send_binary(HIDDEN)
        said: tuple[str, int] | None = None
        while not self.task.is_over:
            now = self._now()
            if said is None or now[0] != said[0]:
                self._say("executing", node=now[0])
            if now != said:
                said = now
                self._say("progress", node=now[0], value=now[1], max=STEPS)
            yield from self._due()
            time.sleep(EVERY)
        self._say("executing", node=None)
        self._say("execution_success")
        self.protocol.send_close(1000)
        yield from self._due()

    def _now(self) -> tuple[str, int]:
        """Which node works, and its step."""
        length = max(self.task.ends_at - self.task.starts_at, 0.001)
        share = min(max((time.time() - self.task.starts_at) / length, 0.0), 0.999)
        at = share * len(self.task.nodes)
        return self.task.nodes[int(at)], int(at % 1 * STEPS)

    def _say(self, kind: str, **data: Any) -> None:
        self.protocol.send_text(json.dumps({"type": kind, "data": data}).encode())

    def _due(self) -> Iterator[bytes]:
        yield from (piece for piece in self.protocol.data_to_send() if piece)
