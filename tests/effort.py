"""pytest plugin: how much is tried.

Some tests start whole portals, and property tests try many examples. A run without RHWEB_THOROUGH=1 tries each kind
in its short form and says how many long ones it left to `.ci/run`, which demands them.
"""

from __future__ import annotations

import gc
from typing import Any

import pytest
from hypothesis import settings

from rhweb import env
from tests.left_out import LeftOut

THOROUGH = env.flag("RHWEB_THOROUGH")


def tries(many: int) -> int:
    """How many examples a property test that wants `many` of them tries in this run."""
    return many if THOROUGH else max(many // 5, 8)


def thorough(*values: Any, id: str | None = None) -> Any:
    """A parameter set of the long form only."""
    return pytest.param(*values, id=id, marks=pytest.mark.thorough)


def pytest_configure(config: pytest.Config) -> None:
    settings.register_profile("short", max_examples=tries(100))
    settings.load_profile("short")
    if not THOROUGH:
        config.pluginmanager.register(LeftOut("thorough", sentence), "the short form")


def pytest_collection_finish() -> None:
    """Thousands of collected tests live to the end; looking through them for garbage again and again is a fifth of
    a run.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def sentence(count: int) -> str:
    return f"The short form: {count} long tests are run with RHWEB_THOROUGH=1."
