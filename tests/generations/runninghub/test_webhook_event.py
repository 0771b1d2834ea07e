"""Looking up the call that RunningHub made at the end of a task, and having it made again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from generations.runninghub import Client
from generations.runninghub.errors import ReadRefused, Unreachable
from generations.sandbox import Sandbox

ENDPOINT = "minimax/music-2.6/text-to-instrumental"


@pytest.fixture(scope="module")
def bell() -> Iterator[tuple[str, list[str]]]:
    """A listener: its address, and the paths it was called at."""
    calls: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            calls.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", calls
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(slots=20, pace=0, quick=True) as running:
        yield running


@pytest.fixture
def client(box: Sandbox) -> Iterator[Client]:
    client = Client(base_url=box.url, api_key="k" * 32)
    yield client
    client.close()
    box.clear_script()


def until(found: Any) -> Any:
    give_up = time.monotonic() + 10
    while not (value := found()):
        assert time.monotonic() < give_up
        time.sleep(0.01)
    return value


def test_an_event_that_was_lost_is_found_and_sent_again(
    box: Sandbox, client: Client, bell: tuple[str, list[str]]
) -> None:
    address, calls = bell
    box.script("webhook", "lost")
    task = client.submit(ENDPOINT, {"prompt": "Rain", "webhookUrl": f"{address}/first"}).upstream_id
    event = until(lambda: client.webhook_event(task))
    assert (event.upstream_id, event.url, event.status) == (task, f"{address}/first", "PENDING")
    assert calls == []
    client.retry_webhook(event.id, f"{address}/second")
    until(lambda: calls == ["/second"])
    again = until(lambda: (e := client.webhook_event(task)) and e.status == "SUCCESS" and e)
    assert again.url == f"{address}/second"


def test_a_task_that_runs_has_no_event_yet_and_an_unknown_one_is_refused(
    box: Sandbox, client: Client
) -> None:
    box.script("submit", {"hang": True})
    task = client.submit(ENDPOINT, {"prompt": "Rain", "webhookUrl": "http://127.0.0.1:9/x"}).upstream_id
    assert client.webhook_event(task) is None
    with pytest.raises(ReadRefused) as unknown:
        client.webhook_event("1999")
    assert unknown.value.reason == "missing"


@pytest.mark.parametrize(
    "fault", ["lost", "broken", {"http": 502}, {"body": {"code": 0, "data": None}}, {"merge": {"taskId": "7"}}],
    ids=str,
)  # fmt: skip
def test_an_answer_that_is_none_is_no_event(box: Sandbox, client: Client, fault: Any) -> None:
    box.script("submit", {"hang": True})
    task = client.submit(ENDPOINT, {"prompt": "Rain", "webhookUrl": "http://127.0.0.1:9/x"}).upstream_id
    if fault == {"merge": {"taskId": "7"}}:
        fault = {"body": {"code": 0, "data": {"id": "1", "taskId": "7", "webhookUrl": "http://x.example"}}}
    box.script("webhook-detail", fault)
    with pytest.raises(Unreachable):
        client.webhook_event(task)


@pytest.mark.parametrize("fault", ["lost", {"refuse": 1}, {"refuse": 802}, {"http": 503}], ids=str)
def test_a_resend_that_is_refused_says_so(box: Sandbox, client: Client, fault: Any) -> None:
    box.script("webhook-retry", fault)
    with pytest.raises((ReadRefused, Unreachable)):
        client.retry_webhook("12", "http://127.0.0.1:9/x")
