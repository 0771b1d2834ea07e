"""The short form of `make chaos`: a few seeds, so that a broken promise shows at once."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.chaos.stage import run
from tests.effort import thorough


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", [1, *map(thorough, range(2, 11))])
def test_whatever_happens_every_promise_is_kept(seed: int, tmp_path: Path) -> None:
    logging.disable(logging.CRITICAL)
    try:
        assert run(seed, tmp_path) == []
    finally:
        logging.disable(logging.NOTSET)
