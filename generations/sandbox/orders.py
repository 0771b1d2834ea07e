"""From the body of a submit to what will be made, checked against the catalogue."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generations.catalogue.load import UnknownModel, get
from generations.catalogue.spec import EXTRA, InvalidParams, ModelSpec
from generations.sandbox.refusals import Refusal


@dataclass(frozen=True)
class Order:
    """A valid submit. ``params`` are in wire types with defaults filled in; media values are the addresses
    given.
    """

    spec: ModelSpec
    params: dict[str, Any]
    webhook_url: str


def model_at(path: str) -> ModelSpec:
    """The model at exactly this path. Raises Refusal 412 as RunningHub does for a wrong path (API.md 1)."""
    try:
        spec = get(path)
    except UnknownModel:
        raise Refusal(412) from None
    if spec.endpoint != path:
        raise Refusal(412)
    return spec


def read_order(path: str, body: Mapping[str, Any]) -> Order:
    """Raises Refusal: 412 unknown path, 1007 wrong params. A model that is only partly known may be sent more than the
    catalogue names.
    """
    spec = model_at(path)
    raw = spec.received(body)
    webhook_url = raw.pop("webhookUrl", None) or ""
    if not isinstance(webhook_url, str) or (
        webhook_url and not webhook_url.startswith(("http://", "https://"))
    ):
        raise Refusal(1007, "webhookUrl: not an address")
    known = {param.key for param in spec.params}
    if spec.facts and (beside := {key: raw.pop(key) for key in set(raw) - known - {"webhookUrl"}}):
        raw[EXTRA] = beside
    missing = [param.key for param in spec.params if param.required and param.key not in raw]
    if missing:
        raise Refusal(1007, "; ".join(f"{key}: required" for key in missing))
    addresses: dict[str, str] = {}
    for param in spec.params:
        if param.type.is_media and param.key in raw:
            raw[param.key] = _references(param.key, raw[param.key], addresses)
    try:
        clean = spec.clean(raw, strict=True)
    except InvalidParams as error:
        told = "; ".join(
            f"{key}: {' '.join(words)}" if key else " ".join(words) for key, words in error.errors.items()
        )
        raise Refusal(1007, told) from None
    return Order(spec, spec.resolved(clean, addresses), webhook_url)


def _references(key: str, value: Any, addresses: dict[str, str]) -> Any:
    """Swap each address for a reference the catalogue understands, and remember which stands for which."""
    if isinstance(value, list):
        return [_references(key, item, addresses) for item in value]
    if not isinstance(value, str) or not value.startswith(("http://", "https://", "data:")):
        raise Refusal(1007, f"{key}: neither an address nor a data URI")
    reference = f"upload:{uuid.uuid4()}"
    addresses[reference] = value
    return reference


def data_uri(value: str) -> bytes | None:
    """The bytes of a base64 data URI, None when it is not one."""
    head, comma, tail = value.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    try:
        return base64.b64decode(tail, validate=True)
    except (binascii.Error, ValueError):
        return None
