"""The short form of `make chaos`: a few seeds, so that a broken promise shows at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import processes, stage
from tests.effort import thorough

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("seed", [1, *map(thorough, range(2, 11))])
def test_whatever_statement_is_the_last_every_promise_is_kept(seed: int, tmp_path: Path) -> None:
    assert stage.in_statements(seed, tmp_path) == []


@pytest.mark.parametrize("first", [thorough(1), thorough(101), thorough(201)])
def test_whoever_is_killed_every_promise_is_kept(first: int, tmp_path: Path) -> None:
    with processes.playing() as (upstream, pid):
        for seed in range(first, first + 4):
            assert stage.in_processes(seed, tmp_path, upstream, pid) == []
