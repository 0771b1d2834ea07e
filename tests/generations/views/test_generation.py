"""The page of one generation: who sees it, how every state is told, and what an open page asks while it waits."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Membership
from generations.models import Connection, Generation, State
from generations.pipeline import resolve
from tests.effort import thorough

CODES = ("", "421", "1501", "released", "unreachable", "model_gone")
NOW = datetime(2026, 6, 18, 9, 31, 40, tzinfo=UTC)


def url(generation: Generation, verb: str = "") -> str:
    return f"/t/{generation.team.slug}/g/{generation.pk}/" + (f"{verb}/" if verb else "")


def text_of(page: str) -> str:
    """What a reader sees of it, on one line."""
    body = re.sub(r"<(script|style|textarea)\b.*?</\1>", " ", page.split("<main", 1)[1], flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


@pytest.mark.parametrize("who", ["alice", "mona", "bob", "carol", "vera"])
def test_every_member_may_look(
    who: str, bob: Membership, client_of: Any, make_generation: Any, request: Any
) -> None:
    made = make_generation(bob, title="Harbour at dawn", outputs=1)
    answer = client_of(request.getfixturevalue(who)).get(url(made))
    assert answer.status_code == 200
    assert "<h1>Harbour at dawn</h1>" in answer.content.decode()


@pytest.mark.parametrize("verb", ["", "status"])
def test_strangers_get_404_and_nobody_signs_in(
    verb: str, bob: Membership, zoe: Membership, client_of: Any, client: Any, make_generation: Any
) -> None:
    made = make_generation(bob)
    assert client_of(zoe).get(url(made, verb)).status_code == 404
    assert client_of(zoe).get(url(made, verb).replace("/tide/", "/zoo/")).status_code == 404
    assert client.get(url(made, verb)).status_code == 302


@pytest.mark.parametrize("verb", ["cancel", "again", "resolve"])
def test_strangers_change_nothing(
    verb: str, bob: Membership, zoe: Membership, client_of: Any, client: Any, make_generation: Any
) -> None:
    made = make_generation(bob, status=State.UNCONFIRMED)
    for address in (url(made, verb), url(made, verb).replace("/tide/", "/zoo/")):
        assert client_of(zoe).post(address, {"action": "release"}).status_code == 404
    assert client.post(url(made, verb)).status_code == 302
    assert client_of(bob).get(url(made, verb)).status_code == 405
    made.refresh_from_db()
    assert made.status == State.UNCONFIRMED
    assert Generation.objects.count() == 1


def test_a_member_who_left_sees_nothing(bob: Membership, client_of: Any, make_generation: Any) -> None:
    made = make_generation(bob)
    Membership.objects.filter(pk=bob.pk).update(ended_at=NOW)
    assert client_of(bob).get(url(made)).status_code == 404


@pytest.mark.parametrize("code", ["<b>'\"", *map(thorough, CODES)])
@pytest.mark.parametrize("outputs", [1, thorough(0)])
@pytest.mark.parametrize(
    "status",
    [State.RUNNING, State.SUCCEEDED, *map(thorough, sorted(set(State) - {State.RUNNING, State.SUCCEEDED}))],
)
def test_every_state_shows(
    status: State,
    outputs: int,
    code: str,
    alice: Membership,
    vera: Membership,
    client_of: Any,
    make_generation: Any,
) -> None:
    moments = {"claimed_at": NOW, "submitting_at": NOW, "dispatched_at": NOW, "upstream_done_at": NOW}
    for fields in (
        {},
        {
            "cost_actual": Decimal("0.79"),
            "error_message": "Because <of> it.",
            "error_detail": f"{code} <raw>",
        },
        {"cost_estimated": None, "overdue_at": NOW, "cancel_requested_at": NOW, "parked_at": NOW, **moments},
        {"model": "gone--model", "created_at": NOW, **moments},
    ):
        made = make_generation(alice, status=status, outputs=outputs, error_code=code, **fields)
        for who in (alice, vera):
            answer = client_of(who).get(url(made))
            assert answer.status_code == 200
            page = answer.content.decode()
            assert "<of>" not in page
            assert "<raw>" not in page
            assert page.count("every ") == (0 if made.is_over else 1)
            assert client_of(who).get(url(made, "status")).status_code == 200


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": State.QUEUED}, "Next in line"),
        (
            {"status": State.QUEUED, "error_message": "All machines are busy."},
            "Last time it was tried: All machines are busy.",
        ),
        ({"status": State.DISPATCHING}, "On its way to RunningHub"),
        ({"status": State.RUNNING, "dispatched_at": NOW}, "usually"),
        ({"status": State.RUNNING, "overdue_at": NOW}, "RunningHub has not said that it failed"),
        ({"status": State.GATHERING}, "The files are being copied and checked"),
        ({"status": State.GATHERING, "overdue_at": NOW}, "It is not made again"),
        ({"status": State.UNCONFIRMED}, "The answer was lost. It may have been charged."),
        ({"status": State.RUNNING, "cancel_requested_at": NOW}, "may still be charged"),
        ({"status": State.RUNNING, "parked_at": NOW}, "Put aside after several tries"),
        ({"status": State.FAILED}, "This failed, and nothing was charged"),
        ({"status": State.FAILED, "cost_actual": Decimal("0.31")}, "This failed, and ¥0.31 was charged"),
        ({"status": State.FAILED, "error_code": "released"}, "Given up by a manager"),
        ({"status": State.CANCELLED}, "Cancelled before it was sent"),
        ({"status": State.CANCELLED, "dispatched_at": NOW}, "Cancelled after it had started"),
    ],
)
def test_a_state_is_told_in_words(
    fields: dict[str, Any], words: str, alice: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(alice, **fields)
    assert words in text_of(client_of(alice).get(url(made)).content.decode())


def test_only_managers_can_settle_and_see_what_upstream_reported(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(
        bob, status=State.UNCONFIRMED, parked_at=NOW, consume_money="0.791", upstream_id="1934"
    )
    mine = text_of(client_of(bob).get(url(made)).content.decode())
    assert "Settle it by hand" not in mine
    assert "Try again" not in mine
    assert "0.791" not in mine
    theirs = text_of(client_of(mona).get(url(made)).content.decode())
    assert "Settle it by hand" in theirs
    assert "Try again" in theirs
    assert "0.791" in theirs


def test_status_is_silent_until_something_changes_and_then_sends_the_content_once(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(alice, status=State.RUNNING, dispatched_at=NOW)
    client = client_of(alice)
    ask = re.search(r'hx-get="([^"]+status/[^"]+)"', client.get(url(made)).content.decode())
    assert ask
    address = ask[1].replace("&amp;", "&")
    assert client.get(address).status_code == 204
    Generation.objects.note(made.pk, State.RUNNING, next_check_at=NOW)
    assert client.get(address).status_code == 204
    Generation.objects.move(made.pk, State.RUNNING, State.GATHERING)
    answer = client.get(address)
    assert answer["HX-Retarget"] == "#generation"
    assert "every 1500ms" in answer.content.decode()
    Generation.objects.move(made.pk, State.GATHERING, State.SUCCEEDED)
    answer = client.get(address)
    assert answer["HX-Retarget"] == "#generation"
    assert "hx-get" not in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_status_sends_the_progress_alone_when_only_the_place_in_line_changed(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    first = make_generation(alice, status=State.QUEUED)
    second = make_generation(alice, status=State.QUEUED)
    client = client_of(alice)
    page = client.get(url(second)).content.decode()
    assert "Number 2 in line" in page
    ask = re.search(r'hx-get="([^"]+status/[^"]+)"', page)
    assert ask
    Generation.objects.move(first.pk, State.QUEUED, State.CANCELLED)
    answer = client.get(ask[1].replace("&amp;", "&"))
    assert "Next in line" in answer.content.decode()
    assert "HX-Retarget" not in answer
    assert "<article" not in answer.content.decode()


def test_what_may_still_be_settled_is_offered_to_managers(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    doubtful = make_generation(bob, status=State.RUNNING, upstream_id="77", error_code="attached", faults=2)
    released = make_generation(bob, status=State.FAILED, error_code="released")
    failed = make_generation(bob, status=State.FAILED, error_code="1501")
    theirs = {row: client_of(mona).get(url(row)).content.decode() for row in (doubtful, released, failed)}
    assert "does not know the task 77" in theirs[doubtful]
    assert [page.count('value="attach"') for page in theirs.values()] == [1, 1, 0]
    assert [page.count('value="release"') for page in theirs.values()] == [1, 0, 0]
    assert 'value="attach"' not in client_of(bob).get(url(doubtful)).content.decode()


def test_what_runs_at_a_connection_that_is_gone_can_only_be_given_up(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    gone = Connection.objects.create(
        team=bob.team, base_url="https://www.runninghub.cn", removed_at=timezone.now()
    )
    cut_off = make_generation(bob, status=State.RUNNING, upstream_id="77", connection=gone)
    lost = make_generation(bob, status=State.UNCONFIRMED, connection=gone)
    client = client_of(mona)
    inbox = client.get(f"/t/{bob.team.slug}/inbox/").content.decode()
    for row in (cut_off, lost):
        page = client.get(url(row)).content.decode()
        assert f'id="case-{row.pk}"' in inbox
        assert page.count('value="release"') == 1
        assert 'value="attach"' not in page
        answer = client.post(url(row, "resolve"), {"action": "attach", "task": "78"})
        assert answer.status_code == 409
        assert "Release the hold." in answer.content.decode()
    client.post(url(cut_off, "resolve"), {"action": "release"})
    cut_off.refresh_from_db()
    assert (cut_off.status, cut_off.error_code, cut_off.cost_counted) == (State.FAILED, "released", 0)
    page = client.get(url(cut_off)).content.decode()
    assert "Its connection is gone" in page
    assert 'value="attach"' not in page
    assert f"case-{cut_off.pk}" not in client.get(f"/t/{bob.team.slug}/inbox/").content.decode()


def test_what_ran_in_the_sandbox_can_be_given_up_once_there_is_a_key(
    bob: Membership, make_generation: Any, settings: Any
) -> None:
    settings.USES_SANDBOX = True
    row = make_generation(bob, status=State.RUNNING, upstream_id="77")
    assert not resolve.release(row)
    settings.USES_SANDBOX = False
    assert list(resolve.undecided(bob.team)) == [row]
    with pytest.raises(resolve.CutOff):
        resolve.propose(row, "78", bob.user)
    assert resolve.release(row)
