"""Allowances, top-ups, and requests for more."""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db import transaction
from ninja import Router, Schema, Status
from pydantic import AwareDatetime, ConfigDict, Field

from accounts.models import Action, Allowance, Measure, Membership, Mode, Period, Scope, Team, TopUp
from accounts.roles import Deed
from generations import asking, quota
from generations.catalogue.spec import InvalidParams
from generations.models import AllowanceRequest, database_now
from generations.pipeline.accept import KEY_LIVES, KeyReused
from generations.views import access
from generations.views.allowances import in_force
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest, generates, manages, may
from generations.views.api.generate import Key
from generations.views.api.posted import NUMBER, PLAIN
from generations.views.api.problems import answers, problem
from generations.views.requests import amount_of

router = Router(tags=["Limits"])
MeasureName = Literal["spend", "count", "concurrent"]
PeriodName = Literal["day", "week", "month", "none"]
MONEY = r"^[0-9]{1,12}(\.[0-9]{1,6})?$"
SHOWN = 100


class AllowanceShown(Schema):
    """A limit as it is set. `member` is the id of a membership, null for the pool and the default."""

    scope: Literal["pool", "default", "member", "own"]
    member: int | None
    measure: MeasureName
    period: PeriodName
    mode: Literal["inherit", "limited", "unlimited"]
    limit: str | None = Field(pattern=MONEY)
    action: Literal["block", "warn"]


class NewAllowance(Schema):
    """A limit that is to count from now on. `limit` belongs to the mode `limited`."""

    model_config = ConfigDict(extra="forbid")

    scope: Literal["pool", "default", "member"]
    member: Annotated[int, Field(ge=1, le=2**53), NUMBER] | None = None
    measure: MeasureName
    period: PeriodName
    mode: Literal["inherit", "limited", "unlimited"] = "limited"
    limit: str | None = Field(None, pattern=MONEY, examples=["20.00"])
    action: Literal["block", "warn"] = "block"


class Allowances(Schema):
    items: list[AllowanceShown]
    next_cursor: None = None


class TopUpShown(Schema):
    """More of a limit for a while; `member` null: of the pool."""

    id: int
    member: int | None
    measure: Literal["spend", "count"]
    amount: str
    from_at: datetime
    until_at: datetime
    reason: str
    revoked_at: datetime | None


class NewTopUpOrder(Schema):
    model_config = ConfigDict(extra="forbid")

    member: Annotated[int, Field(ge=1, le=2**53), NUMBER] | None = None
    measure: Literal["spend", "count"] = "spend"
    amount: str = Field(pattern=MONEY, examples=["5.00"])
    until_at: AwareDatetime
    reason: str = Field(max_length=300, min_length=1, pattern=PLAIN)


class TopUps(Schema):
    items: list[TopUpShown]
    next_cursor: None = None


class RequestShown(Schema):
    """What somebody asks for. `granted` is what was given in the end."""

    id: UUID
    member: str
    scope: Literal["pool", "member"]
    measure: MeasureName
    period: PeriodName
    amount: str
    reason: str
    state: Literal["open", "granted", "declined", "withdrawn", "expired"]
    granted: str | None
    answer: str
    created_at: datetime


class NewRequest(Schema):
    """`limit_name` is the `name` of one of one's limits."""

    model_config = ConfigDict(extra="forbid")

    limit_name: str = Field(max_length=40, pattern=PLAIN, examples=["member_spend_week"])
    amount: str = Field(pattern=MONEY)
    reason: str = Field(min_length=1, max_length=500, pattern=PLAIN)


