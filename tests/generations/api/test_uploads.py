from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Membership
from generations.models import Upload
from tests.conftest import tone
from tests.generations.api.conftest import Program

DATA = tone(1.5)


@pytest.fixture
def bobs(bob: Membership, program_of: Any) -> Program:
    return program_of(bob)


def wav(name: str = "steps.wav", data: bytes = DATA) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "text/html")


def test_a_file_is_kept_and_told_by_its_bytes(bobs: Program, bob: Membership) -> None:
    answer = bobs.upload(wav())
    assert answer.status_code == 201
    body = answer.json()
    row = Upload.objects.get()
    assert (body["id"], body["reference"]) == (str(row.pk), f"upload:{row.pk}")
    assert (body["name"], body["content_type"], body["kind"]) == ("steps.wav", "audio/wav", "audio")
    assert (body["bytes"], body["sha256"]) == (len(DATA), hashlib.sha256(DATA).hexdigest())
    assert body["duration"] == pytest.approx(1.5)
    assert (row.team_id, row.author_id) == (bob.team_id, bob.user_id)
    with row.file.open("rb") as kept:
        assert kept.read() == DATA


@pytest.mark.parametrize(
    ("name", "data"),
    [("page.wav", b"<html><script>alert(1)</script>"), ("empty.wav", b""), ("x.wav", b"\0" * 500)],
)
def test_what_is_no_sound_picture_or_video_is_refused(name: str, data: bytes, bobs: Program) -> None:
    answer = bobs.upload(wav(name, data))
    assert answer.status_code == 422
    assert [one["param"] for one in answer.json()["errors"]] == ["file"]
    assert not Upload.objects.exists()


def test_a_post_without_a_file_is_refused(bobs: Program) -> None:
    assert bobs.post("uploads", {"file": "no"}).status_code == 422
    answer = bobs.client.post("/api/v1/uploads", {"sound": wav()}, headers=bobs.headers)
    assert [one["param"] for one in answer.json()["errors"]] == ["file"]
    assert bobs.client.post("/api/v1/uploads", {"file": "text"}, headers=bobs.headers).status_code == 422


def test_a_file_that_is_too_large_is_refused_before_it_is_read(bobs: Program, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1024
    answer = bobs.upload(wav(data=DATA * 5))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    answer = bobs.upload(wav())
    assert answer.status_code == 422
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data"),
        (b"nonsense", "multipart/form-data; boundary=x"),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
        (b"--x--", "multipart/form-data; boundary="),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
            "multipart/form-data; boundary=x",
        ),
        (b"a=1", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "multipart/form-data; boundary=\xfc"),
        (b"a" * 10, "multipart/form-data; boundary=" + "x" * 500),
    ],
)
def test_a_body_that_is_no_form_is_refused(body: bytes, kind: str, bobs: Program) -> None:
    answer = Client().generic("POST", "/api/v1/uploads", body, kind, headers=bobs.headers)
    assert answer.status_code in {400, 422}
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_too_many_parts_are_refused(bobs: Program) -> None:
    parts = {f"part{n}": "x" for n in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
    answer = bobs.client.post("/api/v1/uploads", parts, headers=bobs.headers)
    assert answer.status_code == 400


def test_names_from_outside_stay_names(bobs: Program) -> None:
    body = bobs.upload(wav("../../etc/pass\x00wd‮.html")).json()
    assert "/" not in body["name"]
    assert body["name"].endswith(".wav")
