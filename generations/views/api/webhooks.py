"""Where the team's changes are sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts.roles import Deed
from generations import receivers as verbs
from generations.catalogue.spec import InvalidParams
from generations.models import Delivery, Receiver
from generations.views import access
from generations.views.api.auth import ApiRequest, manages, may
from generations.views.api.problems import answers, problem

router = Router(tags=["Webhooks"])

SHOWN = 100
Event = Literal[
    "generation.finished", "generation.failed", "generation.refused", "generation.cancelled", "allowance.asked",
    "allowance.granted", "allowance.declined", "limit.near", "limit.reached", "spending.unusual", "connection.paused",
    "connection.resumed", "voice.expiring",
]  # fmt: skip


class NewWebhook(Schema):
    """The address and the events that it hears of."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(max_length=500, pattern=r"^[^\x00]*$", examples=["https://example.com/hook"])
    events: list[Event] = Field(min_length=1, max_length=20)


class Webhook(Schema):
    """`state` is `open`, `failing` (it is tried again) or `disabled`."""

    id: int
    url: str
    events: list[str]
    state: Literal["open", "failing", "disabled"]
    created_at: datetime
    failing_since: datetime | None


class WebhookMade(Webhook):
    """With the `secret` that signs, which is told only here."""

    secret: str


class Webhooks(Schema):
    items: list[Webhook]
    next_cursor: None = None


class Try(Schema):
    """One sending: the status of the answer, 0 where there was none, and what was wrong."""

    at: datetime
    status: int
    fault: str
    seconds: float


class DeliveryShown(Schema):
    """One message. `tries` are the last ones, newest first."""

    id: int
    event_id: str
    event: str
    number: int | None
    state: Literal["waiting", "delivered", "given_up"]
    attempts: int
    created_at: datetime
    tries: list[Try]


class Deliveries(Schema):
    """Newest first. `next_cursor` is null on the last page."""

    items: list[DeliveryShown]
    next_cursor: str | None


class Before(Schema):
    cursor: str = Field("", pattern=r"^[0-9]{0,18}$", description="`next_cursor` of the page before.")


@router.get(
    "webhooks", response={200: Webhooks, **answers()}, operation_id="webhooks", auth=manages, summary="All"
)
def webhooks(request: ApiRequest) -> Any:
    """Every address that hears of the team's changes. For managers."""
    actor = may(request, Deed.SEND_OUT)
    rows = Receiver.objects.filter(team=actor.team_id, removed_at=None).order_by("pk")
    return Webhooks(items=[Webhook(**_shown(row)) for row in rows])


@router.post(
    "webhooks",
    response={201: WebhookMade, **answers(400, 409, 413, 422)},
    operation_id="make_webhook",
    auth=manages,
    summary="Make one",
)
def webhook_new(request: ApiRequest, wanted: NewWebhook) -> Any:
    """The answer has the secret. Messages are signed as the Standard Webhooks say."""
    actor = may(request, Deed.SEND_OUT)
    _check(wanted)
    try:
        made, secret = verbs.make(actor, wanted.url, wanted.events)
    except verbs.NotDone as error:
        return problem("not_possible", str(error))
    return Status(201, WebhookMade(**_shown(made), secret=secret))


@router.get(
    "webhooks/{int:id}",
    response={200: Webhook, **answers(404)},
    operation_id="webhook",
    auth=manages,
    summary="One",
)
def webhook_one(request: ApiRequest, id: int) -> Any:
    """How it stands."""
    return Webhook(**_shown(access.receiver(may(request, Deed.SEND_OUT), id)))


@router.post(
    "webhooks/{int:id}",
    response={200: Webhook, **answers(400, 404, 413, 422)},
    operation_id="change_webhook",
    auth=manages,
    summary="Change one",
)
def webhook_change(request: ApiRequest, id: int, wanted: NewWebhook) -> Any:
    """Another address and other events."""
    actor = may(request, Deed.SEND_OUT)
    found = access.receiver(actor, id)
    _check(wanted)
    verbs.change(actor, found, wanted.url, wanted.events)
    return Webhook(**_shown(access.receiver(actor, id)))


