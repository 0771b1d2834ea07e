"""AI apps and workflows to try without a key: what they tell of themselves, and which model makes what they promise.

Two apps, ``1900000000000000001`` (pictures) and ``…002`` (music), and two workflows, ``1900000000000000101`` and
``…102``, of which the second one wants the access password ``sandbox``.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generations.sandbox.refusals import Refusal

RATIOS = ["1:1", "3:4", "4:3", "9:16", "16:9"]
Inputs = dict[tuple[str, str], Any]


@dataclass(frozen=True)
class App:
    """``model`` makes it, or ``edits`` where a file is given; ``fills`` says which of its params an input is."""

    name: str
    model: str
    nodes: tuple[dict[str, Any], ...]
    fills: Mapping[tuple[str, str], str]
    edits: str = ""


@dataclass(frozen=True)
class Workflow:
    """As an app, from a graph; ``password`` opens it where it is protected."""

    model: str
    graph: Mapping[str, Any]
    fills: Mapping[tuple[str, str], str]
    password: str = ""


def _node(
    number: str, name: str, field: str, kind: str, value: str, said: str, data: Any = None
) -> dict[str, Any]:
    return {
        "nodeId": number,
        "nodeName": name,
        "fieldName": field,
        "fieldValue": value,
        "fieldData": None if data is None else json.dumps(data),
        "fieldType": kind,
        "description": said,
        "descriptionEn": said,
    }


APPS = {
    "1900000000000000001": App(
        "Poster press",
        "rhart-image-v1/text-to-image",
        (
            _node("12", "LoadImage", "image", "IMAGE", "example.png", "A picture to start from"),
            _node("20", "Text", "text", "STRING", "A lighthouse, woodcut, two colours", "What to see"),
            _node("31", "Aspect", "ratio", "LIST", "3:4", "Shape", [RATIOS, {}]),
            _node("44", "Grain", "on", "SWITCH", "true", "Paper grain"),
        ),
        {("12", "image"): "imageUrls", ("20", "text"): "prompt", ("31", "ratio"): "aspectRatio"},
        edits="rhart-image-v1/edit",
    ),
    "1900000000000000002": App(
        "Harbour radio",
        "minimax/music-2.6/text-to-instrumental",
        (
            _node("3", "Prompt", "value", "STRING", "Slow accordion over waves", "What to hear"),
            _node(
                "8",
                "Format",
                "select",
                "SWITCH",
                "mp3",
                "Format",
                [{"name": "MP3", "index": "mp3"}, {"name": "WAV", "index": "wav"}],
            ),
        ),
        {("3", "value"): "prompt", ("8", "select"): "format"},
    ),
}
_GRAPH = {
    "3": {
        "class_type": "KSampler",
        "inputs": {"seed": 42, "steps": 20, "cfg": 7.5, "sampler_name": "euler", "positive": ["6", 0]},
        "_meta": {"title": "Sampler"},
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sea.safetensors"}},
    "6": {
        "class_type": "CLIPTextEncode",
        "inputs": {"text": "a harbour at dawn, watercolour", "clip": ["4", 1]},
        "_meta": {"title": "Prompt"},
    },
    "7": {"class_type": "AspectRatio", "inputs": {"ratio": "4:3", "swap": False}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "harbour", "images": ["8", 0]}},
}  # fmt: skip
_FILLS = {("6", "text"): "prompt", ("7", "ratio"): "aspectRatio"}
WORKFLOWS = {
    "1900000000000000101": Workflow("rhart-image-v1/text-to-image", _GRAPH, _FILLS),
    "1900000000000000102": Workflow("rhart-image-v1/text-to-image", _GRAPH, _FILLS, "sandbox"),
}


def form(webapp_id: str) -> dict[str, Any]:
    """What an app asks for. Raises Refusal 901."""
    app = APPS.get(webapp_id)
    if app is None:
        raise Refusal(901)
    told = {"webappName": app.name, "curl": "", "statisticsInfo": {}, "covers": [], "tags": []}
    return told | {"nodeInfoList": copy.deepcopy(list(app.nodes))}


def graph(workflow_id: Any) -> dict[str, Any]:
    """The graph of a workflow. Raises Refusal 380."""
    workflow = WORKFLOWS.get(str(workflow_id))
    if workflow is None:
        raise Refusal(380)
    return {"prompt": json.dumps(workflow.graph)}


def app_order(body: Mapping[str, Any], base: str) -> tuple[str, dict[str, Any]]:
    """The model that makes what an app is asked for, and its body. Raises Refusal 901, 803."""
    app = APPS.get(str(body.get("webappId")))
    if app is None:
        raise Refusal(901)
    given = _inputs(body)
    if set(given) != {(node["nodeId"], node["fieldName"]) for node in app.nodes}:
        raise Refusal(803)
    filled = _filled(app.fills, given, base)
    is_edit = bool(app.edits) and "imageUrls" in filled
    return app.edits if is_edit else app.model, filled | _webhook(body)


def workflow_order(body: Mapping[str, Any], base: str) -> tuple[str, dict[str, Any]]:
    """As ``app_order``, of a workflow. Raises Refusal 380, 301, 803."""
    workflow = WORKFLOWS.get(str(body.get("workflowId")))
    if workflow is None:
        raise Refusal(380)
    if workflow.password and body.get("accessPassword") != workflow.password:
        raise Refusal(301, "the access password is wrong")
    usual: Inputs = {
        (number, name): value
        for number, node in workflow.graph.items()
        for name, value in node["inputs"].items()
    }
    given = _inputs(body)
    if not set(given) <= set(usual):
        raise Refusal(803)
    return workflow.model, _filled(workflow.fills, usual | given, base) | _webhook(body)


def app_nodes(body: Mapping[str, Any]) -> list[str]:
    """The nodes that work one after the other; there is such an app."""
    return list(dict.fromkeys(node["nodeId"] for node in APPS[str(body["webappId"])].nodes))


def workflow_nodes(body: Mapping[str, Any]) -> list[str]:
    """As ``app_nodes``, of a workflow."""
    return list(WORKFLOWS[str(body["workflowId"])].graph)


def _inputs(body: Mapping[str, Any]) -> Inputs:
    listed = body.get("nodeInfoList", [])
    if not isinstance(listed, list) or not all(isinstance(node, dict) for node in listed):
        raise Refusal(301, "nodeInfoList is no list of nodes")
    return {(str(node.get("nodeId")), str(node.get("fieldName"))): node.get("fieldValue") for node in listed}


def _filled(fills: Mapping[tuple[str, str], str], given: Inputs, base: str) -> dict[str, Any]:
    """The params of the model; a file goes by the name that its upload got, and any other name is no file."""
    found: dict[str, Any] = {}
    for place, key in fills.items():
        value = given[place]
        if key != "imageUrls":
            found[key] = value
        elif isinstance(value, str) and value.startswith(("openapi/", "api/")):
            found[key] = [f"{base}/uploads/{value.partition('/')[2]}"]
    return found


def _webhook(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"webhookUrl": body["webhookUrl"]} if body.get("webhookUrl") else {}
