"""The call at the end of a task, its repeats, and the two calls about it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from generations.sandbox import Sandbox
from tests.generations.sandbox.conftest import MUSIC, Api, until


class Receiver(ThreadingHTTPServer):
    """Keeps what it is told and answers with the statuses it was given, then 200."""

    daemon_threads = True

    def __init__(self) -> None:
        self.calls: list[dict] = []
        self.statuses: list[int] = []
        super().__init__(("127.0.0.1", 0), Hook)
        self.url = f"http://127.0.0.1:{self.server_port}/hook"


class Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver: Receiver = self.server  # type: ignore[assignment]
        receiver.calls.append(json.loads(body))
        self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_end_of_a_task_is_announced_with_a_document_in_a_string(api: Api, receiver: Receiver) -> None:
    task_id = api.submit(MUSIC, {"prompt": "x", "webhookUrl": receiver.url})["taskId"]
    until(lambda: receiver.calls)
    call = receiver.calls[0]
    assert (call["event"], call["taskId"]) == ("TASK_END", task_id)
    event = json.loads(call["eventData"])
    assert (event["taskId"], event["status"]) == (task_id, "SUCCESS")


def test_a_call_that_is_not_answered_200_is_repeated_three_times(
    api: Api, sandbox: Sandbox, receiver: Receiver
) -> None:
    receiver.statuses = [500] * 9
    task_id = api.submit(MUSIC, {"prompt": "x", "webhookUrl": receiver.url})["taskId"]

    def detail() -> dict:
        return api.post("/task/openapi/getWebhookDetail", {"apiKey": sandbox.key, "taskId": task_id}).json()

    until(lambda: detail().get("data", {}) and detail()["data"]["callbackStatus"] == "FAILED")
    assert len(receiver.calls) == 4
    assert detail()["data"]["retryCount"] == 3
    receiver.statuses = []
    body = {"apiKey": sandbox.key, "webhookId": detail()["data"]["id"], "webhookUrl": receiver.url}
    assert api.post("/task/openapi/retryWebhook", body).json()["code"] == 0
    until(lambda: detail()["data"]["callbackStatus"] == "SUCCESS" and len(receiver.calls) == 5)


def test_a_task_without_a_webhook_has_no_event(api: Api, sandbox: Sandbox) -> None:
    task_id = api.submit()["taskId"]
    answer = api.post("/task/openapi/getWebhookDetail", {"apiKey": sandbox.key, "taskId": task_id}).json()
    assert answer["code"] == 1


def test_a_call_can_be_lost_or_doubled(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.script("webhook", "lost", "twice")
    for prompt in ("first", "second"):
        api.finished(api.submit(MUSIC, {"prompt": prompt, "webhookUrl": receiver.url})["taskId"])
        until(lambda: prompt == "first" or len(receiver.calls) == 2)  # noqa: B023 - called at once
    assert len({call["taskId"] for call in receiver.calls}) == 1
