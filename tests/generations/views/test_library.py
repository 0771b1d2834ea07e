"""The library page: who sees it, what it shows, how it refreshes, and that no address breaks it."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.models import Membership
from generations.models import State

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


@pytest.mark.parametrize("who", ["alice", "mona", "bob", "vera"])
def test_every_member_sees_what_the_team_made(
    who: str, bob: Membership, client_of: Any, make_generation: Any, request: pytest.FixtureRequest
) -> None:
    make_generation(bob, title="Harbour at dawn", outputs=1)
    page = client_of(request.getfixturevalue(who)).get(LIST)
    assert page.status_code == 200
    assert titles(page.content.decode()) == ["Harbour at dawn"]


def test_a_stranger_gets_404_and_nobody_is_sent_to_sign_in(
    team: Any, zoe: Membership, client_of: Any, client: Any
) -> None:
    assert client_of(zoe).get(LIST).status_code == 404
    answer = client.get(LIST)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


def test_another_teams_rows_never_show(
    zoe: Membership, alice: Membership, client_of: Any, make_generation: Any
) -> None:
    theirs = make_generation(zoe, title="Zoo song", status=State.RUNNING)
    client = client_of(alice)
    assert "Zoo song" not in client.get(LIST + "?q=zoo").content.decode()
    refresh = client.get(LIST, {"live": f"{theirs.pk.hex}.queued"}, **htmx("live"))
    assert "Zoo song" not in refresh.content.decode()


def test_a_viewer_is_offered_nothing_that_generates(
    alice: Membership, vera: Membership, client_of: Any, make_generation: Any
) -> None:
    one = make_generation(alice, outputs=1)
    page = client_of(vera).get(LIST).content.decode()
    menu = client_of(vera).get(f"/t/tide/g/{one.pk}/menu/").content.decode()
    for word in ("Edit and run again", "Add to a collection", "Share", "Trash", "rating"):
        assert word not in menu, word
    assert "?download=1" in menu
    assert "rating-bars" not in page
    assert 'class="btn btn--primary"' not in page


def test_a_row_is_a_track_that_the_player_can_play(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(alice, title="Rain & <wind>", outputs=2, cost_actual=Decimal("0.79"))
    page = client_of(alice).get(LIST).content.decode()
    assert f'data-src="/t/tide/g/{made.pk}/outputs/0/content"' in page
    assert ">Rain &amp; &lt;wind&gt;</a>" in page
    assert "<wind>" not in page
    assert "data-play" in page
    assert "0:01" in page
    assert "¥0.79" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": State.QUEUED}, "Waiting"),
        ({"status": State.DISPATCHING}, "Being sent"),
        ({"status": State.RUNNING}, "Running"),
        ({"status": State.RUNNING, "overdue_at": timezone.now()}, "Longer than usual"),
        ({"status": State.RUNNING, "cancel_requested_at": timezone.now()}, "Being cancelled"),
        ({"status": State.GATHERING, "parked_at": timezone.now()}, "Put aside"),
        ({"status": State.GATHERING}, "Being copied"),
        ({"status": State.UNCONFIRMED}, "Unconfirmed"),
        ({"status": State.FAILED}, "Failed"),
        ({"status": State.CANCELLED}, "Cancelled"),
    ],
)
def test_a_row_without_sound_says_how_it_stands(
    fields: dict[str, Any], words: str, alice: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(alice, **fields)
    page = client_of(alice).get(LIST).content.decode()
    assert re.search(rf"</svg>{words}</span>", page)
    assert "<wave-form" not in page.split('id="rows"')[1].split("</table>")[0]


def test_a_text_result_says_how_long_it_is(alice: Membership, client_of: Any, make_generation: Any) -> None:
    made = make_generation(alice, kind="lyrics")
    made.outputs.create(
        index=0, kind="text", content_type="text/plain", extension="txt", text="a\nb\nc", bytes=5, sha256="0"
    )
    assert "Text, 3 lines" in client_of(alice).get(LIST).content.decode()


def test_a_generation_of_a_model_that_left_the_catalogue_still_shows(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(alice, model="gone--old-model", outputs=1)
    assert "old-model" in client_of(alice).get(LIST).content.decode()


def test_days_are_headed_by_the_clock_of_the_team(
    alice: Membership, team: Any, client_of: Any, make_generation: Any
) -> None:
    team.time_zone = "Pacific/Kiritimati"
    team.save()
    midnight = datetime.now(ZoneInfo(team.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    make_generation(alice, title="Older", created_at=midnight - timedelta(days=400))
    make_generation(alice, title="Late yesterday", created_at=midnight - timedelta(minutes=1))
    make_generation(alice, title="Early today", created_at=midnight + timedelta(seconds=1))
    page = client_of(alice).get(LIST).content.decode()
    heads = re.findall(r'class="rows__day"[^>]*>([^<]+)<', page)
    assert heads[:2] == ["Today", "Yesterday"]
    assert heads[2].endswith(str((midnight - timedelta(days=400)).year))
    assert "23:59" in page
    assert "00:00" in page


def test_the_line_below_the_title_is_short_and_goes_on_where_the_title_ends(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(alice, title="Slow piano…", params={"prompt": "Slow piano over rain. " + "word " * 2000})
    page = client_of(alice).get(LIST).content.decode()
    line = re.search(r'rows__sub clip">([^<]+)<', page)
    assert line
    assert line[1].startswith("… over rain.")
    assert len(line[1]) <= 140


def test_search_and_filters_make_the_list_shorter_and_stand_in_the_address(
    alice: Membership, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(alice, title="Storm", outputs=1)
    make_generation(bob, title="Calm sea", status=State.FAILED)
    client = client_of(alice)
    for query in ("q=STORM", f"author={alice.user_id}", "status=succeeded"):
        assert titles(client.get(f"{LIST}?{query}").content.decode()) == ["Storm"]
    both = client.get(f"{LIST}?q=sea&status=failed&author={bob.user_id}").content.decode()
    assert titles(both) == ["Calm sea"]
    assert "Status: Failed" in both
    assert "Person: Bob" in both
    assert f'href="{LIST}?q=sea&amp;author={bob.user_id}"' in both, (
        "the chosen one leads to the list without it"
    )
    assert '<input type="hidden" name="status" value="failed">' in both, "a new search keeps the filters"


def test_nothing_found_says_what_hides_the_rest_and_how_to_clear_it(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(alice)
    page = client_of(alice).get(LIST + "?q=thunder&status=failed").content.decode()
    assert "Nothing matches “thunder”" in page
    assert "Status: Failed" in page
    assert f'href="{LIST}?q=thunder"' in page
    assert "Clear filters" in page


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("favourite=yes", "You have no favourites yet"),
        ("approved=yes", "Nothing is approved yet"),
        ("private=yes", "Nothing here is private"),
        ("rating=5", "Nothing has this rating"),
        ("kind=video", "Nobody has made any of these yet"),
        ("model=nothing", "Nothing made with this model"),
        ("author=0", "This person has made nothing"),
        ("status=running", "Nothing stands like this"),
        ("tag=7", "Nothing has this tag"),
        ("collection=7", "Nothing is in it yet"),
        ("length=6", "Nothing is as long as that"),
        ("cost=6", "Nothing cost as much"),
        ("voice=7", "This voice has said nothing"),
        ("from=2001-01-01&to=2001-01-02", "Nothing was made on these days"),
    ],
)
def test_an_empty_list_teaches_what_would_fill_it_and_takes_any_filter_off(
    query: str, hint: str, alice: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(alice)
    client = client_of(alice)
    alone = client.get(f"{LIST}?{query}").content.decode().partition('id="results"')[2]
    assert hint in alone
    assert f'<a class="chip" href="{LIST}" aria-current="true"' in alone
    both = client.get(f"{LIST}?{query}&q=rain").content.decode().partition('id="results"')[2]
    assert hint not in both
    assert "Take one off to see more" in both
    assert f'<a class="chip" href="{LIST}?q=rain" aria-current="true"' in both


def test_the_filters_of_an_empty_list_come_off_one_by_one(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    make_generation(alice)
    empty = client_of(alice).get(f"{LIST}?rating=5&private=yes&to=2001-01-02").content.decode()
    chips = re.findall(r'<a class="chip" href="([^"]+)" aria-current', empty.partition('id="results"')[2])
    assert chips == [
        f"{LIST}?private=yes&amp;to=2001-01-02",
        f"{LIST}?rating=5&amp;to=2001-01-02",
        f"{LIST}?rating=5&amp;private=yes",
    ]


def test_an_empty_library_says_what_a_first_one_costs(
    alice: Membership, vera: Membership, client_of: Any
) -> None:
    page = client_of(alice).get(LIST).content.decode()
    assert "Nothing here yet" in page
    assert "costs about" in page
    assert "Create the first one" in page
    assert "Create the first one" not in client_of(vera).get(LIST).content.decode()
