"""How many parcels are on their way at once.

A parcel keeps a thread of the web server busy for as long as somebody's line takes. Locks on files count them across
all processes of a host, and the kernel lets go of them when a process dies, so nothing is ever left to clean up.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from django.conf import settings

OF_A_TEAM, OF_THE_HOST = 2, 4
"""With `make run` a host has 16 threads, of which at least twelve stay for pages."""


class Full(Exception):
    """As many are on their way as may be. Nothing was begun."""


class Slot:
    """A place among those on their way, until it is left. Leaving twice does no harm."""

    def __init__(self, locks: list[IO[bytes]]) -> None:
        self._locks = locks

    def leave(self) -> None:
        while self._locks:
            self._locks.pop().close()


def enter(team_id: int) -> Slot:
    """A place for a parcel of this team. Raises `Full`."""
    locks: list[IO[bytes]] = []
    try:
        locks.append(_one_of(f"team-{team_id}", OF_A_TEAM))
        locks.append(_one_of("host", OF_THE_HOST))
    except BaseException:
        Slot(locks).leave()
        raise
    return Slot(locks)


def _one_of(name: str, many: int) -> IO[bytes]:
    folder = Path(settings.DATA_DIR) / "parcels"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(many):
        file = (folder / f"{name}-{number}.lock").open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            continue
        except BaseException:
            file.close()
            raise
        return file
    raise Full
