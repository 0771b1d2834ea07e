"""What is said about files that are brought in."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from generations.pipeline.adopt import SOUNDS

WORDS = {"music": gettext_lazy("Music"), "speech": gettext_lazy("Speech"), "song": gettext_lazy("Song")}


class Import(forms.Form):
    """The files come beside it; of films and pictures the kind is seen."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Sounds are"),
        choices=[(kind, WORDS[kind]) for kind in SOUNDS],
        initial=SOUNDS[0],
        widget=forms.RadioSelect,
    )
    once = forms.CharField(max_length=100, required=False, widget=forms.HiddenInput)
