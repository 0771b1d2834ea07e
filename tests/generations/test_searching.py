"""Searching: any piece of any word, in every writing, for every member only what is theirs to see."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership
from generations import library, searching
from generations.library import SORTS, Filter
from generations.models import (
    Collection,
    CollectionItem,
    Favourite,
    Findable,
    Generation,
    LibraryCounts,
    Tag,
    Tagging,
    number_of,
)
from generations.models.ids import uuid7
from generations.pipeline import count
from generations.views.row import FIELDS


def found(by: Membership, **wanted: Any) -> list[str]:
    return [one.title for one in library.page(by, Filter(**wanted)).items]


@pytest.fixture
def song(bob: Membership, make_generation: Any) -> Generation:
    made: Generation = make_generation(
        bob, title="Ünter Straße 第三课", params={"prompt": "a lighthouse, c++ and 100%_done 听力旁白"}
    )
    make_generation(bob, title="Another", params={"prompt": "nothing of that"})
    return made


@pytest.mark.parametrize(
    "q",
    [
        *(
            "lighthouse",
            "GHTHOU",
            "ünter",
            "ÜNTER",
            "strasse",
            "Straße",
            "第三",
            "听力",
            "力旁",
            "旁白",
            "白",
            "听",
        ),
        *("c+", "++", "0%", "%_d", "un Ünt", "gh", "se,", "听力 light", "第三课 白", "e"),
    ],
)
def test_any_piece_is_found(q: str, song: Generation, bob: Membership) -> None:
    expected = ["Another", song.title] if q == "e" else [song.title]
    if q == "un Ünt":
        expected = []
    assert sorted(found(bob, q=q)) == sorted(expected)


@pytest.mark.parametrize("q", ['"', '" OR "a', "xyz AND", "ab*", "(", "^li", "text:light", "\x00", "'; --"])
def test_what_means_something_to_the_index_is_only_text(q: str, song: Generation, bob: Membership) -> None:
    assert song.title not in found(bob, q=f"{q} nowhere")


def test_a_new_title_and_notes_are_found_however_they_are_written(song: Generation, bob: Membership) -> None:
    Generation.objects.filter(pk=song.pk).update(title="Renamed", notes="Remember the ZEBRA")
    assert found(bob, q="renamed zebra") == ["Renamed"]
    assert found(bob, q="ünter") == []


def test_tags_and_authors_are_found_and_a_renamed_tag_at_once(
    song: Generation, bob: Membership, carol: Membership, make_generation: Any
) -> None:
    tag = Tag.objects.create(team=bob.team, name="雨 trailer", folded="雨 trailer")
    Tagging.objects.create(tag=tag, generation=song)
    make_generation(carol, title="Hers")
    assert found(bob, q="trail") == [song.title]
    assert found(bob, q="雨") == [song.title]
    Tag.objects.filter(pk=tag.pk).update(name="teaser", folded="teaser")
    assert found(bob, q="trail") == []
    assert found(bob, q="tease light") == [song.title]
    Tagging.objects.filter(tag=tag).delete()
    assert found(bob, q="teaser") == []
    assert found(bob, q="carol") == ["Hers"]


def test_nobody_finds_what_they_may_not_see(
    song: Generation, bob: Membership, carol: Membership, mona: Membership, zoe: Membership
) -> None:
    Generation.objects.filter(pk=song.pk).update(is_private=True)
    assert [bool(found(who, q="lighthouse")) for who in (bob, carol, mona, zoe)] == [True, False, True, False]
    Generation.objects.filter(pk=song.pk).update(trashed_at=timezone.now())
    assert found(bob, q="lighthouse") == []


def test_what_is_gone_is_not_found(song: Generation, bob: Membership) -> None:
    song.delete()
    assert found(bob, q="lighthouse") == []
    assert Findable.objects.count() == 1


def test_two_of_one_instant_are_both_found(bob: Membership, make_generation: Any) -> None:
    first = uuid7()
    twin = type(first)(int=first.int ^ 1)
    for pk in (first, twin):
        make_generation(bob, id=pk, title="twin")
    assert found(bob, q="twin") == ["twin", "twin"]
    numbers = sorted(Findable.objects.values_list("number", flat=True))
    assert numbers == [number_of(first), number_of(first) + 1]


@pytest.mark.parametrize("near", [0, 3, 2000])
def test_pages_of_a_search_meet_without_gap_or_overlap(
    near: int, bob: Membership, make_generation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "NEAR", near)
    for n in range(9):
        make_generation(bob, title=f"rain {n}" if n % 2 == 0 else f"sun {n}", params={})
    cursor, seen = "", []
    for _ in range(4):
        page = library.page(bob, Filter(q="rain"), cursor, size=2)
        seen += [one.title for one in page.items]
        cursor = page.next_cursor
        if not cursor:
            break
    assert seen == ["rain 8", "rain 6", "rain 4", "rain 2", "rain 0"]


TEXTS = (
    "piano 雨",
    "rain at night",
    "第三课 piano rain",
    "straße 雨",
    "c++ rain 雨",
    "Ünter rain",
    "rai n 雨",
    "雨 🌧️ rain",
)
NAMED = ("Take", "Песня", "ÜBUNG", "un Éclair", "ÑANDÚ", "第三 Çay")


@pytest.mark.parametrize("tried", [0, 2, 500])
@pytest.mark.parametrize(
    "q",
    [
        "rain 雨",
        "雨 rain",
        "piano 第三",
        "strasse 雨",
        "rain c+",
        "rain ün",
        "🌧️r 雨",
        "calm 雨",
        "rain 雨 a",
        "bob 雨",
        "Песня 雨",
        "ПЕСНЯ 雨",
        "Übung ra",
        "éclair 雨 ra",
        "ñandú 雨",
        "第三 çay",
    ],
)
def test_a_long_word_and_a_short_one_find_what_has_both(
    tried: int, q: str, bob: Membership, make_generation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are tried one by one, on pages of any size, in the text, a tag or a name."""
    monkeypatch.setattr(searching, "TRIED", tried)
    tag = Tag.objects.create(team=bob.team, name="calm 雨", folded="calm 雨")
    expected = []
    for n in range(24):
        text = TEXTS[n % len(TEXTS)]
        title = f"{NAMED[n % len(NAMED)]} {n}"
        made = make_generation(bob, title=title, params={"prompt": text})
        said = f"{title} {text} bob".casefold()
        if n % 5 == 0:
            Tagging.objects.create(tag=tag, generation=made)
            said += " calm 雨"
        if all(word in said for word in q.casefold().split()):
            expected.insert(0, title)
    assert found(bob, q=q) == expected
    cursor, seen, more = "", [], True
    while more:
        page = library.page(bob, Filter(q=q), cursor, size=2)
        seen += [one.title for one in page.items]
        cursor, more = page.next_cursor, bool(page.next_cursor)
    assert seen == expected


