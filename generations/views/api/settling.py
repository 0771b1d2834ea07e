"""What the program may not decide: lost answers, tasks named by hand, lost results; and the doctor's findings."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from accounts.roles import Deed
from generations import custody
from generations.catalogue.spec import InvalidParams
from generations.pipeline import resolve
from generations.views import access, doctor
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest, manages, may
from generations.views.api.problems import answers, problem
from generations.views.api.receipt import shown
from generations.views.case import Case, cases
from generations.views.generation_verbs import TASK_ID

router = Router(tags=["Settling"])
SHOWN = 50


class CaseShown(Schema):
    """A generation that somebody has to decide about. `task` is the number that was named last and `answer` what
    RunningHub said about it; `may_insist`: it may be attached all the same.
    """

    id: UUID
    title: str
    model: str
    author: str
    status: schemas.StateName
    lost_at: datetime | None
    held: schemas.Amount | None
    currency: str
    may_release: bool
    parked: bool
    task: str
    answer: str
    may_insist: bool
    verdict: str
    record: str = Field(description="Where RunningHub shows its own record of it, or empty.")


class Inbox(Schema):
    """The oldest first, at most fifty; `count` has all."""

    items: list[CaseShown]
    count: int
    next_cursor: None = None


class Word(Schema):
    """What became of it. `attach` has RunningHub asked whether `task` is the one; `insist` takes it although that was
    doubted; `webhook` asks for the webhook; `release` ends the hold; `retry` has a parked one tried again.
    """

    model_config = ConfigDict(extra="forbid")

    action: Literal["attach", "insist", "webhook", "release", "retry"]
    task: str = Field("", pattern=r"^[0-9]{0,40}$")


class FindingShown(Schema):
    subject: str
    fine: bool
    sentence: str
    advice: str


class Findings(Schema):
    """`here` is seen now, `away` was seen by the worker at `looked_at`, null: never."""

    here: list[FindingShown]
    away: list[FindingShown]
    looked_at: datetime | None
    pending: bool
    lost: list[UUID]


@router.get(
    "inbox", response={200: Inbox, **answers()}, operation_id="inbox", auth=manages, summary="To decide"
)
def inbox_list(request: ApiRequest) -> Any:
    """For managers."""
    me = may(request, Deed.SETTLE)
    hidden = access.hidden(me)
    rows = resolve.undecided(me.team).exclude(pk__in=hidden.generations)
    found = list(rows.select_related("author", "connection").order_by("pk")[:SHOWN])
    access.veil(found, hidden)
    return Inbox(items=[_case(one) for one in cases(found, me.team)], count=rows.count())


@router.post(
    "generations/{uuid:id}/settle",
    response={200: schemas.Generation, **answers(400, 404, 409, 413, 422)},
    operation_id="settle",
    auth=manages,
    summary="Say what became of it",
)
def generation_settle(request: ApiRequest, id: UUID, said: Word) -> Any:
    """For managers. 409 when it was settled already, or RunningHub is being asked. It is never sent again."""
    me = may(request, Deed.SETTLE)
    found = access.generation(me, id)
    if said.action in ("attach", "insist") and not TASK_ID.fullmatch(said.task):
        raise InvalidParams({"task": ["Write the number of the task: digits only, at most 40."]})
    try:
        done = {
            "attach": lambda: resolve.propose(found, said.task, me.user),
            "insist": lambda: resolve.insist(found, said.task),
            "webhook": lambda: resolve.ask_webhook(found, me.user),
            "release": lambda: resolve.release(found),
            "retry": lambda: resolve.unpark(found),
        }[said.action]()
    except resolve.TaskTaken:
        raise InvalidParams({"task": ["This task already belongs to another generation."]}) from None
    except resolve.CutOff:
        return problem(
            "not_possible",
            "Its connection is gone, so RunningHub cannot be asked about a task. Release the hold.",
        )
    if not done:
        return problem(
            "not_possible", "It was settled already, or RunningHub is being asked. Nothing was changed."
        )
    return shown(request, access.generation(me, id))


@router.post(
    "generations/{uuid:id}/loss-seen",
    response={204: None, **answers(404)},
    operation_id="loss_seen",
    auth=manages,
    summary="A lost result was seen",
)
def generation_loss_seen(request: ApiRequest, id: UUID) -> Any:
    """For managers. It is not announced any more."""
    custody.acknowledge(access.generation(may(request, Deed.SETTLE), id))
    return Status(204, None)


@router.get(
    "doctor",
    response={200: Findings, **answers()},
    operation_id="doctor",
    auth=manages,
    summary="What is well",
)
def doctor_findings(request: ApiRequest) -> Any:
    """For managers. `lost` names the results that are lost and not acknowledged."""
    actor = may(request, Deed.EXAMINE)
    seen = doctor.seen(actor)
    names = ("subject", "fine", "sentence", "advice")
    here, away = (
        [FindingShown(**{name: getattr(one, name) for name in names}) for one in found]
        for found in (seen.here, seen.away)
    )
    return Findings(
        here=here,
        away=away,
        looked_at=seen.examination.done_at if seen.examination else None,
        pending=seen.pending is not None,
        lost=[row.pk for row in seen.lost],
    )


@router.post(
    "doctor/look",
    response={202: None, **answers()},
    operation_id="look",
    auth=manages,
    summary="Have the doctor look",
)
def doctor_asked(request: ApiRequest) -> Any:
    """The worker looks at what the portal cannot see from here; GET doctor has it a moment later. Twice is as once."""
    doctor.ask(may(request, Deed.EXAMINE))
    return Status(202, None)


def _case(one: Case) -> CaseShown:
    row = one.generation
    held = row.cost_estimated if row.holds else None
    return CaseShown.model_validate(
        {
            "id": row.pk,
            "title": row.title,
            "model": row.model,
            "author": row.author.email,
            "status": row.status,
            "lost_at": one.inquiry.lost_at if one.inquiry else None,
            "held": None if held is None else schemas.amount(held),
            "currency": row.currency,
            "may_release": one.may_release,
            "parked": row.parked_at is not None,
            "task": one.task,
            "answer": one.answer,
            "may_insist": one.may_insist,
            "verdict": one.verdict,
            "record": one.record,
        }
    )
