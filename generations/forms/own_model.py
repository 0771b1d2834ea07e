"""Forms about models of a team's own: bringing one in, and settling what it asks for.

The inputs of a node have no names that could be those of form fields, and there may be hundreds of them in a workflow.
So each goes by its place in what RunningHub told, `places` says which input had which, `mark` tells whether all is
still the same, and of an input that is left alone nothing is posted but the tick that takes it in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations import own_models
from generations.catalogue import described, own
from generations.catalogue.param import ParamType
from generations.catalogue.run import INSTANCES, Source
from generations.catalogue.spec import Kind
from generations.catalogue.text import Fault, settled
from generations.models import TeamModel, TeamModelForm

KINDS = {
    ParamType.STRING: ("STRING", "IMAGE", "AUDIO", "VIDEO", "INT", "FLOAT", own.VOICE),
    ParamType.LIST: ("LIST", "STRING", own.VOICE),
    ParamType.INT: ("INT", "FLOAT"),
    ParamType.FLOAT: ("FLOAT", "INT"),
    ParamType.BOOLEAN: ("BOOLEAN",),
}
_FILES = ("IMAGE", "AUDIO", "VIDEO", "STRING")
LABEL, HELP = 80, 300


class BringIn(forms.Form):
    """Which app or workflow."""

    source = forms.ChoiceField(
        label=gettext_lazy("What it is"),
        choices=TeamModel.Source.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose what it is."),
            "invalid_choice": gettext_lazy("Choose what it is."),
        },
    )
    pasted = forms.CharField(
        label=gettext_lazy("Address or number"),
        max_length=500,
        help_text=gettext_lazy("Of its page on RunningHub; the address ends with its number."),
        error_messages={"required": gettext_lazy("Paste the address of its page, or its number.")},
    )


class Settings(forms.Form):
    """What there is to say of the model as a whole."""

    title = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        error_messages={"required": gettext_lazy("Give it a name.")},
    )
    summary = forms.CharField(
        label=gettext_lazy("What it does"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("One sentence, shown in the list of models."),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("What it makes"),
        error_messages={
            "required": gettext_lazy("Choose what it makes."),
            "invalid_choice": gettext_lazy("Choose what it makes."),
        },
    )
    usual_seconds = forms.IntegerField(
        label=gettext_lazy("Usual time"),
        min_value=1,
        max_value=36_000,
        required=False,
        help_text=gettext_lazy("In seconds, until the portal has seen a few."),
    )
    instance_type = forms.ChoiceField(
        label=gettext_lazy("Machine"),
        choices=[("", gettext_lazy("As RunningHub chooses"))]
        + [
            (one, words)
            for one, words in zip(
                INSTANCES,
                ("default, 24 GB", "plus, 48 GB", "ultra, 84 GB", "lite"),
                strict=True,
            )
        ],
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose one of the machines.")},
    )
    personal_queue = forms.BooleanField(
        label=gettext_lazy("Wait in the personal queue when no machine is free (dedicated keys only)"),
        required=False,
    )
    repeats = forms.BooleanField(
        label=gettext_lazy("Asked the same, it makes the same"),
        required=False,
    )
    password = forms.CharField(
        label=gettext_lazy("Access password"),
        max_length=200,
        required=False,
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "new-password", "spellcheck": "false"}
        ),
        help_text=gettext_lazy("Only for a protected one. It is kept encrypted and never shown again."),
    )
    forget_password = forms.BooleanField(
        label=gettext_lazy("Forget the password that is stored"), required=False
    )

    def __init__(self, kinds: Mapping[Kind, str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["kind"]
        assert isinstance(chosen, forms.ChoiceField)  # noqa: S101 - declared above
        chosen.choices = [("", _("Choose"))] + [(kind.value, kinds[kind]) for kind in own.OUTPUTS]


@dataclass
class Input:
    """One input in the form. `at` is its place in what was told."""

    at: int
    data: dict[str, Any]
    order: float
    errors: list[str] = field(default_factory=list)

    @property
    def types(self) -> Sequence[tuple[str, str]]:
        """What it can be taken for."""
        told = ParamType(self.data["told"])
        words = type_words()
        return [(one, words[one]) for one in KINDS.get(told, _FILES if told.is_media else (told.value,))]

    @property
    def place(self) -> str:
        """Which one it is at RunningHub."""
        return f"{self.data['node']} · {self.data['title'] or self.data['name']} · {self.data['name']}"

    @property
    def is_file(self) -> bool:
        return own.kind_of(self.data).is_media

    @property
    def takes_lora(self) -> bool:
        """Whether it is likely to take the name of a LoRA: nothing says so but how it is called."""
        return "lora" in self.data["name"].lower() and self.data["type"] in ("STRING", "LIST")

    @property
    def options(self) -> Sequence[tuple[str, str]]:
        """The values to choose its start from, while it is taken for a choice."""
        return self.data.get("options", ()) if self.data["type"] == "LIST" else ()

    @property
    def is_long(self) -> bool:
        return len(str(self.data["start"])) > own.LONG or "\n" in str(self.data["start"])

    @property
    def now(self) -> str:
        """What it is sent as while nobody changes it."""
        return str(self.data["value"])


class Settling:
    """The form of one model: what was told now, with what was settled before or is posted."""

    def __init__(
        self,
        model: TeamModel,
        latest: TeamModelForm | None,
        kinds: Mapping[Kind, str],
        posted: QueryDict | None = None,
    ) -> None:
        self.model, self.latest, self.posted = model, latest, posted
        facts = own_models.facts_now(model, latest)
        self.base = own.begun(facts, Source(model.source), latest.data["fields"] if latest else ())
        self.mark = own_models.mark(model, latest)
        self.places = " ".join(_place(one) for one in self.base)
        then = posted.get("places", self.places).split() if posted is not None else []
        self.then = {name: at for at, name in enumerate(then)}
        self.settings = (
            Settings(kinds, initial=self._typed())
            if self.is_taking
            else Settings(kinds, posted, initial=self._initial())
        )
        self.fault = self._moved()
        self.inputs = [self._input(at, data) for at, data in enumerate(self.base)]
        self.inputs.sort(key=lambda one: one.order)

    def _moved(self) -> str:
        """What changed since the page was made that is posted."""
        try:
            own_models.hold_to(self.mark if self.posted is None else self.posted.get("mark", ""), self.mark)
        except own_models.Moved as moved:
            return str(moved)
        return ""

    def _initial(self) -> dict[str, Any]:
        if self.latest is not None:
            return dict(self.latest.data)
        return {"title": (self.model.found or {}).get("title", "")[:80], "usual_seconds": 60}

    def _typed(self) -> dict[str, Any]:
        """What was typed so far; nobody said yet that it is ready to be judged."""
        posted = self.posted or QueryDict()
        ticked = {name: name in posted for name in ("personal_queue", "repeats", "forget_password")}
        return {name: posted.get(name, "") for name in Settings.base_fields} | ticked

    @property
    def asked(self) -> list[Input]:
        """Those that stand open in the form."""
        return [one for one in self.inputs if one.data["use"] != "leave" or one.errors]

    @property
    def left(self) -> list[Input]:
        """Those that go as they come."""
        return [one for one in self.inputs if one.data["use"] == "leave" and not one.errors]

    @property
    def is_taking(self) -> bool:
        """Whether ticked inputs are only to be opened, and nothing is to be saved yet."""
        return self.posted is not None and self.posted.get("way") == "take"

    @property
    def changes(self) -> list[tuple[str, described.Fact, str]]:
        """What is different upstream since the form was settled."""
        if self.latest is None or not self.model.found:
            return []
        return described.changes(self.latest.facts, self.model.found["facts"])

    def is_valid(self) -> bool:
        """Finds every fault, so that all are told at once."""
        valid = self.settings.is_valid()
        for one in self.inputs:
            one.errors += own.faults(one.data, Source(self.model.source))
        return valid and not self.fault and not any(one.errors for one in self.inputs)

    @property
    def data(self) -> dict[str, Any]:
        """What is settled, once it is valid."""
        said = self.settings.cleaned_data
        whole = ("title", "summary", "kind", "usual_seconds", "instance_type", "personal_queue", "repeats")
        return {name: said[name] for name in whole} | {"fields": [one.data for one in self.inputs]}

    @property
    def password(self) -> str | None:
        """Another password, "" for none any more, None for the one there is."""
        said = self.settings.cleaned_data
        return said["password"] or ("" if said["forget_password"] else None)

    def _input(self, at: int, data: dict[str, Any]) -> Input:
        found = Input(at, dict(data), float(at + 1))
        posted = self.posted
        if posted is None or _place(data) not in self.then:
            return found
        at = self.then[_place(data)]
        if f"use-{at}" not in posted:
            found.data["use"] = "ask" if f"take-{at}" in posted else "leave"
            found.order = 1_000.0 + at
            return found
        use, kind = posted.get(f"use-{at}", ""), posted.get(f"type-{at}", data["type"])
        found.data["use"] = use if use in own.USES else "leave"
        if kind in dict(found.types):
            found.data["type"] = kind
        for name, most in (("label", LABEL), ("help", HELP), ("start", described.LONGEST)):
            said = posted.get(f"{name}-{at}", str(data[name]))
            found.data[name] = self._text(found, said, most)
        found.data["required"] = f"required-{at}" in posted
        found.data["advanced"] = f"advanced-{at}" in posted
        try:
            found.order = min(max(float(posted.get(f"order-{at}", "")), -1_000.0), 1_000.0)
        except ValueError:
            found.order = float(at + 1)
        return found

    @staticmethod
    def _text(found: Input, said: str, most: int) -> str:
        try:
            text = settled(said)
        except Fault as fault:
            found.errors.append(str(fault))
            return ""
        if len(text) > most:
            found.errors.append(_("At most %(most)s characters.") % {"most": most})
        return text[:most]


def type_words() -> dict[str, str]:
    """What an input can be taken for, in words."""
    return {
        "STRING": _("Text"),
        "INT": _("Whole number"),
        "FLOAT": _("Number"),
        "BOOLEAN": _("Yes or no"),
        "LIST": _("Choice"),
        "IMAGE": _("Picture"),
        "AUDIO": _("Sound"),
        "VIDEO": _("Video"),
        own.VOICE: _("Voice, chosen from those a member may use"),
    }


def _place(one: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(described.identity(one)).encode()).hexdigest()[:12]
