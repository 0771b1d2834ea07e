"""One's own receipts and caps."""

from __future__ import annotations

from typing import Annotated, Any

from django.http.response import HttpResponseBase
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from accounts.roles import Deed
from generations import quota, reports
from generations.forms.topup import OwnCap
from generations.views import spreadsheet
from generations.views.api import lines, schemas
from generations.views.api.auth import ApiRequest, generates, may
from generations.views.api.managing import CSV, OwnFilters, ReportShown, summed
from generations.views.api.posted import NUMBER, checked, given
from generations.views.api.problems import answers
from generations.views.reports import note_export

router = Router(tags=["Limits"])
MONEY = r"^[0-9]{1,9}(\.[0-9]{1,6})?$"


class NewCaps(Schema):
    """Caps of one's own; null takes one away, what is left out stays. They only tighten the limits of the team."""

    model_config = ConfigDict(extra="forbid")

    spend_day: str | None = Field(None, pattern=MONEY, examples=["2.00"])
    spend_week: str | None = Field(None, pattern=MONEY)
    spend_month: str | None = Field(None, pattern=MONEY)
    count_day: Annotated[int, Field(ge=0, le=1_000_000), NUMBER] | None = None
    count_week: Annotated[int, Field(ge=0, le=1_000_000), NUMBER] | None = None
    count_month: Annotated[int, Field(ge=0, le=1_000_000), NUMBER] | None = None


class Limits(Schema):
    """The limits in force."""

    items: list[schemas.Line]
    next_cursor: None = None


@router.get(
    "usage/report",
    response={200: ReportShown, **answers(422)},
    operation_id="own_report",
    summary="Sums of one's own",
)
def usage_report(request: ApiRequest, filters: Query[OwnFilters]) -> Any:
    """What the caller spent, by day, model, kind or state."""
    me = request.auth.membership
    form = filters.form(me.team, me.user_id)
    return summed(me.team, form)


@router.get(
    "usage/receipts.csv",
    response=answers(422),
    operation_id="own_receipts",
    summary="One's own receipts as CSV",
    openapi_extra={"responses": CSV},
)
def usage_receipts(request: ApiRequest, filters: Query[OwnFilters]) -> HttpResponseBase:
    """One a line, oldest first. That it was taken is in the audit trail."""
    me = request.auth.membership
    wanted = filters.form(me.team, me.user_id).wanted()
    note_export(me, wanted, what="receipts")
    return spreadsheet.download("receipts.csv", reports.RECEIPT, reports.each(me.team, wanted))


@router.post(
    "usage/cap",
    response={200: Limits, **answers(400, 413, 422)},
    operation_id="set_own_caps",
    auth=generates,
    summary="Set caps of one's own",
)
def usage_cap(request: ApiRequest, wanted: NewCaps) -> Any:
    """They count from the next order on."""
    me = may(request, Deed.GENERATE)
    present = {f"{measure}_{period}": limit for (measure, period), limit in OwnCap(me).own.items()}
    form = OwnCap(me, given(_plain(present) | wanted.dict(exclude_unset=True)))
    checked(form)
    form.save()
    return Limits(items=[lines.shown(line) for line in quota.standing(me, token=request.auth)])


def _plain(present: dict[str, Any]) -> dict[str, Any]:
    """Whole numbers as a form takes them."""
    return {
        name: int(limit) if name.startswith("count") and limit is not None else limit
        for name, limit in present.items()
    }
