"""The sandbox answers as API.md says RunningHub does."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
import requests

from generations.catalogue.load import get
from generations.catalogue.pricing import estimate
from generations.sandbox import Sandbox
from tests.generations.sandbox.conftest import CLONE, MUSIC, SPEECH, SPOKEN, Api, until


def test_a_submit_is_answered_flat_with_a_task_id_of_19_digits(api: Api) -> None:
    answer = api.submit()
    assert re.fullmatch(r"\d{19}", answer["taskId"])
    assert answer["status"] in ("QUEUED", "RUNNING")
    assert (answer["errorCode"], answer["errorMessage"], answer["results"]) == ("", "", None)


def test_a_task_ends_in_success_with_one_file_and_its_price(api: Api) -> None:
    done = api.finished(api.submit()["taskId"])
    assert done["status"] == "SUCCESS"
    assert [r["outputType"] for r in done["results"]] == ["mp3"]
    assert done["failedReason"] == {}
    price = estimate(get(MUSIC), {"prompt": "calm piano"}).amount
    assert Decimal(done["usage"]["thirdPartyConsumeMoney"]) == price
    assert done["usage"]["taskCostTime"] == "0"
    assert all(value is None or isinstance(value, str) for value in done["usage"].values())


@pytest.mark.parametrize("key", ["", "short", "x" * 33])
def test_a_key_that_is_not_32_characters_is_refused_by_the_gateway(sandbox: Sandbox, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    answer = requests.post(
        f"{sandbox.url}/openapi/v2/{MUSIC}", json={"prompt": "x"}, headers=headers, timeout=5
    )
    assert answer.status_code == 200
    assert answer.json()["code"] == 802
    assert answer.json()["data"] is None
    assert sandbox.tasks == {}


def test_an_upload_with_a_wrong_key_answers_401_in_its_body(sandbox: Sandbox) -> None:
    answer = requests.post(
        f"{sandbox.url}/openapi/v2/media/upload/binary", files={"file": b"x"}, timeout=5
    ).json()
    assert answer["code"] == 401
    assert answer["message"].startswith("ApiKey verification failed")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prompt": "x" * 2001},
        {"prompt": "x", "sampleRate": 44100},
        {"prompt": "x", "bitrate": "1"},
        {"prompt": "x", "colour": "blue"},
        {"prompt": 5},
        {"prompt": ["x"]},
        {"prompt": "x", "webhookUrl": "ftp://x"},
    ],
)
def test_wrong_params_are_refused_with_1007_and_nothing_is_created(
    sandbox: Sandbox, api: Api, body: dict
) -> None:
    answer = api.post(f"/openapi/v2/{MUSIC}", body)
    assert answer.status_code == 200
    assert (answer.json()["taskId"], answer.json()["errorCode"]) == ("", "1007")
    assert answer.json()["errorMessage"]
    assert sandbox.tasks == {}


def test_a_body_that_is_no_json_object_is_refused(api: Api) -> None:
    assert api.post(f"/openapi/v2/{MUSIC}", ["prompt"]).json()["errorCode"] == "1007"
    raw = api.session.post(f"{api.url}/openapi/v2/{MUSIC}", data=b"{", timeout=5)
    assert raw.json()["errorCode"] == "1007"


@pytest.mark.parametrize(
    "path", ["/openapi/v2/nobody/knows", "/openapi/v2/minimax/speech-2.8-hd", "/elsewhere"]
)
def test_a_wrong_path_answers_412(api: Api, path: str) -> None:
    answer = api.post(path, {"prompt": "x"}).json()
    assert str(answer.get("errorCode") or answer.get("code")) == "412"


def test_the_key_is_refused_with_421_when_its_slots_are_taken(api: Api, sandbox: Sandbox) -> None:
    sandbox.script("submit", {"hang": True, "times": 3})
    tasks = [api.submit()["taskId"] for _ in range(3)]
    refused = api.submit()
    assert (refused["taskId"], refused["errorCode"]) == ("", "421")
    assert api.get("/openapi/v2/queue/status").json() == {
        "apiKeyType": "SHARED",
        "concurrentLimit": 3,
        "runningCount": 3,
        "queuedCount": 0,
        "totalCurrentTasks": 3,
    }
    other = Api(sandbox, "o" * 32)
    assert other.submit()["taskId"], "another key has slots of its own"
    assert api.post("/task/openapi/cancel", {"apiKey": sandbox.key, "taskId": tasks[0]}).json()["code"] == 0
    assert api.submit()["taskId"]


def test_a_task_passes_from_queued_over_running_to_success() -> None:
    with Sandbox(pace=0.02, quick=True) as sandbox:
        api = Api(sandbox)
        answer = api.submit(SPEECH, SPOKEN)
        seen = [answer["status"]]

        def over() -> bool:
            status = api.query(answer["taskId"])["status"]
            if status != seen[-1]:
                seen.append(status)
            return status == "SUCCESS"

        until(over)
    assert seen == ["QUEUED", "RUNNING", "SUCCESS"]


def test_an_unknown_task_is_not_found_and_neither_is_that_of_another_key(api: Api, sandbox: Sandbox) -> None:
    mine = api.submit()["taskId"]
    stranger = Api(sandbox, "s" * 32)
    for answer in (api.query("1"), stranger.query(mine), api.post("/openapi/v2/query", {}).json()):
        assert answer["errorCode"] == "1004"
        assert answer["results"] is None
    legacy = {"apiKey": "s" * 32, "taskId": mine}
    assert stranger.post("/task/openapi/status", legacy).json()["code"] == 807


def test_the_balance_goes_down_by_what_was_charged_and_only_on_success(api: Api, sandbox: Sandbox) -> None:
    def left() -> Decimal:
        answer = api.post("/uc/openapi/accountStatus", {"apikey": sandbox.key}).json()
        assert (answer["code"], answer["data"]["currency"], answer["data"]["apiType"]) == (0, "CNY", "SHARED")
        return Decimal(answer["data"]["remainMoney"])

    before = left()
    sandbox.script("submit", {"fail": 1501})
    assert api.finished(api.submit()["taskId"])["errorCode"] == "1501"
    assert left() == before
    done = api.finished(api.submit()["taskId"])
    assert left() == before - Decimal(done["usage"]["thirdPartyConsumeMoney"])


def test_an_empty_wallet_refuses_with_812() -> None:
    with Sandbox(pace=0, quick=True, balance="1.0") as sandbox:
        api = Api(sandbox)
        api.finished(api.submit()["taskId"])
        assert api.submit()["errorCode"] == "812"


def test_the_price_preview_tells_the_price_and_creates_no_task(api: Api, sandbox: Sandbox) -> None:
    answer = api.post(f"/openapi/v2/price-preview/{SPEECH}", SPOKEN).json()
    assert Decimal(answer["estimatedPrice"]) == estimate(get(SPEECH), SPOKEN).amount
    assert (answer["errorCode"], answer["currency"], answer["isFreeThisCall"]) == ("", "CNY", False)
    assert sandbox.tasks == {}


def test_a_failed_task_says_why_in_code_and_reason(api: Api, sandbox: Sandbox) -> None:
    sandbox.script("submit", {"fail": 1504, "message": "the model timed out"})
    done = api.finished(api.submit()["taskId"])
    assert (done["status"], done["errorCode"], done["results"]) == ("FAILED", "1504", None)
    assert done["failedReason"]["exception_message"] == "the model timed out"


def test_a_cancelled_task_ends_free_of_charge_and_cannot_be_cancelled_twice(
    api: Api, sandbox: Sandbox
) -> None:
    sandbox.script("submit", {"hang": True})
    task_id = api.submit()["taskId"]
    body = {"apiKey": sandbox.key, "taskId": task_id}
    assert api.post("/task/openapi/cancel", body).json() == {"code": 0, "msg": "success", "data": None}
    assert api.query(task_id)["status"] == "CANCEL"
    assert api.query(task_id)["usage"]["thirdPartyConsumeMoney"] is None
    assert api.post("/task/openapi/cancel", body).json()["code"] == 805
    assert api.post("/task/openapi/cancel", {**body, "taskId": "1"}).json()["code"] == 807


def test_the_older_status_and_outputs_calls_speak_in_codes(api: Api, sandbox: Sandbox) -> None:
    sandbox.script("submit", {"hang": True}, "ok", {"fail": 1015})
    hanging, good, bad = (api.submit()["taskId"] for _ in range(3))
    api.finished(good)
    api.finished(bad)

    def outputs(task_id: str) -> dict:
        return api.post("/task/openapi/outputs", {"apiKey": sandbox.key, "taskId": task_id}).json()

    assert outputs(hanging)["code"] == 804
    assert outputs(bad)["code"] == 805
    assert outputs(bad)["data"]["failedReason"]
    assert outputs(good)["data"][0]["fileType"] == "mp3"
    status = api.post("/task/openapi/status", {"apiKey": sandbox.key, "taskId": good}).json()
    assert status == {"code": 0, "msg": "success", "data": "SUCCESS"}


def test_a_required_param_has_to_be_sent_even_when_it_has_a_default(api: Api) -> None:
    body = {key: value for key, value in SPOKEN.items() if key != "english_normalization"}
    assert api.submit(SPEECH, body)["errorCode"] == "1007"
    assert api.submit(CLONE, {"text": "x"})["errorCode"] == "1007"


def test_the_log_keeps_bodies_and_headers_but_no_key(api: Api, sandbox: Sandbox) -> None:
    task_id = api.submit(MUSIC, {"prompt": "harp"})["taskId"]
    api.query(task_id)
    log = api.get("/sandbox/log").json()
    assert log["submits"][0]["body"] == {"prompt": "harp"}
    assert log["submits"][0]["taskId"] == task_id
    assert log["queries"] == {task_id: 1}
    assert sandbox.key not in str(log)
    assert sandbox.submits == log["submits"]
    api.session.delete(api.url + "/sandbox/log", timeout=5)
    assert sandbox.submits == []


def test_one_connection_carries_many_requests(api: Api, sandbox: Sandbox) -> None:
    for _ in range(5):
        assert api.get("/openapi/v2/queue/status").status_code == 200
    pools = api.session.get_adapter(api.url).poolmanager.pools
    assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118 - not a dict
