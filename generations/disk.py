"""The room for what is made. Nothing new is taken or sent while less than RHWEB_MIN_FREE_BYTES is free.

Asked of the file system each time, because it takes microseconds and a remembered answer is a wrong one. Everything
of ours is looked at: downloads and the database lie in the data folder also where results go into a bucket.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _


class StorageLow(Exception):
    """There is too little room for anything new. Nothing was taken and nothing was charged."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "The portal has too little room left for new results, so it takes nothing new at the moment. Nothing "
                "was sent and nothing is charged. It goes on by itself as soon as there is room; the managers are told."
            )
        )


def free() -> int:
    """Bytes free where least is free of the places the portal writes to."""
    return min(shutil.disk_usage(_existing(folder)).free for folder in _folders())


def is_low() -> bool:
    """Whether nothing new should be taken or sent."""
    return settings.MIN_FREE_BYTES > 0 and free() < settings.MIN_FREE_BYTES


def refuse_when_low() -> None:
    """Raises `StorageLow`."""
    if is_low():
        raise StorageLow


def _folders() -> set[Path]:
    found = {Path(settings.DATA_DIR)}
    storage: Any = settings.STORAGES["default"]
    if (location := storage.get("OPTIONS", {}).get("location")) and "FileSystem" in storage["BACKEND"]:
        found.add(Path(location))
    database: dict[str, Any] = settings.DATABASES["default"]
    if "sqlite" in database["ENGINE"] and Path(str(database["NAME"])).is_absolute():
        found.add(Path(database["NAME"]).parent)
    return found


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there already."""
    return next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
