"""pytest plugin: the migrated SQLite file that the databases of the tests begin as.

Migrating takes as long as hundreds of tests, so it is done once: for the workers of pytest-xdist, for the portal of
the browser tests, and again only when something that it is made from has changed. Every database is migrated all the
same after it was copied; that finds nothing to do.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.apps import apps
from django.conf import settings

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "var" / "tests"
OURS = ("RHWEB_", "RUNNINGHUB_", "DATABASE_URL", "DJANGO_SETTINGS_MODULE")
BEGUN = pytest.StashKey["subprocess.Popen[bytes]"]()


def mark() -> str:
    """Stands for everything that a migrated database is made from."""
    read = hashlib.sha256(f"{sys.version} {django.VERSION} {settings.INSTALLED_APPS}".encode())
    for app in apps.get_app_configs():
        folder = Path(app.path)
        for path in sorted(
            [*folder.glob("migrations/*.py"), *folder.glob("models.py"), *folder.glob("models/*.py")]
        ):
            read.update(f"{app.label} {path.name}\n".encode() + path.read_bytes())
    return read.hexdigest()[:20]


def kept() -> Path:
    return KEPT / f"{mark()}.sqlite3"


def ready() -> Path:
    """The file, made first where there is none. Whoever comes meanwhile waits for it."""
    KEPT.mkdir(parents=True, exist_ok=True)
    found = kept()
    with open(KEPT / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            for former in KEPT.glob("*.sqlite3"):
                former.unlink()
            _make(found)
    return found


def _make(target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=KEPT) as folder:
        others = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env={**others, "RHWEB_DATA_DIR": folder},
            check=True,
        )
        os.replace(Path(folder) / "rhweb.sqlite3", target)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Begins while the workers of pytest-xdist still collect."""
    if _on_sqlite() and getattr(session.config.option, "numprocesses", None) and not kept().exists():
        session.config.stash[BEGUN] = subprocess.Popen([sys.executable, "-m", __name__], cwd=ROOT)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if begun := session.config.stash.get(BEGUN, None):
        begun.wait()


def _on_sqlite() -> bool:
    return "sqlite" in settings.DATABASES["default"]["ENGINE"]


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Whether the database that is there is taken, as Django has it."""
    return _on_sqlite()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    if not _on_sqlite():
        yield
        return
    name = settings.DATABASES["default"]["TEST"]["NAME"]
    shutil.copyfile(ready(), name)
    yield
    for end in ("", "-wal", "-shm"):
        Path(name + end).unlink(missing_ok=True)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    ready()
