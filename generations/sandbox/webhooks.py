"""The calls made when a task ends (API.md 4): ``TASK_END``, repeated up to three times."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from generations.sandbox.faults import Script
from generations.sandbox.log import Log
from generations.sandbox.tasks import Task

TRIES = 4
"""The first call and three repeats."""
WAITS = (20.0, 60.0, 100.0)
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Calls go straight to their address: a proxy of the machine would only hide a listener on loopback."""


def webhook_id(task: Task) -> str:
    digest = hashlib.sha256(f"{task.task_id}/webhook".encode()).hexdigest()
    return str(int(digest[:15], 16) % 10**18 + 10**18)


class Webhooks:
    """Delivers in threads of its own. ``waits`` are the seconds before each repeat, scaled by the pace."""

    def __init__(self, script: Script, pace: float, log: Log) -> None:
        self._script, self._pace, self._log = script, pace, log
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def announce(self, task: Task, base: str, save: Callable[[Task], None]) -> None:
        """Call the task's address, if it has one. Returns at once."""
        if not task.webhook_url:
            return
        event = task.queried(base)
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        task.webhook = {
            "id": webhook_id(task),
            "taskId": task.task_id,
            "webhookUrl": task.webhook_url,
            "eventData": json.dumps(event, ensure_ascii=False),
            "callbackStatus": "PENDING",
            "callbackResponse": "",
            "retryCount": 0,
            "createTime": now,
            "updateTime": now,
        }
        save(task)
        self.deliver(task, save)

    def deliver(self, task: Task, save: Callable[[Task], None]) -> None:
        threading.Thread(target=self._deliver, args=(task, save), name="sandbox-webhook", daemon=True).start()

    def _deliver(self, task: Task, save: Callable[[Task], None]) -> None:
        message: Any = {"event": "TASK_END", "taskId": task.task_id, "eventData": task.webhook["eventData"]}
        fault = self._script.take("webhook", json.dumps(message, ensure_ascii=False))
        if "lost" in fault:
            return
        if "body" in fault:
            message = fault.get("body")
        self._stopping.wait(float(fault.get("slow", 0)))
        data = json.dumps(message, ensure_ascii=False).encode()
        if "twice" in fault:
            self._call(task, data)
        for attempt in range(TRIES):
            answer = self._call(task, data)
            reached = answer == "200"
            status = "SUCCESS" if reached else "RETRYING" if attempt + 1 < TRIES else "FAILED"
            task.webhook.update(callbackStatus=status, callbackResponse=answer, retryCount=attempt)
            task.webhook["updateTime"] = time.strftime("%Y-%m-%d %H:%M:%S")
            save(task)
            if reached or attempt + 1 == TRIES:
                return
            if self._stopping.wait(max(WAITS[attempt] * self._pace, 0.05)):
                return

    def _call(self, task: Task, data: bytes) -> str:
        request = urllib.request.Request(  # noqa: S310 - a submit takes http and https only
            task.webhook["webhookUrl"], data=data, headers={"Content-Type": "application/json"}, method="POST"
        )
        try:
            with DIRECT.open(request, timeout=10) as response:
                answer = str(response.status)
        except urllib.error.HTTPError as error:
            answer = str(error.code)
            error.close()
        except (OSError, ValueError) as error:
            answer = f"no answer: {type(error).__name__}"
        self._log.webhook(task.task_id, answer)
        return answer
