"""What went wrong in other portals of this kind, and the test that shows that it does not here.

=====================================================  ==========================================================
a paid submit retried after a time-out, billed again   pipeline/test_stages: a_submit_that_times_out_is_unconfirmed,
                                                       a_lost_answer_is_unconfirmed_and_never_sent_again
a poll time-out taken as failure, refunded, billed     pipeline/test_stages: ten_failed_queries_are_no_verdict,
                                                       being_overdue_is_shown_and_is_no_verdict; and here
success upstream, the copy failed, the money gone      here; pipeline/test_stages: a_download_cut_half_way_…
a refund given twice by overlapping pollers            here
amount and state in different transactions             here
check-then-spend races                                 pipeline/test_door: twenty_at_once_against_a_limit_of_five_…,
                                                       the_team_pool_holds_across_members
counters that drift from the rows                      here; test_quota: use_is_the_sum_of_the_receipts_of_the_period
resets that did not happen                             here
side doors that bypass quota                           here; pipeline/test_several: batches_of_several_people_…
a bad price: free runs, or all locked out              here
expired result links                                   here
expired input links                                    pipeline/test_copies: a_copy_a_day_old_is_sent_again_by_itself
closed tab = lost job                                  here
cancel of the wrong job, or only pretended             here; pipeline/test_stages: cancel_while_running_asks_…
one poison item that crashed every start               here; pipeline/test_stages: a_row_that_kills_its_worker_…
the broker running a long task again                   here
a webhook lost                                         here; pipeline/test_webhook: who_noticed_the_end_is_counted
database locked                                        here
=====================================================  ==========================================================
"""

from __future__ import annotations

import ast
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from accounts.models import Allowance, Measure, Membership, Mode, Period, Scope
from generations import queue, quota, tasks
from generations.catalogue import load
from generations.models import Connection, Generation, State
from generations.pipeline import dispatch, follow, gather, watch
from generations.pipeline.accept import PriceUnknown, accept
from generations.pipeline.cancel import cancel
from generations.pipeline.persist import persist
from generations.pipeline.sweep import sweep
from tests.conftest import MODEL, run_pipeline

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
SPEECH = "minimax--speech-2.8-turbo"


def order(member: Membership, text: str = "Slow bells") -> Generation:
    return accept(member, SPEECH, {"text": text}).generation


def sent(member: Membership, text: str = "Slow bells") -> Generation:
    row = order(member, text)
    for one in dispatch.claim(Connection.current(), 1):
        dispatch.send(one)
    row.refresh_from_db()
    assert row.status == State.RUNNING
    return row


def done_upstream(sandbox: Any) -> None:
    give_up = time.monotonic() + 30
    while not all(task.is_over for task in sandbox.tasks.values()):
        assert time.monotonic() < give_up
        time.sleep(0.01)


def limit(member: Membership, measure: Measure, period: Period, amount: str) -> None:
    allowance = {"mode": Mode.LIMITED, "limit": Decimal(amount), "period": period, "measure": measure}
    Allowance.put(member.team, scope=Scope.DEFAULT, **allowance)


def test_a_query_without_an_answer_gives_no_money_back(sandbox: Any, settings: Any, bob: Membership) -> None:
    settings.READ_SECONDS = 0.1
    row = sent(bob)
    sandbox.script("query", {"slow": 0.3})
    Generation.objects.update(next_check_at=timezone.now())
    for one in follow.claim(1):
        follow.look(one)
    row.refresh_from_db()
    assert (row.status, row.faults, row.cost_counted) == (State.RUNNING, 1, row.cost_estimated)


def test_a_copy_that_fails_costs_no_second_generation(sandbox: Any, bob: Membership) -> None:
    sandbox.script("result", {"http": 404}, "lost", {"cut": 0.3}, "html")
    row = order(bob)
    run_pipeline()
    row.refresh_from_db()
    assert (row.status, row.outputs.count(), len(sandbox.submits)) == (State.SUCCEEDED, 1, 1)


