"""Tell: authors hear that something of theirs has ended, and mails that waited for quiet hours are sent.

Nothing of this is in the way of a generation: once a minute the rows that ended since the last look are counted for
each author, so a batch of two hundred is one sentence. Whoever moves the mark on tells of what lies before it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import notify
from accounts.models import Membership, Team
from generations.models import Generation, Heartbeat, State

MARK = "ends-told"
LATE = timedelta(seconds=30)
"""The end of a generation is visible to others at the latest this much after the time that it states."""
SELDOM = timedelta(hours=6)


def tend() -> None:
    """Once a minute; twice does no harm."""
    ended()
    notify.send_held()
    if Heartbeat.take("forget-told", uuid.uuid4().hex, stale_after=SELDOM):
        notify.forget_old()


@dataclass(frozen=True)
class Ended:
    """What of one author in one team ended since the last look; `batch` where all of it is of one order."""

    finished: int
    failed: int
    last: uuid.UUID
    batch: uuid.UUID | None

    @property
    def event(self) -> str:
        return "failed" if self.failed else "finished"

    @property
    def words(self) -> str:
        """`12 finished, 1 failed`."""
        finished = ngettext("%(n)s finished", "%(n)s finished", self.finished) % {"n": self.finished}
        failed = ngettext("%(n)s failed", "%(n)s failed", self.failed) % {"n": self.failed}
        return ", ".join(part for part, n in ((finished, self.finished), (failed, self.failed)) if n)


def ended() -> int:
    """Tells each author of what ended since this was asked last; gives how many were told of anything."""
    now = timezone.now() - LATE
    last = Heartbeat.last(MARK)
    if last is None:
        Heartbeat.objects.get_or_create(name=MARK, defaults={"beat_at": now})
        return 0
    told = 0
    with transaction.atomic():
        # Also when the clock was set back: what lies between was told before it was.
        if not Heartbeat.objects.filter(name=MARK, beat_at=last).update(beat_at=now):
            return 0
        for (author, team), end in _by_author(last, now).items():
            told += _tell(author, team, end)
    return told


def _by_author(after: datetime, until: datetime) -> dict[tuple[int, int], Ended]:
    """By author and team, without what they imported. One query, however much has ended. It does not name the states,
    because SQLite would then look through all that ever succeeded.
    """
    rows = Generation.objects.filter(finished_at__gt=after, finished_at__lte=until).exclude(currency="")
    found: dict[tuple[int, int], Ended] = {}
    for author, team, status, pk, batch in rows.values_list("author", "team", "status", "pk", "batch"):
        if status not in (State.SUCCEEDED, State.FAILED):
            continue
        so_far = found.get((author, team), Ended(0, 0, pk, batch))
        found[author, team] = Ended(
            so_far.finished + (status == State.SUCCEEDED),
            so_far.failed + (status == State.FAILED),
            pk,
            batch if batch == so_far.batch else None,
        )
    return found


def _tell(author: int, team: int, end: Ended) -> bool:
    """False for somebody who left the team: its work is not theirs to hear of."""
    here = Membership.objects.filter(team=team, user=author, ended_at=None)
    found = here.select_related("team", "user").first()
    if found is None:
        return False
    title, link = (_one if end.finished + end.failed == 1 else _several)(end, found.team)
    notify.tell(found.user, end.event, title, team=found.team, link=link)
    return True


def _one(end: Ended, team: Team) -> tuple[str, str]:
    title = Generation.objects.values_list("title", flat=True).get(pk=end.last)
    said = _("“%(title)s” failed") if end.failed else _("“%(title)s” is finished")
    return said % {"title": title[:150]}, reverse("generation", args=[team.slug, end.last])


def _several(end: Ended, team: Team) -> tuple[str, str]:
    link = (
        reverse("batch", args=[team.slug, end.batch]) if end.batch else reverse("library", args=[team.slug])
    )
    return end.words, link