class Decision(Schema):
    """`once` until the limit starts anew, `on` from now on, or `decline`."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["once", "on", "decline"]
    amount: str = Field("0", pattern=MONEY)
    answer: str = Field("", max_length=500, pattern=PLAIN)


class Requests(Schema):
    items: list[RequestShown]
    next_cursor: None = None


@router.get(
    "allowances", response={200: Allowances, **answers()}, operation_id="allowances", summary="Limits"
)
def allowance_list(request: ApiRequest) -> Any:
    """Those that concern one; for managers all of the team."""
    me = request.auth.membership
    rows = me.team.allowances.order_by("scope", "pk")
    mine = [row for row in rows if me.may_manage or row.membership_id in (None, me.pk)]
    return Allowances(items=[_allowance(row) for row in mine])


@router.post(
    "allowances",
    response={200: AllowanceShown, **answers(400, 404, 413, 422)},
    operation_id="set_allowance",
    auth=manages,
    summary="Set a limit",
)
def allowance_set(request: ApiRequest, wanted: NewAllowance) -> Any:
    """Counts from the next order on."""
    actor = may(request, Deed.MANAGE)
    whose: Membership | None = None
    if wanted.scope == "member":
        if wanted.member is None:
            raise InvalidParams({"member": ["Say whose limit this is."]})
        whose = access.colleague(actor, wanted.member)
    elif wanted.member is not None:
        raise InvalidParams({"member": ["Only a limit of the scope `member` has one."]})
    which: dict[str, Any] = {
        "scope": Scope(wanted.scope),
        "membership": whose,
        "measure": Measure(wanted.measure),
        "period": Period(wanted.period),
    }
    limit = Decimal(wanted.limit) if wanted.limit is not None and wanted.mode == "limited" else None
    try:
        with transaction.atomic():
            team = Team.objects.select_for_update().get(pk=actor.team_id)
            Allowance.put(
                team,
                **which,
                mode=Mode(wanted.mode),
                limit=limit,
                action=Action(wanted.action),
                by=actor.user,
            )
    except ValueError as fault:
        raise InvalidParams({"limit": [str(fault)]}) from None
    return _allowance(Allowance.objects.get(team=actor.team_id, **which))


@router.get(
    "topups", response={200: TopUps, **answers()}, operation_id="topups", auth=manages, summary="Top-ups"
)
def topup_list(request: ApiRequest) -> Any:
    """Those that count now."""
    return TopUps(items=[_topup(row) for row in in_force(may(request, Deed.MANAGE))])


@router.post(
    "topups",
    response={201: TopUpShown, 200: TopUpShown, **answers(400, 404, 409, 413, 422)},
    operation_id="grant_topup",
    auth=manages,
    summary="Grant a top-up",
)
def topup_grant(request: ApiRequest, wanted: NewTopUpOrder, idempotency_key: Key = None) -> Any:
    """Lets somebody, or the pool, use more until a time within a year.

    201 is a new top-up; 200 gives back the one that the Idempotency-Key already stands for.
    """
    actor = may(request, Deed.MANAGE)
    whose = access.colleague(actor, wanted.member) if wanted.member is not None else None
    digest = hashlib.sha256(wanted.model_dump_json().encode()).hexdigest() if idempotency_key else ""
    try:
        with transaction.atomic():
            team = Team.objects.select_for_update().get(pk=actor.team_id)
            now = database_now()
            if idempotency_key and (earlier := _earlier(actor, idempotency_key, digest, now)):
                return Status(200, _topup(earlier))
            if not 0 < (wanted.until_at - now).total_seconds() < 366 * 86400:
                raise InvalidParams({"until_at": ["Choose a time that is to come, within a year."]})
            made = TopUp.grant(
                team,
                membership=whose,
                measure=Measure(wanted.measure),
                amount=Decimal(wanted.amount),
                from_at=now,
                until_at=wanted.until_at,
                reason=wanted.reason,
                by=actor.user,
                idempotency_key=idempotency_key or "",
                request_digest=digest,
            )
    except InvalidParams:
        raise
    except ValueError as fault:
        raise InvalidParams({"amount": [str(fault)]}) from None
    return Status(201, _topup(made))


@router.post(
    "topups/{int:id}/revoke",
    response={200: TopUpShown, **answers(404)},
    operation_id="revoke_topup",
    auth=manages,
    summary="End a top-up",
)
def topup_end(request: ApiRequest, id: int) -> Any:
    """What was used of it stays used."""
    actor = may(request, Deed.MANAGE)
    found = access.topup(actor, id)
    found.revoke(actor.user)
    found.refresh_from_db()
    return _topup(found)


@router.get(
    "requests", response={200: Requests, **answers()}, operation_id="requests", summary="Requests for more"
)
def request_list(request: ApiRequest) -> Any:
    """One's own; for managers everybody's. The last hundred, newest first."""
    me = request.auth.membership
    rows = AllowanceRequest.objects.filter(team=me.team_id).select_related("membership__user").order_by("-id")
    if not me.may_manage:
        rows = rows.filter(membership=me)
    return Requests(items=[_request(row) for row in rows[:SHOWN]])


@router.post(
    "requests",
    response={201: RequestShown, **answers(400, 413, 422)},
    operation_id="ask_for_more",
    auth=generates,
    summary="Ask for more",
)
def request_new(request: ApiRequest, wanted: NewRequest) -> Any:
    """The managers are told. Asking again for the same limit changes what is asked for."""
    me = may(request, Deed.GENERATE)
    line = next((one for one in quota.standing(me) if one.name == wanted.limit_name), None)
    if line is None or not asking.may_be_asked_for(line):
        raise InvalidParams(
            {"limit_name": ["There is no such limit that a manager could raise. GET me has yours."]}
        )
    amount = _amount(wanted.amount, line.measure)
    return Status(201, _request(asking.ask(me, line, amount, wanted.reason, None)))


@router.post(
    "requests/{uuid:id}/decide",
    response={200: RequestShown, **answers(400, 404, 409, 413, 422)},
    operation_id="decide_request",
    auth=manages,
    summary="Decide about a request",
)
def request_decision(request: ApiRequest, id: UUID, said: Decision) -> Any:
    """Whoever asked is told. 409 when somebody was quicker."""
    actor = may(request, Deed.MANAGE)
    found = access.allowance_request(actor, id)
    try:
        if said.decision == "decline":
            asking.decline(found, actor, said.answer.strip())
        else:
            amount = _amount(said.amount, found.measure)
            (asking.grant_once if said.decision == "once" else asking.grant_for_good)(found, actor, amount)
    except asking.Settled:
        return problem("not_possible", "This request is not open any more.")
    except InvalidParams:
        raise
    except ValueError as fault:
        raise InvalidParams({"amount": [str(fault)]}) from None
    return _request(access.allowance_request(actor, id))


@router.post(
    "requests/{uuid:id}/withdraw",
    response={200: RequestShown, **answers(404, 409)},
    operation_id="withdraw_request",
    auth=generates,
    summary="Withdraw a request",
)
def request_end(request: ApiRequest, id: UUID) -> Any:
    """One's own."""
    me = may(request, Deed.SEE)
    found = access.allowance_request(me, id)
    if found.membership_id != me.pk:
        return problem("forbidden", "Only whoever asked may withdraw it.")
    try:
        asking.withdraw(found)
    except asking.Settled:
        return problem("not_possible", "This request is not open any more.")
    return _request(found)


