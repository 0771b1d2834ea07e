"""Results and uploads: served with Range, expiring, and broken on demand."""

from __future__ import annotations

import pytest
import requests

from generations.sandbox import Sandbox
from tests.generations.sandbox.conftest import Api, tone, until


@pytest.fixture
def result(api: Api) -> str:
    """The address of a finished result."""
    return api.finished(api.submit()["taskId"])["results"][0]["url"]


def test_a_result_is_served_whole_without_a_key(result: str) -> None:
    answer = requests.get(result, timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert int(answer.headers["Content-Length"]) == len(answer.content) > 5000
    head = requests.head(result, timeout=5)
    assert head.headers["Content-Length"] == answer.headers["Content-Length"]


@pytest.mark.parametrize(
    ("asked", "status", "length"),
    [
        ("bytes=0-99", 206, 100),
        ("bytes=100-", 206, -100),
        ("bytes=-50", 206, 50),
        ("bytes=99999999-", 416, 0),
        ("lines=1", 200, 0),
    ],
)
def test_a_result_is_served_in_ranges(result: str, asked: str, status: int, length: int) -> None:
    whole = requests.get(result, timeout=5).content
    answer = requests.get(result, headers={"Range": asked}, timeout=5)
    assert answer.status_code == status
    if status == 206:
        size = length if length > 0 else len(whole) + length
        assert len(answer.content) == size
        first = int(answer.headers["Content-Range"].split()[1].split("-")[0])
        assert answer.content == whole[first : first + size]
    elif status == 200:
        assert answer.content == whole


def test_a_result_expires() -> None:
    with Sandbox(pace=0, quick=True, result_seconds=0.3) as sandbox:
        api = Api(sandbox)
        address = api.finished(api.submit()["taskId"])["results"][0]["url"]
        until(lambda: requests.get(address, timeout=5).status_code == 404)


def test_a_result_answers_404_twice_then_works(sandbox: Sandbox, result: str) -> None:
    sandbox.script("result", {"http": 404, "times": 2})
    assert [requests.get(result, timeout=5).status_code for _ in range(3)] == [404, 404, 200]
    assert [entry["status"] for entry in sandbox.log.downloads] == [404, 404, 200]


def test_a_download_is_cut_half_way(sandbox: Sandbox, result: str) -> None:
    sandbox.script("result", {"cut": 0.5})
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        requests.get(result, timeout=5)


def test_a_web_page_is_served_as_sound(sandbox: Sandbox, result: str) -> None:
    sandbox.script("result", "html")
    answer = requests.get(result, timeout=5)
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert answer.content.startswith(b"<!doctype html")


def test_an_endless_file_goes_on_until_the_client_leaves(sandbox: Sandbox, result: str) -> None:
    sandbox.script("result", "endless")
    with requests.get(result, stream=True, timeout=5) as answer:
        assert "Content-Length" not in answer.headers
        total = 0
        for piece in answer.iter_content(1 << 16):
            total += len(piece)
            if total > 2_000_000:
                break
    assert total > 2_000_000


def test_an_upload_can_be_fetched_again_and_expires(sandbox: Sandbox, api: Api) -> None:
    data = tone()
    answer = api.upload(data)
    assert answer["code"] == 0
    told = answer["data"]
    assert (told["type"], told["size"]) == ("audio", str(len(data)))
    assert told["fileName"].startswith("openapi/")
    assert requests.get(told["download_url"], timeout=5).content == data
    sandbox.ledger.upload_seconds = 0
    assert requests.get(told["download_url"], timeout=5).status_code == 404


def test_an_upload_without_a_file_is_refused_with_808(api: Api) -> None:
    answer = api.session.post(f"{api.url}/openapi/v2/media/upload/binary", files={"other": b"x"}, timeout=5)
    assert answer.json()["code"] == 808


@pytest.mark.thorough
def test_the_older_upload_has_a_limit_of_30_mb(api: Api, sandbox: Sandbox) -> None:
    def upload(data: bytes) -> dict:
        form = {"apiKey": sandbox.key, "fileType": "input"}
        return api.session.post(
            f"{api.url}/task/openapi/upload", data=form, files={"file": ("a.wav", data)}, timeout=20
        ).json()

    assert upload(b"RIFF")["data"]["fileName"].startswith("api/")
    assert upload(b"\0" * (30 * 1024 * 1024 + 1))["code"] == 809


@pytest.mark.parametrize("path", ["/results/..%2f..%2fetc%2fpasswd", "/uploads/../x", "/results/"])
def test_an_address_outside_our_files_is_not_found(api: Api, path: str) -> None:
    assert api.get(path).status_code == 404 or api.get(path).json()["code"] == 412
