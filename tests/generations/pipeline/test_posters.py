from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image

from accounts.models import Membership
from generations.models import Output
from generations.pipeline import posters
from generations.sandbox.films import videos
from generations.sandbox.objects import glb


def picture(size: tuple[int, int] = (1200, 800)) -> bytes:
    target = io.BytesIO()
    Image.linear_gradient("L").resize(size).save(target, "PNG")
    return target.getvalue()


@pytest.fixture
def stored(bob: Membership, make_generation: Any) -> Any:
    """An output of these bytes that waits for its poster."""

    def store(kind: str, extension: str, data: bytes) -> Output:
        generation = make_generation(bob, kind="picture")
        output = Output(
            generation=generation,
            index=0,
            kind=kind,
            content_type="image/png",
            extension=extension,
            bytes=len(data),
            sha256="0" * 64,
            poster_due_at=timezone.now(),
        )
        output.file.save(Output.file_name(generation, 0, extension), ContentFile(data), save=False)
        output.save()
        return output

    return store


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("kind", "extension", "data", "sides"),
    [
        ("image", "png", picture, (1200, 800)),
        (
            "video",
            "webm",
            lambda: videos({"prompt": "x", "duration": 1}, None, quick=True)[0].data,
            (170, 96),
        ),
        ("3d", "glb", lambda: glb(5, quick=True), (None, None)),
    ],
    ids=["image", "video", "3d"],
)
def test_what_can_be_seen_gets_a_small_picture_once(
    bob: Membership,
    client_of: Any,
    stored: Any,
    kind: str,
    extension: str,
    data: Callable[[], bytes],
    sides: tuple[int, int],
) -> None:
    output = stored(kind, extension, data())
    address = f"/t/tide/g/{output.generation_id}/outputs/0/poster"
    assert client_of(bob).get(address).status_code == 404
    posters.work()
    output.refresh_from_db()
    assert output.poster_due_at is None
    assert (output.width, output.height) == sides
    answer = client_of(bob).get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    with Image.open(io.BytesIO(answer.content)) as small:
        assert max(small.size) <= 512
    assert len(answer.content) < 60_000
    library = client_of(bob).get("/t/tide/library/").content.decode()
    assert address in library


def test_a_stranger_sees_no_poster(bob: Membership, zoe: Membership, client_of: Any, stored: Any) -> None:
    output = stored("image", "png", picture())
    posters.work()
    assert client_of(zoe).get(f"/t/tide/g/{output.generation_id}/outputs/0/poster").status_code == 404


def bomb() -> bytes:
    """A file of some kilobytes that claims to be a picture of 30,000 by 30,000."""
    side = 30_000
    rows = zlib.compress(bytes((1 + side // 8) * side), 1)  # each row begins with the byte of its filter

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data", [lambda: b"no picture", lambda: picture()[:400], bomb], ids=["text", "cut", "bomb"]
)
def test_what_has_none_is_let_alone_and_the_next_one_gets_its_own(
    stored: Any, data: Callable[[], bytes]
) -> None:
    broken, whole = stored("image", "png", data()), stored("image", "png", picture())
    posters.work()
    broken.refresh_from_db()
    whole.refresh_from_db()
    assert (broken.poster.name, broken.poster_due_at) == ("", None)
    assert whole.poster


def test_one_that_was_taken_is_not_taken_again_until_it_is_due(stored: Any) -> None:
    output = stored("image", "png", picture())
    assert posters._take() == output
    assert posters._take() is None
    output.refresh_from_db()
    assert output.poster_tries == 1
    assert output.poster_due_at > timezone.now()


def test_what_is_purged_while_its_poster_is_made_leaves_no_file(stored: Any) -> None:
    output = stored("image", "png", picture())
    known = Output.objects.select_related("generation").get(pk=output.pk)
    Output.objects.filter(pk=output.pk).update(file="", poster_due_at=None)
    posters._make(known)
    assert not output.file.storage.exists(output.poster_name)
    output.refresh_from_db()
    assert output.poster.name == ""


def test_a_file_that_killed_whoever_took_it_is_left_alone(stored: Any) -> None:
    output = stored("image", "png", picture())
    for _ in range(posters.TRIES):
        assert posters._take() is not None, "and whoever took it died"
        Output.objects.update(poster_due_at=timezone.now())
    assert posters._take() is None
    posters.tend()
    output.refresh_from_db()
    assert output.poster_due_at is None
