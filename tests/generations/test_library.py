"""Finding: filters, words and pages, at any size."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Team
from generations import library
from generations.library import BadCursor, Filter
from generations.models import State, VoiceUse


@pytest.fixture
def make_generation(make_generation: Any) -> Any:
    """Each in a millisecond of its own, because ids sort by the millisecond."""

    def make(*args: Any, **fields: Any) -> Any:
        made, then = make_generation(*args, **fields), time.time_ns() // 1_000_000
        while time.time_ns() // 1_000_000 == then:
            pass
        return made

    return make


def found(by: Membership, **wanted: Any) -> list[str]:
    return [one.title for one in library.page(by, Filter(**wanted)).items]


def test_the_newest_come_first(team: Team, bob: Membership, make_generation: Any) -> None:
    for title in ("one", "two", "three"):
        make_generation(bob, title=title)
    assert found(bob) == ["three", "two", "one"]


def test_every_word_must_occur_anywhere_in_any_case(
    team: Team, bob: Membership, make_generation: Any
) -> None:
    make_generation(bob, title="Lighthouse", params={"prompt": "SALT on the Straße"})
    make_generation(bob, title="Salt flats")
    assert found(bob, q="salt light") == ["Lighthouse"]
    assert found(bob, q="STRASSE") == ["Lighthouse"]
    assert found(bob, q="  salt  ") == ["Salt flats", "Lighthouse"]
    assert found(bob, q="salt nowhere") == []


@pytest.mark.parametrize("q", ["100%", "under_score", "back\\slash", "quo'te", '"'])
def test_marks_of_the_database_are_plain_letters_here(
    q: str, team: Team, bob: Membership, make_generation: Any
) -> None:
    make_generation(bob, title="nothing of it")
    make_generation(bob, title=f"with {q} inside")
    assert found(bob, q=q) == [f"with {q} inside"]


def test_words_in_any_writing_are_found(bob: Membership, make_generation: Any) -> None:
    make_generation(bob, title="第三课：听力旁白")
    assert found(bob, q="听力") == ["第三课：听力旁白"]


def test_filters_narrow_together(
    team: Team, alice: Membership, bob: Membership, make_generation: Any
) -> None:
    make_generation(alice, title="a", status=State.FAILED)
    make_generation(bob, title="b", status=State.FAILED, model="other", kind="speech")
    make_generation(bob, title="c")
    assert found(bob, author=bob.user_id) == ["c", "b"]
    assert found(bob, status="failed") == ["b", "a"]
    assert found(bob, status="failed", author=bob.user_id) == ["b"]
    assert found(bob, model="other") == ["b"]
    assert found(bob, kind="speech") == ["b"]
    assert found(bob, status="nonsense") == []


def test_a_team_finds_its_own_only(bob: Membership, zoe: Membership, make_generation: Any) -> None:
    make_generation(bob, title="ours")
    make_generation(zoe, title="theirs")
    assert found(bob) == ["ours"]


def test_pages_meet_without_gap_or_overlap_even_when_new_ones_arrive(
    team: Team, bob: Membership, make_generation: Any
) -> None:
    for number in range(7):
        make_generation(bob, title=str(number))
    first = library.page(bob, Filter(), size=3)
    make_generation(bob, title="new")
    second = library.page(bob, Filter(), first.next_cursor, size=3)
    third = library.page(bob, Filter(), second.next_cursor, size=3)
    assert [[one.title for one in page.items] for page in (first, second, third)] == [
        ["6", "5", "4"],
        ["3", "2", "1"],
        ["0"],
    ]
    assert third.next_cursor == ""


def test_a_last_page_that_is_full_has_no_next(team: Team, bob: Membership, make_generation: Any) -> None:
    for number in range(3):
        make_generation(bob, title=str(number))
    assert library.page(bob, Filter(), size=3).next_cursor == ""


@pytest.mark.parametrize("cursor", ["x", "0", "\x00", "zz" * 16, "1" * 400])
def test_a_cursor_that_is_none_is_refused(cursor: str, bob: Membership) -> None:
    with pytest.raises(BadCursor):
        library.page(bob, Filter(), cursor)


def test_a_page_of_any_size_asks_four_questions(team: Team, bob: Membership, make_generation: Any) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as queries:
            for one in library.page(bob, Filter(q="rain")).items:
                assert one.author.display_name
                assert [output.peaks_row for output in one.outputs.all()]
        return len(queries)

    make_generation(bob, outputs=1)
    few = questions()
    for _ in range(9):
        make_generation(bob, outputs=2)
    assert questions() == few == 4


def test_a_page_is_read_along_an_index_and_nothing_is_counted(
    team: Team, bob: Membership, make_generation: Any
) -> None:
    make_generation(bob)
    with CaptureQueriesContext(connection) as queries:
        library.page(bob, Filter())
    assert not [one for one in queries.captured_queries if "count(" in one["sql"].lower()]
    if connection.vendor == "sqlite":
        plan = library.find(bob, Filter())[:24].explain()
        assert "USING INDEX" in plan
        assert "TEMP B-TREE" not in plan


def test_what_is_left_out_costs_no_index(team: Team, bob: Membership, make_generation: Any) -> None:
    kept, away = make_generation(bob, title="kept"), make_generation(bob, title="away")
    page = library.page(bob, Filter(), without={away.pk})
    assert page.items == [kept]
    if connection.vendor == "sqlite":
        plan = library.find(bob, Filter(), {away.pk})[:24].explain()
        assert "USING INDEX" in plan
        assert "TEMP B-TREE" not in plan


def test_what_a_voice_said_is_found(
    team: Team, bob: Membership, make_voice: Any, make_generation: Any
) -> None:
    voice, said = make_voice(bob), make_generation(bob)
    VoiceUse.objects.create(generation=said, voice=voice)
    assert library.page(bob, Filter(voice=voice.pk)).items == [said]
    assert Filter(voice=voice.pk)
