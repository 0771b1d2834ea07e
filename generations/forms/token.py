"""Forms about tokens of the REST API and the service members that own some."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts import roles, tokens
from accounts.models import Membership, Period, Reach, Role

LASTS = ("7", "30", "90", "365", "")


class NewToken(forms.Form):
    """A name, how far it reaches, how long it lasts, and what it may use at most."""

    name = forms.CharField(
        label=gettext_lazy("What is it for?"),
        max_length=80,
        error_messages={"required": gettext_lazy("Give it a name, so that you know later what it is for.")},
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Besides reading it may"), required=False, widget=forms.CheckboxSelectMultiple
    )
    days = forms.ChoiceField(
        label=gettext_lazy("It stops after"),
        required=False,
        initial="90",
        choices=[
            ("7", gettext_lazy("a week")),
            ("30", gettext_lazy("30 days")),
            ("90", gettext_lazy("90 days")),
            ("365", gettext_lazy("a year")),
            ("", gettext_lazy("never, until somebody revokes it")),
        ],
    )
    spend_limit = forms.DecimalField(
        label=gettext_lazy("It may spend at most"),
        required=False,
        min_value=0,
        max_value=Decimal(10**9),
        max_digits=15,
        decimal_places=6,
        help_text=gettext_lazy("Empty: only the limits of its member count."),
    )
    count_limit = forms.IntegerField(
        label=gettext_lazy("It may generate at most"), required=False, min_value=0, max_value=10**9
    )
    period = forms.ChoiceField(
        label=gettext_lazy("Each"), required=False, initial=Period.MONTH.value, choices=Period.choices
    )

    def __init__(self, owner: Membership, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reaches = [one for one in tokens.to_choose(owner) if one != Reach.READ]
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.MultipleChoiceField)  # noqa: S101 - declared above
        scopes.choices = [(one.value, one.label) for one in reaches]
        scopes.initial = [one.value for one in reaches if one == Reach.GENERATE]

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

    def values(self) -> dict[str, Any]:
        """What `tokens.make` takes besides the name."""
        data = self.cleaned_data
        days = data.get("days")
        return {
            "scopes": [Reach.READ.value, *data["scopes"]],
            "expires_at": timezone.now() + timedelta(days=int(days)) if days else None,
            "spend_limit": data.get("spend_limit"),
            "count_limit": data.get("count_limit"),
            "period": data.get("period") or Period.MONTH.value,
        }


class NewMachine(forms.Form):
    """The name and role of a service member."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        error_messages={"required": gettext_lazy("Give it a name, such as “Nightly build”.")},
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), initial=Role.MEMBER.value)

    def __init__(self, actor: Membership, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)  # noqa: S101 - declared above
        role.choices = [(one.value, one.label) for one in roles.to_give(actor.role) if one != Role.OWNER]

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())
