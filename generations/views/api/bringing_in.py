"""AI apps and workflows of the team: bring one in, wait for its form, settle it; then `GET models` has it."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpResponse
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field, StrictBool

from accounts.models import Membership
from accounts.roles import Deed
from generations import own_models as verbs
from generations.catalogue.spec import InvalidParams
from generations.catalogue.text import Fault
from generations.forms.own_model import Settling
from generations.models import TeamModel
from generations.views import access, picker
from generations.views.api.auth import ApiRequest, manages, may
from generations.views.api.posted import PLAIN, given
from generations.views.api.problems import answers, problem
from generations.views.api.receipt import absolute

router = Router(tags=["Models"])
SHOWN = 200
Use = Literal["ask", "fix", "leave"]


class OwnInput(Schema):
    """One input of a node. `type` is what it is taken for, `told` what RunningHub tells; `value` is what it is sent as
    while nobody changes it, `start` what it begins with in the form, or is fixed to. `key` is the param's.
    """

    node: str
    name: str
    key: str
    use: Use
    type: str
    told: str
    label: str
    help: str
    required: bool
    advanced: bool
    start: str
    value: str
    options: list[list[str]]


class OwnModel(Schema):
    """`slug` is its name in `GET models` once it has a `version` of its form. `state`: waiting, found, failed (then
    `fault` says why) or settled.
    """

    id: int
    slug: str
    source: str
    upstream: str
    title: str
    state: str
    fault: str
    version: int | None
    offered: bool
    has_password: bool


class OwnModels(Schema):
    items: list[OwnModel]
    next_cursor: None = None


class Changed(Schema):
    """What is different upstream since the form was settled: new, gone or changed."""

    what: str
    node: str
    name: str
    said: str


class OwnModelDetail(OwnModel):
    """With the inputs as they would be settled now, and what changed upstream."""

    inputs: list[OwnInput]
    changes: list[Changed]


class BroughtIn(Schema):
    """The id of an app or a workflow, or the address of its page."""

    model_config = ConfigDict(extra="forbid")

    source: Literal["app", "workflow"]
    pasted: str = Field(max_length=500, pattern=PLAIN)


class SettledInput(Schema):
    """What is not given stays as `GET` shows it."""

    model_config = ConfigDict(extra="forbid")

    node: str = Field(max_length=80, pattern=PLAIN)
    name: str = Field(max_length=80, pattern=PLAIN)
    use: Use = "ask"
    type: str | None = Field(None, max_length=10, pattern=PLAIN)
    label: str | None = Field(None, max_length=80, pattern=PLAIN)
    help: str | None = Field(None, max_length=300, pattern=PLAIN)
    required: StrictBool | None = None
    advanced: StrictBool | None = None
    start: str | None = Field(None, max_length=10_000, pattern=PLAIN)


class SettledForm(Schema):
    """Inputs in the order of the form; those that are not named are left as they come."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(max_length=80, pattern=PLAIN)
    summary: str = Field("", max_length=300, pattern=PLAIN)
    kind: str = Field(max_length=20, pattern=PLAIN)
    usual_seconds: int | None = Field(None, ge=1, le=36_000)
    instance_type: str = Field("", max_length=10, pattern=PLAIN)
    personal_queue: StrictBool = False
    repeats: StrictBool = False
    password: str = Field("", max_length=200, pattern=PLAIN)
    forget_password: StrictBool = False
    inputs: list[SettledInput] = Field(max_length=300)


class Offered(Schema):
    model_config = ConfigDict(extra="forbid")

    offered: StrictBool


@router.get(
    "own-models",
    response={200: OwnModels, **answers(403)},
    operation_id="own_models",
    summary="AI apps and workflows",
)
def own_model_list(request: ApiRequest) -> Any:
    """For managers."""
    actor = may(request, Deed.BRING_IN)
    rows = list(TeamModel.objects.filter(team=actor.team).order_by("-pk")[:SHOWN])
    forms = {form.model_id: form for form in verbs.current_forms().filter(model__in=rows)}
    return OwnModels(items=[OwnModel(**_shown(row, forms.get(row.pk))) for row in rows])


@router.post(
    "own-models",
    response={201: OwnModel, **answers(400, 403, 413, 422)},
    operation_id="bring_in",
    auth=manages,
    summary="Bring in an AI app or a workflow",
)
def own_model_new(request: ApiRequest, response: HttpResponse, wanted: BroughtIn) -> Any:
    """For managers. Its form is fetched in the background: ask `Location` how that stands."""
    actor = may(request, Deed.BRING_IN)
    try:
        made = verbs.add(actor.team, actor.user, wanted.source, wanted.pasted)
    except verbs.NotDone as error:
        raise InvalidParams({"pasted": [str(error)]}) from None
    response["Location"] = absolute(request, "own_model_one", id=made.pk)
    return Status(201, OwnModel(**_shown(made, None)))


@router.get(
    "own-models/{int:id}",
    response={200: OwnModelDetail, **answers(403, 404)},
    operation_id="own_model",
    summary="One of them with its inputs",
)
def own_model_one(request: ApiRequest, id: int) -> Any:
    """For managers."""
    actor = may(request, Deed.BRING_IN)
    return _detail(access.own_model(actor, id))


