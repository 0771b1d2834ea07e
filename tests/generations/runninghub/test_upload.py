from __future__ import annotations

import email
import io
from typing import Any, cast

import pytest

from generations.runninghub import Client, codes
from generations.runninghub.errors import NotAccepted, Refused
from generations.runninghub.replies import Uploaded

from .conftest import KEY
from .wire import Seen, Wire, answer, closed, reset

DATA = {"type": "audio", "download_url": "https://f.example/a.mp3", "fileName": "openapi/a.mp3", "size": "5"}


def upload(client: Client, data: bytes = b"sound", name: str = "a.mp3", kind: str = "audio/mpeg") -> Uploaded:
    return client.upload(io.BytesIO(data), name=name, content_type=kind)


def part_of(seen: Seen) -> Any:
    raw = b"Content-Type: " + seen.headers["content-type"].encode() + b"\r\n\r\n" + seen.body
    (part,) = cast(Any, email.message_from_bytes(raw)).get_payload()
    return part


@pytest.mark.parametrize("code", [0, 200, "0"])
def test_a_file_arrives_whole_as_one_field(wire: Wire, client: Client, code: Any) -> None:
    wire.script(answer({"code": code, "message": "success", "data": DATA}))
    data = bytes(range(256)) * 700
    assert upload(client, data) == Uploaded("https://f.example/a.mp3", "openapi/a.mp3", "audio", 5)
    (seen,) = wire.seen
    assert (seen.method, seen.path) == ("POST", "/openapi/v2/media/upload/binary")
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert "transfer-encoding" not in seen.headers
    part = part_of(seen)
    assert part.get_param("name", header="content-disposition") == "file"
    assert part.get_filename() == "a.mp3"
    assert part.get_content_type() == "audio/mpeg"
    assert part.get_payload(decode=True) == data


def test_few_headers_are_sent(wire: Wire, client: Client) -> None:
    wire.script(answer({"code": 0, "data": DATA}))
    upload(client)
    allowed = {"host", "authorization", "user-agent", "content-type", "content-length", "accept-encoding"}
    assert set(wire.seen[0].headers) <= allowed


@pytest.mark.parametrize(
    "name",
    [
        'a"; filename="b.exe',
        "a\r\nX-Evil: 1\r\n\r\nx.mp3",
        "旅 é.wav",
        "../../x.mp3",
        "",
        "\ud800.mp3",
        "a\\",
    ],
)
def test_no_name_breaks_the_form(wire: Wire, client: Client, name: str) -> None:
    wire.script(answer({"code": 0, "data": DATA}))
    upload(client, b"sound", name, 'audio/mpeg"\r\nX-Evil: 1')
    part = part_of(wire.seen[0])
    assert sorted(name.lower() for name, _ in part.items()) == ["content-disposition", "content-type"]
    assert part.get_content_type() == "application/octet-stream"
    assert part.get_payload(decode=True) == b"sound"
    assert "/" not in part.get_filename()


def test_a_file_is_sent_from_its_beginning(wire: Wire, client: Client) -> None:
    wire.script(answer({"code": 0, "data": DATA}))
    file = io.BytesIO(b"sound")
    file.read()
    client.upload(file, name="a.mp3", content_type="audio/mpeg")
    assert part_of(wire.seen[0]).get_payload(decode=True) == b"sound"


def test_a_large_file_is_never_whole_in_memory(wire: Wire, client: Client, tmp_path: Any) -> None:
    size = 40 * 1024 * 1024
    path = tmp_path / "large.wav"
    with path.open("wb") as file:
        file.truncate(size)

    received = 0

    class Counting(io.FileIO):
        largest = 0

        def read(self, size: int | None = -1, /) -> Any:
            self.largest = max(self.largest, size if size is not None and size >= 0 else 10**12)
            nonlocal received
            block = super().read(size)
            received += len(block or b"")
            return block

    wire.script(answer({"code": 0, "data": DATA}))
    with Counting(path) as counting:
        client.upload(cast(Any, counting), name="large.wav", content_type="audio/wav")
        assert counting.largest <= 64 * 1024
    assert received == size


def test_a_file_that_shrinks_meanwhile_can_be_sent_again(wire: Wire, client: Client) -> None:
    class Shrinking(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            return b""

    wire.script(answer({"code": 0, "data": DATA}))
    with pytest.raises(NotAccepted):
        client.upload(Shrinking(b"sound"), name="a", content_type="audio/mpeg")


@pytest.mark.parametrize("row", codes.CODES.values(), ids=lambda row: row.code)
def test_what_a_code_means_for_an_upload(wire: Wire, client: Client, row: codes.Code) -> None:
    wire.script(answer({"code": int(row.code), "message": "words", "data": None}))
    with pytest.raises(Refused if row.kind == "refused" else NotAccepted) as caught:
        upload(client)
    assert caught.value.pauses == (row.reason in ("funds", "key"))


@pytest.mark.parametrize(
    "act",
    [
        closed,
        reset(),
        answer(b"", 500),
        answer(b"<html>"),
        answer({"code": 0, "data": None}),
        answer({"code": 0, "data": {"download_url": 5.5e300}}, 502),
        answer({"code": 77777, "data": DATA}),
        answer([]),
    ],
)
def test_everything_else_may_be_sent_again(wire: Wire, client: Client, act: Any) -> None:
    wire.script(act)
    with pytest.raises(NotAccepted):
        upload(client)


def test_http_statuses_speak_for_themselves(wire: Wire, client: Client) -> None:
    for status, kind in ((401, Refused), (413, Refused), (402, Refused), (429, NotAccepted), (302, Refused)):
        wire.script(answer(b"", status))
        with pytest.raises(kind):
            upload(client)
