"""Where a run of chaos takes place: an upstream and a folder of its own, on the database that is there."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test.utils import override_settings
from django_q.models import OrmQ

from generations.models import Batch, Connection, Draft, Generation, Heartbeat, Output
from generations.sandbox import Sandbox
from tests.chaos import processes
from tests.chaos.statements import Chaos

FORMS = ("statements", "processes")
QUIET = (
    "rhweb",
    "rhweb.gather",
    "rhweb.dispatch",
    "rhweb.follow",
    "django-q",
    "django.request",
    "django.db",
    "generations.runninghub.verdicts",
)
"""Loggers that would tell of every fault that was made on purpose."""


def in_statements(seed: int, folder: str | Path) -> list[str]:
    """What broke when stages were cut off at statements, in this process, against our sandbox; a sentence each."""
    with Sandbox(slots=3, pace=0, quick=True) as sandbox, _stage(seed, folder, sandbox.url, READ_SECONDS=2.0):
        return Chaos(seed, sandbox).run()


def in_processes(seed: int, folder: str | Path, upstream: processes.Upstream, pid: int) -> list[str]:
    """What broke when real workers were killed, against a foreign upstream in its own process; a sentence each."""
    patience: dict[str, Any] = dict.fromkeys(("CONNECT_SECONDS", "READ_SECONDS", "SUBMIT_SECONDS"), 0.25)
    with _stage(seed, folder, upstream.url, **patience) as here:
        return processes.Run(seed, upstream, pid, here).run()


@contextmanager
def _stage(seed: int, folder: str | Path, url: str, **changed: Any) -> Iterator[Path]:
    """What earlier runs left in the database goes first."""
    for model in (Output, Generation, Draft, Batch, OrmQ, Heartbeat, Connection):
        model.objects.all().delete()  # type: ignore[attr-defined]
    here = Path(folder) / f"chaos-{seed}"
    here.mkdir()
    options = {**settings.STORAGES["default"]["OPTIONS"], "location": str(here / "media")}
    storages = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    for name in QUIET:
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False
    patience = connection.settings_dict["OPTIONS"]
    kept = dict(patience)
    if connection.vendor == "sqlite":
        connection.close()
        patience["timeout"] = 0.5  # so that "database is locked" is heard, too
    try:
        with override_settings(
            RUNNINGHUB_BASE_URL=url,
            RUNNINGHUB_API_KEY="k" * 32,
            USES_SANDBOX=False,
            STORAGES=storages,
            DATA_DIR=here,
            PUBLIC_URL="http://testserver",
            **changed,
        ):
            yield here
    finally:
        for name in QUIET:
            logging.getLogger(name).propagate = True
        connection.close()
        patience.update(kept)
