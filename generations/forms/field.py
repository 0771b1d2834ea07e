"""One param in a form: which control shows it, with which value, help and error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from generations.catalogue.file import length
from generations.catalogue.number import shown
from generations.catalogue.param import ParamSpec, ParamType
from generations.forms.chosen import Chosen
from generations.forms.results import Producer, Result, producers
from generations.uploads import CONVERTED

LONG_TEXT = 300
"""From so many characters on a text gets an editor instead of a line."""
FEW, SHORT, SEVERAL = 4, 24, 8
"""Options: so many with so few characters in all stand side by side, so many are chips, more are a list."""
STEPS = 2_000
"""A range with more steps than this cannot be hit with a slider."""
INSERTS_SHOWN = 4
EDITORS = frozenset({"longtext", "lyrics", "speech"})
NARROW = frozenset({"slider", "number", "segmented", "select"})


@dataclass(frozen=True)
class Choice:
    """One option as shown."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class Field:
    """A param with its value: in wire type out of a generation, a text or a list out of a post.

    `files` are the uploads and results that a media param holds, `results` the earlier results that a param can take
    the id of.
    """

    param: ParamSpec
    value: Any = None
    errors: Sequence[str] = ()
    files: Sequence[Chosen] = ()
    results: Sequence[Result] = ()
    focused: bool = False

    @cached_property
    def control(self) -> str:
        """The name of the template in `studio/fields/`."""
        param = self.param
        if param.type.is_media:
            return "file"
        if param.type is ParamType.BOOLEAN:
            return "switch"
        if param.widget in ("voice", "result"):
            return param.widget
        if param.options:
            return self._choosing()
        if param.type.is_number:
            return "slider" if self._slides() else "number"
        if param.widget == "pairs":
            return "pairs"
        if param.fields:
            return "entries"
        if param.multiple and not param.is_uncertain:
            return "lines"
        if param.widget in EDITORS or param.type is ParamType.COMPLEX or (param.max_length or 0) >= LONG_TEXT:
            return "editor"
        return "text"

    def _choosing(self) -> str:
        param = self.param
        if param.multiple:
            return "checks"
        unknown = bool(self.text) and self.text not in {option.value for option in param.options}
        if unknown or len(param.options) > SEVERAL or (param.default is None and not param.required):
            return "select"
        if len(param.options) <= FEW and sum(len(choice.label) for choice in self.choices) <= SHORT:
            return "segmented"
        return "choices"

    def _slides(self) -> bool:
        param = self.param
        if param.min is None or param.max is None or param.default is None:
            return False
        step = param.step or Decimal(1 if param.type is ParamType.INT else "0.01")
        return 0 < (param.max - param.min) / step <= STEPS

    @property
    def template(self) -> str:
        return f"studio/fields/_{self.control}.html"

    @property
    def narrow(self) -> bool:
        """Whether it may share a line with its neighbours."""
        return self.control in NARROW

    @property
    def name(self) -> str:
        return self.param.key

    @cached_property
    def id(self) -> str:
        return "p-" + re.sub(r"[^A-Za-z0-9_-]", "-", self.param.key)

    @cached_property
    def text(self) -> str:
        """The value as the text of a control."""
        if self.param.is_uncertain and isinstance(self.value, (list, tuple)):
            return json.dumps(self.value, ensure_ascii=False, indent=2, default=str)
        return as_text(self.value)

    @property
    def count(self) -> str:
        """Characters written and allowed, as counter.js says it."""
        return f"{len(self.text):,} / {self.param.max_length or 0:,}"

    @property
    def changed(self) -> bool:
        """Whether the value is not the default."""
        if self.param.default is None and self.param.required:
            return False
        return self.text.strip() != as_text(self.param.default)

    @property
    def on(self) -> bool:
        """The state of a switch."""
        return self.text.strip().lower() in {"true", "on", "yes", "1"}

    @property
    def is_number(self) -> bool:
        """Whether a number box can show the value; a browser would drop any other text from it."""
        return re.fullmatch(r"-?[0-9]+(\.[0-9]+)?|", self.text) is not None

    @property
    def step(self) -> str:
        if self.param.step:
            return plain(self.param.step)
        return "1" if self.param.type is ParamType.INT else "any"

    @property
    def min(self) -> str:
        return plain(self.param.min)

    @property
    def max(self) -> str:
        return plain(self.param.max)

    @cached_property
    def unit(self) -> str:
        """Words after the label: the unit of a number, or the one that all options end with."""
        if self.param.unit or not self.param.options:
            return self.param.unit
        amounts = [re.fullmatch(r"[0-9.]+ (\S+)", option.label) for option in self.param.options]
        units = {amount[1] if amount else "" for amount in amounts}
        return units.pop() if len(units) == 1 else ""

    @cached_property
    def choices(self) -> list[Choice]:
        chosen = {as_text(v) for v in self.value} if isinstance(self.value, (list, tuple)) else {self.text}
        end = f" {self.unit}" if self.unit else ""
        return [
            Choice(option.value, option.label.removesuffix(end), option.value in chosen)
            for option in self.param.options
        ]

    @property
    def extra_choice(self) -> str:
        """A value that is none of the options, shown all the same so that the person sees what was wrong."""
        return "" if any(choice.chosen for choice in self.choices) else self.text

    @property
    def unlisted(self) -> str:
        """An id that none of the results gave, shown all the same."""
        return "" if self.text in {result.value for result in self.results} else self.text

    @property
    def producers(self) -> Sequence[Producer]:
        return producers(self.param)

    @property
    def inserts(self) -> Sequence[Any]:
        return self.param.inserts[:INSERTS_SHOWN]

    @property
    def more_inserts(self) -> Sequence[Any]:
        return self.param.inserts[INSERTS_SHOWN:]

    @property
    def accepts(self) -> str:
        """The `accept` of a file input: what the param takes, and sound that is converted to it."""
        extensions = [extension.lower() for extension in self.param.accept]
        if extensions and (self.is_sound or self.param.takes_sound):
            extensions += [other for other in CONVERTED if other not in extensions]
        return ",".join(f".{name}" for name in extensions) or f"{self.param.type.value.lower()}/*"

    @property
    def is_sound(self) -> bool:
        """Whether the microphone can fill it."""
        return self.param.type is ParamType.AUDIO

    @property
    def is_picture(self) -> bool:
        """Whether a picture can be pasted into it and cropped for it."""
        return self.param.type is ParamType.IMAGE

    @property
    def recorded_bytes(self) -> int:
        """The most a recording may have: it is sent as WAV, which is converted where the param does not take it."""
        limit = self.param.max_size_mb
        if limit is None or (self.param.accept and "wav" not in self.param.accept):
            return int(settings.MAX_UPLOAD_BYTES)
        return min(limit * 1024**2, int(settings.MAX_UPLOAD_BYTES))

    @property
    def largest(self) -> int:
        """The most bytes that are worth sending; sound of another type may become smaller here."""
        return int(settings.MAX_UPLOAD_BYTES)

    @property
    def length_range(self) -> str:
        """`10 seconds to 5 minutes`, "" without limits of length."""
        least, most = self.param.min_seconds, self.param.max_seconds
        if least and most:
            return _("%(least)s to %(most)s") % {"least": length(least), "most": length(most)}
        if least:
            return _("at least %(length)s") % {"length": length(least)}
        return _("at most %(length)s") % {"length": length(most)} if most else ""

    @property
    def references(self) -> list[str]:
        """The "upload:<id>" and "output:<generation>/<index>" texts of a media param."""
        values = self.value if isinstance(self.value, (list, tuple)) else [self.value]
        return [value for value in values if isinstance(value, str) and value]

    @property
    def entry_example(self) -> str:
        """One entry of a structured list, as it is written without scripts."""
        given = {
            field.key: field.default if field.default is not None else "…" for field in self.param.fields
        }
        return json.dumps([given], ensure_ascii=False)

    @property
    def described_by(self) -> str:
        """Ids of what explains the control: its help, its error, its counter."""
        parts = []
        if self.param.help:
            parts.append(f"{self.id}-help")
        if self.param.is_uncertain:
            parts.append(f"{self.id}-uncertain")
        if self.errors:
            parts.append(f"{self.id}-error")
        if self.control == "editor" and self.param.max_length:
            parts.append(f"{self.id}-count")
        return " ".join(parts)


def as_text(value: Any) -> str:
    """Any stored or posted value as a person would type it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return plain(value)
    if isinstance(value, (list, tuple)) and not any(isinstance(v, (list, tuple, Mapping)) for v in value):
        return "\n".join(as_text(entry) for entry in value)
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def plain(number: Decimal | int | float | None) -> str:
    """A number for an attribute: a point, no exponent, no thousands."""
    return "" if number is None else shown(number).replace(",", "")
