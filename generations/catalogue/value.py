"""One value of one param, from a form or from JSON, into its wire type."""

from __future__ import annotations

import json
import re
from collections.abc import Set
from typing import Any

from generations.catalogue import number, results, text
from generations.catalogue.param import ParamSpec, ParamType
from generations.catalogue.text import Fault

UPLOAD = r"upload:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
OUTPUT = UPLOAD.replace("upload:", "output:") + "/[0-9]{1,5}"
"""How those who ask name a result; it is an upload before the params are cleaned."""
MAX_ENTRIES = 100
"""Entries of a list whose model states no limit."""
MAX_DEPTH = 6
MAX_NODES = 1_000

_TRUE = {"true", "on", "yes", "1"}
_FALSE = {"false", "off", "no", "0"}


def read(param: ParamSpec, raw: object, *, strict: bool) -> Any:
    """The value in wire type, or None when it is empty. Raises Fault."""
    if param.type is ParamType.COMPLEX:
        return _structure(param, raw, strict=strict)
    if param.multiple:
        return _several(param, raw, strict=strict)
    return _one(param, raw, strict=strict)


def _one(param: ParamSpec, raw: object, *, strict: bool) -> Any:
    if isinstance(raw, str) and not strict and param.type is not ParamType.STRING and not raw.strip():
        return None
    match param.type:
        case ParamType.STRING | ParamType.MODEL:
            return _text(param, raw, strict=strict)
        case ParamType.INT | ParamType.FLOAT:
            if isinstance(raw, str) and not strict:
                return number.from_text(param, raw)
            return number.from_json(param, raw)
        case ParamType.BOOLEAN:
            return _flag(raw, strict=strict)
        case ParamType.LIST:
            return _choice(param, raw, strict=strict)
        case _:
            return _upload(param, raw, strict=strict)


def _several(param: ParamSpec, raw: object, *, strict: bool) -> list[Any] | None:
    if isinstance(raw, str) and not strict:
        raw = raw.replace("\r", "\n").split("\n")
    if not isinstance(raw, (list, tuple)):
        raise Fault("Send a list of values." if strict else "Enter one value a line.")
    most = MAX_ENTRIES if param.max_count is None else param.max_count
    given = [v for v in raw if strict or not (isinstance(v, str) and not v.strip())]
    if len(given) > most:
        raise Fault(f"At most {most:,} {'entry' if most == 1 else 'entries'}; this has {len(given):,}.")
    values: list[Any] = []
    for position, entry in enumerate(given, start=1):
        try:
            value = _one(param, entry, strict=strict)
            if value is None:
                raise Fault("This entry is empty; remove it or fill it in.")
            if isinstance(value, str) and "\n" in value:
                raise Fault("An entry is one line; write a second entry for the next line.")
        except Fault as fault:
            raise Fault(f"Entry {position:,}: {fault}" if len(given) > 1 else str(fault)) from None
        values.append(value)
    return values or None


def _text(param: ParamSpec, raw: object, *, strict: bool) -> str | None:
    if not isinstance(raw, str):
        raise Fault("This has to be text.")
    value = text.settled(raw)
    if not value:
        return None
    if param.widget == "result" and not strict:
        value = results.id_in(param, value) or value  # a result pasted as a whole
    text.within(value, param.min_length, param.max_length)
    if param.pattern and not re.fullmatch(param.pattern, value):
        raise Fault(param.pattern_help)
    return value


def _flag(raw: object, *, strict: bool) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and not strict:
        word = raw.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
    raise Fault("This has to be true or false." if strict else "Choose yes or no.")


def _choice(param: ParamSpec, raw: object, *, strict: bool) -> str:
    if isinstance(raw, str):
        for value in (raw,) if strict else (raw, raw.strip()):
            if any(option.value == value for option in param.options):
                return value
    known = [option.value if strict else option.label for option in param.options]
    if len(known) > 10:
        raise Fault("Choose one of the values in the list.")
    named = [json.dumps(k, ensure_ascii=False) for k in known] if strict else known
    others = f"{', '.join(named[:-1])} or " if len(named) > 1 else ""
    raise Fault(f"Choose {others}{named[-1]}.")


