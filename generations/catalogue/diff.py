"""What a registry file of the vendor and the catalogue say differently, for somebody to look through.

The vendor publishes the models of RunningHub as JSON: a list of models, or an object with such a list under "models"
or by endpoint. A model has an `endpoint` (or `path`) and `params`; a param a `key` (or `fieldKey`, `name`), a `type`,
`required`, `default`, `options` and bounds. Older and newer files spell these in several ways, and all are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from generations.catalogue.param import ParamSpec
from generations.catalogue.spec import ModelSpec

KEYS = ("key", "fieldKey", "field_key", "fieldName", "name")
BOUNDS: Mapping[str, tuple[str, ...]] = {
    "min": ("min", "minimum", "minValue"),
    "max": ("max", "maximum", "maxValue"),
    "max_length": ("max_length", "maxLength"),
    "max_count": ("max_count", "maxCount", "maxInputNum", "max_input_num"),
    "max_size_mb": ("max_size_mb", "maxSizeMB", "maxSize"),
}


class Unreadable(ValueError):
    """The file is no registry; the text says what is missing."""


@dataclass
class Difference:
    """One model: "new", "gone" or "changed", and for the last a sentence about each setting."""

    endpoint: str
    what: str
    said: list[str] = field(default_factory=list)


def compare(ours: Sequence[ModelSpec], registry: Any) -> list[Difference]:
    """Every difference, new models first, then what is gone, then what changed, each by endpoint. Raises Unreadable."""
    theirs = dict(_models(registry))
    if not theirs:
        raise Unreadable("The file has no models: a list of objects with an endpoint each was expected.")
    names = {name: spec for spec in ours for name in (spec.endpoint, *spec.aliases)}
    new = [Difference(endpoint, "new") for endpoint in sorted(set(theirs) - set(names))]
    met = {names[endpoint].endpoint for endpoint in theirs if endpoint in names}
    gone = [Difference(spec.endpoint, "gone") for spec in ours if spec.endpoint not in met]
    changed = []
    for endpoint in sorted(set(theirs) & set(names)):
        if said := list(_changes(names[endpoint], theirs[endpoint])):
            changed.append(Difference(endpoint, "changed", said))
    return [*new, *sorted(gone, key=lambda one: one.endpoint), *changed]


def _models(registry: Any) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    listed = registry
    if isinstance(registry, dict):
        listed = next((registry[name] for name in ("models", "data", "items") if name in registry), registry)
    if isinstance(listed, dict):
        listed = [{"endpoint": key} | entry for key, entry in listed.items() if isinstance(entry, dict)]
    if not isinstance(listed, list):
        raise Unreadable("The file is neither a list of models nor an object that holds one.")
    for entry in listed:
        if not isinstance(entry, dict):
            continue
        endpoint = next((str(entry[name]) for name in ("endpoint", "path", "api") if entry.get(name)), "")
        params: Any = _first(entry, ("params", "parameters", "inputs", "fields"))
        if endpoint:
            found: list[Mapping[str, Any]] = (
                [one for one in params if isinstance(one, dict)] if isinstance(params, list) else []
            )
            yield endpoint.strip().removeprefix("/openapi/v2/").strip("/"), found


def _changes(spec: ModelSpec, theirs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    mine = {param.sent_as: param for param in spec.params}
    by_key = {str(_first(one, KEYS)): one for one in theirs if _first(one, KEYS) is not None}
    for key in by_key:
        if key not in mine:
            yield f"{key}: new"
    for key, param in mine.items():
        if key not in by_key:
            yield f"{key}: gone"
        else:
            yield from (f"{key}: {said}" for said in _changed(param, by_key[key]))


def _changed(param: ParamSpec, entry: Mapping[str, Any]) -> Iterator[str]:
    kind = str(entry.get("type") or param.type.value).upper()
    if kind != param.type.value:
        yield f"type {param.type.value} → {kind}"
    if (
        isinstance(entry.get("required"), bool)
        and entry["required"] is not param.required
        and param.widget != "new_voice"
    ):
        yield "now required" if entry["required"] else "no longer required"
    options = _options(entry)
    ours = [option.value for option in param.options]
    if options and (added := [value for value in options if value not in ours]):
        yield f"more values: {', '.join(added)}"
    if options and (lost := [value for value in ours if value not in options]):
        yield f"fewer values: {', '.join(lost)}"
    default = _first(entry, ("default", "defaultValue", "default_value"))
    if default not in (None, "") and not param.type.is_media and _plain(default) != _plain(param.default):
        yield f"default {_plain(param.default) or 'none'} → {_plain(default)}"
    for bound, names in BOUNDS.items():
        theirs = _number(_first(entry, names))
        known = getattr(param, bound)
        if (
            theirs is not None
            and (known is None or Decimal(known) != theirs)
            and not (bound == "max_count" and not param.multiple)
        ):
            yield f"{bound} {'none' if known is None else known} → {theirs.normalize():f}"


def _options(entry: Mapping[str, Any]) -> list[str]:
    listed = _first(entry, ("options", "enum", "values"))
    if not isinstance(listed, list):
        return []
    return [
        str(one.get("value", one.get("index", ""))) if isinstance(one, dict) else str(one) for one in listed
    ]


def _first(entry: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((entry[name] for name in names if entry.get(name) is not None), None)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    number = _number(value) if isinstance(value, (int, float, Decimal)) else None
    return f"{number.normalize():f}" if number is not None else str(value)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
