"""What managers see and set: the audit trail, reports, prices, rules of models."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field, StrictBool

from accounts import trail
from accounts.models import Team
from accounts.roles import Deed
from generations import permits, reports
from generations import prices as price_verbs
from generations.catalogue.spec import InvalidParams, Price
from generations.forms.model_rules import ModelRules
from generations.forms.report import Report
from generations.models import Connection, PriceDecision
from generations.views import access, audit_page, price_list, spreadsheet
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest, manages, may
from generations.views.api.posted import NUMBER, PLAIN, checked, given
from generations.views.api.problems import answers
from generations.views.prices import before_and_after, question
from generations.views.reports import note_export

router = Router(tags=["Managing"])
MONEY = r"^[0-9]{1,9}(\.[0-9]{1,6})?$"


class Entry(Schema):
    """A deed: who did what to whom, by which way, and what is different since."""

    id: int
    at: datetime
    action: str
    actor: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str
    via: str
    address: str | None


class Trail(Schema):
    """Newest first. `next_cursor` is null on the last page."""

    items: list[Entry]
    next_cursor: str | None


class Words(Schema):
    q: str = Field("", max_length=200, pattern=PLAIN, description="Words that must occur.")
    action: str = Field("", max_length=40, pattern=PLAIN)


class TrailFilters(Words):
    cursor: str = Field("", pattern=r"^[0-9]{0,18}$")


@router.get(
    "audit", response={200: Trail, **answers(422)}, operation_id="audit", auth=manages, summary="Audit trail"
)
def audit_trail(request: ApiRequest, filters: Query[TrailFilters]) -> Any:
    """The deeds of the team."""
    actor = may(request, Deed.READ_TRAIL)
    rows, after = trail.page(actor.team, trail.Filter(q=filters.q, action=filters.action), filters.cursor)
    items = [
        Entry(
            id=row.pk,
            at=row.at,
            action=row.action,
            actor=row.actor_name,
            subject=row.subject,
            before=row.before,
            after=row.after,
            reason=row.reason,
            via=row.via,
            address=row.address,
        )
        for row in rows
    ]
    return Trail(items=items, next_cursor=after or None)


CSV = {"200": {"description": "The file.", "content": {"text/csv": {"schema": {"type": "string"}}}}}


@router.get(
    "audit.csv",
    response=answers(422),
    operation_id="audit_csv",
    auth=manages,
    summary="The audit trail as CSV",
    openapi_extra={"responses": CSV},
)
def audit_table(request: ApiRequest, filters: Query[Words]) -> HttpResponseBase:
    """What fits, newest first. That it was taken is in the audit trail too."""
    actor = may(request, Deed.READ_TRAIL)
    said = {"q": filters.q, "deed": filters.action}
    wanted = trail.Filter(q=filters.q, action=filters.action)
    return audit_page.export(actor, wanted, {name: value for name, value in said.items() if value})


class OwnFilters(Schema):
    """Without days it is this month."""

    first: date | None = Field(None, description="First day.")
    last: date | None = Field(None, description="Last day.")
    by: Literal["day", "model", "kind", "state"] = "day"
    model: str = Field("", max_length=160, pattern=PLAIN)

    def form(self, team: Team, author: int | None = None) -> Report:
        """Of everybody, or of one author alone. Raises `InvalidParams`."""
        said = self.dict() | {"from": self.first, "to": self.last}
        form = Report(team, given({name: value for name, value in said.items() if value}), author=author)
        try:
            checked(form)
        except InvalidParams as invalid:
            names = {"from": "first", "to": "last"}
            raise InvalidParams(
                {names.get(name, name): list(said) for name, said in invalid.errors.items()}
            ) from None
        return form


class ReportFilters(OwnFilters):
    """Without days it is this month."""

    by: Literal["day", "member", "model", "kind", "state"] = "day"  # type: ignore[assignment]
    member: int | None = Field(None, ge=1, le=2**53, description="Id of a membership.")


class ReportRow(Schema):
    """`key` is the day, the email, the slug, the kind or the state."""

    key: str
    currency: str
    made: int
    spent: schemas.Amount
    charged: schemas.Amount
    estimated: schemas.Amount


class ReportShown(Schema):
    """Sums over the receipts of the days from `first` to `last`, both included."""

    first: date
    last: date
    rows: list[ReportRow]


@router.get(
    "reports",
    response={200: ReportShown, **answers(422)},
    operation_id="reports",
    auth=manages,
    summary="Sums",
)
def report(request: ApiRequest, filters: Query[ReportFilters]) -> Any:
    """What was spent, by day, member, model, kind or state."""
    actor = may(request, Deed.SEE_SPENDING)
    return summed(actor.team, filters.form(actor.team))


def summed(team: Team, form: Report) -> ReportShown:
    """The sums that a valid form asks for."""
    wanted = form.wanted()
    rows = [
        ReportRow(
            key=row.email or str(row.key),
            currency=row.currency,
            made=row.made,
            spent=schemas.amount(row.spent or Decimal(0)),
            charged=schemas.amount(row.charged or Decimal(0)),
            estimated=schemas.amount(row.estimated or Decimal(0)),
        )
        for row in reports.rows(team, wanted, form.by)
    ]
    return ReportShown(first=wanted.span.first, last=wanted.span.last, rows=rows)


@router.get(
    "reports/receipts.csv",
    response=answers(422),
    operation_id="receipts",
    auth=manages,
    summary="The receipts as CSV",
    openapi_extra={"responses": CSV},
)
def report_receipts(request: ApiRequest, filters: Query[ReportFilters]) -> HttpResponseBase:
    """One a line, oldest first. That it was taken is in the audit trail."""
    actor = may(request, Deed.SEE_SPENDING)
    wanted = filters.form(actor.team).wanted()
    note_export(actor, wanted, what="receipts")
    return spreadsheet.download("receipts.csv", reports.RECEIPT, reports.each(actor.team, wanted))


class PriceShown(Schema):
    """What a model costs the team. `own` is the team's own amount per `unit`; `runs` whether it may run as it is."""

    model: str
    price: schemas.Price | None
    own: str | None
    example_cost: str | None
    runs: bool


