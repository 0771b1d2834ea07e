"""What a team says about prices: prices of its own, and which models may run although nobody knows what they cost."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import MoneyField, Team, User

if TYPE_CHECKING:
    from collections.abc import Mapping


class TeamPrice(models.Model):
    """What one unit of a model costs a team from a day on, as a manager says. Estimates use it before the catalogue.

    Rows are only added: the price of a day is the latest row that begins by then. One without an amount ends the
    team's own price. `unit` and `param` are those of `catalogue.spec.Price`: "call" for each run.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="prices")
    model = models.CharField(max_length=160)
    amount = MoneyField(null=True)
    currency = models.CharField(max_length=3)
    unit = models.CharField(max_length=40, default="call")
    param = models.CharField(max_length=80, blank=True)
    since = models.DateField()
    note = models.CharField(max_length=200, blank=True)
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount=None) | Q(amount__gt=0), name="price_is_not_zero"),
        ]
        indexes = [models.Index(fields=["team", "model", "since", "id"], name="price_of_model")]

    def __str__(self) -> str:
        return f"{self.model}: {self.amount} {self.currency} per {self.unit} from {self.since}"

    @property
    def counts_from(self) -> datetime:
        """From when on charges tell whether it is right."""
        return max(self.set_at, datetime.combine(self.since, time(), self.team.zone))

    @classmethod
    def of(cls, team: Team) -> Mapping[str, TeamPrice]:
        """The team's own prices of today, by model. Asked once for each `Team` object."""
        known: dict[str, TeamPrice] | None = team.__dict__.get("_prices")
        if known is None:
            today = timezone.now().astimezone(team.zone).date()
            rows = cls.objects.filter(team=team, since__lte=today).select_related("set_by")
            latest = {row.model: row for row in rows.order_by("since", "pk")}
            known = {model: row for model, row in latest.items() if row.amount is not None}
            for row in known.values():
                row.team = team
            team.__dict__["_prices"] = known
        return known


class PriceDecision(models.Model):
    """Whether one model may run in a team while its price is unknown, whatever the team's setting is."""

    class Verdict(models.TextChoices):
        ALLOW = "allow", "Allow"
        REFUSE = "refuse", "Refuse"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="price_decisions")
    model = models.CharField(max_length=160)
    verdict = models.CharField(max_length=8, choices=Verdict)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "model"], name="one_decision_of_a_price"),
        ]

    def __str__(self) -> str:
        return f"{self.model}: {self.verdict}"

    @classmethod
    def of(cls, team: Team) -> Mapping[str, str]:
        """The verdicts of the team, by model. Asked once for each `Team` object."""
        known: dict[str, str] | None = team.__dict__.get("_price_decisions")
        if known is None:
            known = dict(cls.objects.filter(team=team).values_list("model", "verdict"))
            team.__dict__["_price_decisions"] = known
        return known

    @classmethod
    def lets_run(cls, team: Team, model: str) -> bool:
        """Whether a model of unknown price may run: the word about this model, else the team's setting."""
        return cls.of(team).get(model, team.unknown_price) == cls.Verdict.ALLOW
