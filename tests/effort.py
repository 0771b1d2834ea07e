"""pytest plugin: how much is tried.

Some tests start whole portals, and property tests try many examples. A run without RHWEB_THOROUGH=1 tries each kind
in its short form and says how many long ones it left to `.ci/run`, which demands them.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings

from rhweb import env

THOROUGH = env.flag("RHWEB_THOROUGH")
LEFT = pytest.StashKey[int]()


def tries(many: int) -> int:
    """How many examples a property test that wants `many` of them tries in this run."""
    return many if THOROUGH else max(many // 5, 8)


def thorough(*values: Any, id: str | None = None) -> Any:
    """A parameter set of the long form only."""
    return pytest.param(*values, id=id, marks=pytest.mark.thorough)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEFT] = 0
    settings.register_profile("short", max_examples=tries(100))
    settings.load_profile("short")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left = [] if THOROUGH else [item for item in items if item.get_closest_marker("thorough")]
    if left:
        config.stash[LEFT] = len(left)
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]


def pytest_sessionfinish(session: pytest.Session) -> None:
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["thorough_left"] = session.config.stash[LEFT]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    told = getattr(node, "workeroutput", {}).get("thorough_left", 0)
    node.config.stash[LEFT] = max(node.config.stash[LEFT], told)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if left := config.stash[LEFT]:
        terminalreporter.write_line(f"The short form: {left} long tests are run with RHWEB_THOROUGH=1.")
