"""One order of a member: the row that is its state, its receipt and its history."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar

from django.db import connection, models, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull, LessThan
from django.utils import timezone

from accounts.models import ApiToken, Membership, MoneyField, Team, User
from generations.models.batch import Batch
from generations.models.connection import Connection
from generations.models.ids import uuid7
from generations.models.loading import Light
from generations.models.prepared import Given, Rows, Update
from generations.models.writer import in_turn, unsynced


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


def counted_cost() -> Case:
    """What a receipt counts: what it really cost, else what it is expected to, and nothing of what ended badly.

    `cost_counted` is this, stored. A sum over many receipts says it once more, because SQLite never answers from an
    index alone what names a generated column.
    """
    return Case(
        When(status__in=["failed", "cancelled"], then=Coalesce(F("cost_actual"), Value(0))),
        default=Coalesce(F("cost_actual"), F("cost_estimated"), Value(0)),
    )


IMPORTED = "import"
"""Stands for the model of what was made elsewhere and brought into the library: it never went upstream, costs nothing
and has no currency, by which receipts and limits leave it out."""
LENGTHS = (10, 30, 120, 300, 1800)
"""Seconds at which one class of length ends and the next begins; class 0 has no length."""
COSTS = tuple(Decimal(text) for text in ("0.000001", "0.1", "0.5", "1", "5"))
"""Where one class of cost ends and the next begins, in the currency of the receipt; class 1 cost nothing."""


def class_of(value: Any, bounds: tuple[Any, ...], field: models.Field[Any, Any]) -> Case:
    """The number of the class that a value falls into, so that a class is a place in an index and not a range."""
    ends = [When(LessThan(value, Value(bound, field)), then=Value(n)) for n, bound in enumerate(bounds, 1)]
    nothing = When(IsNull(value, True), then=Value(0))  # noqa: FBT003
    return Case(nothing, *ends, default=Value(len(bounds) + 1))


OVER = (State.SUCCEEDED, State.FAILED, State.CANCELLED)
ACTIVE = (State.QUEUED, State.DISPATCHING, State.UNCONFIRMED, State.RUNNING, State.GATHERING)


@lru_cache(maxsize=64)
def _update(values: tuple[str, ...], sources: int, known: tuple[str, ...], none: tuple[str, ...]) -> str:
    """The words of an UPDATE of one generation in one of so many states, by the names of fields."""

    columns = {field.name: field.column for field in Generation._meta.concrete_fields}

    def quote(name: str) -> str:
        return connection.ops.quote_name(str(columns[name]))

    put = ", ".join(f"{quote(name)} = %s" for name in values)
    states = ", ".join(["%s"] * sources)
    where = [f"{quote('id')} = %s", f"{quote('status')} IN ({states})"]
    where += [f"{quote(name)} = %s" for name in known] + [f"{quote(name)} IS NULL" for name in none]
    table = connection.ops.quote_name(Generation._meta.db_table)
    return f"UPDATE {table} SET {put} WHERE {' AND '.join(where)}"  # noqa: S608 - no values


class GenerationQuerySet(models.QuerySet["Generation"]):
    def move(
        self,
        pk: uuid.UUID,
        frm: State | tuple[State, ...],
        to: State,
        *,
        fence: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> bool:
        """Changes the state by one conditional UPDATE. False: somebody else was first, walk away.

        `fence` are values that the row must still have. An ended generation gets `finished_at` and has no lease or next
        look any more. Every move forgets the lease and the count of claims, since the claim did its work.
        """
        sources = (frm,) if isinstance(frm, State) else frm
        fence, values = fence or {}, {"status": to, **self._turned(to, changes)}
        with in_turn():
            if self.query.where or any(hasattr(value, "resolve_expression") for value in values.values()):
                return self.filter(pk=pk, status__in=sources, **fence).update(**values) == 1
            return self._put(pk, sources, fence, values) == 1

    def turn(self, to: State, **changes: Any) -> int:
        """As `move`, of every row of this query at once, which names the states it moves from. Gives how many moved."""
        with in_turn():
            return self.update(status=to, **self._turned(to, changes))

    def _turned(self, to: State, changes: dict[str, Any]) -> dict[str, Any]:
        now = timezone.now()
        changes = {
            "lease_until": None,
            "claims": 0,
            "parked_at": None,
            "updated_at": now,
            "untold_at": now,
            **changes,
        }
        if to in OVER:
            changes = {"finished_at": now, "next_check_at": None, "deadline_at": None, **changes}
        return changes

    def _put(
        self, pk: uuid.UUID, sources: tuple[State, ...], fence: Mapping[str, Any], values: dict[str, Any]
    ) -> int:
        """What `filter(…).update(…)` would do to one row, with plain values. A worker does little else than this, and
        of the processor time of such an UPDATE Django needs three quarters to put it into words.
        """
        fields = {field.name: field for field in self.model._meta.concrete_fields}
        none = [name for name, value in fence.items() if value is None]
        known = {name: value for name, value in fence.items() if value is not None}
        words = _update(tuple(values), len(sources), tuple(known), tuple(none))
        told = [
            *values.items(),
            ("id", pk),
            *(("status", source) for source in sources),
            *known.items(),
        ]
        with transaction.mark_for_rollback_on_error(self.db), connection.cursor() as cursor:
            cursor.execute(words, [fields[name].get_db_prep_save(value, connection) for name, value in told])
            return int(cursor.rowcount)

    def note(
        self, pk: uuid.UUID, state: State, *, fence: Mapping[str, Any] | None = None, **changes: Any
    ) -> bool:
        """Writes about a generation that is still in `state`, leaving the state; ends the lease like `move`."""
        return self.move(pk, state, state, fence=fence, **changes)

    def due(self, now: datetime | Given, *states: State) -> GenerationQuerySet:
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
        now, limit = timezone.now(), min(limit, SIZES[-1])
        until = now + lease + timedelta(microseconds=random.randrange(10**6))
        leased: dict[str, Any] = {"lease_until": until, "claims": F("claims") + 1}
        due = self.due(now, *states).order_by("next_check_at")
        if connection.features.has_select_for_update_skip_locked:
            if not due.exists():
                return []
            with transaction.atomic():
                pks = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
                self.filter(pk__in=pks).update(**leased)
            found = self.model._default_manager.select_related("connection").in_bulk(pks)
            return [found[pk] for pk in pks if pk in found]
        # SQLite has one writer, who shall not keep it over more than a statement: what is due is read before, taken
        # where it still is, and known again by the instant at which its lease ends.
        if self.query.where:
            pks = list(due.values_list("pk", flat=True)[:limit])
        else:
            pks = [row.pk for row in _due(states)(now=now)[:limit]]
        if not pks:
            return []
        with in_turn(), unsynced():
            many, given = _places(pks)
            taken = _lease(states, many)(now=now, until=until, **given)
        if not taken:
            return []
        found = {row.pk: row for row in _leased(many)(until=until, **given)}
        return [found[pk] for pk in pks if pk in found]

    def seen_by(self, membership: Membership) -> GenerationQuerySet:
        """The generations of the team but those that are private to somebody else. Managers see all.

        Whoever left passes theirs on: what they kept private is their heir's to see.
        """
        rows = self.filter(team=membership.team_id)
        if membership.may_manage:
            return rows
        left = Membership.objects.filter(team=membership.team_id, heir=membership.user_id)
        mine = Q(author=membership.user_id) | Q(author__in=left.exclude(ended_at=None).values("user"))
        return rows.filter(Q(is_private=False) | mine)

    def shown_to(self, membership: Membership) -> GenerationQuerySet:
        """As `seen_by`, without what is in the trash or was in it to the end: what lists, pickers and rails show."""
        return self.seen_by(membership).filter(trashed_at=None)


SIZES = (1, 4, 12, 40, 100)
"""So many ids have a place in the question for what was claimed; more than the last are never claimed at once."""


@lru_cache(maxsize=16)
def _due(states: tuple[State, ...]) -> Rows[Generation]:
    """The ids of what is due, asked so often that Django shall not put it into words each time."""
    return Rows(
        lambda: (
            Generation.objects.due(Given("now"), *states).order_by("next_check_at").only("pk")[: SIZES[-1]]
        )
    )


def _places(pks: list[uuid.UUID]) -> tuple[int, dict[str, uuid.UUID]]:
    """How many places the question for these has, and the id in each."""
    many = next(size for size in SIZES if len(pks) <= size)
    filled = [*pks, *[pks[-1]] * (many - len(pks))]
    return many, {f"pk{n}": pk for n, pk in enumerate(filled)}


@lru_cache(maxsize=64)
def _lease(states: tuple[State, ...], many: int) -> Update:
    pks: list[Any] = [Given(f"pk{n}") for n in range(many)]
    rows = Generation.objects.all()
    return Update(
        lambda: rows.due(Given("now"), *states).filter(pk__in=pks),
        lease_until=Given("until"),
        claims=F("claims") + 1,
    )


@lru_cache
def _leased(many: int) -> Rows[Generation]:
    pks: list[Any] = [Given(f"pk{n}") for n in range(many)]
    rows = Generation.objects.select_related("connection")
    return Rows(lambda: rows.filter(pk__in=pks, lease_until=Given("until")))


class Generation(Light):
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
    form = models.PositiveIntegerField(null=True)
    """Of a model of the team's own the version of its form by which it was asked for."""
    kind = models.CharField(max_length=12)
    title = models.CharField(max_length=200)
    params = models.JSONField()
    search_text = models.TextField(blank=True)
    idempotency_key = models.CharField(max_length=200, blank=True)
    request_digest = models.CharField(max_length=64, blank=True)
    token = models.ForeignKey(
        ApiToken, on_delete=models.SET_NULL, null=True, related_name="generations", db_index=False
    )
    """Through which it was asked for, so that a token's own limit counts it."""
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True, related_name="generations")
    batch_place = models.PositiveSmallIntegerField(null=True)

    notes = models.TextField(blank=True)
    rating = models.PositiveSmallIntegerField(default=0)
    """One to five, given by the team; 0 when nobody rated it."""
    is_private = models.BooleanField(default=False)
    """Seen by its author and by those who manage the team; else by the whole team."""
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    trashed_at = models.DateTimeField(null=True)
    trashed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    purge_at = models.DateTimeField(null=True)
    """When what it holds is removed for good; set while it is in the trash, and until that is done."""
    purged_at = models.DateTimeField(null=True)
    """When removing began. From then on it cannot be restored, and nothing but the receipt is shown."""
    twin = models.CharField(max_length=32, null=True)
    """Of a model whose results repeat: the digest of what was asked for, which an identical request shares."""
    length = models.FloatField(null=True)
    """Seconds of its longest output, once all are stored; None without sound or moving pictures."""
    stored_bytes = models.PositiveBigIntegerField(default=0)
    """Bytes of its stored outputs together, once all are stored."""

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
        expression=counted_cost(),
        output_field=MoneyField(),
        db_persist=True,
    )
    cost_class = models.GeneratedField(
        expression=class_of(counted_cost(), COSTS, MoneyField()),
        output_field=models.PositiveSmallIntegerField(),
        db_persist=True,
    )
    length_class = models.GeneratedField(
        expression=class_of(F("length"), LENGTHS, models.FloatField()),
        output_field=models.PositiveSmallIntegerField(),
        db_persist=True,
    )

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    claimed_at = models.DateTimeField(null=True)
    submitting_at = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True)
    upstream_done_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(default=timezone.now)
    untold_at = models.DateTimeField(null=True)
    """When it changed, until that is among the changes of the team; see `models.change`."""
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
            models.CheckConstraint(condition=Q(rating__lte=5), name="rating_of_five"),
            models.UniqueConstraint(
                fields=["connection", "upstream_id"], condition=~Q(upstream_id=""), name="upstream_task_once"
            ),
        ]
        indexes = [
            models.Index(fields=["team", "-id"], name="generation_of_team"),
            models.Index(fields=["team", "author", "-id"], name="generation_by_author"),
            models.Index(fields=["team", "model", "-id"], name="generation_by_model"),
            models.Index(fields=["team", "status", "-id"], name="generation_by_state"),
            # With all that a limit adds up, so that the question is answered by the index alone.
            models.Index(
                fields=["team", "created_at", "currency", "status", "cost_actual", "cost_estimated"],
                name="receipts_of_a_team",
            ),
            models.Index(
                fields=[
                    "team",
                    "author",
                    "created_at",
                    "currency",
                    "status",
                    "cost_actual",
                    "cost_estimated",
                ],
                name="receipts_of_an_author",
            ),
            models.Index(
                fields=["token", "created_at"], condition=Q(token__isnull=False), name="receipts_of_a_token"
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
            models.Index(fields=["team"], condition=Q(untold_at__isnull=False), name="generation_untold"),
            models.Index(fields=["team"], condition=Q(result_lost_at__isnull=False), name="results_lost"),
            # Who has something that ended lately; one entry for each, written when it ends.
            models.Index(
                fields=["finished_at"], condition=Q(finished_at__isnull=False), name="generation_ended"
            ),
            models.Index(
                F("connection"),
                Coalesce(F("upstream_done_at"), F("finished_at")),
                name="charged_on_connection",
            ),
            # Each filter of the library walks its own index, newest first, and each sort another.
            models.Index(fields=["team", "kind", "-id"], name="generation_of_kind"),
            models.Index(fields=["team", "rating", "id"], name="generation_by_rating"),
            models.Index(fields=["team", "length_class", "-id"], name="generation_of_length"),
            models.Index(fields=["team", "length", "id"], name="generation_by_length"),
            models.Index(fields=["team", "cost_class", "-id"], name="generation_of_cost"),
            models.Index(fields=["team", "cost_counted", "id"], name="generation_by_cost"),
            models.Index(fields=["team", "title", "id"], name="generation_by_title"),
            models.Index(
                fields=["team", "-id"], condition=Q(approved_at__isnull=False), name="generation_approved"
            ),
            models.Index(fields=["team", "-id"], condition=Q(is_private=True), name="generation_private"),
            # Both forget what was purged, of which there is ever more.
            models.Index(
                fields=["team", "-trashed_at"], condition=Q(purge_at__isnull=False), name="trash_of_team"
            ),
            models.Index(fields=["purge_at"], condition=Q(purge_at__isnull=False), name="trash_to_purge"),
            # What retention looks at, from the oldest on.
            models.Index(
                fields=["team", "created_at", "id"],
                condition=Q(trashed_at__isnull=True),
                name="generation_kept",
            ),
            # Compared by "=", a digest cannot be null, which is how SQLite knows that this index will do.
            models.Index(fields=["team", "twin"], condition=Q(twin__isnull=False), name="generation_twins"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_trashed(self) -> bool:
        return self.trashed_at is not None

    @property
    def is_purged(self) -> bool:
        return self.purged_at is not None

    @property
    def is_approved(self) -> bool:
        return self.approved_at is not None

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    @property
    def holds(self) -> bool:
        """Whether the estimate is still reserved because the cost is not settled."""
        return not self.is_over and self.cost_actual is None and bool(self.cost_estimated)

    @property
    def made_with(self) -> str:
        """The name of the model as it was then, for what the params mean; `model` is what it is called now."""
        return self.model if self.form is None else f"{self.model}@{self.form}"

    @property
    def is_imported(self) -> bool:
        """Whether it was made elsewhere."""
        return self.model == IMPORTED

    @property
    def prompt(self) -> str:
        """The text that describes the wish: the longest text among the params. What was imported has none."""
        if self.is_imported:
            return ""
        texts = [
            value
            for value in self.params.values()
            if isinstance(value, str) and not value.startswith("upload:")
        ]
        return max(texts, key=len, default="")
