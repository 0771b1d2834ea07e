"""Tests that a run leaves out, and the sentence in its summary that says so, once however many workers there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


class LeftOut:
    """A plugin: leaves out whatever has the marker. `sentence` is given how many those are."""

    def __init__(self, marker: str, sentence: Callable[[int], str]) -> None:
        self.marker, self.sentence, self.count = marker, sentence, 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        left: list[pytest.Item] = []
        kept: list[pytest.Item] = []
        for item in items:
            (left if item.get_closest_marker(self.marker) else kept).append(item)
        if left:
            self.count = len(left)
            config.hook.pytest_deselected(items=left)
            items[:] = kept

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        told = getattr(session.config, "workeroutput", None)
        if told is not None:
            told[self.marker] = self.count

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Every worker of pytest-xdist collects the same tests, so the largest number is the number."""
        self.count = max(self.count, getattr(node, "workeroutput", {}).get(self.marker, 0))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.count:
            terminalreporter.write_line(self.sentence(self.count), yellow=True)
