"""What a manager fills in to let somebody use more for a while, and a member to use less."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Allowance, Measure, Membership, Mode, Period, Scope, Team, TopUp, User

POOL = "pool"
CAPS = [(m, p) for m in (Measure.SPEND, Measure.COUNT) for p in (Period.DAY, Period.WEEK, Period.MONTH)]
AMOUNT = gettext_lazy("Write an amount such as 12.50.")
WHOLE = gettext_lazy("Write a whole number from 0 up.")


def amount_field(measure: str, **more: Any) -> forms.Field:
    """Money for spending, a whole number for generations."""
    text = forms.TextInput(attrs={"inputmode": "decimal" if measure == Measure.SPEND else "numeric"})
    faults = ("invalid", "min_value", "max_value", "max_digits", "max_decimal_places", "max_whole_digits")
    if measure == Measure.SPEND:
        return forms.DecimalField(
            min_value=Decimal(0),
            max_digits=18,
            decimal_places=6,
            widget=text,
            error_messages=dict.fromkeys(faults, AMOUNT),
            **more,
        )
    return forms.IntegerField(
        min_value=0, max_value=10**9, widget=text, error_messages=dict.fromkeys(faults, WHOLE), **more
    )


class NewTopUp(forms.Form):
    """Who may use how much more until when, and why. Times are on the team's clock."""

    whose = forms.ChoiceField(label=gettext_lazy("Who"))
    measure = forms.ChoiceField(
        label=gettext_lazy("Of what"),
        choices=[(m.value, m.label) for m in (Measure.SPEND, Measure.COUNT)],
        initial=Measure.SPEND.value,
        widget=forms.RadioSelect,
    )
    amount = forms.DecimalField(
        label=gettext_lazy("How much more"),
        max_digits=18,
        decimal_places=6,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages=dict.fromkeys(
            ("invalid", "max_digits", "max_decimal_places", "max_whole_digits"), AMOUNT
        ),
    )
    until = forms.DateTimeField(
        label=gettext_lazy("Until"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"],
        error_messages={"invalid": gettext_lazy("Write a date and time such as 2026-07-01 18:00.")},
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300)

    def __init__(self, team: Team, colleagues: list[Membership], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.team = team
        self.people = {str(one.pk): one for one in colleagues}
        whose = self.fields["whose"]
        assert isinstance(whose, forms.ChoiceField)  # noqa: S101 - declared above
        people = [(pk, one.user.display_name) for pk, one in self.people.items()]
        whose.choices = [*people, (POOL, _("The team pool"))]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        amount, until = data.get("amount"), data.get("until")
        if amount is not None and not 0 < amount < Decimal(10) ** 12:
            self.add_error("amount", _("Write more than nothing."))
        elif amount is not None and data.get("measure") == Measure.COUNT and amount != int(amount):
            self.add_error("amount", _("Write a whole number of generations."))
        if until is not None and until <= timezone.now():
            self.add_error("until", _("This time is over; choose a later one."))
        elif until is not None and until > timezone.now() + timedelta(days=366):
            self.add_error("until", _("Choose a time within a year, or raise the limit for good."))
        return data

    def save(self, by: User, now: datetime) -> TopUp:
        """Waits for running accepts of the team, and the next one counts it."""
        data = self.cleaned_data
        with transaction.atomic():
            team = Team.objects.select_for_update().get(pk=self.team.pk)
            return TopUp.grant(
                team,
                membership=self.people.get(data["whose"]),
                measure=Measure(data["measure"]),
                amount=data["amount"],
                from_at=now,
                until_at=data["until"],
                reason=data["reason"],
                by=by,
            )


class OwnCap(forms.Form):
    """A member's own caps, one field for each measure and period. Empty: no cap. It can only tighten."""

    def __init__(self, membership: Membership, *args: Any) -> None:
        super().__init__(*args)
        self.membership = membership
        rows = membership.team.allowances.filter(scope=Scope.OWN, membership=membership)
        self.own = {(row.measure, row.period): row.limit for row in rows if row.mode == Mode.LIMITED}
        for measure, period in CAPS:
            limit = self.own.get((measure, period))
            initial = limit if limit is None or measure == Measure.SPEND else int(limit)
            self.fields[f"{measure}_{period}"] = amount_field(
                measure,
                required=False,
                initial=initial,
                label=LABELS[measure, period],
            )

    def save(self) -> bool:
        """Writes what differs, and says whether anything did."""
        changed = False
        with transaction.atomic():
            Team.objects.select_for_update().get(pk=self.membership.team_id)
            for measure, period in CAPS:
                limit = self.cleaned_data[f"{measure}_{period}"]
                if limit == self.own.get((measure, period)):
                    continue
                changed = True
                Allowance.put(
                    self.membership.team,
                    scope=Scope.OWN,
                    membership=self.membership,
                    measure=measure,
                    period=period,
                    mode=Mode.UNLIMITED if limit is None else Mode.LIMITED,
                    limit=None if limit is None else Decimal(limit),
                    by=self.membership.user,
                )
        return changed


LABELS = {
    (Measure.SPEND, Period.DAY): gettext_lazy("Spend at most a day"),
    (Measure.SPEND, Period.WEEK): gettext_lazy("Spend at most a week"),
    (Measure.SPEND, Period.MONTH): gettext_lazy("Spend at most a month"),
    (Measure.COUNT, Period.DAY): gettext_lazy("Generate at most a day"),
    (Measure.COUNT, Period.WEEK): gettext_lazy("Generate at most a week"),
    (Measure.COUNT, Period.MONTH): gettext_lazy("Generate at most a month"),
}