def test_two_pollers_that_see_the_same_failure_count_it_once(sandbox: Any, bob: Membership) -> None:
    limit(bob, Measure.SPEND, Period.MONTH, "10")
    sandbox.script("submit", {"fail": 1501})
    row = sent(bob)
    done_upstream(sandbox)
    Generation.objects.update(next_check_at=timezone.now())
    (first,) = follow.claim(1)
    Generation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    (second,) = follow.claim(1)
    for poller in (first, second):
        follow.look(poller)
    row.refresh_from_db()
    assert (row.status, row.cost_counted) == (State.FAILED, 0)
    assert quota.standing(bob)[0].used == 0, "not less than nothing"


def test_state_and_amount_are_one_statement(sandbox: Any, bob: Membership) -> None:
    """Whoever reads between two statements never finds the one without the other: there is no between."""
    row = sent(bob)
    done_upstream(sandbox)
    Generation.objects.update(next_check_at=timezone.now())
    (claimed,) = follow.claim(1)
    seen = []

    def watched(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("UPDATE") and not connection.in_atomic_block:
            now = Generation.objects.values_list("status", "cost_actual").get(pk=row.pk)
            seen.append(now)
        return result

    with connection.execute_wrapper(watched):
        follow.look(claimed)
    assert seen
    assert all((status == State.RUNNING) == (cost is None) for status, cost in seen)


def test_use_follows_the_rows_whatever_happens_to_them(
    bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    limit(bob, Measure.SPEND, Period.MONTH, "10")
    row = make_generation(bob, cost_actual=Decimal("0.80"))
    assert quota.standing(bob)[0].used == Decimal("0.80")
    Generation.objects.filter(pk=row.pk).update(cost_actual=Decimal("0.30"))
    assert quota.standing(bob)[0].used == Decimal("0.30"), "no counter has to hear of it"


def test_a_new_day_needs_nobody_to_reset_anything(
    bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    limit(bob, Measure.COUNT, Period.DAY, "1")
    row = make_generation(bob)
    with pytest.raises(quota.QuotaExceeded):
        order(bob)
    Generation.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=1))
    order(bob)


@pytest.mark.thorough
def test_rows_are_made_at_one_door_only() -> None:
    """Every place of the program that inserts a generation, found in its syntax tree."""
    found = set()
    for path in (ROOT / "generations").rglob("*.py"):
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                if name in {"Generation", "Generation.objects.create", "Generation.objects.bulk_create"}:
                    found.add(path.relative_to(ROOT).as_posix())
    # What is imported never goes upstream and costs nothing.
    assert found == {"generations/pipeline/accept.py", "generations/pipeline/adopt.py"}


def test_an_unknown_price_is_neither_free_nor_a_lock_for_the_others(bob: Membership) -> None:
    unpriced = next(spec for spec in load.models() if spec.price is None)
    with pytest.raises(PriceUnknown):
        accept(bob, unpriced.slug, dict(unpriced.example))
    assert order(bob).cost_estimated, "a model whose price is known works as ever"


def test_an_expired_result_is_asked_for_once_more_and_copied(sandbox: Any, bob: Membership) -> None:
    row = sent(bob)
    done_upstream(sandbox)
    Generation.objects.update(next_check_at=timezone.now())
    for one in follow.claim(1):
        follow.look(one)
    row.refresh_from_db()
    stale = [{**result, "url": f"{sandbox.url}/results/expired.mp3"} for result in row.results]
    Generation.objects.filter(pk=row.pk).update(results=stale)
    run_pipeline()
    row.refresh_from_db()
    assert (row.status, row.outputs.count()) == (State.SUCCEEDED, 1)


@pytest.mark.thorough
def test_nobody_has_to_keep_a_page_open(sandbox: Any, bob: Membership, client_of: Any) -> None:
    """Sent by a form; no page is asked for afterwards."""
    answer = client_of(bob).post(f"/t/tide/create/{MODEL}/", {"prompt": "Rain", "format": "wav"})
    assert answer.status_code == 303
    run_pipeline()
    assert set(Generation.objects.values_list("status", flat=True)) == {State.SUCCEEDED}


def test_a_cancel_reaches_its_own_task_and_is_over_when_upstream_says_so(
    sandbox: Any, bob: Membership
) -> None:
    sandbox.script("submit", {"hang": True}, {"hang": True})
    mine, other = sent(bob, "Mine"), sent(bob, "Other")
    assert cancel(mine) is False, "sent already: nobody claims that it is over"
    mine.refresh_from_db()
    assert mine.status == State.RUNNING
    Generation.objects.filter(pk=mine.pk).update(next_check_at=timezone.now())
    for one in follow.claim(1):
        follow.look(one)
    mine.refresh_from_db()
    other.refresh_from_db()
    assert [one["taskId"] for one in sandbox.log.cancels] == [mine.upstream_id]
    assert (mine.status, other.status) == (State.CANCELLED, State.RUNNING)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "spoiled",
    [
        {"status": State.GATHERING, "results": "not a list"},
        {"status": State.GATHERING, "results": [7]},
        {"status": State.QUEUED, "params": ["not", "params"]},
        {"status": State.RUNNING, "upstream_id": "\x01"},
    ],
    ids=["results", "result", "params", "task"],
)
def test_one_spoiled_row_stops_neither_the_worker_nor_the_others(
    spoiled: dict[str, Any], sandbox: Any, bob: Membership
) -> None:
    poison, row = order(bob, "Poison"), order(bob, "Good")
    Generation.objects.filter(pk=poison.pk).update(**spoiled)
    give_up = time.monotonic() + 30
    while row.status != State.SUCCEEDED:
        assert time.monotonic() < give_up
        Generation.objects.filter(pk=row.pk).update(next_check_at=timezone.now())
        tasks.sweep()
        watch.watch(0.1)
        row.refresh_from_db()


