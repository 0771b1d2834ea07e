"""One order of a member: the row that is its state, its receipt and its history."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import models, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import MoneyField, Team, User
from generations.models.batch import Batch
from generations.models.connection import Connection
from generations.models.ids import uuid7


class State(models.TextChoices):
    """How a generation stands, in the order of its life."""

    QUEUED = "queued", "Waiting"
    DISPATCHING = "dispatching", "Being sent"
    UNCONFIRMED = "unconfirmed", "Unconfirmed"
    RUNNING = "running", "Running"
    GATHERING = "gathering", "Copying"
    SUCCEEDED = "succeeded", "Finished"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Bell(models.TextChoices):
    """Whether RunningHub rang at the end of a task, as it was asked to."""

    NOT_ASKED = "", "Not asked"
    ASKED = "asked", "Asked"
    RANG = "rang", "Rang"
    SILENT = "silent", "Silent"


def search_text(*parts: str) -> str:
    """What a generation is found by: its words, case folded, so that a plain substring match finds them anywhere."""
    return "\n".join(part for part in parts if part).casefold()


OVER = (State.SUCCEEDED, State.FAILED, State.CANCELLED)
ACTIVE = (State.QUEUED, State.DISPATCHING, State.UNCONFIRMED, State.RUNNING, State.GATHERING)


class GenerationQuerySet(models.QuerySet["Generation"]):
    def move(self, pk: uuid.UUID, frm: State | tuple[State, ...], to: State, **changes: Any) -> bool:
        """Changes the state by one conditional UPDATE. False: somebody else was first, walk away.

        An ended generation gets `finished_at` and has no lease or next look any more. Every move forgets the
        lease and the count of claims, since the claim did its work.
        """
        now = timezone.now()
        sources = (frm,) if isinstance(frm, State) else frm
        changes = {"lease_until": None, "claims": 0, "parked_at": None, "updated_at": now, **changes}
        if to in OVER:
            changes = {"finished_at": now, "next_check_at": None, "deadline_at": None, **changes}
        return self.filter(pk=pk, status__in=sources).update(status=to, **changes) == 1

    def note(self, pk: uuid.UUID, state: State, **changes: Any) -> bool:
        """Writes about a generation that is still in `state`, leaving the state; ends the lease like `move`."""
        return self.move(pk, state, state, **changes)

    def due(self, now: datetime, *states: State) -> GenerationQuerySet:
        """Rows in `states` whose next look has come, with no live lease, not parked."""
        return self.filter(
            Q(lease_until=None) | Q(lease_until__lt=now),
            status__in=states,
            next_check_at__lte=now,
            parked_at=None,
        )

    def claim(self, *states: State, limit: int, lease: timedelta) -> list[Generation]:
        """Leases up to `limit` due rows, oldest look first; no other worker gets them before the lease ends.

        Each claim counts; `move` and `note` reset the count, so a row that kills its worker shows itself.
        """
        now = timezone.now()
        with transaction.atomic():
            rows = list(
                self.due(now, *states)
                .select_for_update(skip_locked=True, of=("self",))
                .order_by("next_check_at")
                .select_related("connection")[:limit]
            )
            self.filter(pk__in=[row.pk for row in rows]).update(
                lease_until=now + lease, claims=F("claims") + 1
            )
        return rows


class Generation(models.Model):
    """What a member asked for once. It reaches upstream at most once and owns at most one upstream task.

    The row is the receipt. `cost_counted` is what it uses of the allowances: the actual cost once known, else
    the estimate that is held; a failed or cancelled generation counts its actual cost only. The database derives
    it, so state and cost cannot disagree.

    A result is safe at `finished_at` of a success, when every file was copied, hashed and probed. `result_lost_at`
    is when it became known that what upstream made cannot be kept, or hardly; the managers are then told once.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="generations")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="generations")
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="generations", db_index=False
    )
    model = models.CharField(max_length=160)
    kind = models.CharField(max_length=12)
    title = models.CharField(max_length=200)
    params = models.JSONField()
    search_text = models.TextField(blank=True)
    idempotency_key = models.CharField(max_length=200, blank=True)
    request_digest = models.CharField(max_length=64, blank=True)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True, related_name="generations")
    batch_place = models.PositiveSmallIntegerField(null=True)

    status = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    next_check_at = models.DateTimeField(null=True, default=timezone.now)
    deadline_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    claims = models.PositiveSmallIntegerField(default=0)
    parked_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    faults = models.PositiveIntegerField(default=0)
    overdue_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    cancel_sent_at = models.DateTimeField(null=True)

    key_digest = models.CharField(max_length=16, blank=True)
    """The key it was sent with, so that a replaced one is kept until its last task has ended."""
    size = models.PositiveIntegerField(default=0)
    """How much is asked for, as `catalogue.size` of its params; durations of like sizes are compared."""
    upstream_id = models.CharField(max_length=80, blank=True)
    upstream_status = models.CharField(max_length=40, blank=True)
    webhook = models.CharField(max_length=8, choices=Bell, default=Bell.NOT_ASKED, blank=True)
    results = models.JSONField(null=True)
    found_by = models.CharField(max_length=8, blank=True)
    """How its end upstream was noticed: "webhook", or "poll" though a webhook was asked for; "" when none was."""
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    error_detail = models.TextField(blank=True)

    currency = models.CharField(max_length=3, default="CNY")
    cost_estimated = MoneyField(null=True)
    cost_actual = MoneyField(null=True)
    cost_basis = models.CharField(max_length=200, blank=True)
    consume_money = models.CharField(max_length=40, null=True)
    consume_coins = models.CharField(max_length=40, null=True)
    task_cost_time = models.CharField(max_length=40, null=True)
    third_party_consume_money = models.CharField(max_length=40, null=True)
    cost_counted = models.GeneratedField(
        expression=Case(
            When(status__in=["failed", "cancelled"], then=Coalesce(F("cost_actual"), Value(0))),
            default=Coalesce(F("cost_actual"), F("cost_estimated"), Value(0)),
        ),
        output_field=MoneyField(),
        db_persist=True,
    )

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    claimed_at = models.DateTimeField(null=True)
    submitting_at = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True)
    upstream_done_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(default=timezone.now)
    result_lost_at = models.DateTimeField(null=True)
    result_lost_told_at = models.DateTimeField(null=True)
    result_lost_seen_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Generation]] = GenerationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "author", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="generation_once_per_key",
            ),
            models.UniqueConstraint(
                fields=["connection", "upstream_id"], condition=~Q(upstream_id=""), name="upstream_task_once"
            ),
        ]
        indexes = [
            models.Index(fields=["team", "-id"], name="generation_of_team"),
            models.Index(fields=["team", "author", "-id"], name="generation_by_author"),
            models.Index(fields=["team", "model", "-id"], name="generation_by_model"),
            models.Index(fields=["team", "status", "-id"], name="generation_by_state"),
            models.Index(
                fields=["team", "created_at", "cost_counted", "currency"], name="receipts_of_the_team"
            ),
            models.Index(
                fields=["team", "author", "created_at", "cost_counted", "currency"],
                name="receipts_of_the_author",
            ),
            models.Index(fields=["model", "connection", "-finished_at"], name="pace_of_model"),
            models.Index(fields=["team", "author", "status"], name="generation_of_member"),
            # Whole and not only of active rows: SQLite cannot tell that a bound status belongs to a partial index.
            models.Index(fields=["status", "next_check_at"], name="generation_due"),
            models.Index(fields=["connection", "status"], name="generation_of_connection"),
            # Partial all the same: its condition has no bound parameter, so SQLite can tell.
            models.Index(
                fields=["team"], condition=models.Q(parked_at__isnull=False), name="generation_put_aside"
            ),
            models.Index(fields=["team"], condition=Q(result_lost_at__isnull=False), name="results_lost"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    @property
    def holds(self) -> bool:
        """Whether the estimate is still reserved because the cost is not settled."""
        return not self.is_over and self.cost_actual is None and bool(self.cost_estimated)

    @property
    def prompt(self) -> str:
        """The text that describes the wish: the longest text among the params."""
        texts = [
            value
            for value in self.params.values()
            if isinstance(value, str) and not value.startswith("upload:")
        ]
        return max(texts, key=len, default="")
