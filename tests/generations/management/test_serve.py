"""`manage.py serve`, as `make run` starts it: real processes, real signals."""

from __future__ import annotations

import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from generations.management.commands.demo import PASSWORD, PIECES
from tests.effort import thorough
from tests.generations.management.processes import Household, free_port, wait_for

INVITATION = "Ctrl-C stops everything."
STOPS_WITHIN = 20.0  # seconds; about 1 on a machine with nothing else to do


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    found = Household(tmp_path)
    yield found
    found.end()


@pytest.mark.thorough
def test_interrupted_while_starting_then_started_again_and_stopped_with_nothing_left(
    household: Household,
) -> None:
    port = free_port()
    first = household.start("serve", "--port", str(port))
    household.hear(first, "is task")  # a piece of the demo is under way upstream
    first.send_signal(signal.SIGINT)
    assert first.wait(STOPS_WITHIN) == 0
    assert "Stopped." in household.said(first)
    assert "Traceback" not in household.said(first)
    assert household.alive() == []

    second = household.start("serve", "--port", str(port))
    household.hear(second, INVITATION)
    assert PASSWORD in household.said(second)
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").status == 200
    status = "SELECT status FROM generations_generation WHERE status = 'succeeded'"
    wait_for(
        lambda: len(household.rows(status)) == len(PIECES) + 1,  # and a recording
        lambda: str(household.rows("SELECT status, error_message FROM generations_generation")),
    )

    code, said = household.run("serve", "--port", str(port))
    assert code == 1
    assert (
        said == f"CommandError: Port {port} is taken by another program. "
        f"Choose another: make run PORT={port + 1}\n"
    )

    began = time.monotonic()
    second.send_signal(signal.SIGINT)
    assert second.wait(STOPS_WITHIN) == 0
    assert household.alive() == [], f"after {time.monotonic() - began:.1f} s"
    assert "Traceback" not in household.said(second)


@pytest.mark.thorough
def test_with_a_key_there_is_neither_sandbox_nor_demo(household: Household) -> None:
    household.environment |= {"RUNNINGHUB_API_KEY": "k" * 32, "RUNNINGHUB_BASE_URL": "http://127.0.0.1:9"}
    process = household.start("serve", "--port", str(free_port()))
    household.hear(process, INVITATION)
    assert "create_team" in household.said(process)
    assert PASSWORD not in household.said(process)
    assert not [line for line in household.alive() if "sandbox" in line]
    assert household.rows("SELECT * FROM accounts_team") == []
    process.send_signal(signal.SIGTERM)
    assert process.wait(STOPS_WITHIN) == 0
    assert household.alive() == []


@pytest.mark.thorough
def test_a_process_that_dies_takes_the_others_with_it(household: Household) -> None:
    household.environment |= {"RUNNINGHUB_API_KEY": "k" * 32, "RUNNINGHUB_BASE_URL": "http://127.0.0.1:9"}
    process = household.start("serve", "--port", str(free_port()))
    household.hear(process, INVITATION)
    household.kill("gunicorn")
    assert process.wait(STOPS_WITHIN) == 1
    assert "ended by itself" in household.said(process)
    # A web process without its master ends by itself, within a second or when a slow machine has let it begin.
    wait_for(lambda: not household.alive(), lambda: str(household.alive()))


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        thorough(["--port", "99999"], {}, "99999 is no port; choose one from 1 to 65535."),
        (["--port", "abc"], {}, "abc is no port; choose one from 1 to 65535."),
        thorough(["--port", "0"], {}, "0 is no port; choose one from 1 to 65535."),
        thorough([], {"DATABASE_URL": "postgres://nobody@127.0.0.1:9/none"}, "Look at DATABASE_URL"),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(
    household: Household, arguments: list[str], environment: dict[str, str], sentence: str
) -> None:
    household.environment |= environment
    code, said = household.run("serve", *(arguments or ["--port", str(free_port())]))
    assert code == 1
    assert sentence in said
    assert "Traceback" not in said
    assert household.alive() == []


@pytest.mark.thorough
def test_a_sandbox_port_that_is_taken_is_replaced(household: Household) -> None:
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        port = occupant.getsockname()[1]
        household.environment["RHWEB_SANDBOX_URL"] = f"http://127.0.0.1:{port}"
        process = household.start("serve", "--port", str(free_port()))
        household.hear(process, INVITATION)
        assert f"Port {port} is taken, so the sandbox uses" in household.said(process)
        code, said = household.run("sandbox", "--port", str(port))
        assert (code, "Choose another port" in said) == (1, True)
        household.environment["RHWEB_SANDBOX_PACE"] = "fast"
        code, said = household.run("sandbox", "--port", str(free_port()))
        assert (code, "RHWEB_SANDBOX_PACE is 'fast'" in said) == (1, True)
