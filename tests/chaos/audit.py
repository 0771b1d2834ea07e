"""What an auditor says who knows only what the sandbox saw and what the rows and files hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import requests
from django.core.files.storage import default_storage

from accounts.models import Membership, Team
from generations import quota
from generations.models import OVER, Generation, Output, State


def audit(sandbox: Any, team: Team, members: Iterable[Membership], limit: int) -> list[str]:
    """Every broken promise, a sentence each."""
    rows = list(Generation.objects.filter(team=team))
    found = [
        f"{row.params['text']} {row.status} {row.error_code}: {said}"
        for row in rows
        for said in _row(row, sandbox)
    ]
    known = {row.params["text"] for row in rows}
    found += [
        "a task without a receipt" for task in sandbox.tasks.values() if task.body.get("text") not in known
    ]
    for member in members:
        mine = [row for row in rows if row.author_id == member.user_id]
        runs = sum(row.status not in ("failed", "cancelled") or bool(row.cost_actual) for row in mine)
        used = [line.used for line in quota.standing(member)]
        if used != [runs] or runs > limit:
            found.append(f"quota says {used}, the receipts {runs} of {limit}")
    return found + list(_files(team))


def _row(row: Generation, sandbox: Any) -> Iterator[str]:
    text = row.params["text"]
    sent = [one for one in sandbox.submits if one["body"]["text"] == text and "refused" not in one]
    made = [task for task in sandbox.tasks.values() if task.body.get("text") == text]
    charged = sum((Decimal(task.cost or 0) for task in made if task.status == "SUCCESS"), Decimal(0))
    if len(sent) > 1 or len(made) > 1:
        yield f"{len(sent)} submits, {len(made)} tasks"
    if row.upstream_id and [task.task_id for task in made] != [row.upstream_id]:
        yield "another task than its own"
    if row.status not in (*OVER, State.UNCONFIRMED) and not row.parked_at:
        yield "it is stuck"
    if row.status in OVER and (row.lease_until or row.next_check_at):
        yield "it is not at rest"
    if row.cost_counted < charged or row.cost_actual not in (None, charged, row.cost_estimated):
        yield f"{charged} charged, {row.cost_actual} written down, {row.cost_counted} counted"
    if row.outputs.count() != (row.status == State.SUCCEEDED):
        yield f"{row.outputs.count()} outputs"
    for output in row.outputs.all():
        with default_storage.open(output.file.name) as file:
            data, there = file.read(), requests.get(output.source_url, timeout=9)
        if data != there.content or hashlib.sha256(data).hexdigest() != output.sha256:
            yield "stored, given and written down are not the same bytes"


def _files(team: Team) -> Iterator[str]:
    folder = f"outputs/{team.pk}"
    folders = default_storage.listdir(folder)[0] if default_storage.exists(folder) else []
    found = {
        f"{folder}/{one}/{name}" for one in folders for name in default_storage.listdir(f"{folder}/{one}")[1]
    }
    known = set(Output.objects.filter(generation__team=team).values_list("file", flat=True))
    if found != known:
        yield f"files without a row {found - known}, rows without a file {known - found}"
