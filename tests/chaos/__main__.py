"""`make chaos`: runs of chaos in a test database, and what broke.

`make chaos ARGS="--form processes --seed 1 --runs 100"`: 100 runs from seed 1 on, with real processes; `--form
statements` cuts the stages off at single statements. A seed replays its run. Set DATABASE_URL to run on PostgreSQL.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")


def main() -> int:
    import django

    django.setup()
    from django.db import connection
    from django.test.utils import setup_test_environment

    from tests.chaos import processes, stage

    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--form", choices=stage.FORMS, default="processes")
    parser.add_argument("--port", type=int, default=0, help="of the upstream; 0: any")
    given = parser.parse_args()
    setup_test_environment()
    name = connection.settings_dict["NAME"]
    if connection.vendor == "postgresql":
        connection.settings_dict["TEST"]["NAME"] = f"test_{name}_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    began, broken = time.monotonic(), 0
    try:
        with tempfile.TemporaryDirectory() as folder, processes.playing(given.port) as (upstream, pid):
            for seed in range(given.seed, given.seed + given.runs):
                if given.form == "processes":
                    found = stage.in_processes(seed, folder, upstream, pid)
                else:
                    found = stage.in_statements(seed, folder)
                broken += len(found)
                sys.stdout.write("".join(f"{line}\n" for line in found))
                done = seed - given.seed + 1
                if done % 10 == 0:
                    sys.stdout.write(
                        f"  {done} runs, {(time.monotonic() - began) / done:.1f} s each, {broken} broken\n"
                    )
                sys.stdout.flush()
        seconds = (time.monotonic() - began) / given.runs
        sys.stdout.write(
            f"{given.runs} runs ({given.form}, {connection.vendor}) from seed {given.seed}, {seconds:.1f} s each:"
            f" {broken} broken promises\n"
        )
        return 1 if broken else 0
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    raise SystemExit(main())
