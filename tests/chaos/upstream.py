"""A RunningHub in a process of its own that misbehaves on purpose and writes down what it saw.

It shares no code with the portal nor with the sandbox. `POST /chaos/new` forgets everything, `/chaos/faults` appends
faults to a route, `/chaos/down` closes the door for some seconds, `GET /chaos/log` tells what happened. Tasks end by
themselves after a moment that follows from their prompt, so that the same orders have the same fate.
"""

from __future__ import annotations

import functools
import hashlib
import io
import itertools
import json
import socket
import struct
import sys
import threading
import time
import wave
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PRICE = "0.8"
REFUSED = "refuse"


def chance(*words: object) -> float:
    """0 to 1, always the same for the same words."""
    digest = hashlib.sha256("/".join(map(str, words)).encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


@functools.lru_cache(maxsize=256)
def sound(*words: object) -> bytes:
    """A short WAV file that no other words give."""
    noise = b"".join(hashlib.sha256(f"{words}/{n}".encode()).digest() for n in range(250))
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(noise)
    return out.getvalue()


class World:
    """What upstream knows: tasks, faults to come, and the log."""

    ids = itertools.count(int(time.time()) * 1_000_000_000)

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.slots, self.down_until = 3, 0.0
        self.tasks: dict[str, dict[str, Any]] = {}
        self.sent: list[dict[str, Any]] = []
        self.faults: dict[str, list[Any]] = {}

    def fault(self, route: str) -> dict[str, Any]:
        with self.lock:
            waiting = self.faults.get(route)
            return waiting.pop(0) if waiting else {}

    def make(self, body: dict[str, Any], fault: dict[str, Any]) -> dict[str, Any]:
        prompt = str(body.get("prompt", ""))
        task = {
            "id": str(next(self.ids)),
            "prompt": prompt,
            "webhook": body.get("webhookUrl", ""),
            "at": time.monotonic(),
            "seconds": 0.02 + 0.25 * chance(prompt, "seconds"),
            "outputs": 1 + (chance(prompt, "outputs") > 0.7),
            "fate": fault,
            "status": "RUNNING",
        }
        self.tasks[task["id"]] = task
        return task

    def stand(self, task: dict[str, Any]) -> str:
        """How the task stands now."""
        over = time.monotonic() - task["at"] > task["seconds"] and not task["fate"].get("hang")
        if over and task["status"] == "RUNNING":
            task["status"] = "FAILED" if "fail" in task["fate"] else "SUCCESS"
        return str(task["status"])

    def running(self) -> int:
        return sum(self.stand(task) == "RUNNING" for task in self.tasks.values())

    def log(self) -> dict[str, Any]:
        with self.lock:
            tasks = [
                {
                    **{key: task[key] for key in ("id", "prompt", "webhook")},
                    "status": self.stand(task),
                    "charged": PRICE if task["status"] == "SUCCESS" else "0",
                    "files": [
                        hashlib.sha256(sound(task["id"], n)).hexdigest() for n in range(task["outputs"])
                    ],
                }
                for task in self.tasks.values()
            ]
            return {"sent": list(self.sent), "tasks": tasks}


class Server(ThreadingHTTPServer):
    """Open connections end when the door closes."""

    daemon_threads = True
    request_queue_size = 256
    world = World()
    """Of the class, because a connection that was kept open outlives a closed door."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients are killed here all the time."""

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    @property
    def world(self) -> World:
        return self.server.world

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
        raise ConnectionAbortedError

    def send(self, status: int, data: bytes, kind: str = "application/json", cut: float = 1.0) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: int(len(data) * cut)])
        if cut < 1:
            self.wfile.flush()
            self.close_connection = True

    def json(self, value: Any, status: int = 200) -> None:
        self.send(status, json.dumps(value).encode())

    def bend(self, fault: dict[str, Any], value: Any, *, done: bool) -> None:
        """Answers with `value`, or with what the fault makes of it."""
        time.sleep(float(fault.get("slow", 0)))
        if "lost" in fault:
            self.reset()
        if "http" in fault:
            self.send(int(fault["http"]), b"<html>Bad Gateway</html>", "text/html")
        elif "body" in fault:
            self.json(fault["body"])
        elif "broken" in fault:
            self.send(200, json.dumps(value).encode()[:20])
        elif "wrap" in fault:
            self.json({"code": 0, "msg": "success", "data": value})
        else:
            merged = {**value, **fault.get("merge", {})}
            self.json({key: found for key, found in merged.items() if key not in fault.get("omit", [])})

    def do_GET(self) -> None:
        world = self.world
        if self.path == "/chaos/log":
            self.json(world.log())
        elif self.path == "/openapi/v2/queue/status":
            count = world.running()
            told = {"concurrentLimit": world.slots, "runningCount": count, "queuedCount": 0}
            self.bend(world.fault("queue"), {"code": 0, "msg": "", "data": told}, done=True)
        elif self.path.startswith("/files/"):
            self.file(world.fault("result"))
        else:
            self.json({"code": 412, "msg": "TOKEN_INVALID", "data": None})

    def file(self, fault: dict[str, Any]) -> None:
        task_id, _, index = self.path.removeprefix("/files/").removesuffix(".wav").partition("-")
        data = sound(task_id, int(index))
        time.sleep(float(fault.get("slow", 0)))
        if "lost" in fault:
            self.reset()
        if "http" in fault:
            self.send(int(fault["http"]), b"<Error/>", "application/xml")
        elif "html" in fault:
            self.send(200, b"<!doctype html><html><body>Please sign in</body></html>" * 20, "audio/wav")
        else:
            self.send(200, data, "audio/wav", float(fault.get("cut", 1)))

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(data)
        except ValueError:  # whoever called was killed on the way: nothing was asked
            self.close_connection = True
            return
        world = self.world
        if self.path == "/chaos/new":
            Server.world = World()
            Server.world.slots = body.get("slots", 3)
            self.json({})
        elif self.path == "/chaos/faults":
            with world.lock:
                for route, faults in body.items():
                    world.faults.setdefault(route, []).extend(faults)
            self.json({})
        elif self.path == "/chaos/calm":
            world.faults.clear()
            self.json({})
        elif self.path == "/chaos/down":
            world.down_until = time.monotonic() + float(body["seconds"])
            self.json({})
            threading.Thread(target=self.server.shutdown, daemon=True).start()
        elif self.path == "/openapi/v2/query":
            self.query(body, world.fault("query"))
        elif self.path == "/uc/openapi/accountStatus":
            money = {"remainMoney": "100", "remainCoins": "0", "currency": "CNY", "apiType": "SHARED"}
            self.bend(world.fault("account"), {"code": 0, "msg": "success", "data": money}, done=True)
        elif self.path == "/task/openapi/cancel":
            self.cancel(body, world.fault("cancel"))
        elif self.path.startswith("/openapi/v2/"):
            self.submit(body, world.fault("submit"))
        else:
            self.json({"code": 404, "msg": "no such call"}, 404)

    def submit(self, body: dict[str, Any], fault: dict[str, Any]) -> None:
        world, code = self.world, fault.get(REFUSED)
        told: dict[str, Any] = {
            "taskId": "",
            "status": "",
            "errorCode": "",
            "errorMessage": "",
            "results": None,
        }
        with world.lock:
            if code is None and not fault.get("before") and world.running() >= world.slots:
                code = 421
            entry = {
                "prompt": str(body.get("prompt", "")),
                "task": "",
                "refused": code or fault.get("http", 0),
            }
            world.sent.append(entry)
            if code is None and not fault.get("before"):
                entry["task"] = told["taskId"] = world.make(body, fault)["id"]
                told["status"] = "RUNNING"
        if code is not None:
            told |= {"errorCode": str(code), "errorMessage": "refused"}
        if fault.get("before"):
            told |= {"errorCode": "500", "errorMessage": "nothing was done"}
        self.bend({k: v for k, v in fault.items() if k not in ("fail", "hang", "deaf")}, told, done=True)

    def query(self, body: dict[str, Any], fault: dict[str, Any]) -> None:
        world = self.world
        with world.lock:
            task = world.tasks.get(str(body.get("taskId")))
            if task is None:
                self.json({"taskId": "", "status": "", "errorCode": "1004", "errorMessage": "no such task"})
                return
            status = world.stand(task)
        told: dict[str, Any] = {
            "taskId": task["id"],
            "status": status,
            "errorCode": str(task["fate"]["fail"]) if status == "FAILED" else "",
            "errorMessage": "moderation" if status == "FAILED" else "",
            "results": None,
            "usage": {},
        }
        if status == "SUCCESS":
            host = self.headers.get("Host")
            told["usage"] = {"consumeMoney": None, "thirdPartyConsumeMoney": PRICE, "taskCostTime": "0"}
            told["results"] = [
                {"url": f"http://{host}/files/{task['id']}-{n}.wav", "outputType": "wav", "text": None}
                for n in range(task["outputs"])
            ]
        self.bend(fault, told, done=True)

    def cancel(self, body: dict[str, Any], fault: dict[str, Any]) -> None:
        world = self.world
        with world.lock:
            task = world.tasks.get(str(body.get("taskId")))
            if task and world.stand(task) == "RUNNING" and not task["fate"].get("deaf"):
                task["status"] = "CANCEL"
        self.bend(fault, {"code": 0 if task else 807, "msg": "", "data": None}, done=True)


def serve(port: int) -> None:
    """Listens for ever; tells its port on standard output. The door closes and opens again at the same port."""
    server = Server(("127.0.0.1", port), Handler)
    port = server.server_port
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while True:
        server.serve_forever(0.01)
        server.server_close()
        time.sleep(max(0.0, Server.world.down_until - time.monotonic()))
        server = Server(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
