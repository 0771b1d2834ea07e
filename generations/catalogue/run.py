"""How an AI app or a ComfyUI workflow is started: inputs of nodes in a list, and not settings side by side.

An app is sent the whole list that its form came with, of a workflow only what is to differ from it. What the program
does not ask for goes as it came, or as a manager fixed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Source(StrEnum):
    """What a model of a team's own is at RunningHub."""

    APP = "app"
    WORKFLOW = "workflow"


PATHS = {Source.APP: "/task/openapi/ai-app/run", Source.WORKFLOW: "/task/openapi/create"}
IDS = {Source.APP: "webappId", Source.WORKFLOW: "workflowId"}
INSTANCES = ("default", "plus", "ultra", "lite")


@dataclass(frozen=True)
class Node:
    """One input of a node. `key` is the param that fills it; without one it is always sent as `value`."""

    node_id: str
    name: str
    value: Any = field(hash=False)
    key: str = ""


@dataclass(frozen=True)
class Run:
    """What is to be started, and with which inputs."""

    source: Source
    upstream: str
    """The id of the app or the workflow at RunningHub."""
    nodes: tuple[Node, ...]
    instance_type: str = ""
    personal_queue: bool = False

    @property
    def path(self) -> str:
        """Where it is started (API.md 6 and 7)."""
        return PATHS[self.source]

    def body(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON to submit, but for the key, from params whose files are names upstream.

        An input that came as text is sent as text, which is how forms of apps have their numbers and switches. One that
        nothing was given for is sent as it came by an app, and left out by a workflow, which has it anyway.
        """
        nodes = [
            {
                "nodeId": node.node_id,
                "fieldName": node.name,
                "fieldValue": _as(node.value, params[node.key]) if node.key in params else node.value,
            }
            for node in self.nodes
            if self.source is Source.APP or not node.key or node.key in params
        ]
        body: dict[str, Any] = {IDS[self.source]: self.upstream, "nodeInfoList": nodes}
        if self.instance_type:
            body["instanceType"] = self.instance_type
        if self.personal_queue:
            body["usePersonalQueue"] = True
        if self.source is Source.WORKFLOW and not nodes:
            del body["nodeInfoList"]  # the basic start
        return body


def _as(came: Any, value: Any) -> Any:
    if not isinstance(came, str) or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
