"""The bytes of an output: whole, in ranges, to keep, and only for the team."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.test import Client

from accounts.models import Membership
from generations.models import Generation, Output


def content(generation: Generation, index: int = 0) -> str:
    return f"/t/{generation.team.slug}/g/{generation.pk}/outputs/{index}/content"


def body(answer: Any) -> bytes:
    return answer.kept


@pytest.fixture
def client_of(client_of: Any) -> Any:
    """Browsers that read every answer to its end; `kept` is what they got."""

    def signed_in(membership: Membership) -> Client:
        client = client_of(membership)
        plain = client.request

        def request(**environ: Any) -> Any:
            answer = plain(**environ)
            answer.kept = b"".join(answer.streaming_content) if answer.streaming else answer.content
            return answer

        client.request = request
        return client

    return signed_in


@pytest.mark.parametrize("who", ["alice", "mona", "bob", "carol", "vera"])
def test_every_member_hears_exactly_what_is_stored(
    who: str, bob: Membership, client_of: Any, make_generation: Any, request: Any
) -> None:
    made = make_generation(bob, outputs=1)
    answer = client_of(request.getfixturevalue(who)).get(content(made))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "audio/wav"
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Cache-Control"].startswith("private")
    got = body(answer)
    assert hashlib.sha256(got).hexdigest() == made.outputs.get().sha256
    assert answer["Content-Length"] == str(len(got))


def test_strangers_get_404_and_nobody_signs_in(
    bob: Membership, zoe: Membership, client_of: Any, client: Any, make_generation: Any
) -> None:
    made = make_generation(bob, outputs=1)
    assert client_of(zoe).get(content(made)).status_code == 404
    assert client_of(zoe).get(content(made).replace("/tide/", "/zoo/")).status_code == 404
    assert client.get(content(made)).status_code == 302


@pytest.mark.parametrize("index", [1, 32768, 10**30])
def test_an_output_that_is_not_there_is_404(
    index: int, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    assert client_of(bob).get(content(make_generation(bob, outputs=1), index)).status_code == 404


def test_a_part_is_a_part_of_the_same_bytes(bob: Membership, client_of: Any, make_generation: Any) -> None:
    made = make_generation(bob, outputs=1)
    client = client_of(bob)
    whole = body(client.get(content(made)))
    for asked, start, stop in [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=100-", 100, len(whole)),
        ("bytes=-10", len(whole) - 10, len(whole)),
        (f"bytes=5-{10**25}", 5, len(whole)),
    ]:
        answer = client.get(content(made), HTTP_RANGE=asked)
        assert answer.status_code == 206
        assert body(answer) == whole[start:stop]
        assert answer["Content-Range"] == f"bytes {start}-{stop - 1}/{len(whole)}"


def test_a_part_beyond_the_end_is_416(bob: Membership, client_of: Any, make_generation: Any) -> None:
    made = make_generation(bob, outputs=1)
    answer = client_of(bob).get(content(made), HTTP_RANGE="bytes=99999999-")
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{made.outputs.get().bytes}"


@pytest.mark.parametrize("asked", ["bytes=", "bytes=a-b", "bytes=9-1", "lines=1-2", "bytes=0-1,5-6", "\x00"])
def test_a_range_that_is_none_gives_the_whole(
    asked: str, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    answer = client_of(bob).get(content(make_generation(bob, outputs=1)), HTTP_RANGE=asked)
    assert answer.status_code == 200


def test_what_the_browser_has_is_not_sent_again(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(bob, outputs=1)
    client = client_of(bob)
    etag = f'"{made.outputs.get().sha256}"'
    assert client.get(content(made), HTTP_IF_NONE_MATCH=etag).status_code == 304
    assert client.get(content(made), HTTP_RANGE="bytes=0-9", HTTP_IF_RANGE=etag).status_code == 206
    assert client.get(content(made), HTTP_RANGE="bytes=0-9", HTTP_IF_RANGE='"old"').status_code == 200


def test_head_tells_the_size_and_sends_nothing(bob: Membership, client_of: Any, make_generation: Any) -> None:
    made = make_generation(bob, outputs=1)
    answer = client_of(bob).head(content(made))
    assert answer.status_code == 200
    assert answer["Content-Length"] == str(made.outputs.get().bytes)
    assert body(answer) == b""


def test_a_download_has_a_name_for_people(bob: Membership, client_of: Any, make_generation: Any) -> None:
    client = client_of(bob)
    one = make_generation(bob, title="Lighthouse: first/draft", outputs=1)
    answer = client.get(content(one) + "?download=1")
    assert answer["Content-Disposition"] == 'attachment; filename="Lighthouse - first-draft.wav"'
    assert client.get(content(one))["Content-Disposition"].startswith("inline")
    several = make_generation(bob, title="中文课程", outputs=2)
    name = client.get(content(several, 1) + "?download=1")["Content-Disposition"]
    assert name.startswith("attachment; filename*=utf-8''%E4%B8%AD")
    assert name.endswith("take%20B.wav")


def test_a_text_without_a_file_is_served_as_text(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(bob)
    text = "<script>alert(1)</script> Ünï"
    Output.objects.create(
        generation=made,
        index=0,
        kind="text",
        content_type="text/plain",
        extension="txt",
        text=text,
        bytes=3,
        sha256="0",
    )
    answer = client_of(bob).get(content(made))
    assert answer["Content-Type"].startswith("text/plain")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert body(answer).decode() == text


def test_a_file_that_left_the_storage_is_404_and_no_fault(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(bob, outputs=1)
    made.outputs.get().file.delete(save=False)
    Output.objects.filter(generation=made).update(file="outputs/gone.wav")
    assert client_of(bob).get(content(made)).status_code == 404


def test_with_nginx_in_front_django_only_says_which_file(
    bob: Membership, client_of: Any, make_generation: Any, settings: Any
) -> None:
    settings.ACCEL_PREFIX = "/protected"
    made = make_generation(bob, outputs=1)
    answer = client_of(bob).get(content(made))
    assert answer["X-Accel-Redirect"] == f"/protected/outputs/{made.team_id}/{made.pk}/0.wav"
    assert body(answer) == b""


def test_only_reading_is_allowed(bob: Membership, client_of: Any, make_generation: Any) -> None:
    assert client_of(bob).post(content(make_generation(bob, outputs=1))).status_code == 405
