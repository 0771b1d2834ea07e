"""The bill explained: what an account lost from night to night, beside what the receipts say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Query, Router, Schema
from pydantic import Field

from accounts.roles import Deed
from generations.views import bill as page
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest, manages, may
from generations.views.api.problems import answers

router = Router(tags=["Managing"])


class Cause(Schema):
    """So many receipts might explain up to `most`; of `unpriced` ones not even an estimate is known."""

    name: str
    message: str
    number: int
    most: schemas.Amount
    unpriced: int


class Between(Schema):
    """From one snapshot of the account to the next. `receipts` is the sum of what `number` receipts were charged.

    What the account tells is null where it was not told, or is another team's business too. `difference` is what it
    lost beyond the receipts, `unexplained` what is left of that when every cause is taken at its most.
    """

    start: datetime
    end: datetime
    currency: str
    receipts: str
    number: int
    balance_before: str | None
    balance_after: str | None
    fell: str | None
    difference: str | None
    unexplained: str | None
    paid_in: str | None
    coins: str | None
    causes: list[Cause]


class BillShown(Schema):
    """A month, newest span first."""

    connection: int
    month: str
    items: list[Between]
    next_cursor: None = None


class Month(Schema):
    """Without any it is this month of the connection in use."""

    connection: int | None = Field(None, ge=1, le=2**53)
    month: str = Field("", pattern=r"^(2[01][0-9]{2}-(0[1-9]|1[0-2]))?$", examples=["2026-11"])


@router.get(
    "bill",
    response={200: BillShown, **answers(404, 422)},
    operation_id="bill",
    auth=manages,
    summary="The bill",
)
def bill_month(request: ApiRequest, wanted: Query[Month]) -> Any:
    """For managers."""
    asked = page.month_of(may(request, Deed.SEE_SPENDING), wanted.connection, wanted.month)
    items = []
    for one in asked.spans:
        cells = {name: text or None for name, text in page.cells(one).items()}
        items.append(
            Between(
                start=one.start,
                end=one.end,
                currency=one.currency,
                receipts=cells["receipts"] or "0",
                number=one.number,
                balance_before=cells["before"],
                balance_after=cells["after"],
                fell=cells["fell"],
                difference=cells["drift"],
                unexplained=cells["unexplained"],
                paid_in=cells["paid_in"],
                coins=cells["coins"],
                causes=[
                    Cause(
                        name=cause.name,
                        message=page.cause_words(cause),
                        number=cause.number,
                        most=schemas.amount(cause.most),
                        unpriced=cause.unpriced,
                    )
                    for cause in one.causes
                ],
            )
        )
    return BillShown(connection=asked.connection.pk, month=f"{asked.month:%Y-%m}", items=items)
