"""pytest plugin: which tests go to the same worker of pytest-xdist, with `-n 2 --dist loadscope`.

A file is one piece. All browser tests are one piece, because one portal and one Chromium serve them all, and so are
the tests that start and kill worker processes, which would starve each other.
"""

from __future__ import annotations

from typing import Any

import pytest

PROCESSES = ("management/test_serve.py", "management/test_worker.py", "generations/test_plug.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler.loadscope import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            if path.startswith("tests/browser/"):
                return "browser"
            return "processes" if path.endswith(PROCESSES) else path

    config.option.loadscopereorder = (
        False  # in the order of collection, in which the browser tests come early
    )
    return Scheduling(config, log)
