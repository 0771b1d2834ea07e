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
OF_OUTSIDERS, OF_ALL_OUTSIDERS = 1, 2
"""Of those with a link to something of one team, and of all of them on a host. They have places of their own, because
whoever has a link may read as slowly as they like, and as often as the link is told to others.
"""


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
    """A place for a parcel of a member of this team. Raises `Full`."""
    return _enter((f"team-{team_id}", OF_A_TEAM), ("host", OF_THE_HOST))


def enter_outside(team_id: int) -> Slot:
    """A place for a parcel of somebody with a link of this team, which takes none of its members'. Raises `Full`."""
    return _enter((f"outside-{team_id}", OF_OUTSIDERS), ("outside", OF_ALL_OUTSIDERS))


def _enter(*gates: tuple[str, int]) -> Slot:
    locks: list[IO[bytes]] = []
    try:
        for name, many in gates:
            locks.append(_one_of(name, many))
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
