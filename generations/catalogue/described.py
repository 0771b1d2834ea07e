"""What RunningHub tells of an AI app or a workflow, brought into one form.

Neither is documented to the last: `fieldData` of an app comes in several spellings, and a workflow is a graph whose
inputs say nothing of themselves but their value. So both are read tolerantly, and what kind of input one is can be said
otherwise by whoever makes a model of it.

A fact about one input: `node` and `name` say which it is, `title` is the node's own name, `type` one of `ParamType`,
`value` what it comes with as it can be shown, `said` a description. Where they are known: `options` (value, label),
`min`, `max` and `step`. Where `value` is not the whole of what it comes with, `raw` is, as JSON; None when that cannot
be kept. `came` tells what is sent as long as nobody changes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generations.catalogue.param import ParamType
from generations.catalogue.text import Fault, printable, settled

MOST_FIELDS = 300
MOST_OPTIONS = 500
LONGEST = 10_000
LARGEST = 200_000
"""Characters of JSON that an input may come with."""
MOST_WHOLE = 2**64 - 1
"""The seeds of ComfyUI go up to here."""
TYPES = {
    **{kind.value: kind for kind in ParamType if kind not in (ParamType.MODEL, ParamType.COMPLEX)},
    "TEXT": ParamType.STRING,
    "NUMBER": ParamType.FLOAT,
    "INTEGER": ParamType.INT,
    "SLIDER": ParamType.FLOAT,
    "SELECT": ParamType.LIST,
    "COMBO": ParamType.LIST,
    "SWITCH": ParamType.BOOLEAN,
    "BOOL": ParamType.BOOLEAN,
}
SWITCHED = ("true", "false", "")
_LOADERS = {"image": ParamType.IMAGE, "audio": ParamType.AUDIO, "video": ParamType.VIDEO}
Fact = dict[str, Any]


def of_app(nodes: Sequence[Any]) -> list[Fact]:
    """The inputs of an AI app's `nodeInfoList`, in its order; what has no node or no name is left out. Raises `Fault`
    when there are more than can be kept: an app is sent all of them.
    """
    if len(nodes) > MOST_FIELDS:
        raise Fault(f"It has {len(nodes):,} inputs, and no more than {MOST_FIELDS} can be sent from here.")
    found = []
    for node in nodes:
        if not isinstance(node, Mapping):
            continue
        number, name = _short(node.get("nodeId"), 80), _short(node.get("fieldName"), 80)
        if not number or not name:
            continue
        options, bounds = _data(node.get("fieldData"))
        word = _short(node.get("fieldType"), 40).upper()
        kind = TYPES.get(word, ParamType.LIST if options else ParamType.STRING)
        kind = ParamType.LIST if options and kind in (ParamType.BOOLEAN, ParamType.STRING) else kind
        if kind is ParamType.LIST and not options:
            kind = ParamType.STRING  # a list nobody tells the values of
        if kind is ParamType.BOOLEAN and str(node.get("fieldValue")).lower() not in SWITCHED:
            kind = ParamType.STRING  # a switch with other positions than on and off
        fact: Fact = {
            "node": number,
            "name": name,
            "title": _short(node.get("nodeName"), 120),
            "type": kind.value,
            **_told(node.get("fieldValue")),
            "said": _short(node.get("descriptionEn") or node.get("description"), 300),
            "known": word in TYPES,
        }
        if kind is ParamType.LIST:
            fact["options"] = options
        if kind.is_number:
            fact |= bounds
        found.append(fact)
    return _once(found)


def of_graph(graph: Mapping[str, Any]) -> list[Fact]:
    """Every input of a workflow's graph that is a value and no wire, in the order of the graph."""
    found: list[Fact] = []
    for number, node in graph.items():
        inputs = node.get("inputs") if isinstance(node, Mapping) else None
        if not isinstance(inputs, Mapping):
            continue
        made = _short(node.get("class_type"), 80)
        meta = node.get("_meta")
        title = _short(meta.get("title"), 120) if isinstance(meta, Mapping) else ""
        for name, value in inputs.items():
            if not isinstance(value, (str, int, float, bool)) or len(found) >= MOST_FIELDS:
                continue
            found.append(
                {
                    "node": _short(number, 80),
                    "name": _short(name, 80),
                    "title": title or made,
                    "type": _kind(made, name, value).value,
                    **_told(value),
                    "said": "",
                    "known": True,
                }
            )
    return _once([fact for fact in found if fact["node"] and fact["name"]])


def identity(fact: Mapping[str, Any]) -> tuple[str, str]:
    """By which an input is the same one in another description."""
    return str(fact["node"]), str(fact["name"])


def came(fact: Mapping[str, Any]) -> Any:
    """What the input came with, whole. Raises `Fault` when it could not be kept."""
    if "raw" not in fact:
        return fact["value"]
    if fact["raw"] is None:
        raise Fault("What it comes with cannot be kept whole, so it cannot be left as it comes.")
    return json.loads(fact["raw"])


