from __future__ import annotations

import hashlib
from typing import Any

import pytest

from accounts.models import Membership
from generations.models import Output, State
from tests.conftest import tone
from tests.generations.api.conftest import Program

DATA = tone()


@pytest.fixture
def bobs(bob: Membership, program_of: Any) -> Program:
    return program_of(bob)


@pytest.fixture
def path(bob: Membership, make_generation: Any) -> str:
    return f"generations/{make_generation(bob, outputs=1).pk}/outputs/0/content"


def whole(answer: Any) -> bytes:
    return b"".join(answer) if answer.streaming else bytes(answer.content)


def test_the_bytes_are_those_that_were_stored(bobs: Program, path: str) -> None:
    answer = bobs.get(path)
    assert answer.status_code == 200
    assert whole(answer) == DATA
    assert answer.headers["Content-Type"] == "audio/wav"
    assert answer.headers["Content-Length"] == str(len(DATA))
    assert answer.headers["ETag"] == f'"{hashlib.sha256(DATA).hexdigest()}"'
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "private" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("asked", "given"),
    [("bytes=0-9", (0, 10)), ("bytes=100-", (100, len(DATA))), ("bytes=-7", (len(DATA) - 7, len(DATA)))],
)
def test_a_range_gives_a_part(asked: str, given: tuple[int, int], bobs: Program, path: str) -> None:
    answer = bobs.get(path, Range=asked)
    start, stop = given
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(DATA)}"
    assert whole(answer) == DATA[start:stop]


def test_a_range_outside_the_file_is_a_problem_with_the_size(bobs: Program, path: str) -> None:
    answer = bobs.get(path, Range="bytes=99999999-")
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{len(DATA)}"
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_what_is_already_there_is_not_sent_again(bobs: Program, path: str) -> None:
    etag = bobs.head(path).headers["ETag"]
    assert bobs.get(path, If_None_Match=etag).status_code == 304
    answer = bobs.get(path, If_Match='"other"')
    assert (answer.status_code, answer.json()["code"]) == (412, "condition_failed")


def test_head_has_the_headers_and_no_body(bobs: Program, path: str) -> None:
    answer = bobs.head(path)
    assert (answer.status_code, whole(answer)) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(DATA))
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_head_without_a_token_has_no_body_either(anonymous: Program, path: str) -> None:
    answer = anonymous.head(path)
    assert (answer.status_code, answer.content) == (401, b"")


def test_a_download_is_named_after_the_title(bobs: Program, path: str) -> None:
    answer = bobs.get(f"{path}?download=1")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Rain.wav"'
    answer.close()


@pytest.mark.parametrize("index", ["1", "-1", "x", "99999999999999999999", "9" * 200])
def test_an_output_that_is_not_there_is_not_found(index: str, bobs: Program, path: str) -> None:
    answer = bobs.get(path.replace("/0/", f"/{index}/"))
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_a_lost_file_is_not_found(bobs: Program, path: str) -> None:
    Output.objects.get().file.delete(save=False)
    Output.objects.update(file="outputs/lost.wav")
    assert bobs.get(path).status_code == 404


def test_a_text_output_is_served_as_text(bobs: Program, bob: Membership, make_generation: Any) -> None:
    row = make_generation(bob, status=State.SUCCEEDED)
    text = "Verse one\n静かな雨"
    Output.objects.create(
        generation=row, index=0, kind="text", content_type="text/plain", extension="txt", text=text,
        bytes=len(text.encode()), sha256=hashlib.sha256(text.encode()).hexdigest(),
    )  # fmt: skip
    answer = bobs.get(f"generations/{row.pk}/outputs/0/content")
    assert whole(answer).decode() == text
    assert answer.headers["Content-Type"].startswith("text/plain")
