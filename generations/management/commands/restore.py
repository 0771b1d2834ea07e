"""`manage.py restore FILE`: puts a backup into an empty portal, whatever database or storage it has."""

from __future__ import annotations

import hashlib
import io
import tarfile
from argparse import ArgumentParser
from collections.abc import Iterator
from importlib import import_module
from itertools import islice
from typing import IO, Any

from django.apps import apps
from django.core import serializers
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.management.color import no_style
from django.core.serializers.base import DeserializationError
from django.db import DatabaseError, connection, models, transaction

from accounts.models import Team, User
from generations.management import archive
from generations.models import Generation, Output, Upload
from generations.pipeline import posters
from generations.pipeline.hold import doubt_due
from generations.pipeline.restored import doubt_unsent

BATCH = 500


class Command(BaseCommand):
    help = "Restores a backup into an empty portal. Nothing is sent again that may have been sent since the backup."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="a file that `manage.py backup` wrote")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        try:
            call_command("migrate", verbosity=0)
            if any(model.objects.exists() for model in (User, Team, Generation)):
                raise CommandError(
                    "This portal holds data already. Restore into an empty one: another RHWEB_DATA_DIR or DATABASE_URL."
                )
            with tarfile.open(file, "r:") as tar:
                said = archive.manifest(tar)
                files = self._files(tar, set(said.get("missing", [])))
                with transaction.atomic():
                    rows = sum(_rows(tar, model) for model in archive.MODELS)
                    if said["format"] < 2:
                        import_module("generations.migrations.0004_voices_made_before").adopt(apps, None)
                    doubted = doubt_unsent()
                    posters.anew()
                    _continue_sequences()
                    held = doubt_due()
        except (archive.Unusable, tarfile.TarError, KeyError, EOFError, DeserializationError) as error:
            why = error if isinstance(error, archive.Unusable) else "The file is damaged or is no backup."
            raise CommandError(
                f"{file} cannot be restored. {why} Nothing was changed in the database."
            ) from None
        except OSError as error:
            raise CommandError(f"{error.filename or file}: {error.strerror or error}") from None
        except DatabaseError as error:
            raise CommandError(f"The database refused: {str(error).strip()}") from None
        self.stdout.write(
            f"Restored {rows} rows and {files} files, as of {said.get('made_at', 'an unknown time')}."
        )
        if held:
            self.stdout.write(
                f"{held} held orders were due since and may have been sent: they are drafts now."
            )
        if doubted:
            self.stdout.write(
                f"{doubted} generations waited then and may have been sent since: a manager has to settle them."
            )

    def _files(self, tar: tarfile.TarFile, missing: set[str]) -> int:
        """Every file that a row names, compared with the hash its row holds. Raises `Unusable`."""
        count = 0
        for model in (Upload, Output):
            for row in archive.stored(_read(tar, model)):
                if row.file.name in missing:
                    self.stderr.write(f"Was missing already: {row.file.name}")
                    continue
                _put(tar, row)
                count += 1
        return count


def _put(tar: tarfile.TarFile, row: Any) -> None:
    source = tar.extractfile(archive.file_of(row.file.name))
    if source is None or _sha256(source) != row.sha256:
        raise archive.Unusable(f"The file {row.file.name} in it is damaged.")
    source.seek(0)
    default_storage.delete(row.file.name)
    default_storage.save(row.file.name, File(source))


def _sha256(source: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := source.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _read(tar: tarfile.TarFile, model: type[models.Model]) -> Iterator[Any]:
    try:
        member = tar.extractfile(archive.rows_of(model))
    except KeyError:
        if archive.manifest(tar)["format"] < archive.SINCE.get(model, 1):
            return
        raise
    if member is None:
        raise archive.Unusable("Rows are missing in it.")
    with io.TextIOWrapper(member, encoding="utf-8") as lines:
        for found in serializers.deserialize("jsonl", lines):
            if not isinstance(found.object, model):
                raise archive.Unusable("Its rows are not where they belong.")
            yield found.object


def _rows(tar: tarfile.TarFile, model: type[models.Model]) -> int:
    models.QuerySet(model).delete()  # a connection that looking around has made
    rows, count = _read(tar, model), 0
    while batch := list(islice(rows, BATCH)):
        model._default_manager.bulk_create(batch)
        count += len(batch)
    return count


def _continue_sequences() -> None:
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(archive.MODELS)):
            cursor.execute(statement)
