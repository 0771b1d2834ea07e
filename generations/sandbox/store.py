"""What the sandbox keeps on disk: result files and uploads always, tasks, clones and balances where a folder
was given.

Every file is written beside its place and moved there, so a kill leaves the old one or the new one, never a
half.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,120}(\.[a-z0-9]{1,8})?")


class Store:
    """A folder. Without ``state_dir`` a temporary one, which ends with the sandbox and keeps no records."""

    def __init__(self, state_dir: str | Path | None) -> None:
        self.keeps_records = state_dir is not None
        self.root = Path(state_dir) if state_dir else Path(tempfile.mkdtemp(prefix="rhweb-sandbox-"))
        for name in ("results", "uploads", "tasks", "voices", "accounts"):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        if not self.keeps_records:
            shutil.rmtree(self.root, ignore_errors=True)

    def path(self, folder: str, name: str) -> Path:
        if not SAFE_NAME.fullmatch(name):
            raise ValueError(f"Not a file name of ours: {name!r}")
        return self.root / folder / name

    def write(self, folder: str, name: str, data: bytes) -> Path:
        target = self.path(folder, name)
        part = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}")
        part.write_bytes(data)
        os.replace(part, target)
        return target

    def record(self, folder: str, name: str, value: dict[str, Any]) -> None:
        """Keep a record across restarts; does nothing for a temporary store."""
        if self.keeps_records:
            self.write(folder, f"{name}.json", json.dumps(value, ensure_ascii=False).encode())

    def forget(self, folder: str, name: str) -> None:
        if self.keeps_records:
            self.path(folder, f"{name}.json").unlink(missing_ok=True)

    def records(self, folder: str) -> list[dict[str, Any]]:
        """All records of a folder; a damaged one is left out."""
        found = []
        for path in sorted((self.root / folder).glob("*.json")):
            try:
                value = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            if isinstance(value, dict):
                found.append(value)
        return found
