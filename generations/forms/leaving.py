"""The form of a membership that ends."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from accounts.models import Membership, Role

TEAM = "team"


class Leave(forms.Form):
    """Who takes over, and what becomes of what is under way. `role` is the role that the page showed."""

    LET_GO, STOP = "go", "stop"

    heir = forms.ChoiceField(
        label=gettext_lazy("Who takes over"),
        error_messages={
            "invalid_choice": gettext_lazy("Choose somebody who is in the team and may generate.")
        },
    )
    running = forms.ChoiceField(
        choices=[
            (LET_GO, gettext_lazy("Let it finish; results go to the library")),
            (STOP, gettext_lazy("Cancel it; what was sent may still be charged")),
        ],
        initial=LET_GO,
        required=False,
        widget=forms.RadioSelect,
    )
    role = forms.ChoiceField(choices=Role.choices, widget=forms.HiddenInput)

    def __init__(self, heirs: list[Membership], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = self.fields["heir"]
        assert isinstance(choices, forms.ChoiceField)  # noqa: S101 - declared above
        team = (TEAM, gettext_lazy("The team"))
        choices.choices = [team, *((str(one.pk), one.user.display_name) for one in heirs)]

    @property
    def chosen(self) -> int | None:
        heir = self.cleaned_data["heir"]
        return None if heir == TEAM else int(heir)

    @property
    def stops(self) -> bool:
        return bool(self.cleaned_data["running"] == self.STOP)
