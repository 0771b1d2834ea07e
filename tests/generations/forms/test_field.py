"""Which control a param gets follows from its hints alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Membership
from generations.catalogue.param import Option, ParamSpec, ParamType
from generations.forms import Field
from generations.forms.field import as_text


def param(kind: str, **fields: Any) -> ParamSpec:
    return ParamSpec(key="k", type=ParamType(kind), label="K", **fields)


def options(*labels: str) -> tuple[Option, ...]:
    return tuple(Option(label, label) for label in labels)


@pytest.mark.parametrize(
    ("spec", "control"),
    [
        (param("STRING"), "text"),
        (param("STRING", max_length=200), "text"),
        (param("STRING", max_length=2000), "editor"),
        (param("STRING", widget="lyrics"), "editor"),
        (param("STRING", widget="speech"), "editor"),
        (param("STRING", widget="voice"), "voice"),
        (param("STRING", widget="result"), "result"),
        (param("STRING", multiple=True), "lines"),
        (param("STRING", widget="pairs", multiple=True), "pairs"),
        (param("COMPLEX"), "editor"),
        (param("COMPLEX", multiple=True), "editor"),
        (param("COMPLEX", multiple=True, fields=(param("STRING"),)), "entries"),
        (param("MODEL"), "text"),
        (param("BOOLEAN", default=False), "switch"),
        (param("AUDIO"), "file"),
        (param("IMAGE", multiple=True), "file"),
        (param("FLOAT", min=Decimal(0), max=Decimal(1), default=0.5), "slider"),
        (param("FLOAT", min=Decimal(0), max=Decimal(1)), "number"),
        (param("INT", min=Decimal(0), max=Decimal(2**31), default=0), "number"),
        (param("INT"), "number"),
        (param("LIST", options=options("a", "b", "c"), default="a"), "segmented"),
        (param("LIST", options=options("16 kHz", "24 kHz", "32 kHz", "44.1 kHz"), default="16 kHz"), "segmented"),
        (param("LIST", options=options(*(["a rather long word"] * 3)), default="a rather long word"), "choices"),
        (param("LIST", options=options(*"abcdefgh"), default="a"), "choices"),
        (param("LIST", options=options(*"abcdefghi"), default="a"), "select"),
        (param("LIST", options=options("a", "b")), "select"),
        (param("LIST", options=options("a", "b"), required=True), "segmented"),
        (param("LIST", options=options("a", "b"), multiple=True), "checks"),
    ],
)  # fmt: skip
def test_the_control_follows_from_the_param(spec: ParamSpec, control: str) -> None:
    assert Field(spec, spec.default).control == control


def test_a_value_that_is_no_option_is_shown_all_the_same() -> None:
    field = Field(param("LIST", options=options("a", "b"), default="a"), "zzz")
    assert (field.control, field.extra_choice) == ("select", "zzz")


def test_the_common_unit_of_options_moves_to_the_label() -> None:
    field = Field(param("LIST", options=options("16 kHz", "44.1 kHz"), default="16 kHz"), "16 kHz")
    assert field.unit == "kHz"
    assert [choice.label for choice in field.choices] == ["16", "44.1"]
    assert Field(param("LIST", options=options("Speech 02 HD", "Speech 26 HD"), default="a")).unit == ""


def test_a_text_in_a_number_box_would_be_lost_so_it_is_a_text_box() -> None:
    spec = param("FLOAT", min=Decimal(0), max=Decimal(1), default=0.5)
    assert Field(spec, "0.7").is_number
    assert not Field(spec, "fast").is_number
    assert not Field(spec, "1e3").is_number


def test_changed_means_other_than_the_default() -> None:
    assert not Field(param("FLOAT", default=1), "1").changed
    assert Field(param("FLOAT", default=1), "1.05").changed
    assert not Field(param("BOOLEAN", default=False), "false").changed
    assert not Field(param("STRING", required=True), "a prompt").changed
    assert Field(param("STRING"), "something").changed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (True, "true"), (1.0, "1"), (0.05, "0.05"), (12345, "12345"), (-3, "-3"),
        (["a/b", "c/d"], "a/b\nc/d"), ({"a": 1}, '{\n  "a": 1\n}'), ("x\ud800", "x\ud800"),
    ],
)  # fmt: skip
def test_stored_values_are_shown_as_people_type_them(value: Any, text: str) -> None:
    assert as_text(value) == text


def test_help_error_and_counter_are_named_for_the_control() -> None:
    spec = param("STRING", widget="longtext", max_length=50, help="Why.")
    assert Field(spec, "", ["Fill this in."]).described_by == "p-k-help p-k-error p-k-count"


def test_an_id_has_no_odd_characters() -> None:
    odd = ParamSpec(key="node 3.text[0]", type=ParamType.STRING, label="K")
    assert Field(odd).id == "p-node-3-text-0-"


def test_a_param_of_unknown_form_is_json_and_says_so() -> None:
    uncertain = Field(param("COMPLEX", multiple=True), ["a", "b"])
    assert json.loads(uncertain.text) == ["a", "b"]
    assert uncertain.described_by == "p-k-uncertain"
    assert Field(param("COMPLEX"), "[{").text == "[{", "what was typed comes back as it was"
    assert Field(param("STRING", multiple=True), ["a", "b"]).text == "a\nb"


def test_the_form_names_what_is_uncertain(
    alice: Membership, client_of: Callable[[Membership], Client]
) -> None:
    for model, label in (
        ("skyreels-v4--omni-reference-fast", "Reference pictures"),
        ("kling-elements-advanced", "Pictures of the subject"),
    ):
        page = client_of(alice).get(f"/t/tide/create/{model}/").content.decode()
        note = "Uncertain, because nobody tells how it has to be written: "
        assert label in page.partition(note)[2].partition("</p>")[0]
        assert "Uncertain: RunningHub does not document how this is written." in page
        assert "More settings as JSON" in page, "managers may send what is known elsewhere"
