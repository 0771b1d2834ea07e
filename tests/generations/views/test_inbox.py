"""The inbox of managers: every case with what is known, and settled one by one or several at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership
from generations.models import Connection, Finding, Generation, Inquiry, State
from generations.pipeline import resolve
from generations.views import case
from tests.generations.views.test_generation_verbs import text_of

PAGE = "/t/tide/inbox/"
NOW = datetime(2026, 6, 18, 9, 31, 40, tzinfo=UTC)
BEFORE = {"balance": "100", "currency": "CNY", "at": "2026-06-18T09:30:00+00:00"}
AFTER = {**BEFORE, "balance": "99.2", "running": 3, "known": 2, "outside": 0, "lost": 1}
AFTER["at"] = "2026-06-18T09:32:00+00:00"


def lost(make_generation: Any, member: Membership, **fields: Any) -> Generation:
    row: Generation = make_generation(member, status=State.UNCONFIRMED, submitting_at=NOW, **fields)
    Inquiry.objects.create(generation=row, lost_at=NOW, before=BEFORE, after=AFTER)
    return row


def test_only_managers_of_the_team_see_it(
    alice: Membership, mona: Membership, bob: Membership, vera: Membership, zoe: Membership,
    client_of: Any, client: Client, make_generation: Any,
) -> None:  # fmt: skip
    row = lost(make_generation, bob)
    for who, status in ((alice, 200), (mona, 200), (bob, 403), (vera, 403), (zoe, 404)):
        assert client_of(who).get(PAGE).status_code == status
        assert client_of(who).post(f"{PAGE}release/", {"chosen": str(row.pk)}).status_code in {status, 302}
        row.refresh_from_db()
        assert row.status == (State.UNCONFIRMED if status != 200 else State.FAILED)
        Generation.objects.update(status=State.UNCONFIRMED, error_code="")
    assert client.get(PAGE).status_code == 302
    assert client_of(zoe).get("/t/zoo/inbox/").status_code == 200


def test_a_case_says_what_is_known(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    lost(make_generation, bob, error_detail="ReadTimeout <raw>", error_code="no_answer")
    page = client_of(mona).get(PAGE).content.decode()
    words = text_of(page)
    for said in (
        "On hold ¥0.80", "Sent on 18 June 09:31:40", "Slow piano over rain", "ReadTimeout &lt;raw&gt;",
        "balance ¥100.00", "balance ¥99.20, 3 tasks under way",
        "RunningHub counted 3 and we knew of 2: it probably exists.", "The balance fell by ¥0.80",
    ):  # fmt: skip
        assert said in words
    assert "1 needs a decision" in " ".join(
        page.split("<main")[0].replace('<span class="sr-only">', "").split()
    )


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (None, "has not been looked at since"),
        ({"running": 2}, "it had ended by then, or it never arrived"),
        ({"running": 3, "lost": 2}, "of 2 whose answer was lost, 1 probably exist."),
        ({"running": None, "balance": "100"}, "The balance did not fall"),
        ({"running": None, "balance": "99.9"}, "less than it costs"),
        ({"running": 4, "outside": 2, "balance": ""}, "RunningHub counted 4 and we knew of 4"),
    ],
)
def test_the_likely_verdict(bob: Membership, make_generation: Any, after: Any, words: str) -> None:
    row = lost(make_generation, bob)
    row.inquiry.after = None if after is None else {**AFTER, **after}
    assert words in case.Case(row, row.inquiry, shows_account=True).verdict


@pytest.mark.parametrize(
    ("site", "task", "address"),
    [
        ("https://www.runninghub.ai", "1934", "https://www.runninghub.ai/call-api/call-record-detail/1934"),
        ("https://www.runninghub.cn", "1934", "https://www.runninghub.cn/call-api/call-record-detail/1934"),
        ("https://www.runninghub.cn", "", "https://www.runninghub.cn"),
        ("sandbox", "1934", ""),
    ],
)
def test_the_call_record_is_that_of_the_site(
    db: None, settings: Any, site: str, task: str, address: str
) -> None:
    settings.USES_SANDBOX = False
    assert case.record(Connection(base_url=site), task) == address


def test_several_are_released_at_once_and_a_settled_one_stays(
    bob: Membership, mona: Membership, zoe: Membership, client_of: Any, make_generation: Any
) -> None:
    rows = [lost(make_generation, bob) for _ in range(3)]
    foreign = lost(make_generation, zoe)
    resolve.attach(rows[0], "7")
    chosen = [str(row.pk) for row in (rows[0], rows[1], foreign)]
    page = (
        client_of(mona)
        .post(f"{PAGE}release/", {"chosen": [*chosen, "nonsense"]}, follow=True)
        .content.decode()
    )
    assert "1 hold is released." in page
    assert "2 were settled already; nothing was changed." in page
    states = {row.pk: row.status for row in Generation.objects.all()}
    assert [states[row.pk] for row in (*rows, foreign)] == ["running", "failed", "unconfirmed", "unconfirmed"]
    answer = client_of(mona).post(f"{PAGE}release/", {})
    assert answer.status_code == 422
    assert "Choose at least one of them." in answer.content.decode()


def test_however_many_there_are_it_asks_the_same_few_questions(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    client = client_of(mona)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(PAGE).status_code == 200
        return len(queries)

    lost(make_generation, bob)
    few = asked()
    for _ in range(6):
        lost(make_generation, bob)
    make_generation(bob, status=State.QUEUED, parked_at=NOW)
    assert asked() <= few


def test_what_is_asked_about_answers_when_the_word_is_there(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    row, client = lost(make_generation, bob), client_of(mona)
    client.post(f"/t/tide/g/{row.pk}/resolve/", {"action": "attach", "task": "1934", "next": PAGE})
    page = client.get(PAGE).content.decode()
    assert f'hx-get="{PAGE}{row.pk}/"' in page
    assert 'value="attach"' not in page
    ask = lambda: client.get(f"{PAGE}{row.pk}/", headers={"HX-Request": "true"})  # noqa: E731
    assert ask().status_code == 204
    found = [{"what": "prompt", "ours": "Rain", "theirs": "<Sun>"}]
    assert Inquiry.objects.get(pk=row.pk).settle(Finding.DIFFERS, {"differences": found})
    answer = ask().content.decode()
    assert "asked for “Rain”, there it is “&lt;Sun&gt;”" in answer
    assert "<html" not in answer
    client.post(f"/t/tide/g/{row.pk}/resolve/", {"action": "insist", "task": "1934", "next": PAGE})
    row.refresh_from_db()
    assert (row.status, row.upstream_id) == (State.RUNNING, "1934")
    assert client.get(f"{PAGE}{row.pk}/")["Location"] == PAGE, "without a script it is the page"
    assert "It is settled." in ask().content.decode()


@pytest.mark.parametrize("finding", [Finding.UNKNOWN, Finding.ELSEWHERE, Finding.TAKEN, Finding.NO_ANSWER])
def test_each_answer_is_told(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any, finding: Finding
) -> None:
    row = lost(make_generation, bob)
    Inquiry.objects.filter(pk=row.pk).update(task="1934", answer=finding, detail={"account": "cn"})
    for address in (PAGE, f"/t/tide/g/{row.pk}/"):
        page = client_of(mona).get(address).content.decode()
        assert "task 1934" in page
        assert ('value="insist"' in page) == (finding == Finding.NO_ANSWER)
        assert "task 1934" not in client_of(bob).get(f"/t/tide/g/{row.pk}/").content.decode()


def test_an_empty_inbox_says_what_would_be_there(mona: Membership, client_of: Any) -> None:
    assert "Nothing needs a decision" in client_of(mona).get(PAGE).content.decode()


def test_a_manager_pauses_with_a_reason_that_those_who_wait_read(
    bob: Membership, mona: Membership, vera: Membership, client_of: Any, make_generation: Any
) -> None:
    waits = make_generation(bob, status=State.QUEUED)
    assert client_of(bob).post("/t/tide/team/pause/", {"reason": "x"}).status_code == 403
    client = client_of(mona)
    answer = client.post("/t/tide/team/pause/", {"reason": "  "})
    assert answer.status_code == 422
    assert "Say why" in answer.content.decode()
    assert Connection.current().paused_at is None
    client.post("/t/tide/team/pause/", {"reason": "The invoice is <not> paid."})
    page = text_of(client_of(vera).get(f"/t/tide/g/{waits.pk}/").content.decode())
    assert "Sending is paused until a manager resumes it. The invoice is &lt;not&gt; paid." in page
    client.post("/t/tide/team/pause/", {"reason": "Twice"})
    assert "invoice" in Connection.current().paused_reason
    client.post("/t/tide/team/resume/")
    assert Connection.current().paused_at is None


def test_a_library_row_and_the_api_say_where_it_stands(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(bob, status=State.RUNNING, dispatched_at=NOW, upstream_id="1")
    for _ in range(2):
        make_generation(bob, status=State.QUEUED)
    Connection.objects.update(slots=1)
    page = text_of(client_of(bob).get("/t/tide/library/").content.decode())
    assert "Waiting next in line" in page
    assert "Waiting place 2 in line" in page


def test_the_webhook_is_asked_for_from_the_page(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    row = make_generation(bob, status=State.RUNNING, upstream_id="77", webhook="asked", dispatched_at=NOW)
    address, client = f"/t/tide/g/{row.pk}/", client_of(mona)
    assert 'value="webhook"' in client.get(address).content.decode()
    assert 'value="webhook"' not in client_of(bob).get(address).content.decode()
    client.post(f"{address}resolve/", {"action": "webhook"})
    assert Inquiry.objects.get(pk=row.pk).question == "webhook"
    assert "RunningHub is asked for it." in client.get(address).content.decode()


def test_what_a_shared_account_has_is_told_to_nobody_who_is_not_alone_on_it(
    bob: Membership, mona: Membership, zoe: Membership, client_of: Any, make_generation: Any
) -> None:
    row = lost(make_generation, bob)
    for path in (PAGE, f"/t/tide/g/{row.pk}/"):
        words = text_of(client_of(mona).get(path).content.decode())
        assert "alance" not in words
        assert "3 tasks under way" in words
        assert "it probably exists" in words


def test_a_word_without_a_number_attaches_nothing(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    row = make_generation(bob, status=State.RUNNING, error_code="attached", faults=1, upstream_id="1934")
    Inquiry.objects.create(generation=row, answer=Finding.NO_ANSWER, task="")
    for task in ("", "\x00", " "):
        client_of(mona).post(f"/t/tide/g/{row.pk}/resolve/", {"action": "insist", "task": task})
        row.refresh_from_db()
        assert (row.upstream_id, row.faults) == ("1934", 1)
    assert not resolve.insist(row, "")
