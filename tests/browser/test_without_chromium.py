"""A machine without Chromium: the browser tests are left out, and nobody can overlook it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.chromium import MISSING
from tests.effort import thorough

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
import pytest

@pytest.mark.browser
def test_in_a_browser():
    raise AssertionError

def test_without_one():
    pass
"""


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A run of pytest elsewhere, with the plugin and nothing on the PATH."""
    (folder / "test_both.py").write_text(TESTS)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "RHWEB_"))}
    given = {"PATH": str(folder), "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.browser.chromium", *arguments],
        cwd=folder,
        env={**kept, **given, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_plugin_is_part_of_every_run(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.has_plugin("tests.browser.chromium")


@pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), thorough(("-p", "xdist.plugin", "-n", "2"), id="with workers")]
)
def test_they_are_left_out_and_the_summary_says_so_once(tmp_path: Path, workers: tuple[str, ...]) -> None:
    ended = run(tmp_path, *workers)
    assert ended.stdout.splitlines().count(f"{MISSING}.") == 1
    assert "1 passed" in ended.stdout
    assert "skipped" not in ended.stdout
    assert ended.returncode == 0


@pytest.mark.thorough
def test_nothing_is_said_where_none_was_asked_for(tmp_path: Path) -> None:
    assert MISSING not in run(tmp_path, "test_both.py::test_without_one").stdout


@pytest.mark.thorough
def test_where_they_are_demanded_the_run_fails(tmp_path: Path) -> None:
    ended = run(tmp_path, RHWEB_DEMAND_BROWSER="1")
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert MISSING in ended.stderr
