"""Watch: the loop that lets the stages work, in slices of a few seconds.

Only one watcher works at a time as long as its heartbeat is fresh; several are harmless, because every claim is a
lease. A watcher that leaves makes room first and looks for work afterwards, and a message that finds a watcher at
work was sent after its row was committed; so no row can fall between the two.
"""

from __future__ import annotations

import logging
import secrets
import time
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection as database
from django.db.models import Min, Q
from django.utils import timezone

from generations import connections, progress, queue, upstream
from generations.models import Connection, Generation, Heartbeat, State
from generations.models.writer import checkpoint
from generations.pipeline import announce, dispatch, follow, gather, listen
from generations.pipeline.jobs import LOOKS, OF_ONE_KIND, Copies, Fair, Jobs, guarded
from generations.pipeline.manners import polite
from generations.runninghub.errors import UpstreamError

logger = logging.getLogger("rhweb.watch")

SLICE = 10.0
BREATH = 0.08
"""Seconds between two turns of the loop, so that what ends in the meantime is followed up by one claim."""
DOWNLOADS = 14
DOWNLOADS_AHEAD = 14
"""So many copies more the helper has at hand; the watcher, which has other work, none."""
REFRESHES = 2
"""So many accounts are asked for their slots at once, so that unreachable ones never keep looks from others."""
STALE = timedelta(seconds=15)
BEAT_EVERY = 3.0
GLANCE = 0.25
HELP_EVERY = 0.5
HELPERS = ("copier", "second copier")
HELP_FROM = 4
"""So many results that wait are worth another helper."""
LINGER = 1.0
"""So long a helper waits for more to copy before it leaves."""
CHECK_CONNECTION = timedelta(seconds=60)
CURRENCIES = {"CNY": "CNY", "RMB": "CNY", "USD": "USD"}

_downloads = Copies(DOWNLOADS)
_helped = Copies(DOWNLOADS, ahead=DOWNLOADS_AHEAD)
_uploads = Copies(OF_ONE_KIND)


def beat() -> None:
    """A worker is alive and executes what the queue brings."""
    Heartbeat.beat("worker")


def watch(seconds: float = SLICE) -> bool:
    """One slice. False when another watcher is at work. Rings for the next slice while anything is in flight.

    Room for the next watcher is made before the last answers are waited for, so a slow upstream stops nobody.
    """
    holder = secrets.token_hex(8)
    if not Heartbeat.take("watcher", holder, stale_after=STALE):
        return False
    looks, sends = Jobs("look", LOOKS), Jobs("send", OF_ONE_KIND)
    try:
        try:
            beat()
            _loop(holder, time.monotonic() + seconds, looks, sends)
        finally:
            looks.give_back(follow.give_back)
            sends.give_back(dispatch.give_back)
            Heartbeat.leave("watcher", holder)
            _have_told()
            if next_due() is not None:
                queue.ring()
            while wait(looks.busy() | sends.busy(), timeout=BEAT_EVERY).not_done:
                beat()
    finally:
        looks.close()
        sends.close()
    return True


