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
from generations.catalogue.spec import EXTRA, InvalidParams, ModelSpec
from generations.catalogue.text import Fault
from tests.effort import tries

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
        assert (param.min, param.max) == (None, described.MOST_WHOLE)


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


@pytest.mark.parametrize(
    "told",
    [
        "Long. " * 3_000,
        "a bell\x07",
        "half a pair \ud800",
        " with ends\r\n",
        {"b": [1, None], "a": "x"},
        ["1", 2.5],
        None,
        2**63,
        2**64 - 1,
        2**80,
        -(2**70),
        1e300,
        True,
        7.0,
        "",
    ],
)
def test_what_an_app_comes_with_is_sent_whole(told: Any) -> None:
    (field,) = own.begun(json.loads(json.dumps(described.of_app([node("TEXT", told)]))), Source.APP)
    assert len(str(field["value"])) <= described.LONGEST
    for use in ({"use": "leave"}, {"use": "ask", "start": ""}):
        (sent,) = spec([field | use]).body({}, {})["nodeInfoList"]
        assert repr(sent["fieldValue"]) == repr(told)
    if "raw" not in field:
        (sent,) = spec([field | {"use": "fix"}]).body({}, {})["nodeInfoList"]
        assert repr(sent["fieldValue"]) == repr(told)
    else:
        assert own.faults(field | {"use": "fix"}, Source.APP)
        assert not own.faults(field | {"use": "fix", "start": "another"}, Source.APP)


def test_what_cannot_be_kept_whole_is_not_left_as_it_comes() -> None:
    facts = described.of_app([node("TEXT", "x" * described.LARGEST), node("TEXT", [1e999], nodeId="6")])
    for field in own.begun(json.loads(json.dumps(facts, allow_nan=False)), Source.APP):
        for use in ({"use": "leave"}, {"use": "ask", "required": False}):
            with pytest.raises(Fault, match=r"Size.*: What it comes with cannot be kept whole"):
                spec([field | use])
            assert own.faults(field | use, Source.APP) == [
                "What it comes with cannot be kept whole, so it cannot be left as it comes."
            ]
            assert not own.faults(field | use, Source.WORKFLOW)
        assert not own.faults(field | {"required": True}, Source.APP)
        made = spec([field | {"required": True}])
        sent = made.body(made.clean({field["key"]: "given"}), {})["nodeInfoList"]
        assert sent[0]["fieldValue"] == "given"
        assert spec([field | {"use": "leave"}], Source.WORKFLOW).body({}, {}) == {"workflowId": "1"}


def test_an_app_with_more_inputs_than_can_be_sent_is_refused() -> None:
    nodes = [node("INT", "1", nodeId=str(number)) for number in range(described.MOST_FIELDS + 1)]
    assert len(described.of_app(nodes[1:])) == described.MOST_FIELDS
    with pytest.raises(Fault, match="It has 301 inputs"):
        described.of_app(nodes)


def test_of_a_workflow_nothing_is_sent_that_was_not_given() -> None:
    graph = {"3": {"class_type": "K", "inputs": {"text": "Long. " * 3_000, "seed": 2**64 - 1}}}
    fields = [one | {"use": "ask"} for one in own.begun(described.of_graph(graph), Source.WORKFLOW)]
    made = spec(fields, Source.WORKFLOW)
    seed = {"nodeId": "3", "fieldName": "seed", "fieldValue": 2**64 - 1}
    assert made.body(made.clean({}), {})["nodeInfoList"] == [seed]
    assert made.clean({"seed": str(2**64 - 1)})["seed"] == 2**64 - 1
    assert made.clean({"seed": 2**64 - 1}, strict=True)["seed"] == 2**64 - 1
    with pytest.raises(InvalidParams):
        made.clean({"seed": str(2**64)})


def test_a_change_past_what_is_shown_is_told() -> None:
    before, after = (described.of_app([node("TEXT", "Long. " * 3_000 + end)]) for end in "ab")
    assert [what for what, _fact, _said in described.changes(before, after)] == ["changed"]


def test_a_fixed_value_has_to_fit() -> None:
    (field,) = own.begun(described.of_app([node("INT", "20")]), Source.APP)
    assert own.faults(field | {"use": "fix", "start": "many"}, Source.APP)
    assert not own.faults(field | {"use": "fix", "start": "7"}, Source.APP)
    assert own.faults(field | {"label": " "}, Source.APP)


def test_a_voice_is_never_sent_without_being_asked_for() -> None:
    (field,) = own.begun(described.of_app([node("STRING", "secret_voice")]), Source.APP)
    fixed = field | {"type": own.VOICE, "use": "fix"}
    assert own.faults(fixed, Source.APP) == [
        "A voice is chosen by whoever generates. Ask for it, or take it for a text."
    ]
    (param,) = spec([fixed | {"label": ""}]).params  # as an earlier version of the form has it
    assert (param.widget, param.required, param.default, param.label) == ("voice", True, None, "size")


@pytest.mark.parametrize("start", ["secret_voice", "wise_woman", " Wise_Woman"])
def test_a_voice_begins_with_one_of_the_system_or_with_none(start: str) -> None:
    (field,) = own.begun(described.of_app([node("STRING", "x")]), Source.APP)
    voice = field | {"type": own.VOICE, "required": True}
    assert own.faults(voice | {"start": start}, Source.APP) == [
        "It can begin with a voice of the system only. Give the id of one, or leave that empty."
    ]
    made = spec([voice | {"start": start}])
    assert start not in str(made.json_schema())
    assert made.params[0].default is None
    for known, default in (("Wise_Woman", "Wise_Woman"), ("", None)):
        assert not own.faults(voice | {"start": known}, Source.APP)
        assert spec([voice | {"start": known}]).params[0].default == default


def test_a_choice_that_is_taken_for_a_text_or_a_voice_has_no_values_of_its_own() -> None:
    (field,) = own.begun(described.of_app([node("LIST", "a", '["a", "b"]')]), Source.APP)
    (param,) = spec([field]).params
    assert [one.value for one in param.options] == ["a", "b"]
    text = field | {"type": "STRING", "start": "api-lora-cn/1.safetensors"}
    assert not own.faults(text, Source.APP)
    (param,) = spec([text]).params
    assert (param.options, param.default) == ((), "api-lora-cn/1.safetensors")
    (sent,) = spec([text | {"use": "fix"}]).body({}, {})["nodeInfoList"]
    assert sent["fieldValue"] == "api-lora-cn/1.safetensors"
    (param,) = spec([field | {"type": own.VOICE, "start": ""}]).params
    assert (param.options, param.default) == ((), None)


def test_changes_are_told_by_input() -> None:
    before = described.of_app(
        [node("INT", "20", '["INT", {"max": 40}]'), node("LIST", "a", '["a", "b"]', nodeId="6")]
    )
    after = described.of_app([node("INT", "30", '["INT", {"max": 50}]'), node("STRING", "x", nodeId="7")])
    told = [(what, fact["node"], said) for what, fact, said in described.changes(before, after)]
    assert told == [("changed", "5", "value: 20 → 30; max: 40 → 50"), ("new", "7", ""), ("gone", "6", "")]
    assert described.changes(after, after) == []


@settings(max_examples=tries(150), deadline=None)
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
        if all(not own.faults(one, source) for one in fields):
            made = spec(fields, source)
            made.json_schema()
            assert all(not isinstance(param.min, Decimal) or param.min.is_finite() for param in made.params)
        else:
            with suppress(Fault):
                spec(fields, source)
