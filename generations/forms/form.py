"""The form of one model: its fields in the order people need them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Membership
from generations.catalogue.param import ParamSpec
from generations.catalogue.spec import EXTRA, ModelSpec
from generations.forms import chosen, new_voice, voices
from generations.forms.field import Field, as_text
from generations.forms.posted import COPIES, TITLE, Many
from generations.forms.results import results
from generations.vault import Wish

COMMON = 4
"""Optional settings that stand open; the rest is folded away."""


@dataclass(frozen=True)
class Row:
    """Fields that stand together: neighbours in columns, or one alone."""

    columns: bool
    fields: Sequence[Field]


@dataclass(frozen=True)
class ModelForm:
    """Fields with their values and errors. `once` is fresh for each rendering."""

    spec: ModelSpec
    fields: Sequence[Field]
    title: str = ""
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    own_voices: Sequence[voices.Voice] = ()
    every_voice: bool = False
    many: Many = field(default_factory=Many)
    new_voice: new_voice.NewVoice | None = None
    extra: str | None = None
    """Settings that the catalogue does not know, as JSON; None for those who may not give any."""
    once: str = field(default_factory=lambda: uuid.uuid4().hex)

    @cached_property
    def _split(self) -> tuple[list[Field], list[Field]]:
        plain = [f for f in self.fields if not f.param.advanced]
        first = [f for f in plain if f.param.required and f.control != "switch"]
        optional = [f for f in plain if f not in first]
        later = [*optional[COMMON:], *(f for f in self.fields if f.param.advanced)]
        return [*first, *optional[:COMMON]], later

    @property
    def rows(self) -> list[Row]:
        """What stands open: the required params, then the common ones."""
        return _rows(self._split[0])

    @property
    def advanced(self) -> list[Field]:
        return self._split[1]

    @property
    def advanced_rows(self) -> list[Row]:
        """Switches last, so that what shares lines is not torn apart."""
        return _rows(sorted(self.advanced, key=lambda f: (f.control == "switch", not f.narrow)))

    @property
    def advanced_changed(self) -> int:
        return sum(f.changed for f in self.advanced)

    @property
    def advanced_open(self) -> bool:
        return any(f.errors for f in self.advanced) or bool(self.extra_errors) or self.spec.facts == "name"

    @property
    def faulty(self) -> list[Field]:
        return [f for f in self.fields if f.errors]

    @property
    def title_errors(self) -> Sequence[str]:
        return self.errors.get(TITLE, ())

    @property
    def copies_errors(self) -> Sequence[str]:
        return self.errors.get(COPIES, ())

    @cached_property
    def splits(self) -> ParamSpec | None:
        """The main text, where its lines can be generations of their own."""
        texts = [f.param for f in self.fields if f.name == self.spec.prompt_param and f.control == "editor"]
        return texts[0] if texts else None

    @property
    def extra_errors(self) -> Sequence[str]:
        return self.errors.get(EXTRA, ()) if self.extra is not None else ()

    @property
    def doubts(self) -> Sequence[str]:
        """What whoever uses the model should know about how well it is known."""
        said = []
        if self.spec.status == "deprecated":
            said.append(
                _(
                    "RunningHub has retired this model; it may be refused. A newer one of the family serves better."
                )
            )
        if self.spec.status == "superseded":
            said.append(
                _("A newer entry of RunningHub’s list took the place of this one; it may be refused.")
            )
        if self.spec.facts == "name":
            said.append(
                _("Only its name is known, not what it takes. A manager can send its settings as JSON.")
            )
        if uncertain := [
            param.label for param in self.spec.params if param.is_uncertain and not param.hidden
        ]:
            said.append(
                _("Uncertain, because nobody tells how it has to be written: %(names)s.")
                % {"names": ", ".join(f"“{name}”" for name in uncertain)}
            )
        if self.spec.facts == "partly":
            said.append(_("Not all of this is confirmed: some settings come from one source only."))
        return said

    @property
    def other_errors(self) -> list[str]:
        """Sentences that belong to no visible field."""
        shown = (
            {f.name for f in self.fields} | {TITLE, COPIES} | ({EXTRA} if self.extra is not None else set())
        )
        if self.new_voice is not None:
            shown |= {f"voice.{part}" for part in new_voice.PARTS}
        labels = {param.key: param.label for param in self.spec.params}
        return [
            f"{labels[key]}: {sentence}" if key in labels else sentence
            for key, sentences in self.errors.items()
            if key not in shown
            for sentence in sentences
        ]

    @property
    def is_invalid(self) -> bool:
        return any(self.errors.values())

    @property
    def advanced_count(self) -> int:
        """With the title, which stands there too."""
        return len(self.advanced) + 1

    @property
    def has_voice(self) -> bool:
        return any(f.control == "voice" for f in self.fields)

    @property
    def has_picture(self) -> bool:
        return any(f.is_picture for f in self.fields)

    @cached_property
    def voice_menu(self) -> Sequence[voices.VoiceGroup]:
        """The menu beside the search: a short list, or every voice for a browser without scripts."""
        return voices.system() if self.every_voice else [voices.usual()]

    @cached_property
    def voice(self) -> voices.Voice | None:
        """The voice that is chosen now."""
        for f in self.fields:
            if f.control == "voice" and f.text:
                return voices.find(f.text, self.own_voices)
        return None

    @property
    def voice_is_listed(self) -> bool:
        """Whether the short menu has the chosen voice anyway."""
        menu = (voice for group in self.voice_menu for voice in group.voices)
        return self.voice is None or self.voice.voice_id in {v.voice_id for v in (*self.own_voices, *menu)}


def build(
    spec: ModelSpec,
    membership: Membership,
    values: Mapping[str, Any] | None = None,
    errors: Mapping[str, Sequence[str]] | None = None,
    *,
    title: str = "",
    every_voice: bool = False,
    many: Many | None = None,
    voice: Wish | None = None,
) -> ModelForm:
    """The form of this model with `values` as posted, as stored in a generation, or its defaults.

    `errors` are those of `InvalidParams`, `voice` what was said about a voice to be made. Uploads and
    voices are looked up only for models that use them.
    """
    values, errors = values or {}, errors or {}
    visible = [param for param in spec.params if not param.hidden]
    first = next((param.key for param in visible if errors.get(param.key)), None)
    media = [Field(param, values.get(param.key)) for param in visible if param.type.is_media]
    found = chosen.find((reference for field in media for reference in field.references), membership)
    fields = [
        Field(
            param,
            _value(param, values),
            errors.get(param.key, ()),
            [found[r] for r in Field(param, values.get(param.key)).references if r in found],
            results(membership, param) if param.widget == "result" else (),
            focused=param.key == first,
        )
        for param in visible
    ]
    own = voices.team_voices(membership) if any(f.control == "voice" for f in fields) else []
    asked = new_voice.fields(spec, membership, voice, errors)
    extra = as_text(values.get(EXTRA)) if membership.may_manage else None
    return ModelForm(spec, fields, title, errors, own, every_voice, many or Many.read(values), asked, extra)


def _value(param: ParamSpec, values: Mapping[str, Any]) -> Any:
    value = values.get(param.key)
    return param.default if value is None else value


def _rows(fields: Iterable[Field]) -> list[Row]:
    rows: list[Row] = []
    for narrow, together in groupby(fields, key=lambda f: f.narrow):
        if narrow:
            rows.append(Row(columns=True, fields=list(together)))
        else:
            rows += [Row(columns=False, fields=[f]) for f in together]
    return rows
