"""The params of a model as JSON Schema 2020-12, for those who call REST."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from generations.catalogue.clean import EXTRA
from generations.catalogue.param import ParamSpec, ParamType
from generations.catalogue.rules import Rule, in_schema
from generations.catalogue.text import MAX_TEXT
from generations.catalogue.value import MAX_ENTRIES, OUTPUT, UPLOAD

_EXTRA = {
    "type": "object",
    "title": "More settings",
    "description": "What this catalogue does not know yet, sent as it is. Only managers may give it.",
}
_TYPES = {ParamType.INT: "integer", ParamType.FLOAT: "number", ParamType.BOOLEAN: "boolean"}

_UNCERTAIN = "How it has to be written is not documented; it is sent as it is."


def of(params: Sequence[ParamSpec], *, title: str, rules: Sequence[Rule] = ()) -> dict[str, Any]:
    """One object without further properties; required are the params that have no default to fall back on."""
    by_key = {param.key: param for param in params}
    bonds = {"allOf": [in_schema(rule, by_key) for rule in rules]} if rules else {}
    return bonds | {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": {param.key: _property(param) for param in params} | {EXTRA: _EXTRA},
        "required": [param.key for param in params if param.required and param.default is None],
        "additionalProperties": False,
    }


def _property(param: ParamSpec) -> dict[str, Any]:
    if param.hidden:
        return {"title": param.label, "const": param.default, "default": param.default}
    described: dict[str, Any] = {"title": param.label}
    if said := " ".join(part for part in (param.help, _UNCERTAIN if param.is_uncertain else "") if part):
        described["description"] = said
    if param.default is not None:
        described["default"] = param.default
    if param.example:
        described["examples"] = [[param.example] if param.multiple else param.example]
    if param.multiple and param.type is not ParamType.COMPLEX:
        most = MAX_ENTRIES if param.max_count is None else param.max_count
        described |= {"type": "array", "items": _single(param), "maxItems": most}
        if param.required:
            described["minItems"] = 1
        return described
    return described | _single(param)


def _single(param: ParamSpec) -> dict[str, Any]:
    if param.type is ParamType.COMPLEX and param.fields:
        entry = {
            "type": "object",
            "properties": {field.key: _property(field) for field in param.fields},
            "required": [field.key for field in param.fields if field.required and field.default is None],
        }
        return {"type": "array", "items": entry, "maxItems": param.max_count or MAX_ENTRIES}
    if param.type is ParamType.COMPLEX:
        return {"type": "array"} if param.multiple else {"type": ["array", "object"]}
    if param.type.is_media:
        return _media(param)
    if param.type is ParamType.LIST:
        return {
            "type": "string",
            "enum": [option.value for option in param.options],
            "x-labels": {option.value: option.label for option in param.options},
        }
    if param.type in _TYPES:
        return {"type": _TYPES[param.type]} | _bounds(param)
    return _text(param)


def _text(param: ParamSpec) -> dict[str, Any]:
    described: dict[str, Any] = {
        "type": "string",
        "maxLength": MAX_TEXT if param.max_length is None else param.max_length,
    }
    least = param.min_length or (1 if param.required or param.multiple else 0)
    if least:
        described["minLength"] = least
    if param.pattern:
        described["pattern"] = f"^(?:{param.pattern})$"
    return described


def _media(param: ParamSpec) -> dict[str, Any]:
    described: dict[str, Any] = {"type": "string", "pattern": f"^(?:{UPLOAD}|{OUTPUT})$"}
    if param.accept:
        described["x-accept"] = list(param.accept)
    if param.max_size_mb is not None:
        described["x-max-size-mb"] = param.max_size_mb
    if param.min_seconds is not None:
        described["x-min-seconds"] = param.min_seconds
    if param.max_seconds is not None:
        described["x-max-seconds"] = param.max_seconds
    return described


def _bounds(param: ParamSpec) -> dict[str, Any]:
    described: dict[str, Any] = {}
    if param.min is not None:
        described["minimum"] = _plain(param.min)
    if param.max is not None:
        described["maximum"] = _plain(param.max)
    return described


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)