@router.post(
    "own-models/{int:id}/form",
    response={200: OwnModelDetail, **answers(400, 403, 404, 409, 413, 422)},
    operation_id="settle_own_model",
    auth=manages,
    summary="Settle its form",
)
def own_model_settle(request: ApiRequest, id: int, wanted: SettledForm) -> Any:
    """For managers. Another version of the form, in use from now on; what was made before keeps the one it had.

    409 while nothing was fetched that could be settled.
    """
    actor = may(request, Deed.BRING_IN)
    model = access.own_model(actor, id)
    form = Settling(model, verbs.latest(model), picker.kind_labels())
    if not form.base:
        return problem("not_possible", "There is nothing to settle yet.")
    posted = Settling(model, form.latest, picker.kind_labels(), given(_as_posted(form, wanted)))
    if not posted.is_valid():
        raise InvalidParams(_faults(posted))
    try:
        verbs.settle(model, actor.user, posted.data, posted.password, posted.mark)
    except (Fault, verbs.Moved) as fault:
        raise InvalidParams({"": [str(fault)]}) from None
    except verbs.NotDone as refusal:
        return problem("not_possible", str(refusal))
    return _detail(access.own_model(actor, id))


@router.post(
    "own-models/{int:id}/refresh",
    response={200: OwnModelDetail, **answers(403, 404)},
    operation_id="refresh_own_model",
    auth=manages,
    summary="Fetch its form again",
)
def own_model_refetch(request: ApiRequest, id: int) -> Any:
    """For managers. Nothing is replaced by that."""
    return _after(request, id, lambda actor, model: verbs.refresh(model, actor.user))


@router.post(
    "own-models/{int:id}/leave",
    response={200: OwnModelDetail, **answers(403, 404)},
    operation_id="leave_own_model",
    auth=manages,
    summary="Leave it as it is settled",
)
def own_model_left(request: ApiRequest, id: int) -> Any:
    """For managers. What was fetched is forgotten."""
    return _after(request, id, lambda _actor, model: verbs.pass_over(model))


@router.post(
    "own-models/{int:id}",
    response={200: OwnModelDetail, **answers(400, 403, 404, 413, 422)},
    operation_id="switch_own_model",
    auth=manages,
    summary="Take it out of use, or back into it",
)
def own_model_offer(request: ApiRequest, id: int, wanted: Offered) -> Any:
    """For managers. What it made stays."""
    return _after(request, id, lambda actor, model: verbs.switch(model, actor.user, offered=wanted.offered))


def _after(request: ApiRequest, id: int, verb: Any) -> OwnModelDetail:
    actor: Membership = may(request, Deed.BRING_IN)
    verb(actor, access.own_model(actor, id))
    return _detail(access.own_model(actor, id))


def _shown(row: TeamModel, form: Any) -> dict[str, Any]:
    found = row.found or {}
    return {
        "id": row.pk,
        "slug": row.slug,
        "source": row.source,
        "upstream": row.upstream,
        "title": form.title if form else found.get("title") or row.upstream,
        "state": row.state,
        "fault": row.sentence,
        "version": row.number,
        "offered": row.offered,
        "has_password": bool(row.sealed_password),
    }


def _detail(row: TeamModel) -> OwnModelDetail:
    form = Settling(row, verbs.latest(row), picker.kind_labels())
    inputs = [
        OwnInput(
            **{**one.data, "value": one.now, "options": [list(pair) for pair in one.data.get("options", ())]}
        )
        for one in form.inputs
    ]
    changes = [
        Changed(what=what, node=fact["node"], name=fact["name"], said=said)
        for what, fact, said in form.changes
    ]
    return OwnModelDetail(**_shown(row, form.latest), inputs=inputs, changes=changes)


def _as_posted(form: Settling, wanted: SettledForm) -> dict[str, Any]:
    """As the page would post it. Raises `InvalidParams` for an input that there is none of, or that is named twice."""
    places = {(one.data["node"], one.data["name"]): one for one in form.inputs}
    said = {key: value for key, value in wanted.dict().items() if key != "inputs"} | {"mark": form.mark}
    for order, asked in enumerate(wanted.inputs):
        one = places.pop((asked.node, asked.name), None)
        if one is None:
            raise InvalidParams({f"inputs.{order}": ["There is no such input, or it is named twice."]})
        found = {**one.data, **{key: value for key, value in asked.dict().items() if value is not None}}
        if asked.type is not None and asked.type not in dict(one.types):
            raise InvalidParams({f"inputs.{order}.type": [f"Choose {', '.join(dict(one.types))}."]})
        for name in ("use", "type", "label", "help", "required", "advanced", "start"):
            said[f"{name}-{one.at}"] = found[name]
        said[f"order-{one.at}"] = order
    return said


def _faults(form: Settling) -> dict[str, list[str]]:
    faults = {name: [str(one) for one in said] for name, said in form.settings.errors.items()}
    for one in form.inputs:
        if one.errors:
            faults[f"inputs.{one.data['node']}.{one.data['name']}"] = one.errors
    return faults | ({"": [form.fault]} if form.fault else {})
