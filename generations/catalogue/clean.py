"""The params of a request, checked as a whole; every fault gets a sentence that says what to do."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from generations.catalogue import value
from generations.catalogue.param import ParamSpec, ParamType
from generations.catalogue.rules import Rule, broken
from generations.catalogue.text import Fault, printable

EXTRA = "_extra"
"""Where params hold settings that the catalogue does not know: one object, sent beside the known ones."""
NEVER_EXTRA = frozenset({EXTRA, "webhookUrl", "apiKey"})
OF_A_RUN = frozenset({"accessPassword", "workflow", "workflowId", "webappId", "nodeInfoList"})
"""What says which app or workflow runs, or opens it; a password among the params would be read by the whole team."""
MOST_UNKNOWN = 20
"""Unknown keys named in one answer."""


class InvalidParams(ValueError):
    """The params cannot be sent. `errors` maps keys to sentences; the key "" is the whole request.

    `conflicts` are those of the sentences that tell which values do not go together or miss one another.
    """

    def __init__(self, errors: dict[str, list[str]], conflicts: Sequence[str] = ()) -> None:
        super().__init__("; ".join(f"{key or 'request'}: {' '.join(said)}" for key, said in errors.items()))
        self.errors = errors
        self.conflicts = list(conflicts)


def clean(
    params: Sequence[ParamSpec],
    raw: object,
    *,
    title: str,
    strict: bool,
    rules: Sequence[Rule] = (),
    is_run: bool = False,
) -> dict[str, Any]:
    """What `ModelSpec.clean` promises, for any sequence of params. Raises InvalidParams and nothing else.

    Without any params nobody knows what the model takes, unless it is an app or a workflow, `is_run`.
    """
    if not isinstance(raw, Mapping):
        raise InvalidParams({"": ["Send the settings as one object of names and values."]})
    ours = {param.wire_key: param.key for param in params if param.wire_key}
    known = {param.key for param in params} | {EXTRA}
    given: dict[str, object] = {}
    unknown: list[object] = []
    for name in raw:
        key = ours.get(name, name) if isinstance(name, str) else ""
        if key not in known or (key != name and key in raw):
            unknown.append(name)
        else:
            given[key] = raw[name]
    errors = _unknown(unknown, title)
    cleaned: dict[str, Any] = {}
    for param in params:
        try:
            result = _settle(param, given, strict=strict)
        except Fault as fault:
            errors[param.key] = [str(fault)]
            continue
        if result is not None:
            cleaned[param.key] = result
    try:
        taken = {name for param in params for name in (param.key, param.sent_as)} | NEVER_EXTRA
        if is_run:
            taken |= OF_A_RUN
        if strict and EXTRA in given and given[EXTRA] is None:
            raise Fault("Write one object of names and values, or leave it out.")
        extra = value.beside(given.get(EXTRA), taken, strict=strict)
    except Fault as fault:
        errors[EXTRA] = [str(fault)]
    else:
        if extra:
            cleaned[EXTRA] = extra
        elif not params and not is_run:
            errors[""] = [f"Nobody told yet what {title} takes; a manager can send its settings as JSON."]
    conflicts: dict[str, None] = {}
    for rule, keys in broken(rules, cleaned, errors):
        conflicts[rule.say] = None
        for key in keys:
            errors.setdefault(key, [])
            errors[key] += [rule.say] if rule.say not in errors[key] else []
    if errors:
        raise InvalidParams(errors, list(conflicts))
    return cleaned


def _settle(param: ParamSpec, given: Mapping[str, object], *, strict: bool) -> Any:
    """The value to keep, or None to leave the param out."""
    present = param.key in given and (strict or given[param.key] is not None)
    found = value.read(param, given[param.key], strict=strict) if present else None
    if param.hidden:
        if found is not None and found != param.default:
            raise Fault("This setting is fixed and cannot be changed; leave it out.")
        return copy.copy(param.default)
    if found is not None:
        return found
    if param.required and (param.default is None or (present and _is_words(param))):
        raise Fault(_needed(param))
    return copy.copy(param.default)


def _is_words(param: ParamSpec) -> bool:
    """Emptying a text or a list says something; an empty number or switch only says nothing."""
    return not param.type.is_number and param.type is not ParamType.BOOLEAN


def _needed(param: ParamSpec) -> str:
    if param.type.is_media:
        return "Add a file here." if not param.accept else f"Add a file here: {_kinds(param.accept)}."
    if param.options or param.widget == "voice":
        return "Choose one."
    return "Fill this in; the model needs it."


def _kinds(accept: Sequence[str]) -> str:
    names = [extension.upper() for extension in accept]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _unknown(keys: Sequence[object], title: str) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for key in keys[:MOST_UNKNOWN]:
        shown = printable(key)
        errors[shown] = [f"{title} has no setting called “{shown}”; leave it out."]
    if len(keys) > MOST_UNKNOWN:
        errors[""] = [f"{len(keys):,} unknown settings in all; the first {MOST_UNKNOWN} are named."]
    return errors
