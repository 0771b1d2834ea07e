"""pytest plugin: how much is tried.

Some tests start whole portals, and property tests try many examples. A run without RHWEB_THOROUGH=1 tries each kind
in its short form and says how many long ones it left to `.ci/run`, which demands them.

RHWEB_SECOND_DATABASE=1 leaves out what another run on another database has shown already: tests of the parts that
know no database, and need none themselves.
"""

from __future__ import annotations

import gc
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from rhweb import env
from tests.left_out import LeftOut

THOROUGH = env.flag("RHWEB_THOROUGH")
SECOND_DATABASE = env.flag("RHWEB_SECOND_DATABASE")
WITHOUT_DATABASE = tuple(
    f"tests/generations/{part}/" for part in ("catalogue", "media", "runninghub", "sandbox", "templatetags")
)


def tries(many: int) -> int:
    """How many examples a property test that wants `many` of them tries in this run."""
    return many if THOROUGH else max(many // 5, 8)


def thorough(*values: Any, id: str | None = None) -> Any:
    """A parameter set of the long form only."""
    return pytest.param(*values, id=id, marks=pytest.mark.thorough)


def pytest_configure(config: pytest.Config) -> None:
    # A machine that is busy with something else makes no test wrong.
    settings.register_profile(
        "short", max_examples=tries(100), deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("short")
    if not THOROUGH:
        config.pluginmanager.register(LeftOut("thorough", sentence), "the short form")
    if SECOND_DATABASE:
        config.pluginmanager.register(LeftOut("without_database", shown_before), "the second database")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        asks = "db" in getattr(item, "fixturenames", ()) or item.get_closest_marker("django_db")
        if item.nodeid.startswith(WITHOUT_DATABASE) and not asks:
            item.add_marker("without_database")


def pytest_collection_finish() -> None:
    """Thousands of collected tests live to the end; looking through them for garbage again and again is a fifth of
    a run.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def sentence(count: int) -> str:
    return f"The short form: {count} long tests are run with RHWEB_THOROUGH=1."


def shown_before(count: int) -> str:
    return f"The second database: {count} tests need none and ran before."
