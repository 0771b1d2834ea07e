"""SQLite's log is moved into the database by who holds the right to write."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from generations.models import writer
from rhweb.env import SQLITE


@pytest.fixture
def file(tmp_path: Path, transactional_db: None) -> Iterator[Path]:
    """The test's connection leads to a file of its own."""
    if connection.vendor != "sqlite":
        yield Path()
        return
    before = {key: connection.settings_dict[key] for key in ("NAME", "OPTIONS")}
    connection.close()
    connection.settings_dict["NAME"] = str(tmp_path / "own.sqlite3")
    connection.settings_dict["OPTIONS"] = {**before["OPTIONS"], "init_command": SQLITE}
    yield tmp_path / "own.sqlite3"
    connection.close()
    connection.settings_dict |= before


def write(megabytes: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS scratch (data BLOB)")
        for _ in range(megabytes):
            cursor.execute("INSERT INTO scratch VALUES (zeroblob(1000000))")


def log(file: Path) -> int:
    return Path(f"{file}-wal").stat().st_size


def test_a_long_log_is_moved_and_begins_anew(file: Path) -> None:
    if connection.vendor != "sqlite":
        assert not writer.checkpoint()
        return
    write(2)
    assert not writer.checkpoint(), "there is little to move"
    write(10)
    assert log(file) > writer.LONG_LOG, "SQLite does not move it by itself"
    before = file.stat().st_size
    assert writer.checkpoint()
    assert file.stat().st_size > before + 9_000_000
    write(1)
    assert log(file) < writer.LONG_LOG
    assert not writer.checkpoint()


def test_nobody_writes_while_it_is_moved(file: Path) -> None:
    if connection.vendor != "sqlite":
        return
    write(10)
    with closing(sqlite3.connect(file, isolation_level=None, timeout=60)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO scratch VALUES ('in the midst of it')")
        before = file.stat().st_size

        def move() -> None:
            writer.checkpoint()
            connection.close()

        moved = threading.Thread(target=move)
        moved.start()
        moved.join(0.5)
        assert moved.is_alive(), "it waits for who writes"
        assert file.stat().st_size == before
        other.execute("COMMIT")
        moved.join(60)
        assert file.stat().st_size > before + 9_000_000


def test_what_a_reader_still_reads_stays_readable(file: Path) -> None:
    if connection.vendor != "sqlite":
        return
    write(1)
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        count = "SELECT count(*) FROM scratch"
        assert reader.execute(count).fetchone() == (1,)
        write(10)
        assert writer.checkpoint()
        write(1)
        assert reader.execute(count).fetchone() == (1,)
        reader.execute("COMMIT")
        assert reader.execute(count).fetchone() == (12,)


def test_a_commit_is_on_the_disk(file: Path) -> None:
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA synchronous").fetchone() == (2,)


class Writers:
    """Threads that write into a table of their own while the turn is taken, so that they wait for it together."""

    def __init__(self, *values: int | None) -> None:
        self.outcomes: dict[int, object] = {}
        self.threads = [threading.Thread(target=self._write, args=one) for one in enumerate(values)]

    def run(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE numbers (number INTEGER NOT NULL)")
        with writer.in_turn():
            for thread in self.threads:
                thread.start()
            until = time.monotonic() + 30
            while len(writer._waiting[True]) < len(self.threads) and time.monotonic() < until:
                time.sleep(0.01)
        for thread in self.threads:
            thread.join(60)

    def _write(self, place: int, value: int | None) -> None:
        try:
            self.outcomes[place] = writer.together(lambda: self._insert(place, value))
        except IntegrityError as error:
            self.outcomes[place] = type(error)
        finally:
            connection.close()

    def _insert(self, place: int, value: int | None) -> tuple[int, bool]:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO numbers VALUES (%s)", [value])
        return place, connection.in_atomic_block

    def kept(self) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT number FROM numbers ORDER BY number")
            return [number for (number,) in cursor.fetchall()]


def test_what_threads_write_at_once_is_one_transaction(file: Path) -> None:
    if connection.vendor != "sqlite":
        return
    writers = Writers(10, 11, 12, 13)
    writers.run()
    assert writers.outcomes == {place: (place, True) for place in range(4)}
    assert writers.kept() == [10, 11, 12, 13]


def test_a_fault_is_met_by_its_own_thread_and_takes_nothing_from_the_others(file: Path) -> None:
    if connection.vendor != "sqlite":
        return
    writers = Writers(10, None, 12)
    writers.run()
    assert writers.outcomes == {0: (0, False), 1: IntegrityError, 2: (2, False)}
    assert writers.kept() == [10, 12]


def test_who_writes_alone_or_within_a_transaction_needs_no_other(file: Path) -> None:
    assert writer.together(lambda: connection.in_atomic_block) is False
    with transaction.atomic():
        assert writer.together(lambda: connection.in_atomic_block) is True


@pytest.fixture
def other_process(file: Path) -> Iterator[int]:
    """Has the turn of the host, as another process would: a lock belongs to who opened the file."""
    held = os.open(f"{file}-turn" if file.name else os.devnull, os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    yield held
    os.close(held)


def test_processes_write_one_after_the_other(file: Path, other_process: int) -> None:
    if connection.vendor != "sqlite":
        return
    wrote = threading.Event()

    def work() -> None:
        with writer.in_turn(), writer.in_turn():
            wrote.set()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert not wrote.wait(writer.PATIENCE / 5), "the other one has the turn"
    fcntl.flock(other_process, fcntl.LOCK_UN)
    assert wrote.wait(60)
    thread.join(60)
    fcntl.flock(other_process, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_nobody_waits_for_ever_for_a_process_that_is_frozen(file: Path, other_process: int) -> None:
    began = time.monotonic()
    assert writer.together(lambda: "written") == "written"
    assert (time.monotonic() - began > writer.PATIENCE) is (connection.vendor == "sqlite")


def test_a_frozen_process_is_waited_for_once_and_not_at_every_write(file: Path, other_process: int) -> None:
    if connection.vendor != "sqlite":
        return
    turns = writer._OfHost()
    began = time.monotonic()
    for _ in range(20):
        with turns:
            assert not turns.held
    assert time.monotonic() - began < 3 * writer.PATIENCE
    fcntl.flock(other_process, fcntl.LOCK_UN)
    with turns:
        assert turns.held


def test_the_turn_belongs_to_all_who_may_write_the_database(file: Path) -> None:
    if connection.vendor != "sqlite":
        return
    write(1)
    file.chmod(0o664)
    with writer._OfHost():
        assert Path(f"{file}-turn").stat().st_mode & 0o777 == 0o664


def test_who_is_interrupted_while_waiting_leaves_the_turn_as_it_was(file: Path) -> None:
    if connection.vendor != "sqlite":
        return
    turns = writer._OfHost()
    with pytest.raises(KeyboardInterrupt), turns:
        raise KeyboardInterrupt
    assert turns.depth == 0
    with turns:
        assert turns.held


def test_what_was_written_for_somebody_sets_them_free_at_once(file: Path) -> None:
    """Also while newcomers keep the turn."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE numbers (number INTEGER NOT NULL)")
    writers = Writers(1, 2)
    with writer.in_turn():
        for thread in writers.threads:
            thread.start()
        until = time.monotonic() + 30
        while len(writer._waiting[True]) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        writer._write_for_all(writer._waiting[True])
        for thread in writers.threads:
            thread.join(30)
        assert writers.outcomes == {0: (0, True), 1: (1, True)}
    assert writers.kept() == [1, 2]


class Hides(Writers):
    """One that goes on after an error of the database, which has undone everything."""

    def _insert(self, place: int, value: int | None) -> tuple[int, bool]:
        try:
            with transaction.atomic(savepoint=False):
                return super()._insert(place, value)
        except IntegrityError:
            return place, False


def test_nobody_is_told_that_is_written_what_somebody_s_hidden_error_undid(file: Path) -> None:
    if connection.vendor != "sqlite":
        return
    writers = Hides(1, 3, None)  # of threads that wait in this order
    writers.run()
    assert sorted(writers.outcomes) == [0, 1, 2]
    assert writers.kept() == [1, 3]


def synchronous() -> int:
    with connection.cursor() as cursor:
        return int(cursor.execute("PRAGMA synchronous").fetchone()[0])


def test_what_need_not_outlive_a_loss_of_power_waits_for_no_disk(file: Path) -> None:
    if connection.vendor != "sqlite":
        with writer.unsynced():
            return
    with writer.unsynced():
        assert synchronous() == 1
    assert synchronous() == 2
    assert writer.together(synchronous, synced=False) == 1
    assert writer.together(synchronous) == 2
    with pytest.raises(IntegrityError), writer.unsynced():
        raise IntegrityError
    assert synchronous() == 2
    with transaction.atomic(), writer.unsynced():
        assert synchronous() == 2, "who waits for the disk with all of a transaction does so with each part"


def test_who_waits_for_the_disk_is_never_written_with_those_who_do_not(file: Path) -> None:
    if connection.vendor != "sqlite":
        return
    found: dict[bool, set[int]] = {True: set(), False: set()}

    def ask(synced: bool) -> None:
        writer.together(lambda: found[synced].add(synchronous()), synced=synced)
        connection.close()

    threads = [threading.Thread(target=ask, args=[number % 2 == 0]) for number in range(8)]
    with writer.in_turn():
        for thread in threads:
            thread.start()
        until = time.monotonic() + 30
        while sum(map(len, writer._waiting.values())) < len(threads) and time.monotonic() < until:
            time.sleep(0.01)
    for thread in threads:
        thread.join(60)
    assert found == {True: {2}, False: {1}}
