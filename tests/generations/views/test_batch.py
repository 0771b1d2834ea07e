"""Several at once, from outside: the form, the bill before, and the page of the order."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Measure, Membership, Role
from generations.catalogue import load
from generations.models import Batch, Connection, Draft, Generation
from generations.pipeline import accept as door
from tests.conftest import MODEL
from tests.generations.pipeline.test_door import limit
from tests.generations.views.reading import seen

SPEECH = "minimax--speech-2.8-hd"
PAGE = f"/t/tide/create/{load.get(SPEECH).slug}/"
TEXT = "\n".join(f"This is line number {n:02}." for n in range(1, 41))
EACH = len("This is line number 01.")


def price(count: int) -> Decimal:
    cost = door.quote(load.get(SPEECH), {"text": "x" * EACH}, Connection.current(), None).cost
    assert cost is not None
    return cost * count


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def form(**changes: Any) -> dict[str, Any]:
    return {"text": TEXT, "voice_id": "Wise_Woman", "_by_line": "on", "_title": "Tavern", **changes}


@pytest.fixture
def room_for_25(bob: Membership) -> Membership:
    limit(bob.team, Measure.SPEND, str(price(25)))
    return bob


def test_the_bill_tells_before_how_many_fit(room_for_25: Membership, client_of: Any) -> None:
    said = words(client_of(room_for_25).post(f"{PAGE}quote/", form()).content.decode())
    assert "25 of 40 fit" in said
    assert "15 would wait as a draft, ¥0.21" in said
    assert "¥0.36" in said


def test_forty_lines_with_room_for_25_are_25_generations_and_a_draft_of_15(
    room_for_25: Membership, client_of: Any
) -> None:
    client = client_of(room_for_25)
    sent = client.post(PAGE, form())
    order = Batch.objects.get()
    assert (sent.status_code, sent["Location"]) == (303, f"/t/tide/b/{order.pk}/")
    assert Generation.objects.filter(batch=order).count() == 25
    assert len(Draft.objects.get().lines) == 15
    page = words(client.get(sent["Location"]).content.decode())
    assert "25 of 40 sent; 15 wait as a draft" in page
    assert "A limit stopped the rest, which costs about ¥0.21." in page
    assert "Left this week: ¥0.00" in page
    assert page.index("Tavern 01") < page.index("Tavern 02") < page.index("Tavern 25")


@pytest.mark.thorough
def test_the_rest_is_refused_while_there_is_no_room_and_runs_when_there_is(
    room_for_25: Membership, client_of: Any
) -> None:
    client = client_of(room_for_25)
    page = client.post(PAGE, form())["Location"]
    refused = client.post(f"{page}rest/")
    assert refused.status_code == 402
    assert "would go over the limit" in refused.content.decode()
    limit(room_for_25.team, Measure.SPEND, str(price(100)))
    assert "Send 15 now, about ¥0.21" in words(client.get(page).content.decode())
    assert client.post(f"{page}rest/", follow=True).status_code == 200
    assert Generation.objects.count() == 40
    assert not Draft.objects.exists()
    assert "Nothing waits here any more" in client.post(f"{page}rest/", follow=True).content.decode()
    assert Generation.objects.count() == 40


@pytest.mark.thorough
def test_the_rest_opens_as_a_form_of_lines(room_for_25: Membership, client_of: Any) -> None:
    client = client_of(room_for_25)
    client.post(PAGE, form())
    rest = Draft.objects.get()
    opened = seen(client.get(f"/t/tide/drafts/{rest.pk}/", follow=True))
    assert opened.values["text"][0].splitlines()[0] == "Tavern 26\tThis is line number 26."
    limit(room_for_25.team, Measure.SPEND, str(price(100)))
    client.post(PAGE, opened.sent() | {"_by_line": "on"})
    assert Generation.objects.count() == 40
    assert Generation.objects.order_by("-id")[0].title == "Tavern 40"
    assert not Draft.objects.exists()


def test_three_of_one_are_three_generations(bob: Membership, client_of: Any) -> None:
    address = f"/t/tide/create/{MODEL}/"
    sent = client_of(bob).post(address, {"prompt": "Calm piano", "_copies": "3"}, follow=True)
    assert [row.title for row in Generation.objects.order_by("id")] == [f"Calm piano {n}" for n in (1, 2, 3)]
    assert "3 of 3" in words(sent.content.decode())


def test_two_of_each_line(bob: Membership, client_of: Any) -> None:
    client_of(bob).post(PAGE, form(text="Halt!\n\n  \nguard_who\tWho goes there?", _copies="2", _title=""))
    rows = Generation.objects.order_by("batch_place")
    assert [(row.title, row.params["text"]) for row in rows] == [
        ("Halt!", "Halt!"),
        ("Halt!", "Halt!"),
        ("guard_who", "Who goes there?"),
        ("guard_who", "Who goes there?"),
    ]


def test_a_form_sent_twice_is_one_order(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    posted = seen(client.get(PAGE)).sent() | form(text="One.\nTwo.")
    assert client.post(PAGE, posted)["Location"] == client.post(PAGE, posted)["Location"]
    assert Generation.objects.count() == 2


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("changes", "at", "sentence"),
    [
        ({"_copies": "0"}, "-copies", "from 1 to 20"),
        ({"_copies": "21"}, "-copies", "from 1 to 20"),
        ({"_copies": "many"}, "-copies", "from 1 to 20"),
        ({"_copies": "٣"}, "-copies", "from 1 to 20"),
        ({"_copies": "20", "text": "a\n" * 11}, "-copies", "220 generations; at most 200"),
        ({"text": " \n\t\n "}, "text", "at least one line"),
        ({"text": "Fine.\n" + "x" * 10_001}, "text", "Line 2: At most 9,999 characters"),
        ({"text": "Fine.\na\x00b"}, "text", "Line 2: Remove the control character"),
        ({"text": "n" * 201 + "\tHalt!"}, "text", "The title of line 1: At most 200 characters"),
        ({"speed": "9"}, "speed", ""),
    ],
)
def test_what_cannot_be_sent_comes_back_as_it_was(
    bob: Membership, client_of: Any, changes: dict[str, str], at: str, sentence: str
) -> None:
    posted = form(**changes)
    answer = client_of(bob).post(PAGE, posted)
    page = seen(answer)
    assert answer.status_code == 422
    assert sentence in (page.error(at) or "")
    assert page.values["_by_line"] == ["on"]
    assert page.values["text"][0].strip() == posted["text"].strip()
    assert page.values["_copies"] == [posted.get("_copies", "1")]
    assert not (Generation.objects.exists())
    assert not (Batch.objects.exists())


def test_nothing_fits_and_everything_stays_in_the_form(bob: Membership, client_of: Any) -> None:
    limit(bob.team, Measure.COUNT, "0")
    answer = client_of(bob).post(PAGE, form())
    assert answer.status_code == 402
    assert seen(answer).values["text"] == [TEXT]
    assert not (Generation.objects.exists())
    assert not (Batch.objects.exists())
    assert not (Draft.objects.exists())


def test_the_page_of_an_order_is_the_teams_and_its_rest_the_authors(
    room_for_25: Membership, carol: Membership, alice: Membership, vera: Membership, zoe: Membership,
    client_of: Any, client: Any,
) -> None:  # fmt: skip
    page = client_of(room_for_25).post(PAGE, form())["Location"]
    for colleague in (carol, alice, vera):
        seen_by = client_of(colleague).get(page)
        assert seen_by.status_code == 200
        assert "wait as a draft" not in seen_by.content.decode()
    client_of(carol).post(f"{page}rest/")
    assert client_of(vera).post(f"{page}rest/").status_code == 403
    assert client_of(zoe).get(page).status_code == 404
    assert client_of(zoe).post(f"{page}rest/").status_code == 404
    assert client.get(page).status_code == 302
    assert client.post(f"{page}rest/").status_code == 302
    assert Generation.objects.count() == 25


def test_the_page_of_an_order_asks_the_same_whatever_its_size(bob: Membership, client_of: Any) -> None:
    client, counts = client_of(bob), []
    for count in (2, 30):
        page = client.post(PAGE, form(text=f"Line of {count}.\n" * count))["Location"]
        client.get(page)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(page)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 18


def test_a_role_that_ends_in_this_moment_sends_nothing(room_for_25: Membership, client_of: Any) -> None:
    client = client_of(room_for_25)
    page = client.post(PAGE, form())["Location"]

    def demote(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "generations_batch" in sql and not demoted:
            demoted.append(True)
            Membership.objects.filter(pk=room_for_25.pk).update(role=Role.VIEWER)
        return execute(sql, params, many, context)

    demoted: list[bool] = []
    with connection.execute_wrapper(demote):
        assert client.post(f"{page}rest/").status_code == 403
    assert demoted
    assert Generation.objects.count() == 25
