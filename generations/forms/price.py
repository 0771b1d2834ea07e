"""A price of the team's own."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Team
from generations import prices
from generations.catalogue import pricing
from generations.catalogue.spec import ModelSpec, Price

RUN = "call"
AHEAD = timedelta(days=366)


class OwnPrice(forms.Form):
    """Amount of one unit, what a unit is, from when, and why; `sure` is asked for when the amount is an odd one.

    `listed` is the price of the catalogue, whose unit is on offer beside "each run".
    """

    amount = forms.DecimalField(
        label=gettext_lazy("Price"),
        max_digits=12,
        decimal_places=6,
        min_value=prices.LEAST,
        max_value=prices.MOST,
        error_messages={
            "min_value": gettext_lazy(
                "A price of nothing would let everybody past every limit. Write what RunningHub charges."
            ),
            "max_value": gettext_lazy("Nobody could run it at this price. Write what RunningHub charges."),
        },
    )
    unit = forms.ChoiceField(label=gettext_lazy("For"), widget=forms.RadioSelect)
    since = forms.DateField(
        label=gettext_lazy("Valid from"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        help_text=gettext_lazy("What was ordered before keeps its estimate."),
    )
    note = forms.CharField(label=gettext_lazy("Source or reason"), max_length=200, required=False)
    sure = forms.BooleanField(required=False)

    def __init__(self, team: Team, spec: ModelSpec, *args: Any, **kwargs: Any) -> None:
        self.today: date = timezone.now().astimezone(team.zone).date()
        super().__init__(*args, **{"initial": {"unit": self._usual(spec), "since": self.today}, **kwargs})
        self.spec = spec
        choices = [(RUN, _("each run"))]
        if spec.price is not None and pricing.counts(spec.price.unit) != RUN:
            choices.insert(0, (spec.price.unit, self._each(spec.price.unit)))
        field = self.fields["unit"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = choices
        self.odd: prices.Odd | None = None

    @staticmethod
    def _usual(spec: ModelSpec) -> str:
        return spec.price.unit if spec.price is not None else RUN

    @staticmethod
    def _each(unit: str) -> str:
        return unit if unit[0].isdigit() else _("each %(unit)s") % {"unit": unit}

    def clean_since(self) -> date:
        since: date = self.cleaned_data["since"]
        if not self.today <= since <= self.today + AHEAD:
            raise forms.ValidationError(_("Choose today or a day of the coming year."))
        return since

    def price(self, currency: str) -> Price:
        """Of a valid form: the price as the catalogue writes one."""
        said = self.cleaned_data
        amount: Decimal = said["amount"]
        listed = self.spec.price
        param = listed.param if listed is not None and said["unit"] == listed.unit else ""
        return Price(amount, currency, said["unit"], param, as_of=said["since"])

    def ask_again(self, odd: prices.Odd) -> None:
        """Has the person say once more that this is meant."""
        self.odd = odd
