"""Which address is which call, and how an answer is bent by the script.

``POST /openapi/v2/<endpoint>`` submits; the other addresses are those of API.md. Beside them:
``/sandbox/script`` (``POST`` adds faults, ``GET`` shows those left, ``DELETE`` clears), ``/sandbox/log``
(``GET``: submits, queries, downloads, uploads, cancels and webhook calls; ``DELETE`` clears) and
``/sandbox/health``.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

from generations.sandbox import calls, telling
from generations.sandbox.calls import Answerer, Call, KeyRefused
from generations.sandbox.faults import Fault, ScriptError
from generations.sandbox.refusals import Refusal, flat, success, wrapped
from generations.sandbox.wire import TYPES, BadRequest, Gone, Wire

if TYPE_CHECKING:
    from generations.sandbox.server import Listener, Sandbox

V2 = "/openapi/v2/"
HTML = b"<!doctype html><html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>"
Shape = Callable[[Refusal], dict[str, Any]]


class Routes(Wire):
    """One connection of a client."""

    body = b""

    @property
    def sandbox(self) -> Sandbox:
        return cast("Listener", self.server).sandbox

    def do_POST(self) -> None:
        self._serve(self._post)

    def do_GET(self) -> None:
        self._serve(self._get)

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        self._serve(self._put)

    def do_DELETE(self) -> None:
        self._serve(self._delete)

    def _serve(self, method: Callable[[str], None]) -> None:
        try:
            self.body = self.read_body()
            method(unquote(urlsplit(self.path).path))
        except BadRequest as error:
            self.close_connection = True
            self.send_json({"errorCode": "1007", "errorMessage": str(error)}, 400)
        except (Gone, ConnectionError, TimeoutError):
            self.close_connection = True

    def _post(self, path: str) -> None:
        if path in calls.LEGACY:
            self._answer(*calls.LEGACY[path], shape=wrapped, rest=path[1:])
        elif path == V2 + "media/upload/binary":
            self._answer("upload", calls.upload, shape=partial(wrapped, word="message"))
        elif path == V2 + "query":
            self._answer("query", calls.query, shape=flat)
        elif path.startswith(V2 + "price-preview/"):
            self._answer("preview", calls.preview, shape=flat, rest=path.removeprefix(V2 + "price-preview/"))
        elif path.startswith(V2):
            self._answer("submit", calls.submit, shape=flat, rest=path.removeprefix(V2))
        elif path == "/sandbox/script":
            self._add_script()
        else:
            self.send_json(wrapped(Refusal(412)))

    def _get(self, path: str) -> None:
        if path.startswith("/results/"):
            self._download(path, self.sandbox.ledger.result_path(path.removeprefix("/results/")))
        elif path.startswith("/uploads/"):
            self._download(path, self.sandbox.ledger.upload_path(path.removeprefix("/uploads/")))
        elif path == V2 + "queue/status":
            self._answer("queue", calls.queue, shape=wrapped)
        elif path == V2 + "api-key/list":
            self._answer("keys", calls.keys, shape=wrapped)
        elif path == "/api/webapp/apiCallDemo":
            self._answer("form", calls.app_form, shape=wrapped, rest=urlsplit(self.path).query)
        elif path == telling.PATH:
            self._tell()
        elif path == "/sandbox/log":
            self.send_json(self.sandbox.log.as_dict())
        elif path == "/sandbox/script":
            self.send_json(self.sandbox.faults.left())
        elif path == "/sandbox/health":
            self.send_json({"ok": True})
        else:
            self.send_json(wrapped(Refusal(412)))

    def _tell(self) -> None:
        """The progress of a task over a WebSocket, for whoever has its address."""
        task = telling.found(self.sandbox.tasks, urlsplit(self.path).query)
        if task is None:
            self.send_json(wrapped(Refusal(412)), 403)
            return
        self.close_connection = True
        answer = telling.Teller(task, self.path, list(self.headers.items()))
        for piece in answer.pieces():
            self.wfile.write(piece)
            self.wfile.flush()

    def _put(self, path: str) -> None:
        """A LoRA, kept by nobody: only that it arrived whole is looked at."""
        digest = hashlib.md5(self.body, usedforsecurity=False).hexdigest()
        if path == f"/loras/{digest}.safetensors":
            self.send(200, b"", "text/plain")
        else:
            self.send(400, b"<Error><Code>BadDigest</Code></Error>", "application/xml")

    def _delete(self, path: str) -> None:
        if path == "/sandbox/script":
            self.sandbox.faults.clear()
        elif path == "/sandbox/log":
            self.sandbox.log.clear()
        else:
            self.send_json(wrapped(Refusal(1009)))
            return
        self.send_json({"ok": True})

    def _add_script(self) -> None:
        try:
            script = json.loads(self.body)
            if not isinstance(script, dict) or not all(
                isinstance(faults, list) for faults in script.values()
            ):
                raise ScriptError("A script is an object: route -> list of faults.")
            for route, faults in script.items():
                self.sandbox.faults.add(route, faults)
        except ValueError as error:
            self.send_json({"error": str(error)}, 400)
            return
        self.send_json(self.sandbox.faults.left())

    def _call(self, route: str, rest: str, fault: Fault) -> Call:
        headers = {name.lower(): value for name, value in self.headers.items()}
        host = headers.get("host", "")
        base = f"http://{host}" if re.fullmatch(r"[\w.\-\[\]:]+", host) else self.sandbox.url
        entry = self.sandbox.log.submit(rest, self.body, headers) if route == "submit" else {}
        return Call(self.sandbox, headers, self.body, base, rest, fault, entry)

    def _answer(self, route: str, work: Answerer, *, shape: Shape, rest: str = "") -> None:
        """Do the work and answer with its JSON, a refusal in the route's shape, or what the script says
        instead.
        """
        fault = self.sandbox.faults.take(route, self.path + "\n" + self.body.decode("utf-8", "replace"))
        call = self._call(route, rest, fault)
        if not fault.get("after"):
            time.sleep(float(fault.get("slow", 0)))
        payload: Any = None
        try:
            if "refuse" in fault:
                raise Refusal(int(fault.get("refuse")), str(fault.get("message", "")))
            if fault.acts_first:
                payload = work(call)
        except Refusal as refusal:
            call.entry["refused"] = refusal.code
            gateway = fault.get("wrapped") or (isinstance(refusal, KeyRefused) and route != "upload")
            payload = wrapped(refusal) if gateway else shape(refusal)
        if fault.get("after"):
            time.sleep(float(fault.get("slow", 0)))
        self._send_bent(fault, payload)

    def _send_bent(self, fault: Fault, payload: Any) -> None:
        if "lost" in fault:
            self.reset()
        if "http" in fault:
            self.send(int(fault.get("http")), b"<html><body>Bad Gateway</body></html>", "text/html")
            return
        if "body" in fault:
            self.send_json(fault.get("body"), int(fault.get("status", 200)))
            return
        if isinstance(payload, dict):
            omitted = fault.get("omit", ())
            payload = {k: v for k, v in {**payload, **fault.get("merge", {})}.items() if k not in omitted}
        text = json.dumps(success(payload) if fault.get("wrap") else payload, ensure_ascii=False)
        if "broken" in fault:
            text = text[: len(text) // 2] or "{"
        self.send(200, text.encode())

    def _download(self, path: str, file: Path | None) -> None:
        """A result or an upload, as the script wants it. An expired or unknown one is a 404."""
        fault = self.sandbox.faults.take("result", self.path)
        entry = self.sandbox.log.download(path, self.headers.get("Range", ""))
        time.sleep(float(fault.get("slow", 0)))
        if "lost" in fault:
            self.reset()
        if "http" in fault or "expired" in fault or file is None:
            entry["status"] = int(fault.get("http", 404))
            self.send(entry["status"], b"<Error><Code>NoSuchKey</Code></Error>", "application/xml")
            return
        content_type = TYPES.get(file.suffix[1:], "application/octet-stream")
        entry["status"] = 200
        if "html" in fault:
            self.send(200, HTML, content_type)
        elif "endless" in fault:
            self.send_endless(file.read_bytes(), content_type)
        elif "cut" in fault:
            entry["bytes"] = self.send_cut(file.read_bytes(), content_type, float(fault.get("cut")))
        elif "drip" in fault:
            self.send_slowly(file.read_bytes(), content_type, float(fault.get("drip")))
        else:
            entry["bytes"] = self.send_file(file, content_type)
