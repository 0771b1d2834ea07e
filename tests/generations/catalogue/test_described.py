"""What RunningHub tells of apps and workflows is read in every spelling, and nothing it tells breaks anything."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generations.catalogue import described, own
from generations.catalogue.run import Source
from generations.catalogue.spec import EXTRA, ModelSpec
from generations.catalogue.text import Fault

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def node(kind: str, value: Any = "", data: Any = None, **more: Any) -> dict[str, Any]:
    told = {"nodeId": "5", "fieldName": "size", "fieldValue": value, "fieldType": kind, "fieldData": data}
    return told | {"description": "", "descriptionEn": "", "nodeName": "Size"} | more


def spec(fields: list[dict[str, Any]], source: Source = Source.APP, **said: Any) -> ModelSpec:
    data = {"title": "X", "summary": "", "kind": "picture", "fields": fields, **said}
    return own.spec_of("ai-app--0", source, "1", data, owner=1, form=1, sites=("ai",))


@pytest.mark.parametrize(
    ("given", "kind", "options"),
    [
        (node("STRING", "x"), "STRING", None),
        (node("TEXT", "x"), "STRING", None),
        (node("image", "a.png"), "IMAGE", None),
        (node("LIST", "a", '["a", "b"]'), "LIST", [["a", "a"], ["b", "b"]]),
        (node("LIST", "a", '[["a", "b"], {"default": "a"}]'), "LIST", [["a", "a"], ["b", "b"]]),
        (node("LIST", "a", [["a", "b"]]), "LIST", [["a", "a"], ["b", "b"]]),
        (node("SWITCH", "1", '[{"name": "Ink", "index": 1}]'), "LIST", [["1", "Ink"]]),
        (node("COMBO", "1", '[{"label": "Ink", "value": "i"}]'), "LIST", [["i", "Ink"]]),
        (node("LIST", "a", "{broken"), "STRING", None),
        (node("SWITCH", "true"), "BOOLEAN", None),
        (node("SWITCH", "2"), "STRING", None),
        (node("HOLOGRAM", "x"), "STRING", None),
    ],
)
def test_the_spellings_of_an_input(given: dict[str, Any], kind: str, options: Any) -> None:
    (fact,) = described.of_app([given])
    assert (fact["type"], fact.get("options")) == (kind, options)
    assert fact["known"] is (given["fieldType"] != "HOLOGRAM")


def test_bounds_of_numbers_are_read_and_senseless_ones_are_not() -> None:
    data = '["INT", {"default": 20, "min": 1, "max": 40, "step": 1}]'
    (param,) = spec(own.begun(described.of_app([node("INT", "20", data)]), Source.APP)).params
    assert (param.min, param.max, param.step, param.default) == (1, 40, 1, 20)
    for senseless in ('["INT", {"min": NaN}]', '["INT", {"min": 9, "max": 1}]', '["INT", {"min": true}]'):
        (param,) = spec(own.begun(described.of_app([node("INT", "20", senseless)]), Source.APP)).params
        assert (param.min, param.max) == (None, None)


def test_inputs_of_one_name_have_keys_of_their_own_and_keep_them() -> None:
    facts = described.of_app(
        [node("STRING", nodeId="5"), node("STRING", nodeId="6"), node("STRING", fieldName="title")]
    )
    fields = own.begun(facts, Source.APP)
    assert [one["key"] for one in fields] == ["size", "size_6", "title_5"]
    again = own.begun(facts[1:], Source.APP, fields)
    assert [one["key"] for one in again] == ["size_6", "title_5"]


def test_a_number_goes_in_the_form_it_came_in() -> None:
    facts = described.of_graph({"3": {"class_type": "K", "inputs": {"cfg": 7.5, "on": True, "steps": "20"}}})
    fields = [one | {"use": "ask"} for one in own.begun(facts, Source.WORKFLOW)]
    made = spec(fields, Source.WORKFLOW)
    params = made.clean({"cfg": "3", "on": "false", "steps": "9"})
    sent = [
        one["fieldValue"] for one in made.body(params | {EXTRA: {"retainSeconds": 30}}, {})["nodeInfoList"]
    ]
    assert sent == [3, False, "9"]
    assert made.body({EXTRA: {"workflowId": "2", "retainSeconds": 30}}, {})["workflowId"] == "1"


def test_what_a_graph_wires_is_no_input() -> None:
    graph = {"3": {"inputs": {"model": ["4", 0], "seed": 1}}, "4": "odd", "5": {"inputs": []}}
    assert [one["name"] for one in described.of_graph(graph)] == ["seed"]


def test_a_fixed_value_has_to_fit() -> None:
    (field,) = own.begun(described.of_app([node("INT", "20")]), Source.APP)
    assert own.faults(field | {"use": "fix", "start": "many"})
    assert not own.faults(field | {"use": "fix", "start": "7"})
    assert own.faults(field | {"label": " "})


def test_changes_are_told_by_input() -> None:
    before = described.of_app(
        [node("INT", "20", '["INT", {"max": 40}]'), node("LIST", "a", '["a", "b"]', nodeId="6")]
    )
    after = described.of_app([node("INT", "30", '["INT", {"max": 50}]'), node("STRING", "x", nodeId="7")])
    told = [(what, fact["node"], said) for what, fact, said in described.changes(before, after)]
    assert told == [("changed", "5", "value: 20 → 30; max: 40 → 50"), ("new", "7", ""), ("gone", "6", "")]
    assert described.changes(after, after) == []


@settings(max_examples=150, deadline=None)
@given(JSON, JSON, JSON, JSON)
def test_nothing_that_is_told_breaks_anything(kind: Any, value: Any, data: Any, said: Any) -> None:
    for source, facts in (
        (
            Source.APP,
            described.of_app(
                [node("INT") | {"fieldType": kind, "fieldValue": value}, node("LIST", value, data)]
            ),
        ),
        (Source.APP, described.of_app([data, node("STRING", value, data, description=said, nodeName=kind)])),
        (
            Source.WORKFLOW,
            described.of_graph({"3": {"inputs": {"x": value}, "_meta": said, "class_type": kind}}),
        ),
    ):
        json.dumps(facts, allow_nan=False)
        fields = own.begun(facts, source)
        if all(not own.faults(one) for one in fields):
            made = spec(fields, source)
            made.json_schema()
            assert all(not isinstance(param.min, Decimal) or param.min.is_finite() for param in made.params)
        else:
            with suppress(Fault):
                spec(fields, source)
