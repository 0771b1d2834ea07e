"""Announce: gives what happened in a team its numbers, and each receiver its deliveries.

One at a time under the lock of the team's feed, in one transaction: a change has a number exactly when the deliveries
of it are written. Whoever dies in between leaves all as it was, and the next look does it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Team
from generations.models import Change, Delivery, Feed, Generation, Heartbeat, Receiver, State
from generations.models.writer import in_turn

AT_ONCE = 500
KEPT = timedelta(days=30)
SELDOM = timedelta(hours=6)

OF_STATE = {
    State.SUCCEEDED: "generation.finished",
    State.FAILED: "generation.failed",
    State.CANCELLED: "generation.cancelled",
}


def tend() -> None:
    """Once a minute, for teams whose changes nobody reads and nobody is told of."""
    for team in Team.objects.filter(pk__in=_teams()):
        number(team)
    if Heartbeat.take("forget-changes", uuid.uuid4().hex, stale_after=SELDOM):
        forget_old()


def urgent() -> bool:
    """Whether something happened in a team that has receivers."""
    listening = Receiver.listening().values("team")
    return (
        Generation.objects.filter(untold_at__isnull=False, team__in=listening).exists()
        or Change.objects.filter(number=None, team__in=listening).exists()
    )


def _teams() -> set[int]:
    untold = Generation.objects.filter(untold_at__isnull=False).order_by().values_list("team", flat=True)
    unnumbered = Change.objects.filter(number=None).order_by().values_list("team", flat=True)
    return {*untold.distinct(), *unnumbered.distinct()}


def settled(team: Team) -> bool:
    """Whether everything that happened in the team has its number."""
    return not (
        Generation.objects.filter(team=team, untold_at__isnull=False).exists()
        or Change.objects.filter(team=team, number=None).exists()
    )


def number(team: Team) -> int:
    """Numbers what has none yet; gives how many. Cheap while there is nothing."""
    done = 0
    while not settled(team):
        some = _number_some(team)
        done += some
        if some < AT_ONCE:
            break
    return done


def _number_some(team: Team) -> int:
    """Of what has no number yet first what was noted, then what became of generations. A few statements for all of
    it, because on SQLite nobody else writes meanwhile.
    """
    with in_turn(), transaction.atomic():
        Feed.objects.get_or_create(team=team)
        feed = Feed.objects.select_for_update().get(team=team)
        noted = list(Change.objects.filter(team=team, number=None).order_by("pk")[:AT_ONCE])
        became = _untold(team, AT_ONCE - len(noted))
        for place, change in enumerate([*noted, *became], start=feed.last + 1):
            change.number = place
        Change.objects.bulk_update(noted, ["number"])
        Generation.objects.filter(pk__in=[change.subject for change in became]).update(untold_at=None)
        Change.objects.bulk_create(became)
        done = len(noted) + len(became)
        Feed.objects.filter(pk=feed.pk).update(last=feed.last + done)
        _deliver(team, [*noted, *became])
    return done


def _untold(team: Team, most: int) -> list[Change]:
    """What became of generations, whose rows are locked; one that is being changed just now is told as what it is
    then.
    """
    rows = Generation.objects.filter(team=team, untold_at__isnull=False).order_by("untold_at", "pk")
    names = (
        "pk", "status", "untold_at", "model", "title", "author", "author__email", "error_code", "upstream_id",
        "cost_actual", "currency", "finished_at", "is_private",
    )  # fmt: skip
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return [
        Change(
            team=team,
            event=_event(row),
            subject=row["pk"],
            person_id=row["author"],
            is_open=not row["is_private"],
            data=_data(row),
            at=row["untold_at"],
        )
        for row in rows.values(*names)[:most]
    ]


def _event(row: dict[str, Any]) -> str:
    """A failure of what RunningHub never took is a refusal."""
    if row["status"] == State.FAILED and not row["upstream_id"]:
        return "generation.refused"
    return OF_STATE.get(row["status"], f"generation.{row['status']}")


def _data(row: dict[str, Any]) -> dict[str, Any]:
    cost = row["cost_actual"]
    return {
        "id": row["pk"],
        "status": row["status"],
        "model": row["model"],
        "title": row["title"],
        "author": row["author__email"],
        "error": row["error_code"] or None,
        "cost_actual": None if cost is None else str(cost),
        "currency": row["currency"],
        "finished_at": row["finished_at"],
        "url": f"{settings.PUBLIC_URL}/api/v1/generations/{row['pk']}",
    }


def _deliver(team: Team, changes: Sequence[Change]) -> None:
    receivers = list(Receiver.listening().filter(team=team))
    Delivery.objects.bulk_create(
        Delivery(
            receiver=receiver,
            event=change.event,
            number=change.number,
            subject=change.subject,
            **_body(team, change.event, change.at, change.number, change.data),
        )
        for change in changes
        for receiver in receivers
        if change.event in receiver.events
    )


def _body(team: Team, event: str, at: datetime, place: int | None, data: dict[str, Any]) -> dict[str, Any]:
    event_id = uuid.uuid4()
    said = {"id": event_id, "type": event, "timestamp": at, "team": team.slug, "number": place, "data": data}
    return {"event_id": event_id, "body": json.dumps(said, cls=DjangoJSONEncoder, ensure_ascii=False)}


def test_of(receiver: Receiver) -> Delivery:
    """A delivery that means nothing, to try the way."""
    data = {"message": "This is a test."}
    said = _body(receiver.team, "ping", timezone.now(), None, data)
    return Delivery.objects.create(receiver=receiver, event="ping", **said)


def forget_old(now: datetime | None = None) -> int:
    """Removes what is read by nobody any more; gives how many changes."""
    before = (now or timezone.now()) - KEPT
    Delivery.objects.exclude(state=Delivery.State.WAITING).filter(created_at__lt=before).delete()
    gone = 0
    for team in Team.objects.filter(changes__at__lt=before, changes__number__isnull=False).distinct():
        with transaction.atomic():
            feed = Feed.objects.select_for_update().get(team=team)
            old = Change.objects.filter(team=team, number__isnull=False, at__lt=before)
            last = old.order_by("-number").values_list("number", flat=True).first()
            if last is None:
                continue
            gone += Change.objects.filter(team=team, number__lte=last).delete()[0]
            Feed.objects.filter(pk=feed.pk).update(forgotten=last)
    return gone
