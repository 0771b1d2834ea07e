"""AI apps and workflows by REST: brought in, settled, used, and taken out of use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts.models import Membership
from generations import own_models
from generations.models import TeamModel
from generations.pipeline import describe
from tests.conftest import point_at
from tests.generations.api.conftest import Program
from tests.generations.foreign import APP, WORKFLOW, Foreign

Programs = Callable[[Membership], Program]
FORM = {"title": "Boats", "kind": "picture"}


@pytest.fixture
def foreign(settings: Any) -> Iterator[Foreign]:
    with Foreign() as running:
        point_at(settings, running.url)
        yield running


def brought(program: Program, source: str, pasted: str) -> str:
    answer = program.post("own-models", {"source": source, "pasted": pasted})
    assert answer.status_code == 201, answer.content
    assert answer["Location"].endswith(f"/own-models/{answer.json()['id']}")
    describe.describe(answer.json()["id"])
    return f"own-models/{answer.json()['id']}"


def test_a_program_brings_one_in_and_settles_it(
    foreign: Foreign, mona: Membership, program_of: Programs
) -> None:
    program = program_of(mona)
    place = brought(program, "app", APP)
    shown = program.get(place).json()
    assert (shown["state"], shown["title"], shown["version"]) == ("found", "Boats", None)
    assert [(one["node"], one["told"], one["use"]) for one in shown["inputs"]][:2] == [
        ("39", "IMAGE", "ask"),
        ("52", "STRING", "ask"),
    ]
    inputs = [
        {"node": "60", "name": "value", "label": "Steps"},
        {"node": "52", "name": "prompt", "start": "a tug"},
        {"node": "37", "name": "select", "use": "fix", "start": "1"},
    ]
    settled = program.post(f"{place}/form", {**FORM, "inputs": inputs, "password": "sesame"})
    assert settled.status_code == 200, settled.content
    found = settled.json()
    assert (found["version"], found["state"], found["has_password"]) == (1, "settled", True)
    assert b"sesame" not in settled.content
    schema = program.get(f"models/{found['slug']}").json()["params_schema"]["properties"]
    assert [*schema][:2] == ["value", "prompt"]
    assert schema["prompt"]["default"] == "a tug"
    assert program.post(place, {"offered": False}).json()["offered"] is False
    assert program.get(f"models/{found['slug']}").status_code == 404
    assert [one["title"] for one in program.get("own-models").json()["items"]] == ["Boats"]


def test_changes_upstream_are_told_and_left(foreign: Foreign, mona: Membership, program_of: Programs) -> None:
    program = program_of(mona)
    place = brought(program, "workflow", WORKFLOW)
    text = {"node": "6", "name": "text"}
    assert program.post(f"{place}/form", {**FORM, "inputs": [text]}).status_code == 200
    foreign.graph["6"]["inputs"]["text"] = "a harbour at dusk"
    assert program.post(f"{place}/refresh").json()["state"] == "waiting"
    describe.describe(TeamModel.objects.get().pk)
    changes = program.get(place).json()["changes"]
    assert [(one["what"], one["node"], one["said"]) for one in changes] == [
        ("changed", "6", "value: a harbour at dawn → a harbour at dusk")
    ]
    left = program.post(f"{place}/leave").json()
    assert (left["state"], left["changes"]) == ("settled", [])


@pytest.mark.parametrize(
    ("form", "place"),
    [
        ({**FORM, "kind": "poem", "inputs": []}, "kind"),
        ({**FORM, "inputs": [{"node": "1", "name": "x"}]}, "inputs.0"),
        ({**FORM, "inputs": [{"node": "60", "name": "value", "type": "AUDIO"}]}, "inputs.0.type"),
        ({**FORM, "inputs": [{"node": "60", "name": "value", "start": "many"}]}, "inputs.60.value"),
        ({**FORM, "inputs": [{"node": "52", "name": "prompt", "label": " "}]}, "inputs.52.prompt"),
    ],
)
def test_what_does_not_fit_is_said_at_its_place(
    foreign: Foreign, mona: Membership, program_of: Programs, form: dict[str, Any], place: str
) -> None:
    program = program_of(mona)
    answer = program.post(brought(program, "app", APP) + "/form", form)
    assert answer.status_code == 422
    assert place in answer.content.decode()
    assert TeamModel.objects.get().number is None


def test_nothing_is_settled_before_anything_was_fetched(
    foreign: Foreign, mona: Membership, program_of: Programs
) -> None:
    program = program_of(mona)
    place = f"own-models/{program.post('own-models', {'source': 'app', 'pasted': APP}).json()['id']}"
    refused = program.post(f"{place}/form", {**FORM, "inputs": []})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
    with pytest.raises(own_models.NotDone):
        own_models.settle(TeamModel.objects.get(), mona.user, {**FORM, "summary": "", "fields": []}, None)
    assert TeamModel.objects.get().number is None


def test_only_managers_of_the_team_may(
    foreign: Foreign,
    mona: Membership,
    bob: Membership,
    zoe: Membership,
    program_of: Programs,
    anonymous: Program,
) -> None:
    place = brought(program_of(mona), "app", APP)
    assert program_of(bob).get(place).status_code == 403
    assert program_of(zoe).get(place).status_code == 404
    assert anonymous.get(place).status_code == 401
