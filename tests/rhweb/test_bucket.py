"""Outputs in an S3 bucket: a real S3 server on loopback, the whole pipeline, the bytes back in ranges."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Membership
from generations import queue, sharing, uploads
from generations.models import Generation, Heartbeat, State
from generations.pipeline.accept import accept
from rhweb import env
from tests.conftest import MODEL, tone

pytestmark = pytest.mark.thorough
BUCKET, SECRET = "songs", "se/cr+et"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # takes a second, also where this file is only collected

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty bucket, and the portal's storage in it, as RHWEB_STORAGE_URL says it."""
    import boto3

    monkeypatch.setenv(
        "RHWEB_STORAGE_URL",
        f"s3://{BUCKET}?endpoint={server}&region=us-east-1&key=key&secret={SECRET}&prefix=portal",
    )
    found = boto3.resource(
        "s3",
        endpoint_url=server,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key=SECRET,
    ).Bucket(BUCKET)
    found.create()
    settings.STORAGES = {
        **settings.STORAGES,
        "default": env.storage("RHWEB_STORAGE_URL", settings.DATA_DIR / "media"),
    }
    yield found
    found.objects.all().delete()
    found.delete()


def names(bucket: Any) -> list[str]:
    return sorted(item.key for item in bucket.objects.all())


def test_a_secret_with_a_plus_stays_as_it_is(bucket: Any) -> None:
    assert default_storage.secret_key == SECRET


def test_a_result_is_stored_in_the_bucket_and_served_from_it_in_ranges(
    bucket: Any,
    sandbox: Any,
    bob: Membership,
    drive: Callable[[], None],
    client_of: Callable[[Membership], Client],
) -> None:
    row = accept(bob, MODEL, {"prompt": "Harbour bells, slow"}).generation
    drive()
    row = Generation.objects.get(pk=row.pk)
    assert row.status == State.SUCCEEDED, row.error_detail
    output = row.outputs.get()
    assert names(bucket) == [f"portal/{output.file.name}"]
    kept = bucket.Object(names(bucket)[0]).get()["Body"].read()
    assert len(kept) == output.bytes

    asked: list[str] = []
    events = default_storage.connection.meta.client.meta.events
    events.register("before-send.s3.GetObject", lambda request, **_: asked.append(request.headers["Range"]))
    browser, address = client_of(bob), f"/t/tide/g/{row.pk}/outputs/0/content"
    whole = browser.get(address)
    assert (whole.status_code, whole.getvalue()) == (200, kept)
    part = browser.get(address, headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.headers["Content-Range"]) == (206, f"bytes 1000-1999/{len(kept)}")
    assert part.getvalue() == kept[1000:2000]
    assert browser.get(address, headers={"Range": "bytes=-5"}).getvalue() == kept[-5:]
    assert browser.get(address, headers={"Range": f"bytes={len(kept)}-"}).status_code == 416
    last = len(kept) - 1
    assert [one.decode() for one in asked] == [
        f"bytes=0-{last}",
        "bytes=1000-1999",
        f"bytes={last - 4}-{last}",
    ]


def test_a_file_that_left_the_bucket_is_not_found(
    bucket: Any,
    bob: Membership,
    make_generation: Callable[..., Generation],
    client_of: Callable[[Membership], Client],
) -> None:
    row = make_generation(bob, outputs=1)
    bucket.objects.all().delete()
    assert client_of(bob).get(f"/t/tide/g/{row.pk}/outputs/0/content").status_code == 404


def test_an_upload_goes_through_the_bucket_to_upstream(
    bucket: Any, sandbox: Any, bob: Membership, drive: Callable[[], None]
) -> None:
    sound = tone(12.0)
    upload = uploads.store(bob, SimpleUploadedFile("voice.wav", sound, "audio/wav"))
    assert [bucket.Object(name).get()["Body"].read() for name in names(bucket)] == [sound]
    params = {"audio": f"upload:{upload.pk}", "custom_voice_id": "HarbourVoice01", "text": "Hello there."}
    row = accept(bob, "minimax--voice-clone", params).generation
    drive()
    row = Generation.objects.get(pk=row.pk)
    assert row.status == State.SUCCEEDED, (row.error_message, row.error_detail)


def test_the_doctor_tries_the_bucket(bucket: Any, sandbox: Any, db: None, settings: Any) -> None:
    Heartbeat.beat("worker")
    queue.ensure_schedules()
    said = io.StringIO()
    call_command("doctor", stdout=said)
    assert "ok    storage: writes and reads" in said.getvalue()
    assert names(bucket) == []
    options = {**settings.STORAGES["default"]["OPTIONS"], "bucket_name": "elsewhere"}
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": options},
    }
    with pytest.raises(CommandError):
        call_command("doctor", stdout=said)
    assert "WRONG storage: cannot be used" in said.getvalue()
    assert "RHWEB_STORAGE_URL" in said.getvalue()


def test_nginx_cannot_serve_what_lies_in_a_bucket(bucket: Any, settings: Any) -> None:
    from django.core.checks import run_checks

    def found() -> list[str]:
        return [message.id or "" for message in run_checks()]

    assert "rhweb.E003" not in found()
    settings.ACCEL_PREFIX = "/protected/"
    assert "rhweb.E003" in found()


def test_taking_out_and_sharing_fetch_only_what_is_sent(
    bucket: Any, bob: Membership, client_of: Callable[[Membership], Client], make_generation: Any
) -> None:
    rows = [make_generation(bob, outputs=1, title=f"Rain {n}") for n in range(3)]
    lost = rows[1].outputs.get()
    default_storage.delete(str(lost.file.name))
    wish = {"ids": [str(row.pk) for row in rows], "pattern": "{title}", "tags": "on"}
    for asked in (wish, {**wish, "tags": ""}):
        answer = client_of(bob).post("/t/tide/download/zip/", {k: v for k, v in asked.items() if v})
        assert not answer.has_header("Content-Length")
        packed = zipfile.ZipFile(io.BytesIO(answer.getvalue()))
        assert packed.testzip() is None
        assert packed.namelist() == ["Rain 0.wav", "Rain 2.wav", "MISSING.txt"]
        assert "Rain 1.wav" in packed.read("MISSING.txt").decode()
    assert packed.read("Rain 2.wav") == tone()
    link = sharing.make(bob, sharing.Thing(rows[0]), sharing.Terms("Rain"))
    [src] = re.findall(r'src="(/s/[^"]+/f/[^"]+)"', Client().get(f"/s/{link.token}/").content.decode())
    part = Client().get(src, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.getvalue()) == (206, tone()[100:200])
    gone = sharing.make(bob, sharing.Thing(rows[1]), sharing.Terms("Lost"))
    [src] = re.findall(r'src="(/s/[^"]+/f/[^"]+)"', Client().get(f"/s/{gone.token}/").content.decode())
    assert Client().get(src).status_code == 404
