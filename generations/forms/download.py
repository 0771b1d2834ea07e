"""How files are taken out."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from generations.takeout import DEFAULT, BadPattern, Wish, check


class Download(forms.Form):
    """The names of the files, and what goes with them."""

    pattern = forms.CharField(label=gettext_lazy("Names"), max_length=400, initial=DEFAULT)
    sidecar = forms.BooleanField(required=False, initial=True)
    tags = forms.BooleanField(required=False)

    def clean_pattern(self) -> str:
        try:
            return check(str(self.cleaned_data["pattern"]))
        except BadPattern as bad:
            raise forms.ValidationError(str(bad)) from None

    @property
    def wish(self) -> Wish:
        """What was chosen, of a valid form."""
        chosen = self.cleaned_data
        return Wish(chosen["pattern"], sidecar=chosen["sidecar"], tags=chosen["tags"])
