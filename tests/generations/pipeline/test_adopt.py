"""What was made elsewhere comes in: same rows, no money, no limit, nothing sent."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from accounts.models import Allowance, Measure, Membership, Mode, Notification, Period, Scope
from generations import quota, receipts, reports, uploads
from generations.models import Connection, Generation, Heartbeat, Output, State
from generations.pipeline import accept, tell
from generations.pipeline.adopt import adopt
from tests.conftest import MODEL, content, run_pipeline, tone
from tests.generations.media import samples


def given(name: str = "Field recording.wav", data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, tone() if data is None else data)


def test_it_is_a_finished_generation_with_its_sound(bob: Membership) -> None:
    made = adopt(bob, given())
    row = Generation.objects.get()
    assert row == made
    assert (row.model, row.kind, row.title, row.status) == ("import", "music", "Field recording", "succeeded")
    assert (row.author, row.cost_counted, row.currency) == (bob.user, Decimal(0), "")
    assert row.params == {"original_name": "Field recording.wav"}
    assert row.prompt == ""
    assert "field recording" in row.search_text
    assert row.length == 1.0
    assert row.stored_bytes == len(tone())
    output = row.outputs.get()
    assert content(output) == tone()
    assert len(output.peaks_row.split()) == 96
    assert len(output.peaks_stage.split()) == 360


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("x.mp3", samples.mp3_bytes(), "speech"),
        ("x.png", samples.png(), "picture"),
        ("x.mp4", samples.mp4(handlers=(b"vide", b"soun")), "video"),
        ("a lie.txt", tone(), "speech"),
    ],
)
def test_the_bytes_say_what_it_is(name: str, data: bytes, kind: str, bob: Membership) -> None:
    assert adopt(bob, given(name, data), kind="speech").kind == kind


@pytest.mark.parametrize("data", [b"", b"<html>", b"RIFF" + bytes(50), b"PK\x03\x04" + bytes(99)])
def test_what_is_no_media_leaves_no_trace(data: bytes, bob: Membership) -> None:
    with pytest.raises(uploads.BadUpload):
        adopt(bob, given("x.wav", data))
    assert not Generation.objects.exists()


def test_a_viewer_brings_nothing_in_and_a_full_disk_takes_nothing(
    bob: Membership, vera: Membership, settings: Any
) -> None:
    with pytest.raises(accept.MayNotGenerate):
        adopt(vera, given())
    settings.MIN_FREE_BYTES = 2**60
    with pytest.raises(uploads.BadUpload):
        adopt(bob, given())
    settings.MIN_FREE_BYTES = 0
    settings.MAX_UPLOAD_BYTES = 100
    with pytest.raises(uploads.BadUpload):
        adopt(bob, given())


def test_no_limit_and_no_report_knows_it(bob: Membership) -> None:
    for measure in (Measure.COUNT, Measure.SPEND):
        Allowance.put(
            bob.team,
            scope=Scope.POOL,
            measure=measure,
            period=Period.DAY,
            mode=Mode.LIMITED,
            limit=Decimal(1),
        )
    for n in range(3):
        adopt(bob, given(f"{n}.wav"))
    assert [line.used for line in quota.standing(bob)] == [0, 0]
    assert receipts.summary(bob).runs[Period.DAY] == 0 if hasattr(receipts.summary(bob), "runs") else True
    assert receipts.of_team(bob.team).spent.get(Period.DAY, 0) == 0
    span = reports.Span.of(Period.DAY, bob.team)
    assert reports.rows(bob.team, reports.Wanted(span), reports.By.MEMBER) == []
    assert accept.accept(bob, MODEL, {"prompt": "Rain"}).created


def test_it_never_goes_upstream_and_nobody_is_told_it_is_finished(bob: Membership, sandbox: Any) -> None:
    Heartbeat.objects.create(name=tell.MARK, beat_at=timezone.now() - timezone.timedelta(hours=1))
    adopt(bob, given())
    Generation.objects.update(finished_at=timezone.now() - timezone.timedelta(minutes=5))
    run_pipeline()
    assert tell.ended() == 0
    assert not Notification.objects.exists()
    row = Generation.objects.get()
    assert row.upstream_id == ""
    assert row.submitting_at is None
    assert row.connection == Connection.current()


def test_one_form_sent_twice_brings_it_in_once(bob: Membership) -> None:
    first, again = (adopt(bob, given(), once="form") for _ in range(2))
    assert first == again
    assert adopt(bob, given(), once="another form") != first
    assert adopt(bob, given()) != adopt(bob, given())


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_comes_in_and_no_file_is_left_over(bob: Membership) -> None:
    found: list[Generation] = []
    gate = threading.Barrier(4)

    def work() -> None:
        gate.wait()
        found.append(adopt(bob, given(), once="form"))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len({row.pk for row in found}) == len(found) - 3 == 1
    assert Generation.objects.count() == Output.objects.count() == 1
    output = Output.objects.get()
    folder = str(output.file.name).rpartition("/")[0].rpartition("/")[0]
    folders, _ = output.file.storage.listdir(folder)
    left = [one for one in folders if output.file.storage.listdir(f"{folder}/{one}")[1]]
    assert left == [str(output.generation_id)]


def test_titles_are_tidied(bob: Membership) -> None:
    assert adopt(bob, given(), title="  A \x00 title ").title == "A title"
    assert len(adopt(bob, given("y" * 300 + ".wav")).title) <= 200
    assert Generation.objects.first().status == State.SUCCEEDED
