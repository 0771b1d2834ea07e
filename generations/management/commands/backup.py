"""`manage.py backup [FILE]`: rows and files of the whole portal in one tar file, while the portal runs."""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import serializers
from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from generations.management import archive
from generations.models import Output, Upload


class Command(BaseCommand):
    help = "Writes rows and files of the whole portal to one tar file; prints its path as the last line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", help="a new file; default: backups/ in the data folder")

    def handle(self, *args: Any, file: str | None = None, **options: Any) -> None:
        now = timezone.now()
        path = Path(file) if file else settings.DATA_DIR / "backups" / f"rhweb-{now:%Y%m%d-%H%M%S}.tar"
        if path.exists():
            raise CommandError(f"{path} is there already. Name a new file.")
        part = path.with_name(f"{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                missing = _write(out, now.isoformat())
                out.flush()
                os.fsync(out.fileno())
            part.rename(path)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror or error}") from None
        except DatabaseError as error:
            raise CommandError(f"The database cannot be read: {str(error).strip()}") from None
        finally:
            with suppress(OSError):
                part.unlink()
        for name in missing:
            self.stderr.write(f"Missing in storage: {name}")
        self.stdout.write(str(path))


def _write(out: Any, when: str) -> list[str]:
    """Rows as of one moment, then their files, which never change once a row names them. Gives the missing ones."""
    missing: list[str] = []
    with tarfile.open(fileobj=out, mode="w") as tar, tempfile.TemporaryDirectory() as folder:
        counts: dict[str, int] = {}
        with _one_moment():
            for model in archive.MODELS:
                counts[archive.label(model)] = _rows(model, Path(folder))
        for kind in (Upload, Output):
            for row in archive.stored(kind._default_manager.order_by("pk").only("file", "bytes").iterator()):
                if row.pk and not _file(tar, row):
                    missing.append(row.file.name)
        for model in archive.MODELS:
            tar.add(Path(folder, archive.label(model)), archive.rows_of(model))
        said = {"format": archive.FORMAT, "made_at": when, "rows": counts, "missing": missing}
        data = json.dumps(said, indent=1).encode()
        member = tarfile.TarInfo(archive.MANIFEST)
        member.size, member.mode = len(data), 0o600
        tar.addfile(member, io.BytesIO(data))
    return missing


@contextmanager
def _one_moment() -> Iterator[None]:
    """Within it every query sees the database as of its start, and nobody who writes is kept waiting.

    On SQLite by hand, because the transactions of the portal begin there by locking out all other writers.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


class _Exact(DjangoJSONEncoder):
    """Times with their microseconds, which Django's own encoder cuts off."""

    def default(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else super().default(value)


def _rows(model: type[models.Model], folder: Path) -> int:
    with (folder / archive.label(model)).open("w", encoding="utf-8") as file:
        rows = model._default_manager.order_by("pk")
        fields = [f.name for f in model._meta.concrete_fields if not f.generated]
        serializers.serialize("jsonl", rows.iterator(), stream=file, fields=fields, cls=_Exact)
        return rows.count()


def _file(tar: tarfile.TarFile, row: Any) -> bool:
    try:
        with row.file.open("rb") as file:
            member = tarfile.TarInfo(archive.file_of(row.file.name))
            member.size, member.mode = row.bytes, 0o600
            tar.addfile(member, file)
    except FileNotFoundError:
        return False
    return True
