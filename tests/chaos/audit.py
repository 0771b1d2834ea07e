"""What an auditor says who knows only what upstream wrote down and what rows and files hold."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from django.core.files.storage import default_storage

from accounts.models import Allowance, Measure, Membership, Scope, Team
from generations import quota
from generations.models import ACTIVE, OVER, Generation, Output, State


@dataclass(frozen=True)
class Task:
    """A task as upstream knows it: the words that were sent, what was charged in the end, digests of its files."""

    id: str
    words: str
    charged: Decimal
    files: tuple[str, ...] = ()


@dataclass
class Seen:
    """What upstream wrote down. `sent` are the words of each submit that it did not clearly refuse."""

    sent: Counter[str] = field(default_factory=Counter)
    tasks: list[Task] = field(default_factory=list)


def words(row: Generation) -> str:
    """What tells one order from another, in the portal and upstream."""
    return str(row.params.get("text") or row.params.get("prompt") or "")


def audit(seen: Seen, team: Team, members: Iterable[Membership]) -> list[str]:
    """Every broken promise, a sentence each."""
    rows = list(Generation.objects.filter(team=team).prefetch_related("outputs"))
    found = [
        f"{words(row)} {row.status} {row.error_code}: {said}" for row in rows for said in _row(row, seen)
    ]
    known = {words(row) for row in rows}
    found += ["a submit without a receipt" for sent in seen.sent if sent not in known]
    found += ["a task without a receipt" for task in seen.tasks if task.words not in known]
    receipts = sum((row.cost_counted for row in rows), Decimal(0))
    charged = sum((task.charged for task in seen.tasks), Decimal(0))
    unsettled = sum((row.cost_counted for row in rows if row.cost_actual is None), Decimal(0))
    if not charged <= receipts <= charged + unsettled:
        found.append(f"{charged} charged, {receipts} counted, {unsettled} of it not settled")
    for member in members:
        found += _use(member, [row for row in rows if row.author_id == member.user_id])
    return [*found, *limits(team), *_files(team)]


def _row(row: Generation, seen: Seen) -> Iterator[str]:
    made = [task for task in seen.tasks if task.words == words(row)]
    charged = sum((task.charged for task in made), Decimal(0))
    if seen.sent[words(row)] > 1 or len(made) > 1:
        yield f"{seen.sent[words(row)]} submits, {len(made)} tasks"
    if row.upstream_id and [task.id for task in made] != [row.upstream_id]:
        yield "another task than its own"
    if row.status not in (*OVER, State.UNCONFIRMED) and not row.parked_at:
        yield f"it is stuck: claims {row.claims}, faults {row.faults}, lease {row.lease_until}, {row.error_message}"
    if row.status in OVER and (row.lease_until or row.next_check_at):
        yield "it is not at rest"
    if row.cost_counted < charged or row.cost_actual not in (None, charged, row.cost_estimated):
        yield f"{charged} charged, {row.cost_actual} written down, {row.cost_counted} counted"
    if row.status == State.SUCCEEDED and not row.cost_counted:
        yield "it succeeded and costs nothing"
    outputs = sorted(row.outputs.all(), key=lambda output: output.index)
    if row.status != State.SUCCEEDED and outputs:
        yield f"{len(outputs)} outputs of what did not succeed"
    if row.status == State.SUCCEEDED and [one.sha256 for one in outputs] != [
        d for t in made for d in t.files
    ]:
        yield f"{len(outputs)} outputs, not those that upstream made"
    for output in outputs:
        yield from _bytes(output)


def _bytes(output: Output) -> Iterator[str]:
    if not default_storage.exists(output.file.name):
        yield "the file of an output is not there"
        return
    with default_storage.open(output.file.name) as file:
        data = file.read()
    if hashlib.sha256(data).hexdigest() != output.sha256 or len(data) != output.bytes:
        yield "stored and written down are not the same bytes"


def _use(member: Membership, mine: list[Generation]) -> Iterator[str]:
    """What the door believes against what the receipts say, one by one."""
    runs = sum(row.status not in ("failed", "cancelled") or bool(row.cost_actual) for row in mine)
    for line in quota.standing(member):
        if line.scope != Scope.POOL and line.measure == Measure.COUNT and line.used != runs:
            yield f"quota says {line.used}, the receipts {runs} of {line.limit}"


def limits(team: Team) -> list[str]:
    """Limits that are passed at this instant. For limits of days and months, all rows are taken to be of today."""
    found = []
    rows = list(Generation.objects.filter(team=team).values_list("author", "status", "cost_counted"))
    for allowance in Allowance.objects.filter(team=team).exclude(limit=None):
        pool = allowance.scope == Scope.POOL
        used: Counter[int] = Counter()
        for author, status, cost in rows:
            ended_for_nothing = status in (State.FAILED, State.CANCELLED) and not cost
            used[0 if pool else author] += (
                cost
                if allowance.measure == Measure.SPEND
                else not ended_for_nothing
                if allowance.measure == Measure.COUNT
                else status in ACTIVE
            )
        found += [
            f"{allowance.measure} of {allowance.scope}: {most} of {allowance.limit}"
            for most in used.values()
            if most > allowance.limit
        ]
    return found


def _files(team: Team) -> Iterator[str]:
    folder = f"outputs/{team.pk}"
    folders = default_storage.listdir(folder)[0] if default_storage.exists(folder) else []
    found = {
        f"{folder}/{one}/{name}" for one in folders for name in default_storage.listdir(f"{folder}/{one}")[1]
    }
    known = set(Output.objects.filter(generation__team=team).exclude(file="").values_list("file", flat=True))
    if found - known:
        yield f"files without a row {found - known}"
    if known - found:
        yield f"rows without a file {known - found}"
