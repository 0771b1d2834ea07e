"""What an auditor tried against the pipeline: lost wishes, lost answers, odd words from upstream, unfair slots."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.models import Membership, Role, Team
from generations import tasks, uploads
from generations.models import Connection, Generation, Heartbeat, State
from generations.pipeline import dispatch, follow, watch, webhook
from generations.pipeline.accept import accept
from generations.pipeline.cancel import cancel
from generations.pipeline.sweep import sweep
from generations.runninghub.errors import NotAccepted
from tests.conftest import MODEL, join, one_round, run_pipeline, tone
from tests.effort import thorough

PROMPT = {"prompt": "Calm piano, 80 bpm"}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def order(member: Membership, **params: Any) -> Generation:
    return accept(member, MODEL, {**PROMPT, **params}).generation


def again(row: Generation) -> Generation:
    return Generation.objects.get(pk=row.pk)


def claimed(row: Generation) -> Generation:
    found = dispatch.claim(Connection.current(), 16)
    return next(one for one in found if one.pk == row.pk)


@contextmanager
def database_away(times: int, since: Callable[[], bool]) -> Iterator[None]:
    """The next statements fail, `times` of them, as soon as `since` is true."""
    left = [times]

    def refuse(execute: Any, *args: Any) -> Any:
        if left[0] and since():
            left[0] -= 1
            raise OperationalError("the database system is starting up")
        return execute(*args)

    with connection.execute_wrapper(refuse):
        yield


@pytest.fixture
def settled() -> None:
    """The connection was just looked at, so a round asks nothing about the account."""
    connection_now = Connection.current()
    later = timezone.now() + timedelta(hours=1)
    Connection.objects.filter(pk=connection_now.pk).update(next_check_at=later, checked_at=timezone.now())


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("ok", State.RUNNING),
        *(thorough(*case) for case in [(421, State.QUEUED), (802, State.FAILED), (1007, State.FAILED)]),
    ],
)
def test_a_database_that_is_away_when_the_answer_comes_forgets_nothing(
    sandbox: Any, bob: Membership, answer: Any, state: State
) -> None:
    sandbox.script("submit", answer)
    row = order(bob)
    sending = claimed(row)
    with database_away(2, since=lambda: bool(sandbox.submits)):
        dispatch.send(sending)
    assert again(row).status == state
    assert bool(again(row).upstream_id) is (state == State.RUNNING)


def test_a_cancel_wished_while_being_sent_holds_when_the_worker_dies(sandbox: Any, bob: Membership) -> None:
    row = order(bob)
    claimed(row)
    assert not cancel(again(row))
    Generation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sweep()
    run_pipeline()
    assert again(row).status == State.CANCELLED
    assert not sandbox.submits


def test_a_cancel_wished_before_the_bytes_leave_stops_them(sandbox: Any, bob: Membership) -> None:
    row = order(bob)
    sending = claimed(row)
    assert not cancel(again(row))
    dispatch.send(sending)
    assert again(row).status == State.CANCELLED
    assert not sandbox.submits


def test_a_cancel_that_meets_the_way_back_to_the_queue_ends_it(sandbox: Any, bob: Membership) -> None:
    row = order(bob)
    seen = claimed(row)
    sandbox.script("submit", 421)
    back: list[bool] = []

    def between(execute: Any, sql: str, *args: Any) -> Any:
        if "cancel_requested_at" in sql and sql.startswith("UPDATE") and not back:
            back.append(True)
            dispatch.send(seen)
        return execute(sql, *args)

    with connection.execute_wrapper(between):
        ended = cancel(again(row))
    assert back
    assert ended
    assert again(row).status == State.CANCELLED


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"taskId": "x" * 90}, "x" * 90),
        ({"taskId": ["odd"]}, "odd"),
        ({"code": "E" * 60, "msg": "what?"}, "what?"),
    ],
    ids=["long id", "odd id", "long code"],
)
def test_words_longer_than_any_column_are_unconfirmed_and_kept_for_a_manager(
    sandbox: Any, bob: Membership, body: Any, told: str
) -> None:
    sandbox.script("submit", {"body": body})
    row = order(bob)
    dispatch.send(claimed(row))
    assert again(row).status == State.UNCONFIRMED
    assert told in again(row).error_detail


@pytest.mark.parametrize(
    ("word", "currency"), [("USD", "USD"), ("usd", "USD"), ("RENMINBI", "CNY"), ("RMB", "CNY"), ("", "CNY")]
)
def test_only_a_known_currency_is_taken_over(sandbox: Any, bob: Membership, word: str, currency: str) -> None:
    sandbox.script("account", {"merge": {"data": {"remainMoney": "5", "currency": word}}})
    watch.refresh_connection(Connection.current())
    assert Connection.current().currency == currency
    assert Connection.current().balance == "5"


@pytest.mark.django_db(transaction=True)
def test_a_task_that_belongs_to_another_generation_is_unconfirmed_with_words(
    sandbox: Any, bob: Membership
) -> None:
    first = order(bob)
    one_round()
    task = again(first).upstream_id
    sandbox.script("submit", {"body": {"taskId": task, "status": "RUNNING"}})
    second = order(bob, prompt="Another")
    one_round()
    assert again(second).status == State.UNCONFIRMED
    assert task in again(second).error_detail
    run_pipeline()
    assert again(first).status == State.SUCCEEDED


@pytest.mark.parametrize(("code", "state"), [(421, State.QUEUED), (1007, State.FAILED)])
def test_a_definite_answer_counts_also_when_the_sweep_gave_up_first(
    sandbox: Any, bob: Membership, code: int, state: State
) -> None:
    row = order(bob)
    sending = claimed(row)

    def meanwhile(execute: Any, *args: Any) -> Any:
        if sandbox.submits and not given_up:
            given_up.append(True)
            Generation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
            assert sweep().unconfirmed == 1
        return execute(*args)

    given_up: list[bool] = []
    sandbox.script("submit", code)
    with connection.execute_wrapper(meanwhile):
        dispatch.send(sending)
    assert given_up
    assert again(row).status == state


def test_a_wish_to_cancel_that_did_not_arrive_is_said_again(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", {"hang": True})
    sandbox.script("cancel", {"http": 502}, {"lost": "before"}, 1003)
    row = order(bob)
    one_round()
    cancel(again(row))
    run_pipeline()
    assert again(row).status == State.CANCELLED


def test_a_wish_to_cancel_is_not_overtaken_by_a_look_under_way(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", {"hang": True})
    row = order(bob)
    one_round()
    Generation.objects.update(next_check_at=timezone.now() - timedelta(seconds=1))
    looking = follow.claim(1)[0]
    cancel(again(row))
    follow.look(looking)
    assert again(row).next_check_at <= timezone.now()  # type: ignore[operator]


def test_a_webhook_that_rings_during_a_look_makes_for_another(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", {"hang": True})
    row = order(bob)
    one_round()
    Generation.objects.update(next_check_at=timezone.now() - timedelta(seconds=1))
    looking = follow.claim(1)[0]
    assert webhook.ring(row.pk, webhook.token(row.pk), b"{}")
    follow.look(looking)
    assert again(row).next_check_at <= timezone.now()  # type: ignore[operator]


@pytest.mark.django_db
def test_a_beat_from_the_future_keeps_nobody_out() -> None:
    stale = timedelta(seconds=15)
    Heartbeat.beat("audit", holder="gone")
    assert not Heartbeat.take("audit", "me", stale_after=stale)
    Heartbeat.objects.filter(name="audit").update(beat_at=timezone.now() + timedelta(days=1))
    assert Heartbeat.take("audit", "me", stale_after=stale)


def test_a_clock_set_back_by_a_day_leaves_nothing_waiting_for_it(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", 421, "ok", {"hang": True}, "lost")
    tomorrow = timezone.now() + timedelta(days=1)
    rows = [order(bob) for _ in range(3)]
    one_round()
    for row in rows[:2]:
        Generation.objects.filter(pk=row.pk).update(next_check_at=tomorrow, lease_until=tomorrow)
    Generation.objects.filter(pk=rows[2].pk).update(
        status=State.DISPATCHING, submitting_at=None, lease_until=tomorrow
    )
    Connection.objects.update(full_until=tomorrow, next_check_at=tomorrow)
    sweep()
    now = timezone.now()
    assert not Generation.objects.filter(lease_until__gt=now).exists()
    assert not Generation.objects.filter(next_check_at__gt=now).exists()
    assert not Generation.objects.filter(status=State.DISPATCHING).exists()
    assert Connection.current().full_until is None
    assert Connection.current().next_check_at <= timezone.now()


def test_a_row_that_just_proved_alive_is_not_parked(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", {"hang": True})
    row = order(bob)
    one_round()
    Generation.objects.update(claims=9, lease_until=None)
    looked: list[bool] = []

    def meanwhile(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("UPDATE") and "parked_at" in sql and not looked:
            looked.append(True)
            Generation.objects.note(row.pk, State.RUNNING)
        return execute(sql, *args)

    with connection.execute_wrapper(meanwhile):
        assert sweep().parked == 0
    assert looked == [True]
    assert again(row).parked_at is None


@pytest.mark.django_db
def test_lost_work_is_found_also_when_the_schedule_is_gone() -> None:
    sweep()
    tasks.beat()
    first = Heartbeat.last("sweep")
    for far in (timedelta(minutes=-5), timedelta(days=1)):
        Heartbeat.objects.filter(name="sweep").update(beat_at=timezone.now() + far)
        tasks.beat()
        last = Heartbeat.last("sweep")
        assert first
        assert last
        assert timedelta() < last - first < timedelta(minutes=1)


def test_an_unconfirmed_generation_takes_one_slot_and_not_two(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", {"lost": "after", "hang": True})
    Connection.objects.filter(pk=Connection.current().pk).update(slots=3)
    order(bob)
    one_round()
    Connection.objects.update(next_check_at=timezone.now())
    watch.refresh_connection(Connection.current())
    assert Connection.current().used_outside == 0


def test_what_others_used_is_forgotten_when_upstream_no_longer_says(sandbox: Any, bob: Membership) -> None:
    row = order(bob)
    Connection.objects.filter(pk=Connection.current().pk).update(used_outside=3, slots=3)
    sandbox.script("queue", {"http": 502, "times": 0})
    run_pipeline()
    assert again(row).status == State.SUCCEEDED


def test_a_number_of_slots_in_the_settings_is_all_ours(sandbox: Any, settings: Any, bob: Membership) -> None:
    settings.RUNNINGHUB_SLOTS = 2
    Connection.objects.filter(pk=Connection.current().pk).update(used_outside=2)
    row = order(bob)
    run_pipeline()
    assert again(row).status == State.SUCCEEDED


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_a_submit_while_upstream_counts_is_not_taken_for_someone_elses(sandbox: Any, bob: Membership) -> None:
    sandbox.script("submit", {"hang": True})
    row = order(bob)
    Connection.objects.filter(pk=Connection.current().pk).update(next_check_at=timezone.now())
    sandbox.script("queue", {"slow": 0.5})
    asking = threading.Thread(target=_and_close, args=[watch.refresh_connection, Connection.current()])
    asking.start()
    dispatch.send(claimed(row))
    asking.join()
    assert again(row).status == State.RUNNING
    assert Connection.current().used_outside == 0


def _and_close(job: Callable[..., Any], *args: Any) -> None:
    job(*args)
    connection.close()


@pytest.mark.parametrize("field", ["overdue_at", "parked_at"])
def test_a_task_that_nobody_expects_any_more_holds_no_slot(
    sandbox: Any, settings: Any, bob: Membership, field: str
) -> None:
    settings.RUNNINGHUB_SLOTS = 1
    sandbox.script("submit", {"hang": True, "when": "forgotten"})
    old = order(bob, prompt="forgotten")
    one_round()
    Connection.objects.update(slots=1)
    assert again(old).status == State.RUNNING
    row = order(bob)
    assert dispatch.claim(Connection.current(), 4) == []
    Generation.objects.filter(pk=old.pk).update(**{field: timezone.now()})
    assert [one.pk for one in dispatch.claim(Connection.current(), 4)] == [row.pk]


@pytest.mark.parametrize(("fault", "goes_on"), [(421, True), (1003, False), ({"http": 429}, False)], ids=str)
def test_a_task_that_ends_makes_room_for_the_next_but_lifts_no_limit_of_requests(
    sandbox: Any, bob: Membership, fault: Any, goes_on: bool
) -> None:
    sandbox.script("submit", "ok", fault)
    first = order(bob)
    one_round()
    order(bob, prompt="Next")
    for row in dispatch.claim(Connection.current(), 1):
        dispatch.send(row)
    assert Connection.current().full_until
    for _ in range(20):
        Generation.objects.filter(status=State.RUNNING).update(next_check_at=timezone.now())
        for row in follow.claim(1):
            follow.look(row)
        if again(first).status != State.RUNNING:
            break
    assert (Connection.current().full_until is None) is goes_on


@pytest.mark.thorough
def test_the_twenty_first_member_is_not_starved_by_twenty_with_batches(sandbox: Any, team: Team) -> None:
    Connection.objects.filter(pk=Connection.current().pk).update(
        slots=21, next_check_at=timezone.now() + timedelta(hours=1)
    )
    for n in range(20):
        busy = join(team, f"busy{n}", Role.MEMBER)
        for _ in range(2):
            order(busy)
    for row in dispatch.claim(Connection.current(), 20):
        Generation.objects.filter(pk=row.pk).update(status=State.RUNNING)
    late = order(join(team, "late", Role.MEMBER))
    assert [row.pk for row in dispatch.claim(Connection.current(), 1)] == [late.pk]


@pytest.mark.django_db(transaction=True)
def test_a_job_whose_database_connection_broke_gives_its_row_back(sandbox: Any, bob: Membership) -> None:
    row = order(bob)
    Generation.objects.update(status=State.RUNNING, upstream_id="1", next_check_at=timezone.now())
    (looking,) = follow.claim(1)

    def breaks(_: Generation) -> None:
        if connection.vendor == "sqlite":
            raise OperationalError("disk I/O error")  # a file never hangs up
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    watch.guarded(breaks, looking)
    assert again(row).lease_until is None


def test_wrong_media_after_other_faults_is_tried_again(sandbox: Any, bob: Membership) -> None:
    sandbox.script("result", {"http": 502, "times": 4}, "html")
    row = order(bob)
    run_pipeline()
    assert again(row).status == State.SUCCEEDED


def test_an_object_store_that_is_away_is_waited_for_and_parks_nothing(
    sandbox: Any, settings: Any, bob: Membership
) -> None:
    row = order(bob)
    good = settings.STORAGES
    options = {
        "bucket_name": "sounds", "endpoint_url": "http://127.0.0.1:9", "access_key": "a", "secret_key": "b",
        "region_name": "x", "file_overwrite": True,
    }  # fmt: skip
    settings.STORAGES = {
        **good, "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    }  # fmt: skip
    for _ in range(20):
        Generation.objects.filter(status__in=[State.QUEUED, State.RUNNING]).update(
            next_check_at=timezone.now()
        )
        one_round()
        if again(row).faults:
            break
    assert again(row).status == State.GATHERING
    assert again(row).error_code == "storage"
    settings.STORAGES = good
    run_pipeline()
    assert again(row).status == State.SUCCEEDED


def test_coins_charged_instead_of_money_keep_the_hold(sandbox: Any, bob: Membership) -> None:
    usage = {"consumeMoney": "0", "consumeCoins": "12", "thirdPartyConsumeMoney": None, "taskCostTime": "3"}
    row = order(bob)
    one_round()
    sandbox.script("query", {"merge": {"usage": usage}, "times": 0})
    run_pipeline()
    assert again(row).status == State.SUCCEEDED
    assert again(row).cost_actual is None
    assert again(row).cost_counted == Decimal("0.8")


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_slow_looks_leave_threads_for_sending_and_slow_submits_for_looking(
    sandbox: Any, bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    """Far more looks are due than there are threads, and none of them is answered for a while."""
    sandbox.script("query", {"slow": 1.5, "http": 502, "times": 0})
    for n in range(60):
        make_generation(bob, status=State.RUNNING, upstream_id=str(n), next_check_at=timezone.now())
    Connection.objects.filter(pk=Connection.current().pk).update(
        slots=100, next_check_at=timezone.now() + timedelta(hours=1), checked_at=timezone.now()
    )
    row = order(bob)
    watch.watch(seconds=1)
    assert again(row).status != State.QUEUED


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_a_file_that_takes_long_to_go_upstream_outlives_the_slice(sandbox: Any, bob: Membership) -> None:
    sandbox.script("upload", {"slow": 3})
    voice = uploads.store(bob, SimpleUploadedFile("voice.wav", tone(12.0, 16000)))
    params = {"audio": voice.reference, "custom_voice_id": "audit0123456789", "text": "Hello there."}
    row = accept(bob, "minimax--voice-clone", params).generation
    begun = time.monotonic()
    watch.watch(seconds=1)
    assert time.monotonic() - begun < 2.5, "nobody waits for it"
    assert again(row).status == State.DISPATCHING
    while again(row).status == State.DISPATCHING:
        assert time.monotonic() - begun < 20
        time.sleep(0.05)
    assert again(row).status == State.RUNNING
    assert len(sandbox.submits) == 1


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_waits_for_its_last_answers_is_alive(
    sandbox: Any, settings: Any, bob: Membership
) -> None:
    sandbox.script("submit", {"slow": 5})
    order(bob)
    watch.watch(seconds=0.5)
    beat = Heartbeat.last("worker")
    assert beat
    assert (timezone.now() - beat).total_seconds() < 3.5


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_an_account_that_does_not_answer_stops_nobody(sandbox: Any, settings: Any, bob: Membership) -> None:
    settings.READ_SECONDS = 3.0
    sandbox.script("queue", {"slow": 6, "times": 0})
    Connection.objects.filter(pk=Connection.current().pk).update(
        next_check_at=timezone.now(), checked_at=timezone.now()
    )
    row = order(bob)
    watch.watch(seconds=1)
    sent = again(row).submitting_at
    assert sent
    assert (sent - row.created_at).total_seconds() < 1.5


def test_a_model_that_is_full_is_left_alone_as_long_as_upstream_asks(sandbox: Any, bob: Membership) -> None:
    row = order(bob)
    error = NotAccepted("1011", "", "capacity", 600.0)
    sending = claimed(row)
    dispatch._not_accepted(sending, error)
    waits = again(row).next_check_at - timezone.now()  # type: ignore[operator]
    assert waits > timedelta(seconds=590)


@pytest.mark.parametrize("code", [1014, 412])
def test_a_model_that_this_account_may_not_run_stops_nobody_else(
    sandbox: Any, bob: Membership, code: int
) -> None:
    sandbox.script("submit", code)
    row = order(bob)
    one_round()
    assert (again(row).status, again(row).error_code) == (State.FAILED, str(code))
    assert Connection.current().paused_at is None


@pytest.mark.parametrize("answer", [{"refuse": 802}, {"http": 503}])
def test_an_address_or_key_that_is_wrong_pauses_where_the_key_is_not_known_to_be_good(
    sandbox: Any, bob: Membership, answer: dict[str, int]
) -> None:
    Connection.objects.update(next_check_at=timezone.now() + timedelta(hours=1))
    sandbox.script("submit", 412)
    sandbox.script("queue", {**answer, "times": 9})
    row = order(bob)
    one_round()
    assert again(row).status == State.FAILED
    assert Connection.current().paused_code == "412"
