"""What RunningHub itself says: the account of a connection, and the price of an order beforehand.

The worker asks, so a question is answered a moment after it was put.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts.roles import Deed
from generations import connections as verbs
from generations import price_checks, progress
from generations.catalogue.spec import InvalidParams
from generations.models import Connection, PriceCheck
from generations.views import access, inputs
from generations.views.account import told
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest, generates, manages, may
from generations.views.api.generate import referenced
from generations.views.api.posted import PLAIN
from generations.views.api.problems import answers, problem
from generations.views.api.receipt import absolute

router = Router(tags=["Connections"])


class Night(Schema):
    """What an account held at night."""

    day: date
    balance: str | None
    coins: str | None
    currency: str


class KeyShown(Schema):
    """A key of the account by its end, as far as RunningHub tells. `is_own` is the connection's."""

    end: str
    name: str
    enabled: bool | None
    limit: str | None
    used: str | None
    expires: str
    is_own: bool


class AccountShown(Schema):
    """The account in its own words as of `asked_at`, null: never asked. What it did not tell is null, and `faults`
    has a sentence for each question that found no answer. Where it serves other teams too, money and keys are left out
    (`is_ours_alone` false).
    """

    is_ours_alone: bool
    asked_at: datetime | None
    pending: bool
    kind: str = Field(description="NORMAL, SHARED, EXCLUSIVE, or as RunningHub says.")
    balance: str | None
    coins: str | None
    currency: str
    slots: int
    slots_used: int
    slots_outside: int
    keys: list[KeyShown]
    nights: list[Night]
    faults: dict[str, str]


class Wish(Schema):
    """As an order; nothing is accepted, held or charged."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(max_length=200, pattern=PLAIN)
    params: dict[str, Any]


class PriceChecked(Schema):
    """`amount` null: not told, then `fault` may say why. `pending`: it is being asked."""

    id: int
    model: str
    pending: bool
    amount: schemas.Amount | None
    currency: str
    said: str
    is_free: bool | None
    free_left: int | None
    fault: str
    asked_at: datetime | None


@router.get(
    "connections/{int:id}/account",
    response={200: AccountShown, **answers(404)},
    operation_id="account",
    auth=manages,
    summary="The account of a connection",
)
def account_one(request: ApiRequest, id: int) -> Any:
    """For managers. What is known of it; POST has it asked anew."""
    actor = may(request, Deed.PAUSE)
    return _account(request, access.connection(actor, id))


@router.post(
    "connections/{int:id}/account",
    response={202: AccountShown, **answers(404)},
    operation_id="ask_account",
    auth=manages,
    summary="Have the account asked",
)
def account_asked(request: ApiRequest, id: int) -> Any:
    """For managers. The worker asks; GET has it a moment later. Within ten seconds twice is as once."""
    actor = may(request, Deed.PAUSE)
    one = access.connection(actor, id)
    verbs.ask_account(one)
    return Status(202, _account(request, one))


@router.post(
    "price-checks",
    response={201: PriceChecked, **answers(400, 403, 404, 409, 413, 422, 429, 507)},
    operation_id="check_price",
    auth=generates,
    summary="Ask RunningHub for a price",
)
def price_wanted(request: ApiRequest, response: HttpResponse, wanted: Wish) -> Any:
    """RunningHub's own word beside our estimate, which goes on to count. Ask `Location` for it a moment later.

    What was told within the hour is told again. 409 where the account cannot ask, 429 for many within a minute.
    """
    me = may(request, Deed.GENERATE)
    spec = access.model(wanted.model, me)
    given = inputs.settled(me, spec, referenced(spec.slug, wanted.params))
    if given.errors:
        raise InvalidParams(given.errors)
    try:
        check = price_checks.want(me, spec, given.raw, strict=True)
    except price_checks.TooMany as too_many:
        return problem("too_many_questions", str(too_many), headers={"Retry-After": str(too_many.seconds)})
    except price_checks.NotAsked as not_asked:
        return problem("not_possible", str(not_asked))
    response["Location"] = absolute(request, "price_told", id=check.pk)
    return Status(201, _checked(check))


@router.get(
    "price-checks/{int:id}",
    response={200: PriceChecked, **answers(403, 404)},
    operation_id="price_check",
    summary="What RunningHub said of a price",
)
def price_told(request: ApiRequest, id: int) -> Any:
    """For a day, to whoever of the team may generate with this model."""
    me = may(request, Deed.GENERATE)
    check = access.price_check(me, id)
    access.model(check.model, me)
    return _checked(check)


def _account(request: ApiRequest, one: Connection) -> AccountShown:
    known, slots = told(one, request.auth.membership.team), progress.slots(one)
    account = known["account"]
    return AccountShown(
        is_ours_alone=known["shown"],
        asked_at=known["answer"].asked_at if known["answer"] else None,
        pending=known["answer"].is_wanted if known["answer"] else False,
        kind=_text(known["api_type"]),
        balance=_amount(account.get("balance")),
        coins=_amount(account.get("coins")),
        currency=_text(account.get("currency")) or one.currency,
        slots=slots.total,
        slots_used=slots.ours,
        slots_outside=slots.outside,
        keys=[_key(key) for key in known["keys"]],
        nights=[
            Night(
                day=night.day,
                balance=_amount(night.balance),
                coins=_amount(night.coins),
                currency=night.currency,
            )
            for night in known["nights"]
        ],
        faults={name: str(sentence) for name, sentence in known["faults"].items()},
    )


def _checked(check: PriceCheck) -> PriceChecked:
    return PriceChecked(
        id=check.pk,
        model=check.model,
        pending=check.is_wanted,
        amount=None if check.amount is None else schemas.amount(check.amount),
        currency="" if check.amount is None else check.currency or check.connection.currency,
        said=check.said,
        is_free=check.is_free,
        free_left=check.free_left,
        fault=check.fault,
        asked_at=check.asked_at,
    )


def _key(told: dict[str, Any]) -> KeyShown:
    """From what was stored of a call that one source describes."""
    enabled, is_own = told.get("enabled"), told.get("is_own")
    return KeyShown(
        end=_text(told.get("end")),
        name=_text(told.get("name")),
        enabled=enabled if isinstance(enabled, bool) else None,
        limit=_amount(told.get("quota")),
        used=_amount(told.get("used")),
        expires=_text(told.get("expires")),
        is_own=is_own if isinstance(is_own, bool) else False,
    )


def _text(value: Any) -> str:
    return value[:300] if isinstance(value, str) else ""


def _amount(value: Decimal | str | None) -> str | None:
    return None if value is None else str(value)
