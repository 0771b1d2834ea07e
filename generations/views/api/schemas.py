"""The shapes of the REST API. Money is text, so that no digit is lost on the way; times have their offset."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field

from generations.catalogue.spec import Price as CataloguePrice

Amount = Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]{2,6}$", examples=["0.80"])]
StateName = Literal[
    "queued", "dispatching", "unconfirmed", "running", "gathering", "succeeded", "failed", "cancelled"
]


def amount(value: Decimal) -> str:
    """Money as the API writes it: two to six decimals, never an exponent."""
    return f"{value.normalize() + Decimal('0.00'):f}"


class Problem(Schema):
    """A refusal (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str


class Fault(Schema):
    """What is wrong with one param."""

    param: str
    message: str


class InvalidProblem(Problem):
    """A refusal of values, each with a sentence."""

    errors: list[Fault]


class Line(Schema):
    """A limit in force. Money for `spend`, whole numbers else. `resets_at` is null when it never resets."""

    name: str = Field(examples=["member_spend_week"])
    scope: Literal["pool", "default", "member", "own", "token"]
    measure: Literal["spend", "count", "concurrent"]
    period: Literal["day", "week", "month", "none"]
    limit: Amount | int
    used: Amount | int
    left: Amount | int
    action: Literal["block", "warn"]
    resets_at: datetime | None


class QuotaProblem(Problem):
    """A refusal by a limit, which is named; `lines` has all that refuse. `cost` is null while it is unknown."""

    limit: Amount | int
    left: Amount | int
    resets_at: datetime | None
    limit_name: str
    scope: str
    measure: str
    period: str
    cost: Amount | None
    currency: str
    lines: list[Line]


class Person(Schema):
    email: str
    name: str


class Team(Schema):
    slug: str
    name: str
    time_zone: str


class TokenItself(Schema):
    """The token of this request, without its text."""

    name: str
    scopes: list[Literal["read", "generate", "manage"]]
    expires_at: datetime | None


class Me(Schema):
    """Whom the token speaks for. `limits` has those of the member, the team and the token itself."""

    user: Person
    team: Team
    role: Literal["owner", "manager", "member", "viewer"]
    may_generate: bool
    currency: str
    limits: list[Line]
    token: TokenItself


class Price(Schema):
    """What one unit costs, as listed on a day. With `starting` the charge may be higher."""

    amount: Amount
    currency: str
    unit: str = Field(examples=["call", "1000 characters"])
    param: str | None
    starting: bool
    as_of: date
    source: str
    note: str

    @classmethod
    def of(cls, price: CataloguePrice) -> Price:
        return cls(
            amount=amount(price.amount),
            currency=price.currency,
            unit=price.unit,
            param=price.param or None,
            starting=price.starting,
            as_of=price.as_of,
            source=price.source,
            note=price.note,
        )


class Model(Schema):
    """Something that can be generated with. `price` is null when it is unknown, which is not free."""

    slug: str
    endpoint: str
    aliases: list[str]
    title: str
    vendor: str
    kind: str
    category: str
    output: Literal["audio", "image", "video", "3d", "text"]
    summary: str
    price: Price | None
    usual_seconds: int


class ModelDetail(Model):
    """A model with what it takes: `params_schema` is JSON Schema of `params`, `example` makes a good first result."""

    notes: list[str]
    params_schema: dict[str, Any]
    example: dict[str, Any]


class Models(Schema):
    """`next_cursor` is null on the last page."""

    items: list[Model]
    next_cursor: str | None = None


class ModelName(Schema):
    """What a list to choose from needs; GET models/{slug} has the rest."""

    slug: str
    title: str
    vendor: str
    kind: str
    output: Literal["audio", "image", "video", "3d", "text"]


class ModelNames(Schema):
    """`next_cursor` is null on the last page."""

    items: list[ModelName]
    next_cursor: str | None = None


class Voice(Schema):
    """A voice of a speech model. `origin` is `team` for those that the team cloned or designed; the fields from `id`
    on are theirs and null for those of the system.

    `consent` says whether the speaker's consent is noted; without it only the owner and managers may use a clone.
    `kept_until` is when the provider is expected to delete it unless it speaks.
    """

    voice_id: str
    name: str
    language: str | None
    gender: str | None
    origin: Literal["system", "team"]
    id: UUID | None = None
    made: Literal["cloned", "designed"] | None = None
    owner: str | None = None
    audience: Literal["everyone", "some", "owner"] | None = None
    consent: bool | None = None
    may_use: bool | None = None
    used_in: int | None = None
    last_used_at: datetime | None = None
    kept_until: datetime | None = None
    sample_url: str | None = None


class Voices(Schema):
    items: list[Voice]
    next_cursor: None = None


class NewVoice(Schema):
    """What is said about a voice that is to be made. Without it the voice belongs to the caller alone.

    `members` are emails of those who may use it when `audience` is `some`. With `consent` you state that `speaker`
    has agreed that the team makes speech with their voice; a clone without it cannot be opened to others.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", max_length=80)
    language: str = Field("", max_length=40)
    audience: Literal["everyone", "some", "owner"] = "owner"
    members: list[str] = Field([], max_length=200)
    speaker: str = Field("", max_length=120)
    consent: bool = False


class NewGeneration(Schema):
    """An order. `model` is a slug or an alias; `params` are as the model's `params_schema` says.

    `voice` goes with models that make a voice.
    """

    model_config = ConfigDict(extra="forbid")

    model: str
    params: dict[str, Any]
    title: str | None = Field(None, max_length=200)
    voice: NewVoice | None = None


class Error(Schema):
    code: str
    message: str


class Output(Schema):
    """A stored result. `url` answers the same token; `duration` is in seconds, null for what has none."""

    index: int
    kind: str
    content_type: str
    bytes: int
    sha256: str
    duration: float | None
    url: str


class Queue(Schema):
    """Where a waiting generation stands in the line of all teams, by the order in which they are sent.

    `position` 1 is next. `expected_seconds` is the time until it starts, from and to. Both are null when nobody can
    know. `reason` says what it waits for: `slots`, `turn` (it is sent in a moment), `member` (its member has as many
    running as the team allows), `rate`, `full`, `model_full`, `unreachable`, `later` (tried again at `until`),
    `paused`, `funds`, `elsewhere` (its connection is not set up) or `parked`. `message` says the same in words.
    """

    position: int | None
    expected_seconds: list[float] | None
    reason: str
    message: str
    until: datetime | None


class Generation(Schema):
    """What was asked for once, and its receipt. A cost is null while it is unknown.

    A param that names a voice which the caller may not know is null too. `queue` is null unless it waits.
    `expected_end_at` comes from how long such generations took before; null when it is over or nobody can know.
    """

    id: UUID
    status: StateName
    model: str
    params: dict[str, Any]
    title: str
    author: str
    cost_estimated: Amount | None
    cost_actual: Amount | None
    currency: str
    upstream_id: str | None
    error: Error | None
    queue: Queue | None = None
    outputs: list[Output]
    created_at: datetime
    dispatched_at: datetime | None
    finished_at: datetime | None
    expected_end_at: datetime | None = None


class Generations(Schema):
    """A page, newest first. `next_cursor` is null on the last."""

    items: list[Generation]
    next_cursor: str | None


class Change(Schema):
    """Something that happened in the team. `data` is such as webhooks carry; `subject` is what it happened to."""

    number: int
    event: str = Field(examples=["generation.finished"])
    subject: UUID | None
    at: datetime
    data: dict[str, Any]


class Changes(Schema):
    """In the order of their numbers. Ask again with `since` = `next`; with `more` at once, else when it pays."""

    items: list[Change]
    next: int
    more: bool


class Upload(Schema):
    """A kept file. Params name it by `reference`."""

    id: UUID
    reference: str
    name: str
    kind: str
    content_type: str
    bytes: int
    sha256: str
    duration: float | None
    created_at: datetime


class Used(Schema):
    spend: Amount
    count: int


class Totals(Schema):
    """The use since the period began, in the team's time zone."""

    since: datetime
    resets_at: datetime
    mine: Used
    team: Used


class Running(Schema):
    mine: int
    team: int


class Usage(Schema):
    """The limits in force for the member and the use of the current day, week and month."""

    currency: str
    limits: list[Line]
    day: Totals
    week: Totals
    month: Totals
    running: Running


def form_with_file(*required: str, **fields: dict[str, Any]) -> dict[str, Any]:
    """How the document tells of a call that takes a file and these fields of a form: for `openapi_extra`."""
    schema = {
        "type": "object",
        "required": ["file", *required],
        "properties": {"file": {"type": "string", "format": "binary"}, **fields},
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