def _loop(holder: str, until: float, looks: Jobs, sends: Jobs) -> None:
    """Claims and starts jobs until the time is over or nothing is in flight."""
    beaten, helped, looked, turn = 0.0, 0.0, 0.0, 0
    working: list[Connection] = []
    helpers = 0
    refreshing: set[Future[None]] = set()
    looking, sending = Fair(LOOKS), Fair(OF_ONE_KIND)
    while time.monotonic() < until:
        if time.monotonic() - beaten > BEAT_EVERY:
            if not Heartbeat.take("watcher", holder, stale_after=STALE):
                break
            queue.answered()
            checkpoint()
            _have_told()
            beaten = time.monotonic()
        if time.monotonic() - looked > GLANCE:
            looked, working = time.monotonic(), Connection.working()
        many, turn = len(working), turn + 1
        # Each is first in its turn.
        connections = [working[(turn + place) % many] for place in range(many)]
        refreshing = {check for check in refreshing if not check.done()}
        for connection in connections:
            if connection.checked_at is None and connection.is_shared:
                refresh_connection(connection)
            elif connection.next_check_at <= timezone.now() and len(refreshing) < REFRESHES:
                refreshing.add(looks.start(_refresh, connection))
        if time.monotonic() - helped > HELP_EVERY:
            helped = time.monotonic()
            helpers = _help()
        if not helpers:
            _copy_what_waits(_downloads, many)
        calls = {connection.pk: polite(connection) for connection in connections}
        rooms = {pk: one.room(time.monotonic()) for pk, one in calls.items()}
        silent = [pk for pk, room in rooms.items() if room <= 0]
        # Of several connections one may ask a few times too often in a turn; it owes that to the next ones.
        most = min(looks.room(), max(rooms.values(), default=0))
        followed = follow.claim(most, without=[*silent, *looking.full(many)])
        listen.here.notice(followed)
        for row in followed:
            looking.note(looks.start(guarded, follow.look, row), row.connection_id)
            if row.connection_id in calls:
                calls[row.connection_id].spend(1)
        for connection in connections:
            room = sends.room() if _uploads.room() == OF_ONE_KIND else min(sends.room(), _uploads.room())
            if many > 1:
                mine = min(sending.left(connection.pk, many), _uploads.fair.left(connection.pk, many))
                room = min(room, mine)
            waiting = dispatch.claim(connection, min(calls[connection.pk].room(time.monotonic()), room))
            calls[connection.pk].spend(len(waiting))
            listen.here.notice(waiting)
            for row in waiting:
                if dispatch.copies_first(row):
                    _uploads.start(dispatch.send, row)
                else:
                    sending.note(sends.start(guarded, dispatch.send, row), row.connection_id)
        active = looks.busy() | sends.busy() | _downloads.running | _uploads.running
        if active:
            began = time.monotonic()
            wait(active, timeout=GLANCE, return_when=FIRST_COMPLETED)
            _take_breath(began)
            continue
        seconds = next_due()
        if seconds is None:
            break
        time.sleep(min(GLANCE, max(0.02, seconds)))


def _have_told() -> None:
    """Rings for receivers of webhooks where something happened that they are to hear."""
    if announce.urgent():
        queue.ring_deliver()


def _help() -> int:
    """Rings for another helper while more waits to be copied than those at work have at hand. Gives how many there are.

    Where some are at work the watcher leaves the copying to them: Python lets one process use one core.
    """
    helpers = sum(Heartbeat.is_fresh(name, STALE) for name in HELPERS)
    due = Generation.objects.due(timezone.now(), State.GATHERING)
    if helpers < len(HELPERS) and due[(helpers + 1) * HELP_FROM :].exists():
        queue.ring_copier()
    return helpers


def copy(seconds: float = SLICE) -> None:
    """Copies results beside the watcher, in the process that was rung for it, until none is waiting.

    Decoding and measuring sound takes a core for itself. Leases keep two from copying the same result. Only so many
    helpers at a time, so that the rest of the queue is not kept from its work.
    """
    holder = secrets.token_hex(8)
    name = next((one for one in HELPERS if Heartbeat.take(one, holder, stale_after=STALE)), None)
    if name is None:
        return
    busy = time.monotonic()
    until = busy + seconds
    try:
        while time.monotonic() < min(until, busy + LINGER):
            began = time.monotonic()
            _copy_what_waits(_helped)
            if _helped.running:
                busy = time.monotonic()
                wait(_helped.running, timeout=GLANCE, return_when=FIRST_COMPLETED)
            _take_breath(began)
    finally:
        Heartbeat.leave(name, holder)


def _take_breath(began: float) -> None:
    """A claim of one costs as much as a claim of many, so what is done in the meantime is counted together."""
    time.sleep(max(0.0, BREATH - (time.monotonic() - began)))


