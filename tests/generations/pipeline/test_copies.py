"""What upstream has of an upload: sent once, also by two at the same moment, and sent again when it is stale."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection as database
from django.utils import timezone

from accounts.models import Membership
from generations import uploads, upstream
from generations.models import Connection, Generation, State, Upload, UpstreamCopy
from generations.pipeline import copies, dispatch
from generations.pipeline.accept import accept
from tests.conftest import point_at, run_pipeline, tone
from tests.upstream import Upstream

CLONE = "minimax--voice-clone"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def wire(settings: Any) -> Iterator[Upstream]:
    with Upstream() as running:
        point_at(settings, running.url)
        yield running


@pytest.fixture
def voice(bob: Membership) -> Upload:
    return uploads.store(bob, SimpleUploadedFile("voice.wav", tone(10)))


def order(bob: Membership, voice: Upload, name: str = "Harbour01") -> Generation:
    params = {"audio": voice.reference, "custom_voice_id": name, "text": "Hello there."}
    return accept(bob, CLONE, params).generation


def sent_addresses(wire: Upstream) -> list[str]:
    return [submit["body"]["audio"] for submit in wire.submits]


def claimed(count: int = 1) -> list[Generation]:
    rows = dispatch.claim(Connection.current(), count)
    assert len(rows) == count
    return rows


def in_a_thread(job: Any, *args: Any) -> threading.Thread:
    def run() -> None:
        try:
            job(*args)
        finally:
            database.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_two_generations_from_one_upload_send_it_once(wire: Upstream, bob: Membership, voice: Upload) -> None:
    order(bob, voice)
    order(bob, voice, "Harbour02")
    run_pipeline()
    assert len(wire.uploads) == 1
    assert sent_addresses(wire) == [f"{wire.url}/files/in-1.wav"] * 2


def test_two_at_the_same_moment_send_it_once_and_the_other_goes_back_to_the_line(
    wire: Upstream, bob: Membership, voice: Upload
) -> None:
    order(bob, voice)
    order(bob, voice, "Harbour02")
    first, second = claimed(2)
    entered = wire.hold("upload", "upload")
    sender = in_a_thread(dispatch.send, first)
    assert entered.wait(20)
    dispatch.send(second)
    second.refresh_from_db()
    assert (second.status, second.faults, second.error_code) == (State.QUEUED, 0, "")
    wire.let_go("upload")
    sender.join(20)
    run_pipeline()
    assert len(wire.uploads) == 1
    assert len(wire.submits) == 2
    assert len(set(sent_addresses(wire))) == 1
    assert UpstreamCopy.objects.get().lease_until is None


def test_many_threads_at_once_send_it_once(wire: Upstream, bob: Membership, voice: Upload) -> None:
    """Whoever loses the race for the row or for its lease is told so; nobody fails otherwise."""
    barrier, told = threading.Barrier(6), []

    def one() -> None:
        client = upstream.get_client(Connection.current(), submitting=True)
        barrier.wait(20)
        try:
            told.append(copies.made(voice, Connection.current(), client))
        except copies.BeingCopied:
            told.append("waits")

    for thread in [in_a_thread(one) for _ in range(6)]:
        thread.join(30)
    assert len(told) == 6
    assert set(told) <= {f"{wire.url}/files/in-1.wav", "waits"}
    assert len(wire.uploads) == 1


def test_a_copy_a_day_old_is_sent_again_by_itself(wire: Upstream, bob: Membership, voice: Upload) -> None:
    order(bob, voice)
    run_pipeline()
    copy = UpstreamCopy.objects.get()
    assert timedelta(hours=21) < copy.expires_at - timezone.now() < timedelta(hours=24)
    UpstreamCopy.objects.update(expires_at=timezone.now())
    order(bob, voice, "Harbour02")
    run_pipeline()
    assert sent_addresses(wire) == [f"{wire.url}/files/in-1.wav", f"{wire.url}/files/in-2.wav"]
    assert UpstreamCopy.objects.get().expires_at > timezone.now()


def test_the_next_one_sends_it_when_the_holder_died(wire: Upstream, bob: Membership, voice: Upload) -> None:
    now = timezone.now()
    UpstreamCopy.objects.create(
        upload=voice, connection=Connection.current(), expires_at=now, lease_until=now + timedelta(seconds=60)
    )
    row = order(bob, voice)
    (waits,) = claimed()
    dispatch.send(waits)
    row.refresh_from_db()
    assert (row.status, wire.uploads) == (State.QUEUED, []), "the holder may be alive"
    UpstreamCopy.objects.update(lease_until=now)
    run_pipeline()
    assert len(wire.uploads) == 1
    assert Generation.objects.get().status == State.SUCCEEDED


def test_who_could_not_send_it_leaves_the_lease(bob: Membership, voice: Upload, settings: Any) -> None:
    point_at(settings, "http://127.0.0.1:9")
    order(bob, voice)
    (row,) = claimed()
    dispatch.send(row)
    copy = UpstreamCopy.objects.get()
    assert (copy.url, copy.lease_until) == ("", None)


def test_a_lease_is_renewed_while_bytes_travel_and_a_lost_one_is_left_alone(
    wire: Upstream, voice: Upload
) -> None:
    now = timezone.now()
    copy = UpstreamCopy.objects.create(upload=voice, connection=Connection.current(), expires_at=now)
    lease = copies._Lease(copy.pk)
    assert lease.take()
    assert not copies._Lease(copy.pk).take()
    before = UpstreamCopy.objects.get().lease_until
    lease.renew()
    assert UpstreamCopy.objects.get().lease_until > before  # type: ignore[operator]
    UpstreamCopy.objects.update(lease_until=now)
    taken_over = copies._Lease(copy.pk)
    assert taken_over.take()
    lease.end(url="late", expires_at=now + timedelta(hours=1))
    found = UpstreamCopy.objects.get()
    assert (found.url, found.lease_until) == ("", taken_over.until)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("code", "ends", "stale"),
    [(1001, State.FAILED, True), (1013, State.UNCONFIRMED, True), (1007, State.FAILED, False)],
)
def test_after_trouble_with_a_file_only_the_next_generation_sends_it_anew(
    code: int, ends: State, stale: bool, sandbox: Any, bob: Membership, voice: Upload
) -> None:
    sandbox.script("submit", {"refuse": code})
    row = order(bob, voice)
    run_pipeline()
    row.refresh_from_db()
    assert row.status == ends
    assert (UpstreamCopy.objects.get().expires_at <= timezone.now()) is stale
    assert len(sandbox.submits) == 1


def test_another_key_may_be_of_an_account_that_has_none_of_it(
    wire: Upstream, bob: Membership, voice: Upload, settings: Any
) -> None:
    order(bob, voice)
    run_pipeline()
    assert copies.known(voice, Connection.current()) is not None
    settings.RUNNINGHUB_API_KEY = "n" * 32
    assert copies.known(voice, Connection.current()) is None