UNEVEN = [
    "Eßbesteck und Spaß",
    "es ist ein Schuss",
    "ﬁxe Idee",
    "if exe",
    "ǰazz",
    "ΐσος",
    "ſo leicht",
    "oﬃce",
]
UNEVEN += ["Eß nicht so", "daß es so sei", "Messer", "knall", "Prefixes"]


@pytest.mark.parametrize("few", [0, 2, 500])
@pytest.mark.parametrize(
    ("q", "many"),
    [
        *(
            ("Eß", 3),
            ("EẞB", 1),
            ("eẞ", 3),
            ("ESS", 3),
            ("aß", 2),
            ("ß", 5),
            ("ß+", 0),
            ("Eß aß", 1),
            ("aß und", 1),
        ),
        *(
            ("eß so", 1),
            ("eß nicht", 1),
            ("aß e", 2),
            ("ﬁx", 2),
            ("ﬁx idee", 1),
            ("ﬁ", 3),
            ("ﬃ", 1),
            ("oﬃ", 1),
        ),
        *(("ǰa", 1), ("ΐ", 1), ("ΐσ", 1), ("ſ", 7), ("ſo", 3), ("K", 2), ("Kn", 1)),
    ],
)
def test_a_short_word_is_found_though_one_way_to_write_it_is_longer(
    q: str, many: int, few: int, bob: Membership, make_generation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "TRIED", few)
    monkeypatch.setattr(searching, "NEAR", few)
    for title in UNEVEN:
        make_generation(bob, title=title, params={"prompt": title})
    words = q.casefold().split()
    expected = [title for title in UNEVEN if all(word in title.casefold() for word in words)]
    assert len(expected) == many
    assert sorted(found(bob, q=q)) == sorted(expected)
    first = library.page(bob, Filter(q=q), size=1)
    rest = library.page(bob, Filter(q=q), first.next_cursor) if first.next_cursor else library.Page([], "")
    assert sorted(one.title for one in (*first.items, *rest.items)) == sorted(expected)


def test_a_short_word_that_is_longer_in_another_way_is_found_in_tags_and_in_either_case(
    bob: Membership, make_generation: Any
) -> None:
    tagged, noted = make_generation(bob, title="one"), make_generation(bob, title="two")
    tag = Tag.objects.create(team=bob.team, name="Spaß", folded="spass")
    Tagging.objects.create(tag=tag, generation=tagged)
    Generation.objects.filter(pk=noted.pk).update(notes="MAßE")
    assert sorted(found(bob, q="aß")) == ["one", "two"]
    assert found(bob, q="ßE") == ["two"]


