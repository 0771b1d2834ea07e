"""What can be seen from here, without the network: database, queue, worker, schedules, clock, disk, keys, custody."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta

import django
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts.models import User
from generations import custody, disk, queue
from generations.doctor.finding import Finding, well, wrong
from generations.models import ACTIVE, Connection, ConnectionKey, Examination, Generation, Heartbeat, sealing
from generations.models.connection import key_digest
from generations.vitals import vitals

CLOCK_OFF = 5.0
MESSAGES = 500
SCHEDULE_LATE = timedelta(minutes=5)
PATIENCE = timedelta(minutes=2)
"""An examination that was asked for is not asked for again so soon."""
MB = 1024**2


def versions() -> str:
    """One line about what runs."""
    database = connection.vendor
    if database == "sqlite":
        database = f"SQLite {sqlite3.sqlite_version}"
    return f"Python {platform.python_version()}, Django {django.__version__}, {database}"


def findings() -> list[Finding]:
    """Everything, in the order of what needs what; without a usable database only that is said."""
    found = list(database())
    if all(one.fine for one in found):
        for look in (_cache, _life, _queue, _schedule, _clock, _keys, _custody):
            found += look()
    return [*found, *_disk()]


def ask(by: User | None) -> Examination:
    """Has the worker look at what a page cannot reach. Asking again while it is at it asks for nothing more."""
    now = timezone.now()
    with transaction.atomic():
        open_ = Examination.objects.filter(done_at=None, asked_at__gt=now - PATIENCE).first()
        if open_ is not None:
            return open_
        asked = Examination.objects.create(asked_by=by)
        queue.ring_examination(asked.pk)
    return asked


def database() -> Iterator[Finding]:
    """Whether it answers and has every migration."""
    try:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError as error:
        yield wrong("database", f"does not answer: {str(error).strip()}.", "Look at DATABASE_URL.")
        return
    if missing:
        yield wrong("database", f"lacks {missing} migrations.", "Run `manage.py migrate`.")
    else:
        yield well("database", f"{connection.vendor} answers")


def _cache() -> Iterator[Finding]:
    what = "Redis" if settings.REDIS_URL else "the database"
    try:
        cache.set("doctor", "probe", 5)
        fine = cache.get("doctor") == "probe"
        said = f"{what} keeps and gives" if fine else f"{what} forgets at once."
        yield well("cache", said) if fine else wrong("cache", said, "Look at REDIS_URL.")
    except Exception as error:  # whatever a cache raises, nobody can sign in
        yield wrong("cache", f"{what} does not answer: {error}.", "Look at REDIS_URL.")


def _life() -> Iterator[Finding]:
    found = vitals()
    if found.worker_age is None:
        yield wrong("worker", "No worker was ever seen.", "Start `manage.py worker`.")
    elif found.is_silent:
        said = f"The worker is silent since {found.worker_age:.0f} s."
        yield wrong("worker", said, "Start `manage.py worker`.")
    else:
        yield well("worker", f"heard {found.worker_age:.0f} s ago")
    if found.is_late:
        said = f"A generation is due since {found.oldest_due:.0f} s."
        yield wrong("worker", said, "Look at the worker’s log.")
    if found.parked:
        said = f"{found.parked} generations were put aside after several tries."
        yield wrong("worker", said, "Look at the worker’s log, then try them again on their pages.")
    for one in Connection.objects.filter(paused_at__isnull=False, removed_at=None):
        if one.is_configured:
            said = f"Sending by {one} is paused: {one.paused_reason}"
            yield wrong("paused", said, "Resume it on the Connections page.", one.team_id)


def _queue() -> Iterator[Finding]:
    waiting = queue.waiting()
    if waiting > MESSAGES:
        said = f"{waiting} messages wait."
        yield wrong("queue", said, "Look whether the worker runs and what its log says.")
    else:
        yield well("queue", "1 message waits" if waiting == 1 else f"{waiting} messages wait")


def _schedule() -> Iterator[Finding]:
    now, ran = timezone.now(), queue.schedules()
    for name in queue.EVERY_MINUTE:
        swept = Heartbeat.last(name)
        last = max((moment for moment in (ran.get(name), swept) if moment), default=None)
        if name not in ran:
            yield wrong("schedule", f"{name} is not planned.", "Start `manage.py worker`; it plans it.")
        elif last is None or now - last > SCHEDULE_LATE:
            since = f"since {_ago(now, last)}" if last else "ever"
            said = f"{name} should run each minute and did not {since}."
            yield wrong("schedule", said, "Look whether the worker runs and the clock is right.")
        else:
            yield well("schedule", f"{name} ran {_ago(now, last)} ago")


def _clock() -> Iterator[Finding]:
    if connection.vendor == "sqlite":
        yield well("clock", "the database has the clock of this machine")
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    off = (timezone.now() - theirs).total_seconds()
    if abs(off) > CLOCK_OFF:
        said = f"This machine is {off:+.0f} s off the clock of the database."
        yield wrong("clock", said, "Set both by NTP; limits and waits follow the clock.")
    else:
        yield well("clock", f"{off:+.1f} s off the clock of the database")


def _disk() -> Iterator[Finding]:
    try:
        free = disk.free()
    except OSError as error:
        yield wrong("disk", f"cannot be measured: {error.strerror}.", "Look at RHWEB_DATA_DIR.")
        return
    if disk.is_low():
        said = f"Only {free // MB} MB are free, less than RHWEB_MIN_FREE_BYTES: nothing new is taken or sent."
        yield wrong("disk", said, "Make room; it goes on by itself.")
    else:
        yield well(
            "disk",
            f"{free // 1024**3} GB free; new work stops below {settings.MIN_FREE_BYTES // MB} MB",
        )


def _keys() -> Iterator[Finding]:
    stale = False
    for one in Connection.objects.exclude(sealed_key="").filter(removed_at=None):
        try:
            one.key()
        except sealing.Unreadable as error:
            yield wrong("keys", f"{one}: {error}", "", one.team_id)
        else:
            stale = stale or not sealing.is_up_to_date(one.base_url, one.sealed_key)
        if not one.is_configured:
            said = f"{one}: its address is not in RHWEB_EXTRA_SITES any more, so nothing is sent there."
            yield wrong("keys", said, "Add it again, or choose another connection.", one.team_id)
    if stale:
        said = "Some keys are still sealed with a former secret key."
        yield wrong("keys", said, "Keep RHWEB_SECRET_KEY_FALLBACKS; the worker seals them anew.")
    elif settings.SECRET_KEY_FALLBACKS:
        yield well("keys", "no stored key needs RHWEB_SECRET_KEY_FALLBACKS any more")
    yield from _of_other_keys()


def _of_other_keys() -> Iterator[Finding]:
    """Work that was sent with a key that is not at hand: it is asked about with the present one."""
    sent = Generation.objects.filter(status__in=ACTIVE).exclude(key_digest="").order_by()
    kept = set(ConnectionKey.objects.exclude(sealed_key="").values_list("connection", "key_digest"))
    former = settings.RUNNINGHUB_FORMER_API_KEY
    for pk, digest in sent.values_list("connection", "key_digest").distinct():
        one = Connection.objects.get(pk=pk)
        at_hand = one.key_digest == digest or (pk, digest) in kept
        if not at_hand and not (one.is_shared and former and key_digest(former) == digest):
            count = sent.filter(connection=pk, key_digest=digest).count()
            said = f"{count} generations of {one} were sent with a key that is not here any more."
            advice = (
                "That is well if the key of now is of the same account; else set RUNNINGHUB_FORMER_API_KEY."
            )
            yield well("keys", f"{said} {advice}", "", one.team_id)


def _custody() -> Iterator[Finding]:
    found = custody.custody()
    if found.lost:
        many = "1 result was" if found.lost == 1 else f"{found.lost} results were"
        said = f"{many} lost before they could be copied."
        yield wrong("custody", said, "Their managers see them below and on their pages.")
    if found.oldest > custody.LATE:
        said = f"A result waits for {found.oldest:.0f} s to be copied; {found.waiting} are not safe yet."
        yield wrong("custody", said, "Look at storage and at the worker’s log.")
    elif not found.lost:
        yield well("custody", _safe(found))


def _safe(found: custody.Custody) -> str:
    if found.p50 is None or found.p95 is None:
        return "nothing was made yet"
    middle, most = f"{found.p50:.1f} s", f"{found.p95:.1f} s"
    return f"safe {middle} after RunningHub was done, 95 % within {most} (of the last {found.measured})"


def _ago(now: datetime, then: datetime) -> str:
    seconds = max(0.0, (now - then).total_seconds())
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