def changes(before: Sequence[Fact], after: Sequence[Fact]) -> list[tuple[str, Fact, str]]:
    """What is different upstream: ("new" | "gone" | "changed", the input, what about it), in the order of `after`."""
    were, are = {identity(one): one for one in before}, {identity(one): one for one in after}
    found = []
    for name, fact in are.items():
        if name not in were:
            found.append(("new", fact, ""))
        elif said := _differs(were[name], fact):
            found.append(("changed", fact, said))
    return found + [("gone", fact, "") for name, fact in were.items() if name not in are]


def _differs(before: Fact, after: Fact) -> str:
    said = []
    for key in ("type", "value", "min", "max", "step", "title", "said"):
        if before.get(key) != after.get(key):
            said.append(f"{key}: {printable(_plain(before.get(key)))} → {printable(_plain(after.get(key)))}")
    if before.get("raw") != after.get("raw") and before.get("value") == after.get("value"):
        said.append("value: another one than before, in what is not shown")
    ours = [value for value, _label in before.get("options", ())]
    theirs = [value for value, _label in after.get("options", ())]
    if added := [value for value in theirs if value not in ours]:
        said.append(f"more values: {printable(', '.join(added), 120)}")
    if lost := [value for value in ours if value not in theirs]:
        said.append(f"fewer values: {printable(', '.join(lost), 120)}")
    return "; ".join(said)


def _plain(value: Any) -> str:
    return "–" if value is None or value == "" else str(value)


def _kind(made: str, name: str, value: Any) -> ParamType:
    if isinstance(value, bool):
        return ParamType.BOOLEAN
    if isinstance(value, int):
        return ParamType.INT
    if isinstance(value, float):
        return ParamType.FLOAT
    if "load" in made.lower() and name.lower() in (*_LOADERS, "file"):
        return next((kind for word, kind in _LOADERS.items() if word in made.lower()), ParamType.STRING)
    return ParamType.STRING


def _data(raw: Any) -> tuple[list[list[str]], Fact]:
    """Options and bounds out of `fieldData`: JSON as text or not; a list of values, of objects with a name and an
    index, or as ComfyUI describes an input, a pair of kind and bounds.
    """
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            return [], {}
    bounds: Fact = {}
    pair = isinstance(raw, list) and len(raw) == 2 and not isinstance(raw[0], Mapping)
    if pair and isinstance(raw[1], Mapping):
        described, raw = raw[1], raw[0]
        bounds = {
            key: described[key]
            for key in ("min", "max", "step")
            if isinstance(described.get(key), (int, float))
            and not isinstance(described[key], bool)
            and abs(described[key]) <= MOST_WHOLE
        }
        if "min" in bounds and "max" in bounds and bounds["min"] > bounds["max"]:
            bounds = {}
    if isinstance(raw, list) and len(raw) == 1 and isinstance(raw[0], list):
        raw = raw[0]
    return (list(_options(raw)) if isinstance(raw, list) else []), bounds


def _options(listed: list[Any]) -> Iterator[list[str]]:
    seen = set()
    for one in listed[:MOST_OPTIONS]:
        label = one
        if isinstance(one, Mapping):
            label = one.get("name", one.get("label", one.get("description", "")))
            one = one.get("index", one.get("value", label))
        value = _short(one, 200)
        if value and value not in seen:
            seen.add(value)
            yield [value, _short(label, 120) or value]


def _told(raw: Any) -> Fact:
    """`value`, and `raw` where that is not the whole."""
    try:
        kept = json.dumps(raw, allow_nan=False)
    except (ValueError, RecursionError):
        return {"value": "", "raw": None}
    if _is_plain(raw):
        return {"value": raw}
    shown = raw if isinstance(raw, str) else "" if raw is None else json.dumps(raw, ensure_ascii=False)
    shown = "".join(c if c.isprintable() or c in "\t\n" else " " for c in shown[:LONGEST])
    return {"value": shown, "raw": kept if len(kept) <= LARGEST else None}


def _is_plain(raw: Any) -> bool:
    """Whether it can be shown, and typed, as it is."""
    if isinstance(raw, (bool, float)):
        return isinstance(raw, bool) or abs(raw) < 2**63
    if isinstance(raw, int):
        return -(2**63) < raw <= MOST_WHOLE
    if not isinstance(raw, str) or len(raw) > LONGEST:
        return False
    try:
        settled(raw)
    except Fault:
        return False
    return True


def _short(raw: Any, most: int) -> str:
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        return ""
    return re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in str(raw))).strip()[:most]


def _once(facts: list[Fact]) -> list[Fact]:
    return list({identity(fact): fact for fact in reversed(facts)}.values())[::-1]