def test_two_schedules_of_one_name_stop_no_worker_from_starting(db: None) -> None:
    """Two workers that begin on an empty database at the same moment make them."""
    queue.ensure_schedules()
    Schedule.objects.create(name="sweep", func="generations.tasks.sweep")
    queue.ensure_schedules()
    assert Schedule.objects.filter(name="sweep").count() == 1


@pytest.mark.thorough
def test_the_queue_may_bring_everything_twice(sandbox: Any, bob: Membership) -> None:
    row = order(bob)
    for _ in range(3):
        queue.ring()
    threads = [threading.Thread(target=_run_messages) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run_pipeline()
    row.refresh_from_db()
    assert (row.status, len(sandbox.submits), row.outputs.count()) == (State.SUCCEEDED, 1, 1)


def _run_messages() -> None:
    for message in list(OrmQ.objects.all()):
        getattr(tasks, str(message.func()).rpartition(".")[2])()
    connections.close_all()


def test_without_any_webhook_everything_is_found_all_the_same(
    sandbox: Any, settings: Any, bob: Membership
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    sandbox.script("webhook", "lost")
    row = order(bob)
    run_pipeline()
    row.refresh_from_db()
    assert (row.status, row.found_by) == (State.SUCCEEDED, "poll")


def test_a_locked_database_is_waited_for_and_forgets_no_task(bob: Membership) -> None:
    """Somebody else holds the row, or the whole file, while the number of a task that was paid for is to be saved."""
    row = order(bob)
    (claimed,) = dispatch.claim(Connection.current(), 1)
    locked, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        if connection.vendor == "sqlite":
            with contextlib.closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
                other.isolation_level = None
                other.execute("BEGIN IMMEDIATE")
                locked.set()
                let_go.wait(10)
                other.execute("ROLLBACK")
        else:
            with transaction.atomic():
                Generation.objects.select_for_update().get(pk=row.pk)
                locked.set()
                let_go.wait(10)
            connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(10)
    threading.Timer(0.3, let_go.set).start()
    dispatch._accepted(claimed, "1234567890", "RUNNING", 1.0, 60.0)
    holder.join()
    row.refresh_from_db()
    assert (row.status, row.upstream_id) == (State.RUNNING, "1234567890")
    assert persist(lambda: gather.claim(1)) == []
    assert sweep().unconfirmed == 0
