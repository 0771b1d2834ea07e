"""Where a run of chaos takes place: a sandbox and a folder of its own, on the database that is there."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.test.utils import override_settings

from generations.models import Generation, Output
from generations.sandbox import Sandbox
from tests.chaos.run import Chaos


def run(seed: int, folder: str | Path) -> list[str]:
    """What broke in this run, a sentence each. What earlier runs left in the database goes first."""
    Output.objects.all().delete()
    Generation.objects.all().delete()
    options = {**settings.STORAGES["default"]["OPTIONS"], "location": str(Path(folder) / f"media-{seed}")}
    storages = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    with (
        Sandbox(slots=3, pace=0, quick=True) as sandbox,
        override_settings(
            RUNNINGHUB_BASE_URL=sandbox.url,
            RUNNINGHUB_API_KEY="k" * 32,
            USES_SANDBOX=False,
            STORAGES=storages,
            READ_SECONDS=2.0,
        ),
    ):
        return Chaos(seed, sandbox).run()
