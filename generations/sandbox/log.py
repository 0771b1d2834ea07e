"""What reached the sandbox, for tests and for people who rehearse. Keys are never kept."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

KEPT = 20_000
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
SECRET_FIELDS = frozenset({"apikey", "accesspassword"})


class Log:
    """``submits``: every submit that got as far as its body, with ``taskId`` or ``refused`` (the code).

    ``queries``: task id -> number of queries. ``downloads``, ``uploads``, ``cancels``, ``webhooks``: in
    order.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.submits: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.queries: Counter[str] = Counter()
        self.downloads: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.uploads: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.cancels: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.webhooks: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def clear(self) -> None:
        with self._lock:
            self.queries.clear()
            for entries in (self.submits, self.downloads, self.uploads, self.cancels, self.webhooks):
                entries.clear()

    def submit(self, endpoint: str, data: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """The entry just made, its body as JSON or else as text; the caller adds the outcome."""
        try:
            body = json.loads(data)
        except (ValueError, RecursionError):
            body = data.decode("utf-8", "replace")
        entry = {
            "at": time.time(),
            "endpoint": endpoint,
            "body": {k: v for k, v in body.items() if k.lower() not in SECRET_FIELDS}
            if isinstance(body, dict)
            else body,
            "headers": {k: v for k, v in headers.items() if k.lower() not in SECRET_HEADERS},
        }
        with self._lock:
            self.submits.append(entry)
        return entry

    def query(self, task_id: object) -> None:
        with self._lock:
            self.queries[str(task_id)] += 1

    def download(self, path: str, span: str) -> dict[str, Any]:
        """The entry just made; the caller adds ``status`` and ``bytes``."""
        entry: dict[str, Any] = {"at": time.time(), "path": path, "range": span, "bytes": 0}
        with self._lock:
            self.downloads.append(entry)
        return entry

    def upload(self, name: str, record: Mapping[str, Any]) -> None:
        with self._lock:
            self.uploads.append(
                {"at": time.time(), "name": name, "stored": record["name"], "size": record["size"]}
            )

    def cancel(self, task_id: object) -> None:
        with self._lock:
            self.cancels.append({"at": time.time(), "taskId": task_id})

    def webhook(self, task_id: str, answer: str) -> None:
        with self._lock:
            self.webhooks.append({"at": time.time(), "taskId": task_id, "answer": answer})

    def as_dict(self) -> dict[str, Any]:
        with self._lock:
            return {
                "submits": list(self.submits),
                "queries": dict(self.queries),
                "downloads": list(self.downloads),
                "uploads": list(self.uploads),
                "cancels": list(self.cancels),
                "webhooks": list(self.webhooks),
            }
