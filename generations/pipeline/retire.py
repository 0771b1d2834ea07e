"""Retire: applies the rules of retention that are on, in bounded steps, and tells whom it concerns.

Nothing is removed here: what a rule lets go of lies in the trash for 30 days like everything else.
"""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import notify
from accounts.models import Membership, audit
from generations.keeping import retention
from generations.models import Heartbeat, RetentionRule

OFTEN = timedelta(hours=1)
EVENT = "cleared"


def tend() -> int:
    """As `retire`, and forgets what nobody needs; at most once in a while however often it is called."""
    if not Heartbeat.take("retire", uuid.uuid4().hex, stale_after=OFTEN):
        return 0
    retention.forget()
    return retire()


def retire(now: datetime | None = None) -> int:
    """Takes a few steps for every rule that is on; gives how many generations went to the trash."""
    now = now or timezone.now()
    return sum(_apply(rule, now) for rule in RetentionRule.objects.filter(is_on=True).select_related("team"))


def _apply(rule: RetentionRule, now: datetime) -> int:
    gone = 0
    for _step in range(retention.LOOKS):
        with transaction.atomic():
            moved = retention.let_go(rule, now)
            if moved:
                _tell(rule, moved)
        gone += len(moved)
        if rule.looked_id is None:
            break
    return gone


def _tell(rule: RetentionRule, moved: list[tuple[int, int]]) -> None:
    """One line in the trail for a step, and one for each author who is still in the team."""
    after = {"count": len(moved), "bytes": sum(size for _author, size in moved), "rule": rule.pk}
    audit.note("retention.applied", team=rule.team, after=after)
    for author, count in Counter(author for author, _size in moved).items():
        here = Membership.objects.filter(team=rule.team_id, user=author, ended_at=None)
        found = here.select_related("user").first()
        if found is None:
            continue
        said = ngettext(
            "%(n)s of your generations went to the trash by a rule of the team",
            "%(n)s of your generations went to the trash by a rule of the team",
            count,
        )
        text = _(
            "They can be restored from the trash for 30 days. Stars, approval and collections keep them."
        )
        link = reverse("trash", args=[rule.team.slug])
        notify.tell(found.user, EVENT, said % {"n": count}, text, team=rule.team, link=link)
