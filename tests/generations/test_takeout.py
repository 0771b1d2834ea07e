"""Zips that are sent while they are written, names that are safe everywhere, and where all came from."""

from __future__ import annotations

import io
import time
import zipfile
from datetime import datetime
from typing import Any, BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generations import takeout
from generations.takeout import BadPattern, Entry, Names, check
from generations.takeout.zipped import MISSING, Shortened
from tests.effort import thorough, tries

WHEN = datetime(2026, 5, 31, 12, 30)


def entry(name: str, data: bytes, size: int | None = None) -> Entry:
    return Entry(name, size, lambda: io.BytesIO(data), WHEN)


def gone() -> BinaryIO:
    raise FileNotFoundError


def packed(entries: list[Entry], **more: Any) -> zipfile.ZipFile:
    found = zipfile.ZipFile(io.BytesIO(b"".join(takeout.stream(entries, **more))))
    assert found.testzip() is None
    return found


class Breaking(io.BytesIO):
    """A line that breaks after its first block."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError("the line broke")
        return super().read(4)


def test_what_is_sent_is_a_zip() -> None:
    found = packed([entry("a/Rain.wav", b"x" * 700_000), entry("雨.txt", b""), entry("b", b"y")])
    assert found.namelist() == ["a/Rain.wav", "雨.txt", "b"]
    assert found.read("a/Rain.wav") == b"x" * 700_000
    assert {one.compress_type for one in found.infolist()} == {zipfile.ZIP_STORED}
    assert found.getinfo("b").date_time == (2026, 5, 31, 12, 30, 0)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=9), st.binary(max_size=300)),
        max_size=9,
        unique_by=lambda t: t[0],
    )
)
def test_the_length_is_known_beforehand(files: list[tuple[str, bytes]]) -> None:
    entries = [
        entry(name.replace("\0", "_").encode("utf-8", "replace").decode(), data, len(data))
        for name, data in files
    ]
    assert takeout.length(entries) == sum(map(len, takeout.stream(entries, promised=True)))


def test_the_length_of_what_is_not_measured_is_not_known() -> None:
    assert takeout.length([entry("a", b"x", 1), entry("b", b"y")]) is None


class Zeros(io.RawIOBase):
    """A file of zeros that takes no room."""

    def __init__(self, size: int) -> None:
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        many = min(len(buffer), self._left)
        buffer[:many] = bytes(many)
        self._left -= many
        return many


@pytest.mark.parametrize("sizes", [thorough([2**31 + 5, 10]), thorough([2**31 - 50, 2**31 - 50, 1, 2])])
def test_the_length_is_right_beyond_what_32_bits_hold(sizes: list[int]) -> None:
    entries = [Entry(f"{n}.wav", size, lambda size=size: Zeros(size), WHEN) for n, size in enumerate(sizes)]
    assert takeout.length(entries) == sum(map(len, takeout.stream(entries, promised=True)))


def test_what_is_missing_is_a_line_and_all_else_is_whole() -> None:
    found = packed([entry("a", b"one", 3), Entry("lost.wav", 5, gone, WHEN), entry("c", b"three", 5)])
    assert found.namelist() == ["a", "c", MISSING]
    assert "lost.wav: not in the storage" in found.read(MISSING).decode()
    assert found.read("c") == b"three"


def test_what_breaks_off_is_a_line_too() -> None:
    broken = Entry("half.wav", 100, lambda: Breaking(b"x" * 100), WHEN)
    short = entry("short.wav", b"12", 3)
    found = packed([broken, short, entry("c", b"three", 5)])
    text = found.read(MISSING).decode()
    assert "half.wav: only 4 of 100 bytes" in text
    assert "short.wav: only 2 of 3 bytes" in text
    assert found.read("c") == b"three"


@pytest.mark.parametrize(
    "bad", [Entry("a", 5, gone, WHEN), entry("a", b"12", 3), Entry("a", 9, lambda: Breaking(b"x" * 9), WHEN)]
)
def test_a_length_that_was_promised_is_kept_or_the_connection_breaks(bad: Entry) -> None:
    with pytest.raises(Shortened):
        list(takeout.stream([bad, entry("b", b"y", 1)], promised=True))


def test_memory_is_that_of_a_block() -> None:
    import tracemalloc

    entries = [Entry(f"{n}.wav", None, lambda: Zeros(4_000_000), WHEN) for n in range(5)]
    tracemalloc.start()
    for _ in takeout.stream(entries):
        pass
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 3_000_000


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("", "at most 200"),
        ("/", "at most 200"),
        ("x" * 201, "at most 200"),
        ("{titel}", "not known"),
        ("{title!r}", "not known"),
        ("{title.__class__}", "not known"),
        ("{title:>9999999}", "not known"),
        ("{0}", "not known"),
        ("{}", "not known"),
        ("{title", "left open"),
        ("title}", "left open"),
        ("a/b/c/d/e", "at most 3 folders"),
    ],
)
def test_patterns_that_make_no_names(pattern: str, told: str) -> None:
    with pytest.raises(BadPattern, match=told):
        check(pattern)


def test_names_by_a_pattern() -> None:
    names = Names(check("{author}/{date} {title} {take}"))
    values = {"author": "Bob", "date": "2026-05-31", "title": "Rain/Snow: live?", "take": "B"}
    assert names.name(values, "wav") == "Bob/2026-05-31 Rain-Snow - live B.wav"
    assert names.name({**values, "take": ""}, "wav") == "Bob/2026-05-31 Rain-Snow - live.wav"
    assert names.name({**values, "take": "b"}, "wav") == "Bob/2026-05-31 Rain-Snow - live b (2).wav"
    assert (
        names.beside("Bob/2026-05-31 Rain-Snow - live.wav", "json") == "Bob/2026-05-31 Rain-Snow - live.json"
    )


@pytest.mark.parametrize("title", ["雨" * 79, "x" * 300, "x", "😀" * 40, "a" * 115 + " (2)"])
def test_titles_that_are_alike_have_numbers_that_no_cut_takes_away(title: str) -> None:
    names = Names("{title}")
    given = [names.name({"title": title}, "wav") for _ in range(12)]
    assert [name.endswith(f" ({number}).wav") for number, name in enumerate(given[1:], 2)] == [True] * 11
    assert len(set(given)) == 12
    assert all(len(name.encode()) <= 120 for name in given)


def test_thousands_alike_are_named_in_no_time() -> None:
    names, begun = Names("{title}"), time.process_time()
    assert len({names.name({"title": "Rain"}, "wav") for _ in range(5000)}) == 5000
    assert time.process_time() - begun < 5


@settings(max_examples=tries(200))
@given(
    st.lists(st.text(max_size=40), min_size=1, max_size=8),
    st.sampled_from(["{title}", "{author}/{title}", "../{title}", "{{{title}}}"]),
)
def test_no_name_leaves_its_folder_and_no_two_are_alike(titles: list[str], pattern: str) -> None:
    names = Names(check(pattern), (MISSING,))
    given_names = [names.name({"title": title, "author": title}, "wav") for title in titles]
    assert len({one.casefold() for one in given_names}) == len(given_names)
    for name in given_names:
        assert MISSING.casefold() != name.casefold()
        for part in name.split("/"):
            assert part not in ("", ".", "..")
            assert not set(part) & set('\\:*?"<>|\0\n')
            assert len(part.encode()) <= 120
            assert part == part.strip(" ")
            assert part.split(".")[0].casefold() not in ("con", "nul", "aux", "prn", "com1")


def test_places_are_counted_over_all_and_left_however_it_ends(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path
    first, second = takeout.enter(1), takeout.enter(1)
    with pytest.raises(takeout.Full):
        takeout.enter(1)
    others = [takeout.enter(2), takeout.enter(3)]
    with pytest.raises(takeout.Full):
        takeout.enter(4)
    second.leave()
    second.leave()
    takeout.enter(1).leave()
    for one in (first, *others):
        one.leave()
    takeout.enter(4).leave()


def test_outsiders_have_few_places_and_take_none_of_the_members(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path
    outside = [takeout.enter_outside(1), takeout.enter_outside(2)]
    for team in (1, 2, 3):
        with pytest.raises(takeout.Full):
            takeout.enter_outside(team)
    inside = [takeout.enter(1), takeout.enter(1), takeout.enter(2), takeout.enter(3)]
    outside.pop().leave()
    with pytest.raises(takeout.Full):
        takeout.enter_outside(1)
    with pytest.raises(takeout.Full):
        takeout.enter(4)
    outside.append(takeout.enter_outside(3))
    for one in (*outside, *inside):
        one.leave()


def test_a_process_that_dies_leaves_its_place(settings: Any, tmp_path: Any) -> None:
    import os

    settings.DATA_DIR = tmp_path
    for _ in range(2):
        pid = os.fork()
        if not pid:
            takeout.enter(1)
            os._exit(0)
        os.waitpid(pid, 0)
    slots = [takeout.enter(1), takeout.enter(1)]
    for one in slots:
        one.leave()
