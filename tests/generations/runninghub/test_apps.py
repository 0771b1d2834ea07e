from __future__ import annotations

import contextlib
import hashlib
import io
import json
from typing import Any

import pytest

from generations.runninghub import Client
from generations.runninghub.errors import (
    DownloadFailed,
    NotAccepted,
    ReadRefused,
    Refused,
    Unclear,
    Unreachable,
)

from .conftest import KEY
from .wire import Wire, answer, send

NODES = [{"nodeId": "39", "fieldName": "image", "fieldValue": "a.png", "fieldType": "IMAGE"}]
RUN = "/task/openapi/ai-app/run"


def test_the_form_of_an_app_is_asked_with_the_key_in_the_address(wire: Wire, client: Client) -> None:
    wire.script(answer({"code": 0, "msg": "success", "data": {"webappName": "Boats", "nodeInfoList": NODES}}))
    form = client.app_form("1877265245566922753")
    assert (form.name, list(form.nodes)) == ("Boats", NODES)
    assert wire.seen[0].method == "GET"
    assert wire.seen[0].path == f"/api/webapp/apiCallDemo?webappId=1877265245566922753&apiKey={KEY}"


@pytest.mark.parametrize(
    "data", [None, {}, {"nodeInfoList": []}, {"nodeInfoList": "no"}, {"nodeInfoList": [1]}]
)
def test_a_form_without_inputs_is_none(wire: Wire, client: Client, data: Any) -> None:
    wire.script(answer({"code": 0, "msg": "success", "data": data}))
    with pytest.raises(Unreachable, match="no_form"):
        client.app_form("1")


def test_an_unknown_app_is_a_refusal_that_does_not_tell_the_key(wire: Wire, client: Client) -> None:
    wire.script(answer({"code": 901, "msg": f"WEBAPP_NOT_EXISTS for {KEY}", "data": None}))
    with pytest.raises(ReadRefused) as refused:
        client.app_form("1")
    assert refused.value.code == "901"
    assert KEY not in str(refused.value)


def test_the_log_never_has_the_key(
    wire: Wire, client: Client, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Of an odd answer urllib3 tells the whole address, in which this call has the key."""
    body = json.dumps({"code": 0, "msg": "", "data": {"webappName": "Boats", "nodeInfoList": NODES}})
    head = (
        f"HTTP/1.1 200 OK\r\nbroken header line\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    wire.script(send((head + body).encode()))
    with contextlib.suppress(Unreachable):
        client.app_form("1")
    assert wire.seen
    assert KEY not in caplog.text
    assert KEY not in capsys.readouterr().err


@pytest.mark.parametrize("as_text", [True, False])
def test_the_graph_of_a_workflow_is_read(wire: Wire, client: Client, as_text: bool) -> None:
    graph = {"3": {"class_type": "KSampler", "inputs": {"seed": 7}}}
    wire.script(
        answer({"code": 0, "msg": "success", "data": {"prompt": json.dumps(graph) if as_text else graph}})
    )
    assert client.workflow("1850925505116598274") == graph
    assert wire.seen[0].path == "/api/openapi/getJsonApiFormat"
    assert wire.seen[0].json == {"apiKey": KEY, "workflowId": "1850925505116598274"}


@pytest.mark.parametrize("prompt", [None, "", "{broken", "[1]", "{}", 7, "[" * 100_000])
def test_a_graph_that_cannot_be_read_is_none(wire: Wire, client: Client, prompt: Any) -> None:
    wire.script(answer({"code": 0, "msg": "success", "data": {"prompt": prompt}}))
    with pytest.raises(Unreachable):
        client.workflow("1")


def test_an_app_is_started_once_with_the_key_in_the_body(wire: Wire, client: Client) -> None:
    data = {"taskId": "1904136902449209346", "clientId": "c", "taskStatus": "QUEUED", "netWssUrl": None}
    wire.script(answer({"code": 0, "msg": "success", "data": data}))
    made = client.run(RUN, {"webappId": "1", "nodeInfoList": NODES})
    assert (made.upstream_id, made.status) == ("1904136902449209346", "QUEUED")
    assert [(seen.path, seen.json) for seen in wire.seen] == [
        (RUN, {"apiKey": KEY, "webappId": "1", "nodeInfoList": NODES})
    ]
    assert wire.seen[0].headers["connection"] == "close"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (421, NotAccepted),
        (415, NotAccepted),
        (814, NotAccepted),
        (803, Refused),
        (433, Refused),
        (805, Unclear),
    ],
)
def test_a_start_that_is_turned_down_is_judged_as_a_submit(
    wire: Wire, client: Client, code: int, error: type[Exception]
) -> None:
    wire.script(answer({"code": code, "msg": "no", "data": None}))
    with pytest.raises(error):
        client.run(RUN, {"webappId": "1"})
    assert len(wire.seen) == 1


def test_a_lora_is_sent_where_runninghub_says_and_without_the_key(wire: Wire, client: Client) -> None:
    data, md5 = b"weights" * 1000, hashlib.md5(b"weights" * 1000).hexdigest()
    place = {"fileName": f"api-lora-cn/{md5}.safetensors", "url": f"{wire.url}/bucket/{md5}?sign=1"}
    wire.script(answer({"code": 0, "msg": "success", "data": place}), answer({}))
    assert client.upload_lora(io.BytesIO(data), name="sea") == place["fileName"]
    asked, put = wire.seen
    assert (asked.path, asked.json["md5Hex"]) == ("/api/openapi/getLoraUploadUrl", md5)
    assert (put.method, put.path, put.body) == ("PUT", f"/bucket/{md5}?sign=1", data)
    assert "authorization" not in put.headers
    assert put.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("url", ["http://10.0.0.1/x", "ftp://example.com/x", "nowhere"])
def test_a_lora_goes_into_no_private_network(wire: Wire, client: Client, url: str) -> None:
    wire.script(answer({"code": 0, "data": {"fileName": "api-lora-cn/x", "url": url}}))
    with pytest.raises(DownloadFailed):
        client.upload_lora(io.BytesIO(b"x"), name="sea")


def test_a_lora_that_is_not_taken_is_an_error(wire: Wire, client: Client) -> None:
    place = {"fileName": "api-lora-cn/x", "url": f"{wire.url}/bucket/x"}
    wire.script(answer({"code": 0, "data": place}), answer({}, 403))
    with pytest.raises(DownloadFailed, match="http_403"):
        client.upload_lora(io.BytesIO(b"x"), name="sea")