@pytest.mark.parametrize("q", ["Eß", "ß"])
def test_a_short_word_that_is_longer_in_another_way_is_asked_of_an_index(
    q: str, bob: Membership, make_generation: Any
) -> None:
    make_generation(bob, title="Eßbesteck")
    plan = library.find(bob, Filter(q=q)).explain()
    if connection.vendor == "sqlite":
        assert plan.count("VIRTUAL TABLE INDEX") == 1
        assert '"ss"' in str(library.find(bob, Filter(q=q)).query), "the index gets pairs"
        assert "TEMP B-TREE FOR ORDER BY" not in plan
        assert "SCAN generations_generation" not in plan
    else:
        assert "Seq Scan on generations_generation" not in plan


def test_two_indexes_are_not_asked_row_by_row_without_an_end(bob: Membership, make_generation: Any) -> None:
    make_generation(bob)
    rows = library.find(bob, Filter(q="rain 雨"))
    plan = rows.explain()
    if connection.vendor == "sqlite":
        assert plan.count("VIRTUAL TABLE INDEX") == 5, (
            "trigrams for the edge twice, both near it, pairs beyond"
        )
        assert "SCAN generations_generation" not in plan
    else:
        assert "Seq Scan on generations_generation" not in plan
        assert '"generation_id")::text DESC' in str(rows.query), "words are put in order, not all generations"


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("q", ["", "rain"])
def test_pages_of_every_order_meet(sort: str, q: str, bob: Membership, make_generation: Any) -> None:
    for n in range(7):
        make_generation(bob, title=f"rain {n % 3}", rating=n % 2, length=float(n // 2), cost_actual=n % 3)
    whole = [one.pk for one in library.page(bob, Filter(q=q, sort=sort)).items]
    cursor, seen = "", []
    for _ in range(4):
        page = library.page(bob, Filter(q=q, sort=sort), cursor, size=2)
        seen += [one.pk for one in page.items]
        cursor = page.next_cursor
    assert seen == whole
    assert len(set(seen)) == 7


CHANGED = {"title": {"title": "zz"}, "longest": {"length": 0.25}, "rating": {"rating": 1}}
CHANGED["cost"] = {"cost_actual": Decimal("0.01")}
ORDERED = [
    {"title": "b", "rating": 5, "length": 0.1 + 0.2, "cost_actual": Decimal("5.000001")},
    {"title": "b", "rating": 5, "length": 1e-7, "cost_actual": Decimal("5.000001")},
    {"title": "a, 第三课 ~ &", "rating": 4, "length": 12345.678901234567, "cost_actual": Decimal("0.1")},
    {"title": "\U0001f3b5" * 200, "rating": 4, "length": 1 / 3, "cost_actual": Decimal(0)},
    {"title": "É", "rating": 3, "length": 2 / 3, "cost_actual": Decimal("1234567.654321")},
    {"title": "", "rating": 3, "length": 1 / 3, "cost_actual": Decimal("0.000001")},
    {"title": "d", "rating": 2, "length": 100.0, "cost_actual": Decimal("0.1")},
    {"title": "c", "rating": 0, "length": 7.0, "cost_actual": Decimal("0.1")},
]


@pytest.mark.parametrize("sort", CHANGED)
@pytest.mark.parametrize("q", ["", "rain"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_page_goes_on_where_the_one_before_ended_though_its_last_row_moved(
    size: int, q: str, sort: str, bob: Membership, make_generation: Any
) -> None:
    for fields in ORDERED:
        make_generation(bob, params={"prompt": "rain"}, **fields)
    whole = [one.pk for one in library.page(bob, Filter(q=q, sort=sort)).items]
    first = library.page(bob, Filter(q=q, sort=sort), size=size, fields=FIELDS)
    Generation.objects.filter(pk=first.items[-1].pk).update(**CHANGED[sort])
    seen, cursor = [one.pk for one in first.items], first.next_cursor
    while cursor:
        page = library.page(bob, Filter(q=q, sort=sort), cursor, size)
        seen += [one.pk for one in page.items if one.pk not in seen[:size]]
        cursor = page.next_cursor
    assert seen == whole


@pytest.mark.parametrize("sort", CHANGED)
def test_a_cursor_of_an_id_alone_still_tells_where_its_row_is(
    sort: str, bob: Membership, make_generation: Any
) -> None:
    for fields in ORDERED:
        make_generation(bob, **fields)
    whole = [one.pk for one in library.page(bob, Filter(sort=sort)).items]
    assert [one.pk for one in library.page(bob, Filter(sort=sort), whole[2].hex).items] == whole[3:]


IMPOSSIBLE = {
    "newest": ["", "1"],
    "oldest": ["1"],
    "title": ["AA", "YQBi", "_w", "é", "Y", "7aCA"],
    "longest": ["", "nan", "inf", "-Infinity", "1e999", "9" * 400, "x", "\x00", "1;2"],
    "rating": ["", "6", "-1", "2.5", "x", "\x00", "9" * 5000, "1e3"],
    "cost": ["", "0.5", "nan", "Infinity", "9223372036854775808", "9" * 400, "9" * 5000, "\x00"],
}


@pytest.mark.parametrize(("sort", "told"), [(sort, one) for sort, all_ in IMPOSSIBLE.items() for one in all_])
def test_a_cursor_with_a_value_that_no_row_has_is_refused(
    sort: str, told: str, bob: Membership, make_generation: Any
) -> None:
    row = make_generation(bob, rating=1, length=2.0)
    with pytest.raises(library.BadCursor):
        library.page(bob, Filter(sort=sort), f"{row.pk.hex}~{told}")


@pytest.mark.parametrize(
    ("sort", "told"),
    [
        ("longest", "1e308"),
        ("longest", "-5e-324"),
        ("rating", "5"),
        ("cost", "9223372036854775807"),
        ("cost", "-9223372036854775807"),
        ("title", ""),
        ("title", "8J-OtfCfjrXwn461" * 300),
    ],
)
def test_a_cursor_with_a_value_that_a_row_could_have_is_taken(sort: str, told: str, bob: Membership) -> None:
    assert library.page(bob, Filter(sort=sort), f"{'0' * 32}~{told}").items == []


def test_filters_combine(bob: Membership, carol: Membership, make_generation: Any) -> None:
    one = make_generation(bob, title="one", rating=4, length=20.0, approved_at=timezone.now(), cost_actual=3)
    two = make_generation(carol, title="two", rating=4, length=200.0, is_private=True)
    tag = Tag.objects.create(team=bob.team, name="loop", folded="loop")
    album = Collection.objects.create(team=bob.team, author=bob.user, name="Album")
    for row in (one, two):
        Tagging.objects.create(tag=tag, generation=row)
    Favourite.objects.create(user=bob.user, generation=one)
    CollectionItem.objects.create(collection=album, generation=one, added_by=bob.user)
    for wanted in (
        {"rating": 4},
        {"length": 2},
        {"approved": True},
        {"tag": tag.pk},
        {"favourite": True},
        {"collection": album.pk},
        {"cost": 5},
        {"tag": tag.pk, "favourite": True, "collection": album.pk, "rating": 4, "q": "one"},
        {"favourite": True, "sort": "longest"},
    ):
        assert found(bob, **wanted) == ["one"], wanted
    assert found(carol, tag=tag.pk) == ["two", "one"]
    assert found(carol, private=True) == ["two"]
    assert found(carol, favourite=True) == []
    assert found(bob, start=timezone.now() + timezone.timedelta(days=1)) == []


def test_no_more_questions_for_more_rows(bob: Membership, make_generation: Any) -> None:
    def asked(**wanted: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            library.page(bob, Filter(**wanted))
        return len(queries)

    kinds: list[dict[str, Any]] = [{}, {"q": "rain"}, {"sort": "rating"}, {"q": "ra", "sort": "title"}]
    make_generation(bob, outputs=1)
    few = [asked(**wanted) for wanted in kinds]
    for _ in range(30):
        make_generation(bob, outputs=1)
    assert [asked(**wanted) for wanted in kinds] == few


def test_the_triggers_are_there_after_all_migrations(db: None) -> None:
    """A migration that rebuilds a table on SQLite loses them, and ends with `_findable.install`."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        names = {name for (name,) in cursor.fetchall()}
    assert names >= {"findable_made", "findable_reworded"}
    assert len([name for name in names if name.startswith("tagging_")]) >= 1


def test_counts_are_of_what_everybody_sees(
    bob: Membership, carol: Membership, make_generation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(count, "SLICE", 2)
    for n in range(5):
        make_generation(bob, kind="song" if n else "speech")
    make_generation(bob, is_private=True)
    make_generation(bob, trashed_at=timezone.now())
    assert count.refresh() >= 3
    counted = LibraryCounts.objects.get(team=bob.team)
    assert counted.rows == 5
    assert counted.counts["kind"] == {"song": 4, "speech": 1}
    assert counted.counts["author"] == {str(bob.user_id): 5}
    assert count.refresh() == 0, "not again within a minute"


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_a_seeded_library_is_found() -> None:
    call_command("seed_library", team="big", count=300, verbosity=0)
    owner = Membership.objects.get(team__slug="big", role="owner")
    assert len(found(owner, q="rain")) == 24
    assert found(owner, q="part") != []
