"""Deliver: sends what receivers are to hear, again and again over a day, in order for each generation.

A delivery is leased before it is sent and settled after, both by conditional UPDATEs; whoever dies in between leaves a
lease that ends, so it is sent again. A receiver may therefore get one twice, with the same id; it never misses one. No
transaction is open while anything is sent.
"""

from __future__ import annotations

import logging
import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, audit, sealed
from accounts.notify import tell
from generations import outgoing, queue, signing
from generations.models import Delivery, Heartbeat, Receiver
from generations.pipeline import announce

SLICE = 20.0
AT_ONCE = 8
"""Receivers that are called at the same time."""
LEASE = timedelta(seconds=60)
STALE = timedelta(seconds=45)
WAITS = (10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
"""Seconds until the next try, by how many there were; the last one stays."""
DOWN = 3
"""After so many failures one after the other it was the receiver and not what was sent; when it is back, all that waits
is sent at once."""
TRIED_FOR = timedelta(days=1)
TRIES_SHOWN = 10
logger = logging.getLogger("rhweb.deliver")


@dataclass(frozen=True)
class Outcome:
    """What came of one try: the status of the answer, 0 where there was none, and what was wrong, "" if nothing."""

    status: int
    fault: str
    seconds: float


def deliver(seconds: float = SLICE) -> int:
    """Sends what is due until nothing is, or the time is over; gives how many tries. One at a time is enough."""
    holder = uuid.uuid4().hex
    if not Heartbeat.take("deliver", holder, stale_after=STALE):
        return 0
    until, done = time.monotonic() + seconds, 0
    try:
        announce.tend()
        while time.monotonic() < until and (claimed := claim()):
            Heartbeat.take("deliver", holder, stale_after=STALE)
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="deliver") as pool:
                outcomes = list(pool.map(_send, claimed))
            for row, outcome in zip(claimed, outcomes, strict=True):
                settle(row, outcome)
            done += len(claimed)
            if announce.urgent():
                announce.tend()
    finally:
        Heartbeat.leave("deliver", holder)
    if due().exists():
        queue.ring_deliver()
    return done


def tend() -> None:
    """Once a minute: what is due is sent, by a task of its own, because receivers may be slow."""
    if announce.urgent() or due().exists():
        queue.ring_deliver()
    else:
        announce.tend()


def due(now: datetime | None = None) -> QuerySet[Delivery]:
    """What may be sent now: the first that waits of each receiver and subject, of receivers that are not resting."""
    now = now or timezone.now()
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING)
    before = waiting.filter(receiver=OuterRef("receiver"), subject=OuterRef("subject"), pk__lt=OuterRef("pk"))
    rows = waiting.filter(
        Q(lease_until=None) | Q(lease_until__lt=now),
        Q(receiver__resume_at=None) | Q(receiver__resume_at__lte=now),
        due_at__lte=now,
        receiver__disabled_at=None,
        receiver__removed_at=None,
    )
    return rows.filter(~Exists(before))


def claim() -> list[Delivery]:
    """Leases the first due deliveries, one of each receiver while it fails and else some."""
    now = timezone.now()
    lease = now + LEASE
    found: list[Delivery] = []
    probing: set[int] = set()
    for row in due(now).select_related("receiver__team").order_by("pk")[: 4 * AT_ONCE]:
        if len(found) == AT_ONCE:
            break
        if row.receiver.failing_since is not None:
            if row.receiver_id in probing:
                continue
            probing.add(row.receiver_id)
        free = Delivery.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), pk=row.pk)
        if free.filter(state=Delivery.State.WAITING).update(lease_until=lease):
            row.lease_until = lease
            found.append(row)
    return found


def _send(row: Delivery) -> Outcome:
    began = time.monotonic()
    body = row.body.encode()
    try:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "rhweb-webhook/1",
            **signing.headers(row.receiver.secret, str(row.event_id), body),
        }
        answer = outgoing.post(row.receiver.url, body, headers, allowed=settings.WEBHOOK_NETWORKS)
    except (outgoing.Refused, outgoing.NoAnswer, sealed.Unreadable) as error:
        return Outcome(0, str(error) or type(error).__name__, time.monotonic() - began)
    took = time.monotonic() - began
    if 200 <= answer.status < 300:
        return Outcome(answer.status, "", took)
    if 300 <= answer.status < 400:
        return Outcome(answer.status, _("It answers with a redirect, which is not followed."), took)
    return Outcome(answer.status, _("It answers %(status)s.") % {"status": answer.status}, took)


def settle(row: Delivery, outcome: Outcome) -> None:
    """Writes down what came of a try. Somebody else's lease is theirs to settle."""
    now = timezone.now()
    one = {"at": now.isoformat(), "status": outcome.status, "fault": outcome.fault[:300]}
    told = {
        "attempts": row.attempts + 1,
        "tries": [{**one, "seconds": round(outcome.seconds, 3)}, *row.tries][:TRIES_SHOWN],
    }
    receivers = Receiver.objects.filter(pk=row.receiver_id)
    with transaction.atomic():
        if not outcome.fault:
            if row.settle(row.lease_until, state=Delivery.State.DELIVERED, ended_at=now, **told):
                was_down = receivers.filter(faults__gte=DOWN).exists()
                receivers.filter(failing_since__isnull=False).update(
                    failing_since=None, faults=0, resume_at=None
                )
                if was_down:
                    waiting = Delivery.objects.filter(receiver=row.receiver_id, state=Delivery.State.WAITING)
                    waiting.filter(due_at__gt=now).update(due_at=now)
            return
        over = row.created_at + TRIED_FOR <= now
        ended = {"state": Delivery.State.GIVEN_UP, "ended_at": now} if over else {}
        wait = pause(row.attempts)
        if not row.settle(row.lease_until, due_at=now + wait, **ended, **told):
            return
        receiver = Receiver.objects.select_for_update().get(pk=row.receiver_id)
        since = receiver.failing_since or now
        rest = now + pause(receiver.faults)
        receivers.update(failing_since=since, faults=receiver.faults + 1, resume_at=rest)
        if over and since + TRIED_FOR <= now:
            disable(receiver, outcome.fault)


def pause(tries: int) -> timedelta:
    """How long to wait after so many tries before, with a little chance in it."""
    return timedelta(seconds=WAITS[min(tries, len(WAITS) - 1)] * random.uniform(0.9, 1.1))


def disable(receiver: Receiver, fault: str) -> bool:
    """Nothing more is kept for it until a manager says so; the managers are told. False: it was disabled before."""
    now = timezone.now()
    rows = Receiver.objects.filter(pk=receiver.pk, disabled_at=None, removed_at=None)
    if not rows.update(disabled_at=now, disabled_for="failing"):
        return False
    waiting = Delivery.objects.filter(receiver=receiver, state=Delivery.State.WAITING)
    waiting.update(state=Delivery.State.GIVEN_UP, ended_at=now, lease_until=None)
    audit.note("webhook.disabled", team=receiver.team, subject=receiver.url, reason=fault)
    here = Membership.objects.filter(team=receiver.team_id, ended_at=None, role__in=Membership.MANAGING)
    for one in here.filter(user__is_active=True).select_related("user"):
        tell(
            one.user,
            "webhook",
            _("A webhook is switched off because nobody answers"),
            _("%(url)s took nothing for a day. The last answer: %(fault)s")
            % {"url": receiver.url, "fault": fault},
            team=receiver.team,
            link=reverse("webhook_log", args=[receiver.team.slug, receiver.pk]),
        )
    return True
