"""The sandbox tells of running apps and workflows over a WebSocket, to whoever has the address."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from accounts.models import Membership
from generations import live
from generations.models import Generation, State
from generations.pipeline import listen, watch
from generations.pipeline.accept import accept
from generations.runninghub import Client
from generations.runninghub.telling import Told
from generations.sandbox import Sandbox
from tests.conftest import point_at
from tests.generations.test_own_models_live import brought, settled

WORKFLOW = "1900000000000000101"
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


def eventually(ask: Callable[[], Any], seconds: float = 8.0) -> Any:
    until = time.monotonic() + seconds
    while not (found := ask()) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def test_a_workflow_tells_node_after_node_and_then_its_end(sandbox: Sandbox) -> None:
    client = Client(base_url=sandbox.url, api_key=sandbox.key)
    sandbox.script("submit", {"seconds": 2.5})
    task = client.run("/task/openapi/create", {"workflowId": WORKFLOW}).upstream_id
    address = eventually(lambda: client.progress_address(task))
    assert address.startswith(f"ws://{urlsplit(sandbox.url).netloc}/ws/c_instance?")
    told: list[Told] = []
    client.listen(address, told.append, lambda: True)
    nodes = list(dict.fromkeys(one.node for one in told))
    assert nodes == ["3", "4", "6", "7", "9", ""]
    assert told[-1] == Told("", 1.0)
    assert all(one.share is None or 0 <= one.share <= 1 for one in told)
    assert client.progress_address(task) == ""


def test_without_its_secret_the_wire_is_closed(sandbox: Sandbox) -> None:
    client = Client(base_url=sandbox.url, api_key=sandbox.key)
    sandbox.script("submit", {"hang": True})
    task = client.run("/task/openapi/create", {"workflowId": WORKFLOW}).upstream_id
    where = urlsplit(sandbox.url)
    for query in ("", f"taskId={task}", f"taskId={task}&Rh-Comfy-Auth=guessed", "taskId=1&Rh-Comfy-Auth="):
        called = http.client.HTTPConnection(where.netloc, timeout=10)
        called.request("GET", f"/ws/c_instance?{query}", headers=UPGRADE)
        assert called.getresponse().status == 403
        called.close()


def test_standard_models_tell_nothing(sandbox: Sandbox) -> None:
    client = Client(base_url=sandbox.url, api_key=sandbox.key)
    sandbox.script("submit", {"hang": True})
    task = client.submit("minimax/music-2.6/text-to-instrumental", {"prompt": "Rain"}).upstream_id
    assert client.progress_address(task) == ""


@pytest.mark.django_db(transaction=True)
def test_the_watcher_has_it_listened_to(sandbox: Sandbox, mona: Membership, settings: Any) -> None:
    """The whole way with nothing in between: order, watcher, wire, cache; and the end comes by polling."""
    settings.LISTENS = True
    point_at(settings, sandbox.url)
    spec = settled(brought(mona, "workflow", WORKFLOW), mona, {"text": {"use": "ask"}})
    sandbox.script("submit", {"seconds": 6})
    row = accept(mona, spec.slug, {"text": "A pier"}).generation
    heard = []
    watch.watch(5.0)
    heard.append(live.of([Generation.objects.get(pk=row.pk)]).get(row.pk))
    eventually(lambda: watch.watch(2.0) and Generation.objects.get(pk=row.pk).is_over, 40)
    assert Generation.objects.get(pk=row.pk).status == State.SUCCEEDED
    assert heard[0] is not None
    assert heard[0].node in ("Sampler", "CheckpointLoaderSimple", "Prompt", "AspectRatio", "SaveImage")
    assert eventually(lambda: listen.here.is_quiet)
