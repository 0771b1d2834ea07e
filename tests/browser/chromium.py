"""pytest plugin: the Chromium of the browser tests.

Without one they are left out of the run, and its summary says so. With RHWEB_DEMAND_BROWSER=1 that ends the run.
"""

from __future__ import annotations

import shutil

import pytest

from rhweb import env
from tests.left_out import LeftOut

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "Browser tests did not run: no Chromium found; install Debian's package chromium"


def find() -> str | None:
    """The path of the first Chromium on the PATH."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def pytest_configure(config: pytest.Config) -> None:
    if find():
        return
    if env.flag("RHWEB_DEMAND_BROWSER"):
        raise pytest.UsageError(f"{MISSING}, or unset RHWEB_DEMAND_BROWSER.")
    config.pluginmanager.register(LeftOut("browser", lambda _count: f"{MISSING}."), "without a browser")
