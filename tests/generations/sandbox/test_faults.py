"""The sandbox misbehaves exactly as scripted, and then no more."""

from __future__ import annotations

import pytest
import requests

from generations.sandbox import Sandbox, ScriptError
from generations.sandbox.faults import ROUTES, Fault, Script
from tests.generations.sandbox.conftest import MUSIC, Api


def test_full_twice_then_done(api: Api, sandbox: Sandbox) -> None:
    sandbox.script("submit", 421, 421, "ok")
    answers = [api.submit() for _ in range(3)]
    assert [a["errorCode"] for a in answers] == ["421", "421", ""]
    assert [bool(a["taskId"]) for a in answers] == [False, False, True]
    assert len(sandbox.tasks) == 1
    assert [s.get("refused") for s in sandbox.submits] == [421, 421, None]


def test_an_answer_can_be_lost_after_the_task_was_created(api: Api, sandbox: Sandbox) -> None:
    sandbox.script("submit", "lost")
    with pytest.raises(requests.ConnectionError):
        api.submit()
    assert len(sandbox.tasks) == 1
    assert sandbox.submits[0]["taskId"] in sandbox.tasks


def test_a_connection_can_be_lost_before_anything_was_done(api: Api, sandbox: Sandbox) -> None:
    sandbox.script("submit", {"lost": "before"})
    with pytest.raises(requests.ConnectionError):
        api.submit()
    assert sandbox.tasks == {}
    assert len(sandbox.submits) == 1


@pytest.mark.parametrize(("after", "tasks"), [(True, 1), (False, 0)])
def test_a_502_comes_before_or_after_acceptance(api: Api, sandbox: Sandbox, after: bool, tasks: int) -> None:
    sandbox.script("submit", {"http": 502, "after": after})
    assert api.post(f"/openapi/v2/{MUSIC}", {"prompt": "x"}).status_code == 502
    assert len(sandbox.tasks) == tasks


def test_broken_json_comes_after_acceptance(api: Api, sandbox: Sandbox) -> None:
    sandbox.script("submit", "broken")
    answer = api.post(f"/openapi/v2/{MUSIC}", {"prompt": "x"})
    assert answer.status_code == 200
    with pytest.raises(ValueError):  # noqa: PT011 - which class depends on the decoder
        answer.json()
    assert len(sandbox.tasks) == 1


def test_a_slow_answer_times_out_a_client_although_the_task_exists(api: Api, sandbox: Sandbox) -> None:
    sandbox.script("submit", {"slow": 1, "after": True})
    with pytest.raises(requests.Timeout):
        api.session.post(f"{api.url}/openapi/v2/{MUSIC}", json={"prompt": "x"}, timeout=0.2)
    assert len(sandbox.tasks) == 1


def test_a_query_fails_as_often_as_asked(api: Api, sandbox: Sandbox) -> None:
    task_id = api.submit()["taskId"]
    sandbox.script("query", {"http": 500, "times": 3})
    codes = [api.post("/openapi/v2/query", {"taskId": task_id}).status_code for _ in range(4)]
    assert codes == [500, 500, 500, 200]


def test_answers_can_be_bent_wrapped_and_stripped(api: Api, sandbox: Sandbox) -> None:
    task_id = api.submit()["taskId"]
    sandbox.script(
        "query", {"merge": {"status": "WARPED"}}, {"omit": ["usage"]}, {"wrap": True}, {"body": [1]}
    )
    assert api.query(task_id)["status"] == "WARPED"
    assert "usage" not in api.query(task_id)
    assert api.query(task_id)["data"]["taskId"] == task_id
    assert api.query(task_id) == [1]


def test_a_refusal_can_come_in_the_shape_of_the_gateway(api: Api, sandbox: Sandbox) -> None:
    sandbox.script("submit", {"refuse": 1003, "wrapped": True, "message": "slow down"})
    assert api.submit() == {"code": 1003, "msg": "slow down", "data": None}


def test_a_deaf_task_answers_a_cancel_and_goes_on(api: Api, sandbox: Sandbox) -> None:
    sandbox.script("submit", {"deaf": True, "seconds": 0.2})
    task_id = api.submit()["taskId"]
    assert api.post("/task/openapi/cancel", {"apiKey": sandbox.key, "taskId": task_id}).json()["code"] == 0
    assert api.finished(task_id)["status"] == "SUCCESS"


def test_a_task_can_end_with_scripted_results(api: Api, sandbox: Sandbox) -> None:
    sandbox.script("submit", {"results": [{"url": None, "outputType": "txt", "text": "words"}]})
    assert api.finished(api.submit()["taskId"])["results"][0]["text"] == "words"


def test_a_fault_waits_for_the_request_it_is_meant_for(api: Api, sandbox: Sandbox) -> None:
    sandbox.script("submit", {"refuse": 1501, "when": "forbidden"})
    assert api.submit(MUSIC, {"prompt": "allowed"})["taskId"]
    assert api.submit(MUSIC, {"prompt": "forbidden"})["errorCode"] == "1501"


def test_the_script_is_written_read_and_cleared_over_http(api: Api, sandbox: Sandbox) -> None:
    left = api.post("/sandbox/script", {"submit": [421, "ok"], "query": [{"http": 500, "times": 0}]}).json()
    assert left["query"] == [{"http": 500, "times": 0}]
    assert api.submit()["errorCode"] == "421"
    assert len(api.get("/sandbox/script").json()["submit"]) == 1
    api.session.delete(api.url + "/sandbox/script", timeout=5)
    assert api.get("/sandbox/script").json() == {}
    assert api.query("1")["errorCode"] == "1004"


@pytest.mark.thorough
@pytest.mark.parametrize(
    "script",
    [
        {"nowhere": [421]},
        {"submit": ["explode"]},
        {"result": [{"refuse": 421}]},
        {"submit": 421},
        {"query": [None]},
        [],
        5,
    ],
)
def test_a_script_outside_the_vocabulary_is_refused_with_a_sentence(api: Api, script: object) -> None:
    answer = api.post("/sandbox/script", script)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_wrong_fault_leaves_the_script_as_it_was() -> None:
    script = Script()
    with pytest.raises(ScriptError):
        script.add("submit", [421, "explode"])
    assert script.left() == {}


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_can_be_slow(route: str) -> None:
    assert Fault.read(route, {"slow": 1}).get("slow") == 1


def test_zero_times_means_until_cleared() -> None:
    script = Script()
    script.add("query", [{"http": 500, "times": 0}])
    assert all("http" in script.take("query") for _ in range(50))
    script.clear()
    assert "http" not in script.take("query")
