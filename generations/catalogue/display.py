"""Params in words, for the settings card of a generation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from generations.catalogue import number
from generations.catalogue.param import ParamSpec, ParamType
from generations.catalogue.voices import voice_name


def differs(params: Sequence[ParamSpec], given: Mapping[str, Any]) -> list[str]:
    """Keys of visible params whose value is not the default, or which are optional, without one and given.

    The id of a new voice is no change: every one has its own.
    """
    return [param.key for param in params if not param.hidden and _differs(param, given)]


def rows(
    params: Sequence[ParamSpec], given: Mapping[str, Any], names: Mapping[str, str]
) -> list[tuple[str, str, bool]]:
    """(label, value in words, changed) of each param that is given, in order."""
    return [
        (param.label, words(param, given[param.key], names), _differs(param, given))
        for param in params
        if param.key in given
    ]


def words(param: ParamSpec, value: Any, names: Mapping[str, str]) -> str:
    """One value as people say it. Takes any value: stored params may be older than the catalogue."""
    if isinstance(value, list):
        return ", ".join(words(param, entry, names) for entry in value)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, (int, float)):
        text = number.shown(value).replace("-", "\N{MINUS SIGN}")
        return f"{text} {param.unit}".rstrip()
    if not isinstance(value, str):
        return "Set"
    if value in names:
        return names[value]
    if param.type is ParamType.LIST:
        return param.label_of(value)
    if param.type.is_media:
        return "Uploaded file"
    return voice_name(value) if param.widget == "voice" else value


def _differs(param: ParamSpec, given: Mapping[str, Any]) -> bool:
    if param.default is None:
        return param.key in given and not param.required and param.widget != "new_voice"
    return bool(given.get(param.key, param.default) != param.default)
