"""The trash, and the rules by which old generations go there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field, StrictBool

from accounts.roles import Deed
from generations import keeping
from generations.catalogue.spec import InvalidParams, Kind
from generations.forms.keeping import MEGABYTE, Rule
from generations.keeping import retention as rules
from generations.models import RetentionRule
from generations.views import access, retention, trash_page
from generations.views.api.auth import ApiRequest, generates, manages, may
from generations.views.api.posted import NUMBER, checked, given
from generations.views.api.problems import answers

router = Router(tags=["Keeping order"])
SHOWN = 200
Over = Literal["succeeded", "failed", "cancelled"]


class Trashed(Schema):
    """It is removed for good at `removed_at`, unless somebody takes it out."""

    id: UUID
    title: str
    model: str
    author: str
    trashed_at: datetime
    removed_at: datetime


class Trash(Schema):
    """The last thrown away first; at most two hundred."""

    items: list[Trashed]
    next_cursor: None = None


class Chosen(Schema):
    model_config = ConfigDict(extra="forbid")

    generations: list[UUID] = Field(min_length=1, max_length=keeping.MOST)


class Sure(Schema):
    """`sure` has to be true: what is removed cannot be restored."""

    model_config = ConfigDict(extra="forbid")

    sure: Literal[True]


class Done(Schema):
    """How many were changed."""

    count: int


class RuleShown(Schema):
    """What is older and fits the rest of the rule goes to the trash while it is `on`. Null means any."""

    id: int
    older_than_days: int
    larger_than_mb: int | None
    status: Over | None
    kind: str | None
    on: bool


class RuleItself(RuleShown):
    """With what it would let go now. `whole`: all was looked through; else there are more."""

    would_go: int
    would_free_bytes: int
    whole: bool


class RetentionRules(Schema):
    items: list[RuleShown]
    next_cursor: None = None


class NewRetentionRule(Schema):
    """It is made off: see what it would let go, then turn it on."""

    model_config = ConfigDict(extra="forbid")

    older_than_days: Annotated[int, Field(ge=1, le=36500), NUMBER]
    larger_than_mb: Annotated[int, Field(ge=1, le=1_000_000), NUMBER] | None = None
    status: Over | None = None
    kind: Kind | None = None


class On(Schema):
    model_config = ConfigDict(extra="forbid")

    on: StrictBool


@router.get("trash", response={200: Trash, **answers()}, operation_id="trash_list", summary="The trash")
def trash_shown(request: ApiRequest) -> Any:
    """What the caller may take out again: their own, and for managers everything."""
    rows = access.trash(request.auth.membership).select_related("author")
    found = rows.only("title", "model", "author__email", "trashed_at", "purge_at")[:SHOWN]
    return Trash(
        items=[
            Trashed.model_validate(
                {
                    "id": row.pk,
                    "title": row.title,
                    "model": row.model,
                    "author": row.author.email,
                    "trashed_at": row.trashed_at,
                    "removed_at": row.purge_at,
                }
            )
            for row in found
        ]
    )


@router.post(
    "trash/restore",
    response={200: Done, **answers(400, 413, 422)},
    operation_id="restore_several",
    auth=generates,
    summary="Take several out of the trash",
)
def trash_out(request: ApiRequest, wanted: Chosen) -> Any:
    """What is not there for the caller is left out."""
    return Done(count=trash_page.take_out(may(request, Deed.SEE), list(dict.fromkeys(wanted.generations))))


@router.post(
    "trash/empty",
    response={200: Done, **answers(400, 413, 422)},
    operation_id="empty_trash",
    auth=manages,
    summary="Empty the trash",
)
def trash_emptied(request: ApiRequest, wanted: Sure) -> Any:
    """For managers. All of the team's is removed within minutes; receipts stay."""
    return Done(count=trash_page.empty(may(request, Deed.RETAIN)))


@router.get(
    "retention",
    response={200: RetentionRules, **answers()},
    operation_id="retention_rules",
    auth=manages,
    summary="Rules of retention",
)
def retention_list(request: ApiRequest) -> Any:
    """For managers."""
    actor = may(request, Deed.RETAIN)
    rows = RetentionRule.objects.filter(team=actor.team_id).order_by("pk")
    return RetentionRules(items=[RuleShown(**_facts(row)) for row in rows])


@router.get(
    "retention/{int:id}",
    response={200: RuleItself, **answers(404)},
    operation_id="retention_rule",
    auth=manages,
    summary="One rule and what it would let go",
)
def retention_one(request: ApiRequest, id: int) -> Any:
    """Nothing is changed by looking."""
    return _itself(access.retention_rule(may(request, Deed.RETAIN), id))


@router.post(
    "retention",
    response={201: RuleItself, **answers(400, 413, 422)},
    operation_id="make_retention_rule",
    auth=manages,
    summary="Make a rule",
)
def retention_new(request: ApiRequest, wanted: NewRetentionRule) -> Any:
    """It is off, and the answer says what it would let go."""
    actor = may(request, Deed.RETAIN)
    said = wanted.dict() | {"larger_than": wanted.larger_than_mb, "kind": wanted.kind and wanted.kind.value}
    form = Rule(given(said))
    checked(form)
    made = retention.add(actor, form)
    if made is None:
        raise InvalidParams({"older_than_days": [str(one) for one in form.non_field_errors()]})
    return Status(201, _itself(made))


@router.post(
    "retention/{int:id}",
    response={200: RuleItself, **answers(400, 404, 413, 422)},
    operation_id="switch_retention_rule",
    auth=manages,
    summary="Turn a rule on or off",
)
def retention_switch(request: ApiRequest, id: int, wanted: On) -> Any:
    """Twice is as once. What it lets go moves to the trash from the next hour on."""
    actor = may(request, Deed.RETAIN)
    retention.turn(actor, access.retention_rule(actor, id), on=wanted.on)
    return _itself(access.retention_rule(actor, id))


@router.post(
    "retention/{int:id}/remove",
    response={204: None, **answers(404)},
    operation_id="remove_retention_rule",
    auth=manages,
    summary="Forget a rule",
)
def retention_end(request: ApiRequest, id: int) -> Any:
    """What it moved to the trash stays there for its 30 days."""
    actor = may(request, Deed.RETAIN)
    retention.drop(actor, access.retention_rule(actor, id))
    return Status(204, None)


def _facts(row: RetentionRule) -> dict[str, Any]:
    return {
        "id": row.pk,
        "older_than_days": row.older_than_days,
        "larger_than_mb": row.larger_than // MEGABYTE if row.larger_than else None,
        "status": row.status or None,
        "kind": row.kind or None,
        "on": row.is_on,
    }


def _itself(row: RetentionRule) -> RuleItself:
    seen = rules.preview(row)
    return RuleItself(**_facts(row), would_go=seen.count, would_free_bytes=seen.bytes, whole=seen.whole)
