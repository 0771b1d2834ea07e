"""The pipeline against an upstream that misbehaves in every way it can."""

from __future__ import annotations

import hashlib
import io
import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image

from accounts.models import Membership
from generations import quota
from generations.models import Connection, Generation, Output, State
from generations.pipeline import alert, dispatch, follow, gather, resolve
from generations.pipeline.accept import accept
from generations.pipeline.cancel import cancel
from generations.pipeline.sweep import sweep
from tests.conftest import MODEL, one_round, point_at, run_pipeline, tone
from tests.generations.runninghub.wire import Wire, answer

PROMPT = {"prompt": "Calm piano, 80 bpm"}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


def order(member: Membership, **params: Any) -> Generation:
    return accept(member, MODEL, {**PROMPT, **params}).generation


def until(row: Generation, state: State) -> None:
    """Runs the pipeline until the row is first seen in this state."""
    give_up = time.monotonic() + 30
    while again(row).status != state:
        assert time.monotonic() < give_up, again(row).status
        Generation.objects.update(next_check_at=timezone.now())
        for stage, job in ((follow.claim, follow.look), (gather.claim, gather.gather)):
            if state == State.GATHERING and again(row).status == state:
                return
            for claimed in stage(16):
                job(claimed)
        for claimed in dispatch.claim(Connection.current(), 16):
            dispatch.send(claimed)


def again(row: Generation) -> Generation:
    return Generation.objects.get(pk=row.pk)


def test_the_whole_way_from_prompt_to_stored_sound(sandbox: Any, bob: Membership) -> None:
    row = order(bob)
    run_pipeline()
    row = again(row)
    assert row.status == State.SUCCEEDED
    assert [submit["body"] for submit in sandbox.submits] == [
        {"prompt": "Calm piano, 80 bpm", "sampleRate": "44100", "bitrate": "256000", "format": "mp3"}
    ]
    output = row.outputs.get()
    with output.file.open("rb") as file:
        data = file.read()
    assert hashlib.sha256(data).hexdigest() == output.sha256
    assert len(data) == output.bytes
    assert output.kind == "audio"
    assert output.duration
    assert len(output.peaks_row.split()) == 96
    assert row.cost_actual == Decimal("0.8") == row.cost_counted
    assert row.third_party_consume_money
    assert row.created_at <= row.claimed_at <= row.submitting_at <= row.dispatched_at  # type: ignore[operator]
    assert row.dispatched_at <= row.upstream_done_at <= row.finished_at  # type: ignore[operator]
    assert row.next_check_at is None


@pytest.mark.parametrize(
    "fault",
    [
        "lost",
        {"lost": "before"},
        {"http": 503, "after": True},
        {"http": 500},
        "broken",
        {"body": {"what": "?"}},
    ],
    ids=str,
)
def test_a_lost_answer_is_unconfirmed_and_never_sent_again(sandbox: Any, bob: Membership, fault: Any) -> None:
    sandbox.script("submit", fault)
    row = order(bob)
    one_round()
    assert again(row).status == State.UNCONFIRMED
    sent = len(sandbox.submits)
    Generation.objects.update(next_check_at=timezone.now() - timedelta(days=3), deadline_at=timezone.now())
    for _ in range(5):
        sweep()
        run_pipeline()
    assert len(sandbox.submits) == sent == 1
    assert again(row).status == State.UNCONFIRMED
    assert again(row).cost_counted == Decimal("0.8"), "the hold stays"


def test_a_submit_that_times_out_is_unconfirmed(sandbox: Any, settings: Any, bob: Membership) -> None:
    settings.SUBMIT_SECONDS = 0.2
    sandbox.script("submit", {"slow": 2, "after": True})
    row = order(bob)
    one_round()
    assert again(row).status == State.UNCONFIRMED
    run_pipeline()
    assert len(sandbox.submits) == 1


