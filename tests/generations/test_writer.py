"""SQLite's log is moved into the database by who holds the right to write."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from generations.models import writer
from rhweb.env import SQLITE


@pytest.fixture
def file(tmp_path: Path, transactional_db: None) -> Iterator[Path]:
    """The test's connection leads to a file of its own."""
    if connection.vendor != "sqlite":
        yield Path()
        return
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(tmp_path / "own.sqlite3")
    connection.settings_dict["OPTIONS"] |= {"init_command": SQLITE}
    yield tmp_path / "own.sqlite3"
    connection.close()
    connection.settings_dict["NAME"] = before


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
