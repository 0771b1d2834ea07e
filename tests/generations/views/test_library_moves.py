"""The library page while it is used: older rows, typing, small refreshes, and that no address breaks it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership
from generations.models import Generation, State
from tests.effort import thorough

LIST = "/t/tide/library/"


@pytest.fixture
def make_generation(make_generation: Any) -> Any:
    """Each in a millisecond of its own, because ids sort by the millisecond."""

    def make(*args: Any, **fields: Any) -> Any:
        made, then = make_generation(*args, **fields), time.time_ns() // 1_000_000
        while time.time_ns() // 1_000_000 == then:
            pass
        return made

    return make


def htmx(target: str) -> dict[str, str]:
    return {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": target}


def titles(page: str) -> list[str]:
    return re.findall(r'class="rows__title clip" href="[^"]+">([^<]+)<', page)


def test_older_pages_follow_without_a_gap_and_without_a_script(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    for number in range(50):
        make_generation(alice, title=f"Nr {number}")
    client = client_of(alice)
    seen, url = [], LIST
    for _ in range(5):
        page = client.get(url).content.decode()
        seen += titles(page)
        link = re.search(r'href="([^"]*cursor=[^"]*)"', page)
        if not link:
            break
        url = link[1].replace("&amp;", "&")
    assert seen == [f"Nr {number}" for number in reversed(range(50))]
    assert "This is where the library begins." in page


def test_older_rows_are_appended_without_heading_the_same_day_again(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    noon = timezone.now()
    for number in range(30):
        make_generation(alice, title=f"Nr {number}", created_at=noon)
    client = client_of(alice)
    link = re.search(r'href="[^"]*(\?cursor=[^"]*)"', client.get(LIST).content.decode())
    assert link
    answer = client.get(LIST + link[1], **htmx("pager")).content.decode()
    assert titles(answer) == [f"Nr {number}" for number in reversed(range(6))]
    assert "rows__day" not in answer
    assert "<html" not in answer
    assert 'hx-swap-oob="beforeend:#rows"' in answer


def test_typing_gets_the_list_and_the_chips_alone(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(alice, title="Storm")
    answer = client_of(alice).get(LIST + "?q=storm", **htmx("results"))
    page = answer.content.decode()
    assert titles(page) == ["Storm"]
    assert "<html" not in page
    assert '<input type="hidden" name="q" value="storm">' in page
    assert 'name="status" value="failed"' in page
    assert "HX-Target" in answer["Vary"]


def test_going_back_gets_a_whole_page(alice: Membership, client_of: Any) -> None:
    answer = client_of(alice).get(LIST, HTTP_HX_HISTORY_RESTORE_REQUEST="true", **htmx("results"))
    assert "<html" in answer.content.decode()


def test_a_page_without_unfinished_rows_is_quiet(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(alice, outputs=1)
    assert "every 3s" not in client_of(alice).get(LIST).content.decode()


def shown_live(page: str) -> list[str]:
    return re.findall(r'name="live" value="([^"]+)"', page)


def test_a_refresh_sends_only_rows_that_changed(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    waiting = make_generation(alice, title="Waits", status=State.QUEUED)
    running = make_generation(alice, title="Runs", status=State.RUNNING)
    client = client_of(alice)
    page = client.get(LIST).content.decode()
    assert page.count("every 3s") == 1
    live = shown_live(page)
    assert len(live) == 2
    assert client.get(LIST, {"live": live}, **htmx("live")).status_code == 204

    Generation.objects.note(running.pk, State.RUNNING, next_check_at=timezone.now())
    assert client.get(LIST, {"live": live}, **htmx("live")).status_code == 204, (
        "a look that changed nothing to see"
    )

    Generation.objects.move(waiting.pk, State.QUEUED, State.DISPATCHING)
    answer = client.get(LIST, {"live": live}, **htmx("live"))
    assert answer.status_code == 200
    assert titles(answer.content.decode()) == ["Waits"]
    assert "every 3s" in answer.content.decode()


def test_a_refresh_ends_when_nothing_is_under_way_any_more(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    running = make_generation(alice, title="Runs", status=State.RUNNING)
    client = client_of(alice)
    live = shown_live(client.get(LIST).content.decode())
    done = make_generation(alice, outputs=1)
    done.outputs.update(generation=running)
    Generation.objects.move(running.pk, State.RUNNING, State.SUCCEEDED)
    answer = client.get(LIST, {"live": live}, **htmx("live")).content.decode()
    assert "data-play" in answer, "it can be played now"
    assert "every 3s" not in answer
    assert client.get(LIST, {"live": []}, **htmx("live")).status_code == 200


def test_ten_more_rows_ask_no_more_queries_and_a_full_page_stays_small(
    alice: Membership, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    client = client_of(alice)

    def load() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as queries:
            page = client.get(LIST)
        return len(queries), len(page.content)

    for _ in range(2):
        make_generation(alice, outputs=2)
    few, _size = load()
    for number in range(22):
        make_generation(
            bob if number % 2 else alice,
            title="A title of a usual length",
            outputs=2,
            params={"prompt": "word " * 999},
        )
    many, size = load()
    assert many == few
    assert size <= 100_000


HOSTILE = [
    "x",
    "nonsense",
    "\x00",
    "'\"><script>alert(1)</script>",
    "%00",
    "9" * 400,
    "-1",
    "💥" * 50,
    "a" * 5000,
    "a " * 2000,
    "{{7*7}}",
]


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["q", "cursor", "author", "status", "model", "kind", "live", "unknown"])
@pytest.mark.parametrize("target", ["results", *map(thorough, ["", "pager", "live"])])
def test_no_query_string_breaks_the_page(
    name: str, target: str, alice: Membership, client_of: Callable[[Membership], Any], make_generation: Any
) -> None:
    make_generation(alice, status=State.RUNNING)
    client = client_of(alice)
    for value in HOSTILE:
        answer = client.get(f"{LIST}?{name}={quote(value)}", **(htmx(target) if target else {}))
        assert answer.status_code in (200, 204, 400), (name, value)
        assert b"<script>alert" not in answer.content


def test_a_cursor_that_is_none_is_answered_with_a_sentence(alice: Membership, client_of: Any) -> None:
    answer = client_of(alice).get(LIST + "?cursor=x")
    assert answer.status_code == 400
    assert "This address leads nowhere" in answer.content.decode()


def test_only_reading_is_allowed(alice: Membership, client_of: Any) -> None:
    assert client_of(alice).post(LIST).status_code == 405