@pytest.mark.parametrize("code", [421, 1520, 415, 1003, 814, 1011])
def test_full_twice_then_free_gives_one_task(sandbox: Any, bob: Membership, code: int) -> None:
    sandbox.script("submit", code, code, "ok")
    row = order(bob)
    run_pipeline()
    assert again(row).status == State.SUCCEEDED
    assert again(row).attempts == 3
    assert len(sandbox.tasks) == 1


def test_a_full_upstream_is_left_alone_for_half_a_minute_then_one_then_two(
    sandbox: Any, bob: Membership
) -> None:
    sandbox.script("submit", 421, 421, 421)
    order(bob)
    for wanted in (30, 60, 120):
        Connection.objects.update(full_until=timezone.now() - timedelta(seconds=1))
        before = timezone.now()
        one_round()
        waits = (Connection.current().full_until - before).total_seconds()  # type: ignore[operator]
        assert waits == pytest.approx(wanted, abs=2)
        submits = len(sandbox.submits)
        one_round()
        assert len(sandbox.submits) == submits, "nothing is sent while upstream is full"


def test_nobody_listening_means_not_sent_and_waiting(settings: Any, bob: Membership) -> None:
    point_at(settings, "http://127.0.0.1:9")
    row = order(bob)
    one_round()
    assert again(row).status == State.QUEUED
    assert again(row).error_code == "unreachable"


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("code", "pauses"), [(1007, False), (1501, False), (416, True), (802, True), (812, True)]
)
def test_a_refusal_fails_with_a_sentence_and_costs_nothing(
    sandbox: Any, bob: Membership, code: int, pauses: bool
) -> None:
    sandbox.script("submit", code)
    row = order(bob)
    one_round()
    row = again(row)
    assert row.status == State.FAILED
    assert row.error_code == str(code)
    assert row.error_message.endswith(".")
    assert row.cost_counted == 0
    assert bool(Connection.current().paused_at) is pauses


def test_a_key_problem_pauses_everything_tells_managers_and_loses_nothing(
    sandbox: Any, alice: Membership, bob: Membership
) -> None:
    sandbox.script("submit", 802)
    order(bob)
    one_round()
    waiting = order(bob)
    one_round()
    assert again(waiting).status == State.QUEUED
    assert len(sandbox.submits) == 1
    assert alert.connection_paused(Connection.current().pk) == 1
    assert mail.outbox[0].to == ["alice@example.com"]
    assert Connection.current().resume()
    assert not Connection.current().resume()
    run_pipeline()
    assert again(waiting).status == State.SUCCEEDED


def test_a_new_key_in_the_environment_ends_the_pause(sandbox: Any, settings: Any, bob: Membership) -> None:
    assert Connection.current().pause("802", "The key is wrong.")
    assert not Connection.current().pause("802", "again")
    settings.RUNNINGHUB_API_KEY = "n" * 32
    assert Connection.current().paused_at is None


def test_ten_failed_queries_are_no_verdict(sandbox: Any, bob: Membership) -> None:
    sandbox.script(
        "query", {"http": 502, "times": 5}, {"refuse": 1003, "times": 3}, {"lost": "before", "times": 2}
    )
    row = order(bob)
    for _ in range(11):
        Generation.objects.update(next_check_at=timezone.now())
        one_round()
    assert again(row).status == State.RUNNING
    assert again(row).faults == 10
    run_pipeline()
    assert again(row).status == State.SUCCEEDED
    assert len(sandbox.submits) == 1


def test_an_unknown_status_means_look_again(sandbox: Any, bob: Membership) -> None:
    sandbox.script("query", {"merge": {"status": "WARPED", "results": None}, "times": 3})
    row = order(bob)
    one_round()
    Generation.objects.update(next_check_at=timezone.now())
    one_round()
    assert again(row).status == State.RUNNING
    assert again(row).upstream_status == "WARPED"
    run_pipeline()
    assert again(row).status == State.SUCCEEDED


