"""A form about an address that is told what happens."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from generations import outgoing
from generations.receivers import EVENTS


class ReceiverForm(forms.Form):
    """The address, and of what it is told."""

    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://example.com/hook", "inputmode": "url"}),
        error_messages={"required": gettext_lazy("Write the address that is to be told.")},
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("It is told when"),
        choices=list(EVENTS.items()),
        initial=["generation.finished", "generation.failed", "generation.refused"],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            outgoing.parts_of(url)
        except outgoing.Refused as error:
            raise forms.ValidationError(str(error)) from None
        return url