def _upload(param: ParamSpec, raw: object, *, strict: bool) -> str:
    if isinstance(raw, str):
        value = raw if strict else raw.strip().lower()
        if re.fullmatch(UPLOAD, value):
            return value
    if strict:
        raise Fault(
            'Give "upload:" and the id of an upload, or "output:", a generation\'s id, "/" and an index.'
        )
    raise Fault("Choose a file.")


def _structure(param: ParamSpec, raw: object, *, strict: bool) -> Any:
    if isinstance(raw, str) and not strict:
        if not raw.strip():
            return None
        try:
            raw = json.loads(text.within(raw, None, param.max_length))
        except (ValueError, RecursionError):
            raise Fault("This is not JSON that can be read; check the brackets and quotes.") from None
    if not isinstance(raw, list if param.multiple else (list, dict)):
        raise Fault("Send a list." if param.multiple else "Send a list or an object.")
    if not raw:
        return None
    most = MAX_ENTRIES if param.max_count is None else param.max_count
    if param.multiple and len(raw) > most:
        raise Fault(f"At most {most:,} {'entry' if most == 1 else 'entries'}; this has {len(raw):,}.")
    budget = [MAX_NODES]
    plain = _plain(raw, MAX_DEPTH, budget)
    return _entries(param, plain, strict=strict) if param.fields and param.multiple else plain


def _entries(param: ParamSpec, given: list[Any], *, strict: bool) -> list[Any] | None:
    """Each entry with its known fields read; what else an entry holds stays, because the form is not documented."""
    read_entries: list[Any] = []
    for position, entry in enumerate(given, start=1):
        if not isinstance(entry, dict):
            raise Fault(f"Entry {position:,}: send an object with {', '.join(f.key for f in param.fields)}.")
        if not strict and not any(
            str(entry.get(f.key, "")).strip() for f in param.fields if f.default is None
        ):
            continue
        found = {key: entry[key] for key in entry}
        for field in param.fields:
            try:
                value = read(field, found[field.key], strict=strict) if field.key in found else None
            except Fault as fault:
                raise Fault(f"Entry {position:,}, {field.label}: {fault}") from None
            value = field.default if value is None else value
            if value is None and field.required:
                raise Fault(f"Entry {position:,}, {field.label}: fill this in.")
            if value is None:
                found.pop(field.key, None)
            else:
                found[field.key] = value
        read_entries.append(found)
    return read_entries or None


def beside(raw: object, taken: Set[str], *, strict: bool) -> dict[str, Any]:
    """Settings beside those of the catalogue, as one object; none of them may have a name of `taken`. Raises Fault."""
    if isinstance(raw, str) and not strict:
        try:
            raw = json.loads(text.within(raw, None, None)) if raw.strip() else None
        except (ValueError, RecursionError):
            raise Fault("This is not JSON that can be read; check the brackets and quotes.") from None
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise Fault('Write one object of names and values, like {"style": "ink"}.')
    plain: dict[str, Any] = _plain(raw, MAX_DEPTH, [MAX_NODES])
    if known := sorted(set(plain) & taken):
        raise Fault(f"“{known[0]}” has a place of its own; leave it out here.")
    return plain


def _plain(raw: object, depth: int, budget: list[int]) -> Any:
    """A copy made of nothing but JSON values. Raises Fault when too deep, too large or anything else."""
    budget[0] -= 1
    if depth < 0 or budget[0] < 0:
        raise Fault(f"Too much structure: at most {MAX_DEPTH} levels and {MAX_NODES:,} values.")
    if isinstance(raw, dict):
        copied: dict[str, Any] = {}
        for key, value in raw.items():
            if not isinstance(key, str):
                raise Fault("Names inside the structure have to be text.")
            copied[text.within(text.settled(key), None, 200)] = _plain(value, depth - 1, budget)
        return copied
    if isinstance(raw, list):
        return [_plain(value, depth - 1, budget) for value in raw]
    if isinstance(raw, str):
        return text.within(text.settled(raw), None, None)
    if raw is None or isinstance(raw, bool):
        return raw
    if isinstance(raw, (int, float)) and abs(raw) < 2**63:
        return raw
    raise Fault("Only texts, numbers in reach, true, false, null, lists and objects can be sent.")
