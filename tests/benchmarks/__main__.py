"""`make bench`: every measurement, as ratios against a named baseline of the same run.

`make bench ARGS=pages` runs one. Set DATABASE_URL to measure on PostgreSQL.
"""

from __future__ import annotations

import importlib
import os
import platform
import subprocess
import sys

MEASUREMENTS = (
    "library", "pages", "hearing", "parcel", "picker", "pipeline", "quota", "stages", "visible", "waiting",
    "webhooks",
)  # fmt: skip


def main(wanted: list[str]) -> None:
    if len(wanted) == 1:
        for line in importlib.import_module(f"tests.benchmarks.{wanted[0]}").measure():
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        return
    database = "PostgreSQL" if os.environ.get("DATABASE_URL", "").startswith("postgres") else "SQLite"
    sys.stdout.write(f"Python {platform.python_version()}, {os.cpu_count()} cores, {database}\n")
    for name in wanted or MEASUREMENTS:
        # A process each, because Django can be configured once only.
        subprocess.run([sys.executable, "-m", "tests.benchmarks", name], check=True)


if __name__ == "__main__":
    unknown = set(sys.argv[1:]) - set(MEASUREMENTS)
    if unknown:
        raise SystemExit(f"There is no measurement {unknown.pop()!r}; there are {', '.join(MEASUREMENTS)}.")
    main(sys.argv[1:])