def _verb(name: str, summary: str, said: str, deed: Any) -> None:
    def call(request: ApiRequest, id: int) -> Any:
        actor = may(request, Deed.SEND_OUT)
        found = access.receiver(actor, id)
        deed(actor, found)
        found.refresh_from_db()
        return Webhook(**_shown(found))

    call.__doc__ = said
    call.__name__ = f"webhook_{name}"
    router.post(
        f"webhooks/{{int:id}}/{name}",
        response={200: Webhook, **answers(404)},
        operation_id=f"{name}_webhook",
        auth=manages,
        summary=summary,
    )(call)


_verb("enable", "Switch one on", "It is told again from now on.", lambda a, r: verbs.switch(a, r, on=True))
_verb(
    "disable", "Switch one off", "It is told nothing from now on.", lambda a, r: verbs.switch(a, r, on=False)
)
_verb("remove", "Remove one", "Nothing is sent there any more.", verbs.remove)


@router.post(
    "webhooks/{int:id}/secret",
    response={200: WebhookMade, **answers(404)},
    operation_id="renew_webhook",
    auth=manages,
    summary="Another secret",
)
def webhook_secret(request: ApiRequest, id: int) -> Any:
    """The former one signs nothing from now on."""
    actor = may(request, Deed.SEND_OUT)
    found = access.receiver(actor, id)
    secret = verbs.renew(actor, found)
    return WebhookMade(**_shown(found), secret=secret)


@router.post(
    "webhooks/{int:id}/test",
    response={202: DeliveryShown, **answers(404, 409)},
    operation_id="test_webhook",
    auth=manages,
    summary="Send a test",
)
def webhook_test(request: ApiRequest, id: int) -> Any:
    """Sends an event `ping`; what came of it is among the deliveries a moment later."""
    try:
        made = verbs.test(access.receiver(may(request, Deed.SEND_OUT), id))
    except verbs.NotDone as error:
        return problem("not_possible", str(error))
    return Status(202, _delivery(made))


@router.get(
    "webhooks/{int:id}/deliveries",
    response={200: Deliveries, **answers(404, 422)},
    operation_id="deliveries",
    auth=manages,
    summary="What one was sent",
)
def deliveries(request: ApiRequest, id: int, before: Query[Before]) -> Any:
    """The log, which is kept for 30 days."""
    found = access.receiver(may(request, Deed.SEND_OUT), id)
    rows = found.deliveries.defer("body").order_by("-pk")
    if before.cursor:
        rows = rows.filter(pk__lt=int(before.cursor))
    items = list(rows[: SHOWN + 1])
    after = str(items[SHOWN - 1].pk) if len(items) > SHOWN else None
    return Deliveries(items=[_delivery(row) for row in items[:SHOWN]], next_cursor=after)


@router.post(
    "deliveries/{int:id}/resend",
    response={202: DeliveryShown, **answers(404, 409)},
    operation_id="resend",
    auth=manages,
    summary="Send one again",
)
def delivery_resend(request: ApiRequest, id: int) -> Any:
    """The same message with the same `event_id`, as a delivery of its own."""
    try:
        made = verbs.resend(access.delivery(may(request, Deed.SEND_OUT), id))
    except verbs.NotDone as error:
        return problem("not_possible", str(error))
    return Status(202, _delivery(made))


def _check(wanted: NewWebhook) -> None:
    try:
        verbs.check(wanted.url, wanted.events)
    except verbs.NotDone as error:
        raise InvalidParams({"url": [str(error)]}) from None


def _shown(row: Receiver) -> dict[str, Any]:
    return {
        "id": row.pk,
        "url": row.url,
        "events": row.events,
        "state": row.state,
        "created_at": row.created_at,
        "failing_since": row.failing_since,
    }


def _delivery(row: Delivery) -> DeliveryShown:
    return DeliveryShown(
        id=row.pk,
        event_id=str(row.event_id),
        event=row.event,
        number=row.number,
        state=row.state,  # type: ignore[arg-type]
        attempts=row.attempts,
        created_at=row.created_at,
        tries=[Try(**one) for one in row.tries],
    )
