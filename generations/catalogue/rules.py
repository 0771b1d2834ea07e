"""Which params of a model need or exclude one another, as data.

In a data file a rule is `{"given": [key], "when": {key: value}, "needs" or "excludes": [key], "say": sentence}`. It
binds when every param of `given` has a value and every param of `when` has the named one, compared as text ("true",
"0.5"); both may be left out, and where something is needed even both together, so that the rule always binds. Then one
of `needs` has to have a value, or none of `excludes` may have one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generations.catalogue.number import shown
from generations.catalogue.param import ParamSpec, ParamType


@dataclass(frozen=True)
class Rule:
    """`say` is the sentence for people, said at every field that has to change."""

    say: str
    given: tuple[str, ...] = ()
    when: tuple[tuple[str, str], ...] = ()
    needs: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()

    @property
    def keys(self) -> set[str]:
        """Every param the rule speaks of."""
        return {*self.given, *self.needs, *self.excludes, *(key for key, _ in self.when)}

    def broken_at(self, params: Mapping[str, Any]) -> list[str]:
        """The keys where these cleaned params break the rule; empty when they keep it."""
        if not all(key in params for key in self.given):
            return []
        if any(as_text(params.get(key)) != wanted for key, wanted in self.when):
            return []
        if self.needs:
            return [] if any(key in params for key in self.needs) else list(self.needs)
        present = [key for key in self.excludes if key in params]
        return [*self.given, *present] if present else []


def broken(
    rules: Sequence[Rule], params: Mapping[str, Any], faulty: Collection[str]
) -> list[tuple[Rule, list[str]]]:
    """The broken rules with the keys concerned. A rule about a faulty param waits until that is put right."""
    found = [(rule, rule.broken_at(params)) for rule in rules if not rule.keys & set(faulty)]
    return [(rule, keys) for rule, keys in found if keys]


def as_text(value: object) -> str:
    """A value in wire type as rules and prices of the data files name it; "" for a list and for nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return shown(value).replace(",", "") if isinstance(value, (int, float)) else ""


def in_schema(rule: Rule, params: Mapping[str, ParamSpec]) -> dict[str, Any]:
    """The rule as a part of a JSON Schema. A value left out counts as the default, an empty text as left out."""
    condition = [_given(params[key]) for key in rule.given]
    condition += [_valued(params[key], wanted) for key, wanted in rule.when]
    some = {"anyOf": [_given(params[key]) for key in rule.needs or rule.excludes]}
    if not condition:
        return {"description": rule.say} | some
    return {
        "description": rule.say,
        "if": {"allOf": condition},
        "then": some if rule.needs else {"not": some},
    }


def _given(param: ParamSpec) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    if param.multiple:
        filled = {"minItems": 1}
    elif param.type in (ParamType.STRING, ParamType.MODEL):
        filled = {"pattern": r"\S|\uFEFF"}  # which a pattern calls a space, and a text does not
    return {"required": [param.key], "properties": {param.key: filled}}


def _valued(param: ParamSpec, wanted: str) -> dict[str, Any]:
    value: Any = wanted
    if param.type is ParamType.BOOLEAN:
        value = wanted == "true"
    elif param.type.is_number:
        value = float(wanted)
    named: dict[str, Any] = {"properties": {param.key: {"const": value}}}
    return named if as_text(param.default) == wanted else named | {"required": [param.key]}
