"""The auditor is silent about a sound portal and names every fault that was planted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import Allowance, Measure, Membership, Mode, Period, Scope
from generations.models import Generation, Output, State
from tests.chaos.audit import Seen, Task, audit

CHARGED = Decimal("0.80")


class Portal:
    """Three generations: one succeeded with two files, one failed for nothing, one was cancelled before it was sent."""

    def __init__(self, bob: Membership, make: Callable[..., Generation]) -> None:
        self.bob = bob
        fields = {"upstream_id": "1", "cost_actual": CHARGED, "params": {"prompt": "one"}}
        self.made = make(bob, outputs=2, **fields)
        self.failed = make(bob, status=State.FAILED, upstream_id="2", params={"prompt": "two"})
        self.cancelled = make(bob, status=State.CANCELLED, params={"prompt": "three"})
        digests = tuple(self.made.outputs.values_list("sha256", flat=True))
        self.task = Task("1", "one", CHARGED, digests)
        self.seen = Seen(Counter(["one", "two"]), [self.task, Task("2", "two", Decimal(0))])
        limit: dict[str, Any] = {"mode": Mode.LIMITED, "limit": Decimal(1)}
        Allowance.put(bob.team, scope=Scope.DEFAULT, measure=Measure.COUNT, period=Period.NONE, **limit)

    @property
    def output(self) -> Output:
        return self.made.outputs.get(index=0)


def submitted_twice(portal: Portal) -> None:
    portal.seen.sent["one"] += 1


def made_twice(portal: Portal) -> None:
    portal.seen.tasks.append(replace(portal.task, id="3", charged=Decimal(0)))


def attached_to_anothers_task(portal: Portal) -> None:
    Generation.objects.filter(pk=portal.failed.pk).update(upstream_id="9")


def sent_without_a_row(portal: Portal) -> None:
    portal.seen.sent["four"] += 1


def lost_a_row(portal: Portal) -> None:
    portal.failed.delete()


def left_one_running(portal: Portal) -> None:
    Generation.objects.filter(pk=portal.failed.pk).update(status=State.RUNNING)


def kept_a_lease(portal: Portal) -> None:
    Generation.objects.filter(pk=portal.failed.pk).update(lease_until=timezone.now())


def forgot_a_charge(portal: Portal) -> None:
    Generation.objects.filter(pk=portal.made.pk).update(cost_actual=Decimal("0.10"))


def counted_what_was_not_charged(portal: Portal) -> None:
    Generation.objects.filter(pk=portal.failed.pk).update(cost_actual=Decimal("0.80"))


def gave_a_free_run(portal: Portal) -> None:
    portal.seen.tasks[0] = replace(portal.task, charged=Decimal(0))
    Generation.objects.filter(pk=portal.made.pk).update(cost_actual=Decimal(0))


def lost_a_file(portal: Portal) -> None:
    default_storage.delete(portal.output.file.name)


def lost_an_output(portal: Portal) -> None:
    name = portal.output.file.name
    portal.output.delete()
    default_storage.delete(name)


def changed_a_byte(portal: Portal) -> None:
    name = portal.output.file.name
    with default_storage.open(name) as file:
        data = bytearray(file.read())
    data[100] ^= 1
    default_storage.delete(name)
    default_storage.save(name, ContentFile(bytes(data)))


def stored_another_file(portal: Portal) -> None:
    portal.seen.tasks[0] = replace(portal.task, files=(portal.task.files[0], "0" * 64))


def left_a_file(portal: Portal) -> None:
    default_storage.save(Output.file_name(portal.failed, 0, "wav"), ContentFile(b"RIFF"))


def passed_a_limit(portal: Portal) -> None:
    Allowance.objects.update(limit=Decimal(0))


def gave_outputs_to_a_failure(portal: Portal) -> None:
    Generation.objects.filter(pk=portal.made.pk).update(status=State.FAILED)


@pytest.mark.django_db
def test_a_sound_portal_is_passed(bob: Membership, make_generation: Callable[..., Generation]) -> None:
    portal = Portal(bob, make_generation)
    assert audit(portal.seen, bob.team, [bob]) == []


@pytest.mark.thorough
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (submitted_twice, "2 submits, 1 tasks"),
        (made_twice, "1 submits, 2 tasks"),
        (attached_to_anothers_task, "another task than its own"),
        (sent_without_a_row, "a submit without a receipt"),
        (lost_a_row, "a task without a receipt"),
        (left_one_running, "it is stuck"),
        (kept_a_lease, "it is not at rest"),
        (forgot_a_charge, "0.80 charged, 0.10 written down"),
        (counted_what_was_not_charged, "0.80 charged, 1.60 counted"),
        (gave_a_free_run, "it succeeded and costs nothing"),
        (lost_a_file, "the file of an output is not there"),
        (lost_an_output, "1 outputs, not those that upstream made"),
        (changed_a_byte, "are not the same bytes"),
        (stored_another_file, "2 outputs, not those that upstream made"),
        (left_a_file, "files without a row"),
        (passed_a_limit, "count of default: 1 of 0"),
        (gave_outputs_to_a_failure, "2 outputs of what did not succeed"),
    ],
)
def test_a_planted_fault_is_named(
    fault: Callable[[Portal], None], word: str, bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    portal = Portal(bob, make_generation)
    fault(portal)
    assert any(word in said for said in audit(portal.seen, bob.team, [bob]))