def _amount(text: str, measure: str) -> Decimal:
    try:
        return amount_of(text, measure)
    except ValueError as fault:
        raise InvalidParams({"amount": [str(fault)]}) from None


def _number(amount: Decimal | None) -> str | None:
    return None if amount is None else schemas.amount(amount)


def _allowance(row: Allowance) -> AllowanceShown:
    return AllowanceShown.model_validate(
        {
            "scope": row.scope,
            "member": row.membership_id,
            "measure": row.measure,
            "period": row.period,
            "mode": row.mode,
            "limit": _number(row.limit),
            "action": row.action,
        }
    )


def _earlier(actor: Membership, key: str, digest: str, now: datetime) -> TopUp | None:
    """The top-up that this key of theirs stands for. An outlived key is taken off its row, so that it can be used anew.

    For use under the lock of the team. Raises `KeyReused` when the key came with another request.
    """
    rows = TopUp.objects.filter(team=actor.team_id, granted_by=actor.user_id, idempotency_key=key)
    rows.filter(granted_at__lt=now - KEY_LIVES).update(idempotency_key="")
    found = rows.first()
    if found is not None and found.request_digest != digest:
        raise KeyReused
    return found


def _topup(row: TopUp) -> TopUpShown:
    return TopUpShown(
        id=row.pk,
        member=row.membership_id,
        measure=row.measure,  # type: ignore[arg-type]
        amount=schemas.amount(row.amount or Decimal(0)),
        from_at=row.from_at,
        until_at=row.until_at,
        reason=row.reason,
        revoked_at=row.revoked_at,
    )


def _request(row: AllowanceRequest) -> RequestShown:
    return RequestShown.model_validate(
        {
            "id": row.pk,
            "member": row.membership.user.email,
            "scope": row.scope,
            "measure": row.measure,
            "period": row.period,
            "amount": schemas.amount(row.amount or Decimal(0)),
            "reason": row.reason,
            "state": row.state,
            "granted": _number(row.granted),
            "answer": row.answer,
            "created_at": row.created_at,
        }
    )
