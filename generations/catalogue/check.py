"""One model of a data file into a `ModelSpec`; the first fault is named by file, model and field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generations.catalogue import field, pricing, rules, value
from generations.catalogue.clean import InvalidParams
from generations.catalogue.faults import BadData
from generations.catalogue.field import Wrong
from generations.catalogue.param import ParamSpec, ParamType
from generations.catalogue.spec import ModelSpec, Price
from generations.catalogue.text import Fault


def model(entry: Mapping[str, Any], shared: Mapping[str, Any], *, file: str) -> ModelSpec:
    """The spec of one entry of a file. Raises BadData."""
    name = entry.get("endpoint")
    try:
        return _model(entry, shared)
    except Wrong as wrong:
        raise BadData(file, name if isinstance(name, str) else "", wrong.field, wrong.problem) from None


def _model(entry: Mapping[str, Any], shared: Mapping[str, Any]) -> ModelSpec:
    fields = field.read(
        entry, field.MODEL, ("endpoint", "title", "vendor", "summary", "kind", "params", "output")
    )
    fields["params"] = tuple(_param(given, shared) for given in fields["params"])
    fields["price"] = _price(fields["price"]) if fields.get("price") is not None else None
    fields.setdefault("category", "")
    spec = ModelSpec(**fields)
    keys = [param.key for param in spec.params]
    if bool(keys) == (spec.facts == "name"):
        raise Wrong("params", "is empty, which only goes with facts of the name")
    if len(set(keys)) < len(keys):
        raise Wrong("params", "holds a key twice")
    if len({param.sent_as for param in spec.params}) < len(keys):
        raise Wrong("params", "holds a wire key twice")
    if spec.prompt_param and spec.prompt_param not in keys:
        raise Wrong("prompt_param", "is not the key of a param")
    if spec.seed_param and (not spec.repeats or spec.seed_param not in keys):
        raise Wrong("seed_param", "is the key of a param of a model that repeats")
    _price_fits(spec, keys)
    for rule in spec.rules:
        _rule_fits(rule, {param.key: param for param in spec.params})
    _example_fits(spec)
    return spec


def _param(given: Any, shared: Mapping[str, Any]) -> ParamSpec:
    if not isinstance(given, dict):
        raise Wrong("params", "holds something that is not an object")
    if "use" in given:
        base = shared.get(given["use"]) if isinstance(given["use"], str) else None
        if not isinstance(base, dict):
            raise Wrong("params.use", f"{given['use']!r} is not a shared param")
        given = {"key": given["use"]} | base | {k: v for k, v in given.items() if k != "use"}
    key = given.get("key")
    place = f"params.{key}" if isinstance(key, str) else "params"
    try:
        fields = field.read(given, field.PARAM, ("key", "type", "label"))
        fields["fields"] = tuple(_param(one, {}) for one in fields.get("fields", ()))
        param = ParamSpec(**fields)
        _param_fits(param)
    except Wrong as wrong:
        raise Wrong(f"{place}.{wrong.field}", wrong.problem) from None
    return param


def _param_fits(param: ParamSpec) -> None:
    if (param.type is ParamType.LIST) != bool(param.options):
        raise Wrong("options", "belong to LIST, and a LIST needs some")
    values = [option.value for option in param.options]
    if len(set(values)) < len(values):
        raise Wrong("options", "hold a value twice")
    if param.min is not None and param.max is not None and param.min > param.max:
        raise Wrong("max", "is below the minimum")
    if param.min_length and param.max_length and param.min_length > param.max_length:
        raise Wrong("max_length", "is below the minimum")
    if not (param.widget == "result") == bool(param.result_of) == bool(param.result_keys):
        raise Wrong("result_of", 'and result_keys go with the widget "result"')
    if param.result_of and (param.type is not ParamType.STRING or param.multiple):
        raise Wrong("result_of", "belongs to one STRING")
    if param.min_seconds and param.max_seconds and param.min_seconds > param.max_seconds:
        raise Wrong("max_seconds", "is below the minimum")
    if param.takes_sound and (param.type is not ParamType.VIDEO or "mov" not in param.accept):
        raise Wrong("takes_sound", "belongs to a VIDEO that accepts mov")
    if (param.use_as or param.min_seconds or param.max_seconds) and not param.type.is_media:
        raise Wrong("type", "has to be a file for use_as, min_seconds and max_seconds")
    if param.fields and (param.type is not ParamType.COMPLEX or not param.multiple):
        raise Wrong("fields", "belong to a COMPLEX list")
    if (param.sizes or param.min_side or param.max_side) and param.type is not ParamType.IMAGE:
        raise Wrong("type", "has to be IMAGE for sizes and sides")
    if any(value not in values for _, pairs in param.wire_values for value, _ in pairs):
        raise Wrong("wire_values", "name a value that is not an option")
    if bool(param.pattern) != bool(param.pattern_help):
        raise Wrong("pattern_help", "goes with a pattern")
    if param.hidden and param.default is None:
        raise Wrong("default", "is needed by a hidden param")
    if param.default is not None:
        try:
            read = value.read(param, param.default, strict=True)
        except Fault as fault:
            raise Wrong("default", str(fault)) from None
        if read != param.default or type(read) is not type(param.default):
            raise Wrong("default", f"is not in wire type; write {read!r}")


def _price(given: Any) -> Price:
    if not isinstance(given, dict):
        raise Wrong("price", "has to be an object")
    try:
        fields = field.read(given, field.PRICE, ("currency", "unit", "as_of", "source", "site"))
        rules = fields.setdefault("rules", ())
        if rules:
            fields.setdefault("amount", min(rule.amount for rule in rules))
        if "amount" not in fields:
            raise Wrong("amount", "is missing")
        return Price(**fields)
    except Wrong as wrong:
        raise Wrong(f"price.{wrong.field}", wrong.problem) from None


def _price_fits(spec: ModelSpec, keys: list[str]) -> None:
    if spec.price is None:
        return
    counted = pricing.counts(spec.price.unit) != "call"
    if counted != bool(spec.price.param) or (counted and spec.price.param not in keys):
        raise Wrong("price.param", "names the param that is counted, and nothing when calls are")
    if any(key not in keys for rule in spec.price.rules for key, _ in rule.when):
        raise Wrong("price.rules", "name a param the model does not have")


def _rule_fits(rule: rules.Rule, params: Mapping[str, ParamSpec]) -> None:
    if bool(rule.needs) == bool(rule.excludes):
        raise Wrong("rules", "need either needs or excludes each")
    if not rule.given and not rule.when and not rule.needs:
        raise Wrong("rules", "need a given, a when or a needs each")
    if unknown := sorted(rule.keys - set(params)):
        raise Wrong("rules", f"name {unknown[0]}, which is not the key of a param")
    for key in (*rule.given, *rule.needs, *rule.excludes):
        if params[key].default is not None or params[key].required:
            raise Wrong("rules", f"ask whether {key} is given, which it always is")
    for key, wanted in rule.when:
        try:
            read = value.read(params[key], wanted, strict=False)
        except Fault as fault:
            raise Wrong("rules", f"name a value of {key} that it cannot have: {fault}") from None
        if rules.as_text(read) != wanted:
            raise Wrong("rules", f"name a value of {key} in another way than it is sent; write {read!r}")


def _example_fits(spec: ModelSpec) -> None:
    stand_in = "upload:00000000-0000-0000-0000-000000000000"
    media = {
        p.key: [stand_in] if p.multiple else stand_in for p in spec.params if p.type.is_media and p.required
    }
    if spec.facts == "name":
        return
    try:
        spec.clean(media | dict(spec.example), strict=True)
    except InvalidParams as error:
        raise Wrong("example", str(error)) from None
