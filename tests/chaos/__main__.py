"""`python -m tests.chaos --seed N --runs K`: K runs from seed N on, in a test database, and what broke."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")


def main() -> int:
    import django

    django.setup()
    from django.db import connection
    from django.test.utils import override_settings

    from tests.chaos.stage import run

    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=100)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        wrong = []
        with tempfile.TemporaryDirectory() as folder, override_settings():
            for seed in range(given.seed, given.seed + given.runs):
                found = run(seed, folder)
                wrong += found
                sys.stdout.write("".join(f"{line}\n" for line in found))
                sys.stdout.flush()
        sys.stdout.write(f"{given.runs} runs, {len(wrong)} broken promises\n")
        return 1 if wrong else 0
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    raise SystemExit(main())
