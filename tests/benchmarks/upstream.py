"""An upstream that costs as little as possible: one process, one thread, any number of connections.

It speaks just enough of API.md for the pipeline: submit, query, queue, account, files, webhooks. `GET /bench/log` tells
what it saw; times are seconds of its own monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from tests.upstream import sound

IDS = itertools.count(1_900_000_000_000_000_000)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"


class Upstream:
    """Tasks of `seconds`, answers after `delay`; of submits the share `slow` answers later than a naive loop waits."""

    def __init__(self, seconds: float, delay: float, slow: float) -> None:
        self.seconds, self.delay, self.slow = seconds, delay, slow
        self.audio = sound(2)
        self.begun: dict[str, float] = {}
        self.prompts: dict[str, str] = {}
        self.queries: Counter[str] = Counter()
        self.files: dict[str, float] = {}
        self.rung: dict[str, float] = {}
        self.calls: set[asyncio.Task[None]] = set()
        """Kept, because the loop itself does not keep what it runs."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                line, *fields = head.decode("latin-1").split("\r\n")
                method, path, _ = line.split(" ")
                length = next((int(f[15:]) for f in fields if f.lower().startswith("content-length:")), 0)
                body = json.loads(await reader.readexactly(length) or b"{}") if length else {}
                host = next((f[5:].strip() for f in fields if f.lower().startswith("host:")), "")
                kind, data = await self.answer(method, path, body, host)
                writer.write(HEAD % (kind, len(data)) + data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    async def answer(self, method: str, path: str, body: dict[str, Any], host: str) -> tuple[bytes, bytes]:
        if path == "/bench/log":
            log = [self.begun, self.prompts, self.queries, self.files, time.process_time(), self.rung]
            return b"application/json", json.dumps(log).encode()
        if path.startswith("/files/"):
            await asyncio.sleep(self.delay)
            self.files.setdefault(path[7:-4], time.monotonic())
            return b"audio/wav", self.audio
        told: dict[str, Any] = {"errorCode": "", "errorMessage": "", "results": None}
        if path.endswith("/queue/status"):
            told = {"concurrentLimit": 2000, "runningCount": self.running(), "queuedCount": 0}
        elif path.endswith("/accountStatus"):
            told = {"code": 0, "data": {"remainMoney": "100", "currency": "CNY", "apiType": "SHARED"}}
        elif path.endswith("/v2/query"):
            told |= self.query(str(body["taskId"]), host)
        elif "prompt" in body:
            told |= await self.submit(body)
        else:
            told = {"code": 404, "msg": "no such call", "data": None}
        await asyncio.sleep(self.delay)
        return b"application/json", json.dumps(told).encode()

    def running(self) -> int:
        now = time.monotonic()
        return sum(now - begun < self.seconds for begun in self.begun.values())

    async def submit(self, body: dict[str, Any]) -> dict[str, Any]:
        task = str(next(IDS))
        self.begun[task], self.prompts[task] = time.monotonic(), str(body.get("prompt", ""))
        if body.get("webhookUrl"):
            call = asyncio.create_task(self.ring(task, str(body["webhookUrl"])))
            self.calls.add(call)
            call.add_done_callback(self.calls.discard)
        if self.slow and len(self.begun) % int(1 / self.slow) == 0:
            await asyncio.sleep(2.5)
        return {"taskId": task, "status": "RUNNING"}

    def query(self, task: str, host: str) -> dict[str, Any]:
        self.queries[task] += 1
        if task not in self.begun:
            return {"taskId": "", "errorCode": "1004", "errorMessage": "no such task"}
        if time.monotonic() - self.begun[task] < self.seconds:
            return {"taskId": task, "status": "RUNNING", "usage": {}}
        file = {"url": f"http://{host}/files/{task}.wav", "outputType": "wav", "nodeId": "1", "text": None}
        usage = {"thirdPartyConsumeMoney": "0.8", "taskCostTime": "0"}
        return {"taskId": task, "status": "SUCCESS", "usage": usage, "results": [file]}

    async def ring(self, task: str, address: str) -> None:
        await asyncio.sleep(self.seconds)
        parts = urlsplit(address)
        data = json.dumps({"event": "TASK_END", "taskId": task, "eventData": "{}"}).encode()
        head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n"
        )
        try:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(head.encode() + data)
            await reader.read(200)
            self.rung[task] = time.monotonic()
            writer.close()
        except OSError:
            pass


async def main(seconds: float, delay: float, slow: float) -> None:
    upstream = Upstream(seconds, delay, slow)
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*map(float, sys.argv[1:4])))
