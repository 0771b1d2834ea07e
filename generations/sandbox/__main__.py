"""``python -m generations.sandbox``: the sandbox by itself."""

from __future__ import annotations

import argparse
import sys

from generations.sandbox.server import SandboxError, pace_from_environment, serve


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="sandbox", description="A local RunningHub that makes real sound.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8188)
    parser.add_argument("--slots", type=int, default=3, help="unfinished tasks per key (3)")
    parser.add_argument(
        "--pace", type=float, help="1 is lifelike, 0 at once; default RHWEB_SANDBOX_PACE or 1"
    )
    parser.add_argument("--quick", action="store_true", help="render two or three seconds only")
    parser.add_argument("--state-dir", help="keep tasks and files here across restarts")
    given = parser.parse_args(arguments)
    try:
        serve(
            given.host,
            given.port,
            slots=given.slots,
            pace=pace_from_environment() if given.pace is None else given.pace,
            quick=given.quick,
            state_dir=given.state_dir,
        )
    except SandboxError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