class PricesShown(Schema):
    items: list[PriceShown]
    next_cursor: None = None


class NewPrice(Schema):
    """A price of the team's own per call, from today on; null: that of the catalogue again."""

    model_config = ConfigDict(extra="forbid")

    amount: str | None = Field(pattern=MONEY, examples=["0.35"])
    note: str = Field("", max_length=200, pattern=PLAIN)
    sure: StrictBool = Field(
        default=False, description="Says that a price far from what was expected is meant."
    )


class Verdict(Schema):
    """Whether it may run while its price is unknown; null: as the team's settings say."""

    model_config = ConfigDict(extra="forbid")

    verdict: Literal["allow", "refuse"] | None


@router.get(
    "prices", response={200: PricesShown, **answers()}, operation_id="prices", summary="What models cost"
)
def price_all(request: ApiRequest) -> Any:
    """Every model of the team's site."""
    return PricesShown(items=[_price(one) for one in price_list.entries(request.auth.membership.team)])


@router.post(
    "prices/{slug}",
    response={200: PriceShown, **answers(400, 404, 413, 422)},
    operation_id="set_price",
    auth=manages,
    summary="Set a price",
)
def price_set(request: ApiRequest, slug: str, wanted: NewPrice) -> Any:
    """In the currency of the connection in use. One far from what was expected is asked about first: 422 at `sure`."""
    actor = may(request, Deed.MANAGE)
    spec = access.model(slug, actor, permitted=False)
    today = timezone.now().astimezone(actor.team.zone).date()
    amount = None if wanted.amount is None else Decimal(wanted.amount)
    currency = Connection.of(actor.team).currency
    if amount is not None and not wanted.sure:
        meant = Price(amount, currency, "call", as_of=today)
        try:
            price_verbs.weigh(*before_and_after(actor, spec, meant))
        except price_verbs.Odd as odd:
            raise InvalidParams({"sure": [question(odd, currency)]}) from None
    try:
        price_verbs.put(
            actor.team, actor.user, spec.slug, amount=amount, currency=currency, since=today, note=wanted.note
        )
    except ValueError:
        raise InvalidParams({"amount": ["A price is more than 0 and not over 100,000."]}) from None
    return _price(price_list.entry(spec, actor.team))


@router.post(
    "prices/{slug}/decide",
    response={200: PriceShown, **answers(400, 404, 413, 422)},
    operation_id="decide_price",
    auth=manages,
    summary="Decide about an unknown price",
)
def price_verdict(request: ApiRequest, slug: str, said: Verdict) -> Any:
    """Counts from the next order on."""
    actor = may(request, Deed.MANAGE)
    spec = access.model(slug, actor, permitted=False)
    verdict = PriceDecision.Verdict(said.verdict) if said.verdict else None
    price_verbs.decide(actor.team, actor.user, spec.slug, verdict)
    return _price(price_list.entry(spec, actor.team))


class Rule(Schema):
    """Who may use one model, the models of a kind, or all others. The narrowest counts."""

    scope: Literal["all", "kind", "model"]
    name: str
    audience: Literal["everyone", "roles", "people", "nobody"]
    roles: list[str]
    people: list[int]


class Rules(Schema):
    items: list[Rule]
    next_cursor: None = None


class NewRule(Schema):
    """`what` are places: `all:`, `kind:<kind>`, `model:<slug>`. `inherit` takes a rule away."""

    model_config = ConfigDict(extra="forbid")

    what: list[str] = Field(min_length=1, max_length=200, examples=[["kind:music"]])
    audience: Literal["everyone", "roles", "people", "nobody", "inherit"]
    roles: list[Literal["owner", "manager", "member", "viewer"]] = []
    people: list[Annotated[int, NUMBER]] = Field([], max_length=500)


@router.get(
    "model-rules",
    response={200: Rules, **answers()},
    operation_id="model_rules",
    auth=manages,
    summary="Rules",
)
def rule_list(request: ApiRequest) -> Any:
    """Which models are for whom. What has no rule is for everybody."""
    return _rules(may(request, Deed.ALLOW_MODELS).team)


@router.post(
    "model-rules",
    response={200: Rules, **answers(400, 413, 422)},
    operation_id="set_model_rules",
    auth=manages,
    summary="Set rules",
)
def rule_set(request: ApiRequest, wanted: NewRule) -> Any:
    """Counts from the next order on."""
    actor = may(request, Deed.ALLOW_MODELS)
    form = ModelRules(actor, access.colleagues(actor), given(wanted.dict()))
    checked(form)
    form.save()
    return _rules(actor.team)


def _price(one: price_list.Entry) -> PriceShown:
    price = one.price
    own = None if one.own is None or one.own.amount is None else schemas.amount(one.own.amount)
    shown = None if price is None else schemas.Price.of(price)
    cost = None if one.example is None else schemas.amount(one.example)
    return PriceShown(model=one.spec.slug, price=shown, own=own, example_cost=cost, runs=one.runs)


def _rules(team: Any) -> Rules:
    rows = sorted(permits.rules(team), key=lambda rule: (rule.scope, rule.name))
    return Rules(
        items=[
            Rule(scope=row.scope, name=row.name, audience=row.audience, roles=row.roles, people=row.people)  # type: ignore[arg-type]
            for row in rows
        ]
    )
