"""A small server that answers AI apps and workflows as API.md 5, 6 and 7 say, and shares no code with the portal.

It takes its key in the body or the address, as those calls want it, knows one app and one workflow, refuses what is not
their form, and draws a picture for what it took. `started` tells what was sent to run, `faults` what to answer instead.
While `running` every task is, and tells of itself at the address `wire`, which is said while the `gate` is open.
"""

from __future__ import annotations

import itertools
import json
import struct
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

APP, WORKFLOW, LOCKED = "1877265245566922753", "1850925505116598274", "1850925505116598275"
APP_NODES = [
    {
        "nodeId": "39",
        "nodeName": "LoadImage",
        "fieldName": "image",
        "fieldValue": "a1.png",
        "fieldData": None,
        "fieldType": "IMAGE",
        "description": "上传图片",
        "descriptionEn": "Your picture",
    },
    {
        "nodeId": "52",
        "nodeName": "RH_Translator",
        "fieldName": "prompt",
        "fieldValue": "a paper boat",
        "fieldData": None,
        "fieldType": "STRING",
        "description": "提示词",
        "descriptionEn": "What to see",
    },
    {
        "nodeId": "37",
        "nodeName": "ImpactSwitch",
        "fieldName": "select",
        "fieldValue": "2",
        "fieldData": '[{"name":"Ink","index":"1"},{"name":"Oil","index":"2"}]',
        "fieldType": "SWITCH",
        "description": "风格",
        "descriptionEn": None,
    },
    {
        "nodeId": "60",
        "nodeName": "Steps",
        "fieldName": "value",
        "fieldValue": "20",
        "fieldData": '["INT", {"default": 20, "min": 1, "max": 40}]',
        "fieldType": "INT",
        "description": "steps",
    },
]
GRAPH = {
    "3": {
        "class_type": "KSampler",
        "inputs": {"seed": 7, "steps": 20, "cfg": 7.5, "model": ["4", 0], "sampler_name": "euler"},
        "_meta": {"title": "KSampler"},
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sea.safetensors"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a harbour at dawn", "clip": ["4", 1]}},
    "10": {"class_type": "LoadImage", "inputs": {"image": "sample.png", "upload": "image"}},
}


def picture(width: int = 24, height: int = 16) -> bytes:
    """A PNG file of one colour."""
    rows = b"".join(b"\0" + b"\x20\x60\xa0" * width for _ in range(height))
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


