"""What happened in a team, in order."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from accounts.models import Team
from generations.models import Change, Feed, Generation
from generations.pipeline import announce
from generations.views import access
from generations.views.api import freshness, schemas
from generations.views.api.auth import ApiRequest
from generations.views.api.problems import answers, problem

router = Router(tags=["Changes"])

MOST = 200
ASK_AGAIN = "2"


class After(Schema):
    since: int | None = Field(None, ge=0, le=2**62, description="`next` of the answer before.")


@router.get(
    "changes",
    response={200: schemas.Changes, **answers(410, 422)},
    operation_id="changes",
    summary="What happened since",
)
def changes(request: ApiRequest, response: HttpResponse, after: Query[After]) -> Any:
    """The team's changes after the number `since`, oldest first, at most 200. Without `since` there are none, and
    `next` is where to begin. Each is given once and none is left out, however many are written meanwhile; several moves
    of one generation within a moment may be one change, with its latest state.

    They are kept for 30 days; 410 says that some after `since` are gone. Members see what is open to all and what
    concerns them, managers everything.
    """
    membership = request.auth.membership
    announce.number(membership.team)
    asks_again = freshness.asks_again(request)
    seen = freshness.look(request.auth, *_made_of(membership.team)) if asks_again else None
    feed = Feed.objects.filter(team=membership.team_id).first() or Feed(team=membership.team)
    if after.since is None:
        return schemas.Changes(items=[], next=feed.last, more=False)
    if after.since < feed.forgotten:
        return problem(
            "changes_forgotten", "Some changes after this number are not kept any more.", begin_at=feed.last
        )
    response["Retry-After"] = ASK_AGAIN
    etag = freshness.mark(membership.pk, membership.role, after.since, feed.last)
    if freshness.is_known(request, etag):
        kept = freshness.not_changed(etag)
        kept["Retry-After"] = ASK_AGAIN
        freshness.remember(request, request.auth, etag, seen, retry_after=ASK_AGAIN)
        return kept
    freshness.headed(response, etag)
    if after.since >= feed.last:
        return schemas.Changes(items=[], next=after.since, more=False)
    rows = list(access.changes(membership).filter(number__gt=after.since, number__lte=feed.last)[: MOST + 1])
    more = len(rows) > MOST
    rows = rows[:MOST]
    return schemas.Changes(
        items=[
            schemas.Change(
                number=row.number or 0, event=row.event, subject=row.subject, at=row.at, data=row.data
            )
            for row in rows
        ],
        next=(rows[-1].number or 0) if more else feed.last,
        more=more,
    )


def _made_of(team: Team) -> tuple[QuerySet[Any, Any], ...]:
    """The rows that tell whether anything happened: the last number, and what has none yet."""
    return (
        Feed.objects.filter(team=team).values_list("last", "forgotten"),
        Generation.objects.filter(team=team, untold_at__isnull=False).values_list("pk")[:1],
        Change.objects.filter(team=team, number=None).values_list("pk")[:1],
    )
