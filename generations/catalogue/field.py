"""The fields a data file may have, and what each may hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from generations.catalogue import pricing
from generations.catalogue.param import Option, ParamType
from generations.catalogue.rules import Rule
from generations.catalogue.spec import Kind, PriceRule

OUTPUTS = ("audio", "image", "video", "3d", "text")
SITES = ("ai", "cn")
FACTS = ("", "partly", "name")
STATUSES = ("", "deprecated", "superseded")
WIDGETS = ("", "longtext", "lyrics", "speech", "voice", "new_voice", "pairs", "result")

Reader = Callable[[Any], Any]


class Wrong(Exception):
    """A field cannot be used; carries the field and the problem, without the place."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def read(
    given: Mapping[str, Any], readers: Mapping[str, Reader], required: tuple[str, ...]
) -> dict[str, Any]:
    """The fields of one object of a data file, each through its reader. Raises Wrong for the first bad."""
    for field in required:
        if field not in given:
            raise Wrong(field, "is missing")
    fields: dict[str, Any] = {}
    for field, raw in given.items():
        if field not in readers:
            raise Wrong(field, "is not a field")
        try:
            fields[field] = readers[field](raw)
        except (ValueError, InvalidOperation) as error:
            raise Wrong(field, str(error) or "cannot be read") from None
    return fields


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError("has to be text")
    return raw


def _name(raw: Any) -> str:
    if not _text(raw).strip():
        raise ValueError("has to say something")
    return str(raw)


def _endpoint(raw: Any) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._\[\]-]+(/[A-Za-z0-9._\[\]-]+)*", _text(raw)):
        raise ValueError("has to be a path of letters, digits, points, dashes, brackets and slashes")
    return str(raw)


def _slug(raw: Any) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", _text(raw)):
        raise ValueError('has to hold slugs, which have "--" for "/"')
    return str(raw)


def _flag(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise ValueError("has to be true or false")
    return raw


def _count(raw: Any) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < 1:
        raise ValueError("has to be a whole number from 1")
    return raw


def _number(raw: Any) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        raise ValueError("has to be a number")
    return Decimal(repr(raw))


def _money(raw: Any) -> Decimal:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", _text(raw)) or not Decimal(raw):
        raise ValueError('has to be an amount above zero, as text like "0.80"')
    return Decimal(raw)


def _unit(raw: Any) -> str:
    if not pricing.is_unit(_text(raw)):
        raise ValueError("has to be a call, or a count of characters, seconds, images or takes")
    return str(raw)


def _pattern(raw: Any) -> str:
    try:
        re.compile(_text(raw))
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    return str(raw)


def _one_of(*allowed: str) -> Reader:
    def read(raw: Any) -> str:
        if raw not in allowed:
            raise ValueError(f"has to be one of {', '.join(repr(a) for a in allowed)}")
        return str(raw)

    return read


def _tuple_of(reader: Reader) -> Reader:
    def read(raw: Any) -> tuple[Any, ...]:
        if not isinstance(raw, list):
            raise ValueError("has to be a list")
        return tuple(reader(entry) for entry in raw)

    return read


def _option(raw: Any) -> Option:
    if isinstance(raw, list) and len(raw) == 2:
        return Option(_name(raw[0]), _name(raw[1]))
    return Option(_name(raw), raw)


def _rule(raw: Any) -> PriceRule:
    if not isinstance(raw, dict) or set(raw) != {"when", "amount"} or not isinstance(raw["when"], dict):
        raise ValueError("have a when and an amount each")
    return PriceRule(_when(raw["when"]), _money(raw["amount"]))


def _when(raw: Any) -> tuple[tuple[str, str], ...]:
    return tuple((key, _text(wanted)) for key, wanted in _object(raw).items())


def _bond(raw: Any) -> Rule:
    """A rule about params: `rules.Rule` as JSON."""
    readers: dict[str, Reader] = {
        "say": _name,
        "given": _tuple_of(_name),
        "when": _when,
        "needs": _tuple_of(_name),
        "excludes": _tuple_of(_name),
    }
    if not isinstance(raw, dict):
        raise ValueError("holds something that is not an object")
    try:
        return Rule(**read(raw, readers, ("say",)))
    except Wrong as wrong:
        raise ValueError(str(wrong)) from None


def _wire_values(raw: Any) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    site = _one_of(*SITES)
    return tuple((site(name), _when(pairs)) for name, pairs in _object(raw).items())


def _size(raw: Any) -> str:
    if not re.fullmatch(r"[1-9][0-9]{1,4}x[1-9][0-9]{1,4}", _text(raw)):
        raise ValueError('have to be written like "720x1280"')
    return str(raw)


def _object(raw: Any) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise ValueError("has to be an object")
    return dict(raw)


MODEL: dict[str, Reader] = {
    "endpoint": _endpoint,
    "title": _name,
    "vendor": _name,
    "summary": _name,
    "kind": lambda raw: Kind(raw),
    "category": _text,
    "output": _one_of(*OUTPUTS),
    "params": _tuple_of(lambda raw: raw),
    "price": lambda raw: raw,
    "rules": _tuple_of(_bond),
    "sites": _tuple_of(_one_of(*SITES)),
    "aliases": _tuple_of(_endpoint),
    "usual_seconds": _count,
    "repeats": _flag,
    "seed_param": _text,
    "notes": _tuple_of(_name),
    "example": _object,
    "prompt_param": _text,
    "facts": _one_of(*FACTS),
    "status": _one_of(*STATUSES),
}
PARAM: dict[str, Reader] = {
    "key": _name,
    "type": lambda raw: ParamType(raw),
    "label": _name,
    "help": _text,
    "required": _flag,
    "default": lambda raw: raw,
    "min": _number,
    "max": _number,
    "step": _number,
    "unit": _text,
    "min_length": _count,
    "max_length": _count,
    "options": _tuple_of(_option),
    "multiple": _flag,
    "max_count": _count,
    "accept": _tuple_of(_name),
    "max_size_mb": _count,
    "min_seconds": _count,
    "max_seconds": _count,
    "takes_sound": _flag,
    "use_as": _text,
    "widget": _one_of(*WIDGETS),
    "result_of": _tuple_of(_slug),
    "result_keys": _tuple_of(_name),
    "inserts": _tuple_of(_option),
    "advanced": _flag,
    "hidden": _flag,
    "placeholder": _text,
    "example": _text,
    "wire_key": _name,
    "wire_values": _wire_values,
    "fields": _tuple_of(_object),
    "sizes": _tuple_of(_size),
    "min_side": _count,
    "max_side": _count,
    "pattern": _pattern,
    "pattern_help": _text,
}
PRICE: dict[str, Reader] = {
    "amount": _money,
    "currency": _one_of("CNY", "USD"),
    "unit": _unit,
    "param": _text,
    "as_of": lambda raw: date.fromisoformat(_text(raw)),
    "source": _name,
    "note": _text,
    "site": _one_of(*SITES),
    "starting": _flag,
    "rules": _tuple_of(_rule),
}
