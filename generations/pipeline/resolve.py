"""Resolve: a manager's word on what the program may not decide.

An unconfirmed generation was sent and its answer was lost. Only a person who looked at RunningHub's call record (or
a webhook that names the task) can say what became of it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Team, User, audit
from generations import queue
from generations.models import Connection, Finding, Generation, Inquiry, Question, State
from generations.models.generation import GenerationQuerySet

ATTACHED = "attached"
"""The error code of a running generation whose task was named by hand, until upstream knows the task."""
RELEASED = "released"
LATE_AFTER = timedelta(hours=1)
"""A task that was named by mistake is late then, and takes no slot any more."""


class TaskTaken(Exception):
    """This upstream id already belongs to another generation."""


class CutOff(Exception):
    """The connection of the generation is gone, so RunningHub cannot be asked about any task of it."""


def attach(generation: Generation, upstream_id: str) -> bool:
    """The task exists: follow it from now on. False when there is nothing to settle any more.

    Also after the hold was released, since a charge may turn up late, and in place of a number that upstream does not
    know. Raises `TaskTaken` and `CutOff`. Nothing is believed about the task; the next query tells how it stands.
    """
    now = timezone.now()
    if generation.connection.is_gone:
        raise CutOff
    try:
        with transaction.atomic():
            moved = _open(released=True).move(
                generation.pk,
                (State.UNCONFIRMED, State.FAILED, State.RUNNING),
                State.RUNNING,
                finished_at=None,
                faults=0,
                upstream_id=upstream_id,
                dispatched_at=generation.submitting_at or now,
                next_check_at=now,
                deadline_at=now + LATE_AFTER,
                overdue_at=None,
                error_code=ATTACHED,
                error_message="A manager named its task. RunningHub has not told anything about it yet.",
            )
            if moved:
                queue.ring()
    except IntegrityError:
        raise TaskTaken from None
    return moved


def propose(generation: Generation, upstream_id: str, by: User) -> bool:
    """Has RunningHub asked whether this task is the one; it is attached if so, and else somebody decides.

    False when there is nothing to settle any more, or another number is being asked about. Raises `TaskTaken` and
    `CutOff`.
    """
    if generation.connection.is_gone:
        raise CutOff
    taken = Generation.objects.filter(connection=generation.connection_id, upstream_id=upstream_id)
    if taken.exclude(pk=generation.pk).exists():
        raise TaskTaken
    if not _open(released=True).filter(pk=generation.pk).exists():
        return False
    with transaction.atomic():
        asked = Inquiry.ask(generation, Question.TASK, by=by, task=upstream_id)
        if asked:
            _note("case.proposed", generation, by=by, after={"task": upstream_id})
            queue.ring_inquiry()
    return asked


def insist(generation: Generation, upstream_id: str) -> bool:
    """Attaches a task that differs, or that RunningHub said nothing about, because a manager says it is the one.

    False unless that was the answer about this task, or when it is settled by now. Raises `TaskTaken` and
    `CutOff`.
    """
    doubted = Inquiry.objects.filter(
        generation=generation,
        question=Question.NONE,
        task=upstream_id,
        answer__in=[Finding.DIFFERS, Finding.NO_ANSWER],
    )
    with transaction.atomic():
        done = bool(upstream_id) and doubted.exists() and attach(generation, upstream_id)
        if done:
            before = {"task": generation.upstream_id, "state": str(generation.status)}
            after = {"task": upstream_id, "state": str(State.RUNNING)}
            _note("case.attached", generation, before=before, after=after)
    return done


def ask_webhook(generation: Generation, by: User) -> bool:
    """Has RunningHub asked for the webhook of a task, and to send it again. False while something is being asked."""
    with transaction.atomic():
        asked = bool(generation.upstream_id) and Inquiry.ask(generation, Question.WEBHOOK, by=by)
        if asked:
            queue.ring_inquiry()
    return asked


def release(generation: Generation) -> bool:
    """The task never came to be, nobody wants to wait, or nobody can be asked any more: the hold ends, nothing was
    charged as far as we know.
    """
    why = "The answer of RunningHub was lost"
    if is_cut_off(generation):
        why = "Its connection is gone, so RunningHub could not be asked about it any more"
    with transaction.atomic():
        done = _open().move(
            generation.pk,
            (State.UNCONFIRMED, State.RUNNING),
            State.FAILED,
            upstream_id="",
            error_code=RELEASED,
            error_message=f"{why}, and a manager released the hold. It was not sent again.",
        )
        if done:
            before = {"state": str(generation.status), "held": generation.cost_counted}
            before |= {"task": generation.upstream_id} if generation.upstream_id else {}
            _note("case.released", generation, before=before, after={"state": str(State.FAILED)})
    return done


def is_doubtful(generation: Generation) -> bool:
    """Whether its task was named by hand and upstream does not know it (yet)."""
    return generation.status == State.RUNNING and generation.error_code == ATTACHED and generation.faults > 0


def is_cut_off(generation: Generation) -> bool:
    """Whether it runs, as far as anybody knows, at a connection that is gone."""
    return generation.status == State.RUNNING and generation.connection.is_gone


def _open(*, released: bool = False) -> GenerationQuerySet:
    """What a person may still settle: unconfirmed, attached to a task that upstream does not know, or cut off.

    A look that is under way may know better in a moment, so its row is left alone.
    """
    idle = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    unknown = Q(error_code=ATTACHED, faults__gt=0) | Q(connection__in=Connection.gone())
    which = Q(status=State.UNCONFIRMED) | Q(status=State.RUNNING) & unknown & idle
    if released:
        which |= Q(status=State.FAILED, error_code=RELEASED)
    return Generation.objects.filter(which)


def undecided(team: Team) -> GenerationQuerySet:
    """What of a team waits for somebody's decision: lost answers, mistaken task numbers, what was put aside, what runs
    at a connection that is gone.

    The ids come from small indexes, however much the team has made; four conditions with OR between them would have
    PostgreSQL look at all that anybody ever made.
    """
    rows = Generation.objects.filter(team=team)
    lost = rows.filter(status=State.UNCONFIRMED).values("pk")
    aside = rows.filter(parked_at__isnull=False).values("pk")
    mistaken = rows.filter(status=State.RUNNING, error_code=ATTACHED, faults__gt=0).values("pk")
    cut_off = rows.filter(status=State.RUNNING, connection__in=Connection.gone()).values("pk")
    found = Generation.objects.filter(pk__in=lost.union(aside, mistaken, cut_off))
    assert isinstance(found, GenerationQuerySet)  # noqa: S101 - what the manager gives
    return found


def unpark(generation: Generation) -> bool:
    """Lets the worker try a parked generation again."""
    now = timezone.now()
    rows = Generation.objects.filter(pk=generation.pk, parked_at__isnull=False)
    with transaction.atomic():
        done = rows.update(parked_at=None, claims=0, lease_until=None, next_check_at=now, updated_at=now) == 1
        if done:
            _note("case.retried", generation)
            queue.ring()
    return done


def _note(deed: str, generation: Generation, **more: Any) -> None:
    """Into the audit trail, with its author and title."""
    audit.note(deed, team=generation.team, person=generation.author, subject=generation.title, **more)
