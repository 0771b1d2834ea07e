"""`manage.py doctor`: looks at everything the portal needs and says what to do about what is wrong."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from typing import Any

import django
from django.conf import settings
from django.core.cache import cache
from django.core.checks import WARNING, run_checks
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from generations import upstream
from generations.models import Connection
from generations.runninghub.errors import UpstreamError
from generations.vitals import vitals


class Command(BaseCommand):
    help = "Looks at database, storage, settings, upstream, worker and disk; ends with 1 when something is wrong."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        self.stdout.write(
            f"Python {platform.python_version()}, Django {django.__version__}, {connection.vendor}"
        )
        for name, look in (
            ("database", _database),
            ("cache", _cache),
            ("storage", _storage),
            ("settings", _settings),
            ("upstream", _upstream),
            ("life", _life),
        ):
            if wrong and look in NEED_THE_DATABASE and not _is_usable():
                continue
            for fine, sentence in look():
                wrong += not fine
                self.stdout.write(f"{'ok   ' if fine else 'WRONG'} {name}: {sentence}")
        if wrong:
            raise CommandError(f"{wrong} {'thing needs' if wrong == 1 else 'things need'} a look.")


def _missing_migrations() -> int:
    """How many migrations the database lacks. Raises `DatabaseError` when it does not answer."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _is_usable() -> bool:
    try:
        return not _missing_migrations()
    except DatabaseError:
        return False


def _database() -> Iterator[tuple[bool, str]]:
    try:
        missing = _missing_migrations()
    except DatabaseError as error:
        yield False, f"does not answer: {str(error).strip()}. Look at DATABASE_URL."
    else:
        if missing:
            yield False, f"lacks {missing} migrations. Run `manage.py migrate`."
        else:
            yield True, f"{connection.vendor} answers"


def _cache() -> Iterator[tuple[bool, str]]:
    what = "Redis" if settings.REDIS_URL else "the database"
    try:
        cache.set("doctor", "probe", 5)
        fine = cache.get("doctor") == "probe"
        yield fine, f"{what} keeps and gives" if fine else f"{what} forgets at once"
    except Exception as error:  # whatever a cache raises, nobody can sign in
        yield False, f"{what} does not answer: {error}. Look at REDIS_URL."


def _storage() -> Iterator[tuple[bool, str]]:
    name = "doctor/probe.txt"
    try:
        saved = default_storage.save(name, ContentFile(b"probe"))
        with default_storage.open(saved, "rb") as file:
            fine = file.read() == b"probe"
        default_storage.delete(saved)
        yield fine, "writes and reads" if fine else "gave back other bytes than were written"
    except Exception as error:  # a storage may raise anything, and saying it is the doctor's work
        yield False, f"cannot be used: {error}. Look at RHWEB_DATA_DIR or RHWEB_STORAGE_URL."


def _settings() -> Iterator[tuple[bool, str]]:
    found = [message for message in run_checks() if message.level >= WARNING]
    for message in found:
        yield False, f"{message.msg} {message.hint or ''}".strip()
    if not found:
        yield True, "nothing to object to"


def _upstream() -> Iterator[tuple[bool, str]]:
    what = "the sandbox" if settings.USES_SANDBOX else settings.RUNNINGHUB_BASE_URL
    try:
        told = upstream.get_client(Connection.current()).queue_status()
        yield True, f"{what} takes the key; {told.running or 0} of {told.limit or '?'} slots in use"
    except upstream.NotConfigured as error:
        yield False, f"{what} cannot be asked: {error}. Look at RUNNINGHUB_BASE_URL and RUNNINGHUB_API_KEY."
    except UpstreamError as error:
        hint = (
            "Start `manage.py sandbox`."
            if settings.USES_SANDBOX
            else "Look at RUNNINGHUB_BASE_URL and the key."
        )
        yield False, f"{what}: {error.member_text} {hint}"


def _life() -> Iterator[tuple[bool, str]]:
    found = vitals()
    complaints = found.complaints
    if found.worker_age is None and not any("worker" in complaint for complaint in complaints):
        complaints = ["No worker was ever seen. Start `manage.py worker`.", *complaints]
    for complaint in complaints:
        yield False, complaint
    if not complaints:
        yield True, f"worker heard {found.worker_age or 0:.0f} s ago, {found.disk_free // 1024**3} GB free"


NEED_THE_DATABASE = (_cache, _settings, _upstream, _life)