def weights(much: int = 4000) -> bytes:
    """A safetensors file with one tensor of that many bytes."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [much], "data_offsets": [0, much]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(i % 251 for i in range(much))


class Foreign:
    """Used as a context; `url` is where it answers, `key` the key it takes."""

    def __init__(self, key: str = "k" * 32) -> None:
        self.key = key
        self.nodes = [dict(node) for node in APP_NODES]
        self.graph: dict[str, Any] = json.loads(json.dumps(GRAPH))
        self.started: list[tuple[str, dict[str, Any]]] = []
        self.asked: list[str] = []
        self.cancelled: list[str] = []
        self.files: list[str] = []
        self.running = False
        self.wire: str | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.faults: dict[str, list[Any]] = {}
        self.ids = itertools.count(1_904_000_000_000_000_000)

    def __enter__(self) -> Foreign:
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.foreign = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    foreign: Foreign


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def answer(self, value: Any, status: int = 200) -> None:
        data = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def wrapped(self, data: Any, code: int = 0, msg: str = "success") -> None:
        self.answer({"code": code, "msg": msg, "data": data})

    def fault(self, route: str) -> Any:
        waiting = self.server.foreign.faults.get(route)
        return waiting.pop(0) if waiting else None

    def bent(self, route: str) -> bool:
        """Answers what was scripted for this route, if anything was."""
        fault = self.fault(route)
        if fault is None:
            return False
        if fault == "cut":
            self.close_connection = True
            self.connection.close()
        else:
            self.answer(fault)
        return True

    def do_GET(self) -> None:
        foreign = self.server.foreign
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        foreign.asked.append(parts.path)
        if parts.path == "/api/webapp/apiCallDemo":
            if self.bent("form"):
                return
            if asked.get("apiKey") != foreign.key:
                self.wrapped(None, 802, "APIKEY_UNAUTHORIZED")
            elif asked.get("webappId") != APP:
                self.wrapped(None, 901, "WEBAPP_NOT_EXISTS")
            else:
                form = {
                    "webappName": "Boats",
                    "curl": "curl …",
                    "statisticsInfo": {},
                    "covers": [],
                    "tags": [],
                }
                self.wrapped(form | {"nodeInfoList": foreign.nodes})
        elif parts.path == "/openapi/v2/queue/status":
            self.answer({"concurrentLimit": 3, "runningCount": 0, "queuedCount": 0, "totalCurrentTasks": 0})
        elif parts.path.startswith("/out/"):
            data = picture()
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        else:
            self.wrapped(None, 412, "TOKEN_INVALID")

    def do_POST(self) -> None:
        foreign, path = self.server.foreign, self.path
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        foreign.asked.append(path)
        if path == "/openapi/v2/media/upload/binary":
            name = f"openapi/{len(foreign.files):04}.png"
            foreign.files.append(name)
            data = {
                "type": "image",
                "download_url": f"{foreign.url}/in/{name}",
                "fileName": name,
                "size": "1",
            }
            self.answer({"code": 0, "message": "success", "data": data})
            return
        body = json.loads(raw or b"{}")
        if path == "/openapi/v2/query":
            self.query(body["taskId"])
        elif path == "/uc/openapi/accountStatus":
            account = {"remainMoney": "100", "remainCoins": "0", "currency": "CNY", "currentTaskCounts": "0"}
            self.wrapped(account | {"apiType": "SHARED"})
        elif body.get("apiKey") != foreign.key:
            self.wrapped(None, 802, "APIKEY_UNAUTHORIZED")
        elif path == "/api/openapi/getJsonApiFormat":
            if not self.bent("form"):
                if body.get("workflowId") in (WORKFLOW, LOCKED):
                    self.wrapped({"prompt": json.dumps(foreign.graph)})
                else:
                    self.wrapped(None, 380, "WORKFLOW_NOT_EXISTS")
        elif path == "/task/openapi/cancel":
            foreign.cancelled.append(body["taskId"])
            self.wrapped(None)
        elif path == "/task/openapi/outputs":
            foreign.gate.wait(30)
            if not self.bent("outputs"):
                self.wrapped({"netWssUrl": foreign.wire}, 804, "APIKEY_TASK_IS_RUNNING")
        elif path in ("/task/openapi/ai-app/run", "/task/openapi/create"):
            self.start(path, body)
        else:
            self.wrapped(None, 412, "TOKEN_INVALID")

    def start(self, path: str, body: dict[str, Any]) -> None:
        foreign = self.server.foreign
        foreign.started.append((path, body))
        if self.bent("start"):
            return
        given = [(node["nodeId"], node["fieldName"]) for node in body.get("nodeInfoList", [])]
        if path.endswith("ai-app/run"):
            fits = body.get("webappId") == APP
            fits = fits and given == [(node["nodeId"], node["fieldName"]) for node in foreign.nodes]
        else:
            fits = body.get("workflowId") in (WORKFLOW, LOCKED)
            fits = fits and all(name in foreign.graph.get(node, {}).get("inputs", {}) for node, name in given)
            if body.get("workflowId") == LOCKED and body.get("accessPassword") != "sesame":
                self.wrapped(None, 301, "PARAMS_INVALID")
                return
        if not fits:
            self.wrapped(None, 803, "APIKEY_INVALID_NODE_INFO")
            return
        task = str(next(foreign.ids))
        tips = '{"result": true, "error": null, "outputs_to_execute": ["9"], "node_errors": {}}'
        self.wrapped(
            {
                "taskId": task,
                "clientId": "c",
                "taskStatus": "QUEUED",
                "netWssUrl": None,
                "promptTips": tips,
            }
        )

    def query(self, task: str) -> None:
        usage = {
            "consumeMoney": None,
            "consumeCoins": None,
            "taskCostTime": "7",
            "thirdPartyConsumeMoney": None,
        }
        if self.server.foreign.running:
            self.answer(
                {"taskId": task, "status": "RUNNING", "errorCode": "", "errorMessage": "", "results": None}
            )
            return
        if task in self.server.foreign.cancelled:
            self.answer(
                {"taskId": task, "status": "CANCEL", "errorCode": "", "errorMessage": "", "results": None}
            )
            return
        result = {"url": f"{self.server.foreign.url}/out/{task}.png", "outputType": "png", "nodeId": "9"}
        self.answer(
            {
                "taskId": task,
                "status": "SUCCESS",
                "errorCode": "",
                "errorMessage": "",
                "failedReason": {},
                "usage": {**usage, "consumeMoney": "0.35"},
                "results": [{**result, "text": None}],
            }
        )