def test_being_overdue_is_shown_and_is_no_verdict(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", {"hang": True})
    row = order(bob)
    one_round()
    Generation.objects.update(next_check_at=timezone.now(), deadline_at=timezone.now() - timedelta(hours=1))
    one_round()
    assert again(row).status == State.RUNNING
    assert again(row).overdue_at
    assert again(row).cost_counted == Decimal("0.8")


def test_a_generation_that_fails_upstream_says_why_and_keeps_only_what_was_charged(
    sandbox: Any, bob: Membership
) -> None:
    sandbox.script("submit", {"fail": 1501})
    row = order(bob)
    run_pipeline()
    row = again(row)
    assert row.status == State.FAILED
    assert row.error_code == "1501"
    assert row.cost_counted == (row.cost_actual or 0)


def test_a_result_that_is_not_there_twice_is_copied_the_third_time(sandbox: Any, bob: Membership) -> None:
    sandbox.script("result", {"http": 404, "times": 2})
    row = order(bob)
    run_pipeline()
    assert again(row).status == State.SUCCEEDED
    assert Output.objects.count() == 1
    assert len(sandbox.submits) == 1


def test_a_download_cut_half_way_is_made_again_whole(sandbox: Any, bob: Membership) -> None:
    sandbox.script("result", {"cut": 0.5})
    row = order(bob)
    run_pipeline()
    output = again(row).outputs.get()
    with output.file.open("rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == output.sha256
    assert not list(gather.scratch().glob(f"{row.pk.hex}*")), "no piece is left behind"


def test_a_web_page_served_as_sound_is_kept_out(sandbox: Any, bob: Membership) -> None:
    sandbox.script("result", {"html": True, "times": 0})
    row = order(bob)
    run_pipeline()
    row = again(row)
    assert row.status == State.FAILED
    assert row.error_code == "not_media"
    assert "web page" in row.error_message
    assert not row.outputs.exists()
    assert row.cost_counted == Decimal("0.8"), "upstream did its work and charged for it"


def picture(form: str = "PNG") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (40, 20), "teal").save(data, form)
    return data.getvalue()


@pytest.mark.parametrize(
    ("declared", "data", "kept"),
    [
        ("mp3", picture(), "image/png"),
        ("mp4", picture("GIF"), "image/gif"),
        ("image", tone(), "audio/wav"),
        ("png", picture("WEBP"), "image/webp"),
        ("bin", tone(), "audio/wav"),
        ("mp3", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', ""),
        ("mp3", b'{"error": "not ready"}', ""),
        ("png", b"\x89PNG\r\n\x1a\n" + bytes(40), ""),
    ],
    ids=["picture", "moving", "sound", "other form", "nameless", "drawing", "error", "cut"],
)
def test_a_result_of_another_kind_is_kept_when_it_is_whole(
    declared: str, data: bytes, kept: str, settings: Any, bob: Membership
) -> None:
    wire = Wire()
    point_at(settings, wire.url)
    row = order(bob)
    found = {"url": f"{wire.url}/results/a", "outputType": declared, "text": None}
    done = {"taskId": "9" * 19, "status": "SUCCESS", "errorCode": "", "results": [found]}
    Generation.objects.filter(pk=row.pk).update(
        status=State.RUNNING, upstream_id="9" * 19, dispatched_at=timezone.now(), next_check_at=timezone.now()
    )
    wire.script(answer(done), *[answer(data, Content_Type="video/mp4")] * 8)
    follow.look(follow.claim(1)[0])
    for _ in range(8):
        Generation.objects.filter(pk=row.pk).update(next_check_at=timezone.now())
        for claimed in gather.claim(1):
            gather.gather(claimed)
    wire.stop()
    row = again(row)
    if kept:
        assert row.status == State.SUCCEEDED, row.error_message
        assert row.outputs.get().content_type == kept
    else:
        assert (row.status, row.error_code) == (State.FAILED, "not_media")


def test_an_endless_file_ends_at_the_limit_and_leaves_nothing(
    sandbox: Any, settings: Any, bob: Membership
) -> None:
    settings.MAX_OUTPUT_BYTES = 200_000
    sandbox.script("result", {"endless": True, "times": 0})
    row = order(bob)
    run_pipeline()
    row = again(row)
    assert row.status == State.FAILED
    assert "larger" in row.error_message
    assert not row.outputs.exists()
    assert not list(Path(default_storage.location).rglob("*.*"))
    assert not list(gather.scratch().glob(f"{row.pk.hex}*"))


def test_a_result_that_never_comes_fails_after_a_day_with_its_cost(sandbox: Any, bob: Membership) -> None:
    sandbox.script("result", {"http": 404, "times": 0})
    row = order(bob)
    until(row, State.GATHERING)
    for _ in range(6):
        Generation.objects.update(next_check_at=timezone.now())
        one_round()
    assert again(row).status == State.GATHERING
    assert again(row).faults == 6
    Generation.objects.update(deadline_at=timezone.now() - timedelta(seconds=1))
    run_pipeline()
    assert again(row).status == State.FAILED
    assert again(row).cost_counted == Decimal("0.8")


def test_success_without_results_is_looked_at_again_then_fails_with_words(
    sandbox: Any, bob: Membership
) -> None:
    sandbox.script("query", {"merge": {"results": []}, "times": 0})
    row = order(bob)
    run_pipeline()
    assert again(row).status == State.FAILED
    assert again(row).error_code == "no_result"
    assert again(row).cost_counted == Decimal("0.8")


def test_cancel_before_sending_is_immediate_and_free(sandbox: Any, bob: Membership) -> None:
    row = order(bob)
    assert cancel(row)
    assert not cancel(row), "a second time there is nothing left to cancel"
    run_pipeline()
    assert again(row).status == State.CANCELLED
    assert again(row).cost_counted == 0
    assert not sandbox.submits


def test_cancel_while_running_asks_upstream_once_and_follows_its_word(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", {"hang": True})
    row = order(bob)
    one_round()
    assert not cancel(again(row))
    run_pipeline()
    assert again(row).status == State.CANCELLED
    assert again(row).cancel_sent_at


def test_a_cancel_wished_while_it_was_being_sent_is_passed_on_at_once(sandbox: Any, bob: Membership) -> None:
    row = order(bob)
    claimed = dispatch.claim(Connection.current(), 1)[0]
    assert not cancel(again(row))
    dispatch._accepted(claimed, "77", "RUNNING", 600.0, 900.0)
    assert again(row).status == State.RUNNING
    assert again(row).next_check_at <= timezone.now()


def test_a_cancel_that_did_not_get_through_is_passed_on_again_soon(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", {"hang": True})
    row = order(bob)
    one_round()
    cancel(again(row))
    sandbox.script("cancel", 500)
    claimed = follow.claim(1)[0]
    follow.look(claimed)
    assert again(row).cancel_sent_at is None
    assert again(row).next_check_at <= timezone.now() + timedelta(seconds=follow.WISH_AGAIN)


def test_a_copy_that_only_waited_for_its_thread_is_not_counted_against_it(
    sandbox: Any, bob: Membership
) -> None:
    row = order(bob)
    Generation.objects.filter(pk=row.pk).update(
        status=State.GATHERING, next_check_at=timezone.now(), results=[]
    )
    claimed = gather.claim(1)[0]
    assert again(row).claims == 1
    claimed.lease_until = timezone.now() - timedelta(seconds=1)
    gather.gather(claimed)
    assert (again(row).claims, again(row).status) == (0, State.GATHERING)


def test_a_cancel_that_upstream_ignores_still_brings_the_result(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", {"deaf": True})
    row = order(bob)
    one_round()
    cancel(again(row))
    run_pipeline()
    assert again(row).status == State.SUCCEEDED
    assert again(row).outputs.exists()


def test_a_cancel_wished_while_it_went_back_to_the_queue_ends_it(sandbox: Any, bob: Membership) -> None:
    row = order(bob)
    claimed = dispatch.claim(Connection.current(), 1)[0]
    assert not cancel(again(row)), "it is just being sent"
    sandbox.script("submit", 421)
    dispatch.send(claimed)
    assert again(row).status == State.CANCELLED


def test_a_worker_that_slept_past_its_lease_does_not_send(sandbox: Any, bob: Membership) -> None:
    row = order(bob)
    sleeper = dispatch.claim(Connection.current(), 1)[0]
    Generation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sweep().requeued == 1
    awake = dispatch.claim(Connection.current(), 1)[0]
    dispatch.send(awake)
    dispatch.send(sleeper)
    assert len(sandbox.submits) == 1
    run_pipeline()
    assert again(row).status == State.SUCCEEDED


def test_an_answer_that_arrives_after_the_sweep_gave_up_is_still_taken(sandbox: Any, bob: Membership) -> None:
    row = order(bob)
    claimed = dispatch.claim(Connection.current(), 1)[0]
    Generation.objects.update(submitting_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1))
    assert sweep().unconfirmed == 1
    assert resolve.release(again(row))
    dispatch._accepted(claimed, "1234567890123456789", "RUNNING", 1.0, 1800.0)
    assert again(row).status == State.RUNNING
    assert again(row).upstream_id == "1234567890123456789"


def test_two_watchers_never_send_the_same(sandbox: Any, bob: Membership) -> None:
    rows = [order(bob) for _ in range(3)]
    first = dispatch.claim(Connection.current(), 2)
    second = dispatch.claim(Connection.current(), 16)
    assert len({r.pk for r in first} | {r.pk for r in second}) == len(first) + len(second) == len(rows)


def test_the_slots_are_never_exceeded_and_others_use_of_them_counts(sandbox: Any, bob: Membership) -> None:
    for _ in range(5):
        order(bob)
    Connection.objects.update(slots=3, used_outside=1, next_check_at=timezone.now() + timedelta(hours=1))
    assert len(dispatch.claim(Connection.current(), 16)) == 2
    assert dispatch.claim(Connection.current(), 16) == []


def test_a_batch_never_starves_a_colleague(sandbox: Any, bob: Membership, carol: Membership) -> None:
    Connection.objects.filter(pk=Connection.current().pk).update(
        slots=4, next_check_at=timezone.now() + timedelta(hours=1)
    )
    for _ in range(20):
        order(bob)
    dispatch.claim(Connection.current(), 16)
    late = [order(carol), order(carol)]
    Generation.objects.filter(status=State.DISPATCHING).update(status=State.FAILED)
    claimed = dispatch.claim(Connection.current(), 16)
    assert {row.pk for row in late} <= {row.pk for row in claimed}


def test_a_row_that_kills_its_worker_again_and_again_is_parked_and_can_be_tried_again(
    sandbox: Any, bob: Membership
) -> None:
    row = order(bob)
    one_round()
    for _ in range(5):
        Generation.objects.update(next_check_at=timezone.now(), lease_until=None)
        assert follow.claim(1)
    Generation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sweep().parked == 1
    Generation.objects.update(next_check_at=timezone.now())
    assert not follow.claim(1)
    assert resolve.unpark(again(row))
    assert not resolve.unpark(again(row))
    run_pipeline()
    assert again(row).status == State.SUCCEEDED


def test_the_sweep_wakes_a_row_that_nothing_would_wake_and_ends_one_that_waited_a_week(
    sandbox: Any, bob: Membership
) -> None:
    row = order(bob)
    one_round()
    Generation.objects.update(next_check_at=None)
    assert sweep().woken == 1
    run_pipeline()
    assert again(row).status == State.SUCCEEDED
    old = order(bob)
    Generation.objects.filter(pk=old.pk).update(deadline_at=timezone.now() - timedelta(seconds=1))
    assert sweep().expired == 1
    assert again(old).status == State.FAILED
    assert sweep().expired == 0


def test_attaching_the_task_brings_the_result_home(sandbox: Any, alice: Membership, bob: Membership) -> None:
    sandbox.script("submit", "lost")
    row = order(bob)
    one_round()
    task = next(iter(sandbox.tasks))
    assert resolve.attach(again(row), task)
    assert not resolve.attach(again(row), task), "it is not unconfirmed any more"
    run_pipeline()
    assert again(row).status == State.SUCCEEDED
    assert len(sandbox.submits) == 1


def test_one_task_cannot_be_attached_to_two_generations(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", "lost", "lost")
    first, second = order(bob), order(bob, prompt="Another")
    one_round()
    task = next(iter(sandbox.tasks))
    assert resolve.attach(again(first), task)
    with pytest.raises(resolve.TaskTaken):
        resolve.attach(again(second), task)
    assert again(second).status == State.UNCONFIRMED


def test_a_charge_that_turns_up_after_the_release_is_booked(
    sandbox: Any, alice: Membership, bob: Membership
) -> None:
    sandbox.script("submit", "lost")
    row = order(bob)
    one_round()
    assert resolve.release(again(row))
    assert again(row).cost_counted == 0
    assert resolve.attach(again(row), next(iter(sandbox.tasks)))
    run_pipeline()
    assert again(row).status == State.SUCCEEDED
    assert again(row).error_code == ""
    assert again(row).cost_counted > 0
    assert len(sandbox.submits) == 1


def test_a_mistaken_number_can_be_corrected_once_upstream_does_not_know_it(
    sandbox: Any, alice: Membership, bob: Membership
) -> None:
    sandbox.script("submit", "lost")
    row = order(bob)
    one_round()
    assert resolve.attach(again(row), "999999")
    one_round()
    assert resolve.is_doubtful(again(row))
    assert resolve.attach(again(row), next(iter(sandbox.tasks)))
    run_pipeline()
    assert again(row).status == State.SUCCEEDED
    assert not resolve.attach(again(row), "999999")


def test_a_mistaken_number_can_be_given_up_but_not_while_it_is_looked_at(
    sandbox: Any, bob: Membership
) -> None:
    sandbox.script("submit", "lost")
    row = order(bob)
    one_round()
    assert resolve.attach(again(row), "999999")
    one_round()
    Generation.objects.filter(pk=row.pk).update(lease_until=timezone.now() + timedelta(minutes=1))
    assert not resolve.release(again(row))
    Generation.objects.filter(pk=row.pk).update(lease_until=None)
    assert resolve.release(again(row))
    assert (again(row).status, again(row).upstream_id) == (State.FAILED, "")


def test_a_task_that_runs_is_not_taken_away_from_its_generation(sandbox: Any, bob: Membership) -> None:
    row = order(bob)
    sandbox.script("submit", {"hang": True})
    one_round()
    Generation.objects.filter(pk=row.pk).update(faults=3)
    assert again(row).status == State.RUNNING
    assert not resolve.attach(again(row), "999999")
    assert not resolve.release(again(row))


def test_releasing_ends_the_hold(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", "lost")
    row = order(bob)
    one_round()
    assert resolve.release(again(row))
    assert not resolve.release(again(row))
    assert again(row).cost_counted == 0
    assert quota.standing(bob) == []


def test_work_of_another_connection_waits_until_its_key_is_back(
    sandbox: Any, settings: Any, bob: Membership
) -> None:
    row = order(bob)
    one_round()
    home = settings.RUNNINGHUB_BASE_URL
    settings.RUNNINGHUB_BASE_URL = "https://elsewhere.example"
    Generation.objects.update(next_check_at=timezone.now())
    for claimed in follow.claim(5):
        follow.look(claimed)
    assert again(row).status == State.RUNNING
    settings.RUNNINGHUB_BASE_URL = home
    run_pipeline()
    assert again(row).status == State.SUCCEEDED
