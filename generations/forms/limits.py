"""The sheet of limits: of the team pool, of the default for members, or of one member."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Action, Allowance, Measure, Membership, Mode, Period, Scope, Team
from generations.receipts import Use

SPANS = {
    Measure.SPEND: (Period.DAY, Period.WEEK, Period.MONTH, Period.NONE),
    Measure.COUNT: (Period.DAY, Period.WEEK, Period.MONTH, Period.NONE),
    Measure.CONCURRENT: (Period.NONE,),
}
KEEP = "keep"


@dataclass(frozen=True)
class Row:
    """One line of the sheet: the fields, what is in force now and what is used of it."""

    measure: Measure
    period: Period
    scope: Scope
    mode: forms.BoundField
    amount: forms.BoundField
    limit: Decimal | None
    inherited: Decimal | None
    used: Decimal | None


class Limits(forms.Form):
    """For each measure and period a mode and an amount, named `spend_day_mode` and `spend_day_limit`.

    `membership` is given for the scope of one member, who may inherit the default.
    """

    def __init__(self, team: Team, scope: Scope, membership: Membership | None, *args: Any) -> None:
        super().__init__(*args)
        self.team, self.scope, self.membership = team, scope, membership
        rows = list(team.allowances.filter(scope__in={scope, Scope.DEFAULT}))
        self.own = {(r.measure, r.period): r for r in rows if r.scope == scope and self._mine(r)}
        self.default = {(r.measure, r.period): r for r in rows if r.scope == Scope.DEFAULT}
        for measure, period in self.lines():
            row = self.own.get((measure, period))
            self.fields[f"{measure}_{period}_mode"] = forms.ChoiceField(
                choices=self._modes(),
                initial=row.mode if row else self._absent(),
                widget=forms.RadioSelect,
                error_messages={
                    "required": _("Choose how this is limited."),
                    "invalid_choice": _("Choose how this is limited."),
                },
            )
            self.fields[f"{measure}_{period}_limit"] = self._amount(measure, row)
        self.fields["seen"] = forms.CharField(required=False)
        self.fields["action"] = forms.ChoiceField(
            label=gettext_lazy("When a limit is reached"),
            choices=self._actions(),
            initial=self._action(),
            widget=forms.RadioSelect,
        )

    @staticmethod
    def lines() -> list[tuple[Measure, Period]]:
        return [(measure, period) for measure, periods in SPANS.items() for period in periods]

    def groups(self, use: Use | None) -> list[tuple[Measure, list[Row]]]:
        """The rows of the sheet by measure. `use` None: nobody in particular uses a default."""
        return [
            (measure, [self._row(measure, period, use) for period in SPANS[measure]]) for measure in SPANS
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for measure, period in self.lines():
            name = f"{measure}_{period}_limit"
            if name in self.errors:
                continue
            amount = data.get(name)
            if data.get(f"{measure}_{period}_mode") == Mode.LIMITED:
                if amount is None:
                    self.add_error(name, _("Write how much."))
            elif amount is not None and amount != self.fields[name].initial:
                self.add_error(name, _("Choose “Limit” if this shall count, or clear it."))
        return data

    @property
    def seen_now(self) -> str:
        """What the limits are, so that a sheet that was open while somebody changed them can be told."""
        rows = sorted((r.measure, r.period, r.mode, str(r.limit), r.action) for r in self.own.values())
        return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]

    def is_fresh(self) -> bool:
        """Whether the limits are those that were shown; if not, a sentence stands among the errors."""
        if self.cleaned_data["seen"] in ("", self.seen_now):
            return True
        self.add_error(
            None,
            _(
                "Somebody changed these limits while this was open, so nothing was saved. "
                "Compare what counts now with what you wrote, then save again."
            ),
        )
        return False

    def would_be(self) -> list[Allowance]:
        """The limits of the team as they would be if this were saved. For looking at, not for storing."""
        mine = {row.pk for row in self.own.values()}
        rows = [row for row in self.team.allowances.all() if row.pk not in mine]
        for measure, period in self.lines():
            mode = Mode(self.cleaned_data[f"{measure}_{period}_mode"])
            limit = self.cleaned_data[f"{measure}_{period}_limit"] if mode == Mode.LIMITED else None
            rows.append(
                Allowance(
                    team=self.team,
                    scope=self.scope,
                    membership=self.membership,
                    measure=measure,
                    period=period,
                    mode=mode,
                    limit=None if limit is None else Decimal(limit),
                    action=self._action_of(self.own.get((measure, period))),
                )
            )
        return rows

    def save(self) -> bool:
        """Writes what differs. Waits for running accepts of the team, and the next one sees all of it.

        False, with a sentence among the errors, when the limits are not those that were shown: nothing is written.
        """
        with transaction.atomic():
            Team.objects.select_for_update().get(pk=self.team.pk)
            rows = self.team.allowances.filter(scope=self.scope)
            self.own = {(r.measure, r.period): r for r in rows if self._mine(r)}
            if not self.is_fresh():
                return False
            for measure, period in self.lines():
                mode = Mode(self.cleaned_data[f"{measure}_{period}_mode"])
                limit = self.cleaned_data[f"{measure}_{period}_limit"] if mode == Mode.LIMITED else None
                row = self.own.get((measure, period))
                action = self._action_of(row)
                before = (row.mode, row.limit, row.action) if row else (self._absent(), None, action)
                if before != (mode, limit, action):
                    Allowance.put(
                        self.team,
                        scope=self.scope,
                        measure=measure,
                        period=period,
                        mode=mode,
                        limit=Decimal(limit) if limit is not None else None,
                        action=action,
                        membership=self.membership,
                    )
        return True

    def _mine(self, row: Allowance) -> bool:
        return row.membership_id == (self.membership.pk if self.membership else None)

    def _absent(self) -> Mode:
        """What no row means."""
        return Mode.INHERIT if self.scope == Scope.MEMBER else Mode.UNLIMITED

    def _modes(self) -> list[tuple[str, str]]:
        inherits = self.scope == Scope.MEMBER
        return [(mode.value, mode.label) for mode in Mode if inherits or mode != Mode.INHERIT]

    def _amount(self, measure: Measure, row: Allowance | None) -> forms.Field:
        initial = row.limit if row else None
        if measure == Measure.SPEND:
            wrong = _("Write an amount such as 12.50.")
            return forms.DecimalField(
                required=False,
                min_value=Decimal(0),
                max_digits=18,
                decimal_places=6,
                initial=initial,
                widget=forms.TextInput(attrs={"inputmode": "decimal"}),
                error_messages=dict.fromkeys(
                    ("invalid", "min_value", "max_digits", "max_decimal_places", "max_whole_digits"), wrong
                ),
            )
        return forms.IntegerField(
            required=False,
            min_value=0,
            max_value=10**9,
            initial=int(initial) if initial is not None else None,
            widget=forms.TextInput(attrs={"inputmode": "numeric"}),
            error_messages=dict.fromkeys(
                ("invalid", "min_value", "max_value"), _("Write a whole number from 0 up.")
            ),
        )

    def _actions(self) -> list[tuple[str, str]]:
        choices = [
            (Action.BLOCK.value, _("Refuse, and say when it resets")),
            (Action.WARN.value, _("Only warn")),
        ]
        return [*choices, (KEEP, _("As each limit says now"))] if self._action() == KEEP else choices

    def _action(self) -> str:
        actions = {row.action for row in self.own.values() if row.mode == Mode.LIMITED}
        return KEEP if len(actions) > 1 else next(iter(actions), Action.BLOCK.value)

    def _action_of(self, row: Allowance | None) -> Action:
        chosen = self.cleaned_data["action"]
        if chosen != KEEP:
            return Action(chosen)
        return Action(row.action) if row else Action.BLOCK

    def _row(self, measure: Measure, period: Period, use: Use | None) -> Row:
        own, default = self.own.get((measure, period)), self.default.get((measure, period))
        inherits = self.scope == Scope.MEMBER and (own is None or own.mode == Mode.INHERIT)
        counts = default if inherits else own
        used: Decimal | None = None
        if use is not None:
            used = use.spent[period] if measure == Measure.SPEND else Decimal(use.runs[period])
            used = Decimal(use.running) if measure == Measure.CONCURRENT else used
        return Row(
            measure=measure,
            period=period,
            scope=self.scope,
            mode=self[f"{measure}_{period}_mode"],
            amount=self[f"{measure}_{period}_limit"],
            limit=counts.limit if counts else None,
            inherited=default.limit if default and self.scope == Scope.MEMBER else None,
            used=used,
        )