def _copy_what_waits(copies: Copies, connections: int = 1) -> None:
    for row in gather.claim(copies.room(), without=copies.fair.full(connections)):
        copies.start(gather.gather, row)


def _refresh(connection: Connection) -> None:
    try:
        refresh_connection(connection)
    except Exception:
        logger.exception("the account of %s could not be looked at", connection)
        database.close_if_unusable_or_obsolete()


def next_due() -> float | None:
    """Seconds until the next row wants something (0 when one already does), None when nothing is in flight."""
    now = timezone.now()
    rows = Generation.objects.filter(parked_at=None)
    flying = rows.filter(status__in=[State.RUNNING, State.GATHERING, State.DISPATCHING])
    free = flying.filter(Q(lease_until=None) | Q(lease_until__lt=now)).exclude(status=State.DISPATCHING)
    soonest: Any = free.aggregate(soonest=Min("next_check_at"))["soonest"]
    waiting = rows.filter(
        status=State.QUEUED, connection__paused_at=None, connection__in=Connection.working()
    )
    if soonest is None and not flying.exists() and not waiting.exists():
        return None
    if soonest is None or waiting.exists():
        return GLANCE
    return max(0.0, float((soonest - now).total_seconds()))


def _fixed_slots(connection: Connection) -> int:
    """RUNNINGHUB_SLOTS is about the key of the environment; those of teams are asked."""
    return int(settings.RUNNINGHUB_SLOTS) if connection.is_shared else 0


def _counts_otherwise(connection: Connection, currency: str) -> bool:
    """Whether sums and limits on it are in another currency than its account turns out to pay in; then nothing more is
    sent, because they would silently mean something else.
    """
    if connections.may_pay_in(connection, currency):
        return False
    if connection.is_shared:
        sums, way = (
            "sums and limits on spending are",
            f"Set the limits to “No limit”, revoke API tokens that have one, resume, and set them anew in {currency}.",
        )
    else:
        sums, way = (
            "the team’s sums and limits on it are",
            "Choose another connection, and enter this key again as a new one.",
        )
    words = f"This account pays in {currency}, but {sums} in {connection.currency}. {way}"
    if connection.pause("currency", words):
        queue.ring_alert(connection.pk)
    return True


def refresh_connection(connection: Connection) -> None:
    """Asks upstream now and then for its slots, what others use of them, and the balance.

    None of it is needed to work: slots and balance that cannot be read stay as they were, others are then taken to
    use none, because a submit that finds no room is only told so. Only a submit may pause a connection.
    """
    now = timezone.now()
    if connection.next_check_at > now:
        return
    mine = Connection.objects.filter(pk=connection.pk, next_check_at__lte=now)
    if not mine.update(next_check_at=now + CHECK_CONNECTION):
        return
    changes: dict[str, Any] = {
        "checked_at": now,
        "slots": _fixed_slots(connection) or connection.slots,
        "used_outside": 0,
    }
    ours = progress.holding(connection, now).values_list("pk", flat=True)
    try:
        before = set(ours.all())
        told = upstream.get_client(connection).queue_status()
        changes["running"] = told.total
        if not _fixed_slots(connection) and told.limit:
            changes["slots"] = told.limit
            # Ours, whether they began or ended while upstream was counting.
            changes["used_outside"] = max(0, (told.running or 0) - len(before.union(ours.all())))
    except (UpstreamError, upstream.NotConfigured) as error:
        logger.info("slots of %s are not known: %s", connection, error)
    try:
        account = upstream.get_client(connection).account_status()
        currency = CURRENCIES.get(account.currency.upper(), connection.currency)
        if currency == connection.currency or not _counts_otherwise(connection, currency):
            changes |= {"currency": currency}
        changes |= {"balance": str(account.balance)} if account.balance is not None else {}
    except (UpstreamError, upstream.NotConfigured) as error:
        logger.info("account of %s is not known: %s", connection, error)
    Connection.objects.filter(pk=connection.pk).update(**changes)
