"""What RunningHub takes for each model of pictures, video, objects and text, from its documentation as in `facts`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PICTURED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "facts_of_pictures.json").read_text(encoding="utf-8")
)
"""Endpoint -> `row` in the navigation where it has one, `gives` as the registry says, `keys` as they go upstream."""
TYPES = {"INT": int, "FLOAT": (int, float), "BOOLEAN": bool, "COMPLEX": (list, dict)}


def refused(endpoint: str, body: Mapping[str, Any]) -> list[str]:
    """Why RunningHub would refuse this body; empty when it would take it."""
    keys = {fact["key"]: fact for fact in PICTURED[endpoint]["keys"]}
    wrong = [f"{key}: unknown" for key in body if key not in keys]
    wrong += [f"{key}: missing" for key, fact in keys.items() if fact.get("required") and key not in body]
    if [key for key in keys if key in body] != list(body):
        wrong.append("order")
    for key, sent in body.items():
        if key in keys:
            wrong += [f"{key}: {fault}" for fault in _faults(keys[key], sent)]
    return wrong


def _faults(fact: Mapping[str, Any], sent: Any) -> list[str]:
    if not fact.get("multiple") or fact["type"] == "COMPLEX":
        return _fault(fact, sent)
    if type(sent) is not list or not sent or len(sent) > fact.get("max_count", 100):
        return ["not an array of the right size"]
    return [fault for entry in sent for fault in _fault(fact, entry)]


def _fault(fact: Mapping[str, Any], sent: Any) -> list[str]:
    kind = fact["type"]
    if isinstance(sent, bool) is not (kind == "BOOLEAN") or not isinstance(sent, TYPES.get(kind, str)):
        return [f"not of type {kind}"]
    if kind in ("IMAGE", "VIDEO", "AUDIO"):
        return [] if sent.startswith("https://") else ["not an address"]
    if kind in ("INT", "FLOAT"):
        return [] if fact.get("min", sent) <= sent <= fact.get("max", sent) else ["out of range"]
    if kind == "LIST":
        return [] if sent in fact["values"] else ["not a value of the list"]
    if kind == "STRING" and not fact.get("min_length", 1) <= len(sent) <= fact.get("max_length", 20_000):
        return ["of a wrong length"]
    return []
