"""pytest plugin: the Chromium of the browser tests.

Without one they are left out of the run, and its summary says so. With RHWEB_DEMAND_BROWSER=1 that ends the run.
"""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from rhweb import env

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "Browser tests did not run: no Chromium found; install Debian's package chromium"
LEFT_OUT = pytest.StashKey[int]()


def find() -> str | None:
    """The path of the first Chromium on the PATH."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEFT_OUT] = 0
    if env.flag("RHWEB_DEMAND_BROWSER") and not find():
        raise pytest.UsageError(f"{MISSING}, or unset RHWEB_DEMAND_BROWSER.")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if find():
        return
    left_out = [item for item in items if item.get_closest_marker("browser")]
    if left_out:
        config.stash[LEFT_OUT] += len(left_out)
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("browser")]


def pytest_sessionfinish(session: pytest.Session) -> None:
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["browser_left_out"] = session.config.stash[LEFT_OUT]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker of pytest-xdist collects the same tests, so the largest number is the number."""
    told = getattr(node, "workeroutput", {}).get("browser_left_out", 0)
    node.config.stash[LEFT_OUT] = max(node.config.stash[LEFT_OUT], told)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if config.stash[LEFT_OUT]:
        terminalreporter.write_line(f"{MISSING}.", yellow=True)
