"""The forms of keeping order: title and notes of a generation, a collection, a rule of retention."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from generations.catalogue.spec import Kind
from generations.models import OVER, Generation, RetentionRule, State

NOTES = 5000
WORDS = ("title", "notes")
MEGABYTE = 1_000_000


class Words(forms.Form):
    """What a generation is called, and what there is to remember of it."""

    title = forms.CharField(
        label=_("Title"),
        max_length=200,
        error_messages={
            "required": _("Give it a title, so that it can be found again."),
            "max_length": _("A title has at most 200 characters."),
        },
    )
    notes = forms.CharField(
        label=_("Notes"),
        max_length=NOTES,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"max_length": _("Notes have at most 5000 characters.")},
    )

    def clean_title(self) -> str:
        return " ".join(str(self.cleaned_data["title"]).split())


class Rewording(Words):
    """Title and notes on a page that says what stood there when it was opened. A page of old says nothing of it."""

    title_was = forms.Field(required=False, widget=forms.HiddenInput)
    notes_was = forms.Field(required=False, widget=forms.HiddenInput)

    @classmethod
    def of(cls, row: Generation) -> Rewording:
        return cls(initial={**_words(row), **_began(row)})

    @property
    def words(self) -> dict[str, str]:
        """What was written, of a valid form."""
        return {name: self.cleaned_data[name] for name in WORDS}

    @property
    def began(self) -> dict[str, str]:
        """What stood there, as far as the page says so."""
        return {name: self.data[f"{name}_was"] for name in WORDS if f"{name}_was" in self.data}

    def anew(self, now: Generation, mine: Collection[str], faults: Mapping[str, str]) -> Rewording:
        """The form begun from what stands there now, with what was written in these fields, and what is wrong there."""
        kept = {name: text for name, text in self.words.items() if name in mine}
        again = type(self)({**_words(now), **kept, **_began(now)})
        for name, fault in faults.items():
            again.add_error(name, fault)
        return again


def _words(row: Generation) -> dict[str, str]:
    return {name: getattr(row, name) for name in WORDS}


def _began(row: Generation) -> dict[str, str]:
    return {f"{name}_was": text for name, text in _words(row).items()}


class Shelf(forms.Form):
    """A collection: what it is called, what it is for, and who sees it."""

    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        error_messages={
            "required": _("Give the collection a name."),
            "max_length": _("A name has at most 120 characters."),
        },
    )
    description = forms.CharField(
        label=_("Description"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": _("A description has at most 2000 characters.")},
    )
    is_private = forms.BooleanField(label=_("Only I see it"), required=False)

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())


class Rule(forms.ModelForm):  # type: ignore[type-arg]
    """A rule of retention; it is made off."""

    larger_than = forms.IntegerField(
        label=_("Larger than, in MB"),
        min_value=1,
        max_value=1_000_000,
        required=False,
        error_messages={
            "invalid": _("Write a whole number of megabytes, or nothing."),
            "min_value": _("Write a whole number of megabytes, or nothing."),
            "max_value": _("No file here is as large; write at most 1000000."),
        },
    )
    status = forms.ChoiceField(
        label=_("Only what is"),
        choices=[("", _("over, however it ended")), *[(one.value, one.label) for one in map(State, OVER)]],
        required=False,
        error_messages={"invalid_choice": _("Choose how it ended.")},
    )
    kind = forms.ChoiceField(
        label=_("Only of the kind"),
        choices=[("", _("any kind")), *[(one.value, one.value) for one in Kind]],
        required=False,
        error_messages={"invalid_choice": _("Choose a kind.")},
    )

    class Meta:
        model = RetentionRule
        fields = ("older_than_days", "larger_than", "status", "kind")
        labels = {"older_than_days": _("Older than, in days")}
        wrong = _("Write a whole number of days from 1 to 36500.")
        error_messages = {
            "older_than_days": {
                "required": wrong,
                "invalid": wrong,
                "min_value": wrong,
                "max_value": wrong,
            }
        }

    def clean_larger_than(self) -> Any:
        given = self.cleaned_data["larger_than"]
        return given * MEGABYTE if given else None
