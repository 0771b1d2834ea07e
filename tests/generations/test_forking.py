"""What a forked process commits is there for all; one that cannot be sure of that commits nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import gc, os, sys
import django

django.setup()
from django.db import InterfaceError, connection

gc.disable()
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE notes (word text)")
unfinished = connection.connection.execute("SELECT 1 UNION SELECT 2")  # as an error leaves one in its traceback
if sys.argv[1] == "garbage":
    cycle = [unfinished]
    cycle.append(cycle)
    del cycle, unfinished
# Without the guard the parent would close its connection by itself; what keeps the file open is the statement.
connection.close()


def say(word):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO notes VALUES (%s)", [word])


to_child, from_parent = os.pipe()
to_parent, from_child = os.pipe()
child = os.fork()
if child == 0:
    try:
        say("first")
        os.write(from_child, b"w")
        os.read(to_child, 1)
        say("second")
        os.write(from_child, b"w")
        os.read(to_child, 1)
    except InterfaceError:
        os.write(from_child, b"rr")
    os._exit(0)
told = os.read(to_parent, 1)
unfinished = None
gc.collect()
say("parent")
connection.close()
os.write(from_parent, b".")
told += os.read(to_parent, 1)
with connection.cursor() as cursor:
    cursor.execute("SELECT word FROM notes ORDER BY rowid")
    print(told.decode(), *[word for word, in cursor.fetchall()])
os.write(from_parent, b".")
os.waitpid(child, 0)
"""


@pytest.mark.parametrize(
    ("held_by", "said"), [("garbage", "ww first parent second"), ("somebody", "rr parent")]
)
def test_a_child_loses_no_commit_of_an_inherited_database(tmp_path: Path, held_by: str, said: str) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "rhweb.settings", "RHWEB_DATA_DIR": str(tmp_path)}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, held_by],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == said, done.stderr


TURN = """
import os, signal, threading
import django

django.setup()
from django.db import connection
from generations.models import writer

with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE notes (word text)")
has, go = threading.Event(), threading.Event()


def hold():
    with writer.in_turn():
        has.set()
        go.wait(60)


threading.Thread(target=hold, daemon=True).start()
has.wait(60)
child = os.fork()
if child == 0:
    signal.alarm(20)
    with connection.cursor() as cursor:
        writer.together(lambda: cursor.execute("INSERT INTO notes VALUES (1)") and None)
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_child_does_not_wait_for_a_turn_that_its_parent_had(tmp_path: Path) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "rhweb.settings", "RHWEB_DATA_DIR": str(tmp_path)}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-c", TURN], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90
    )
    assert done.stdout.strip() == "7", done.stderr
