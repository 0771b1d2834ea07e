"""The OpenAPI document put into words for the page that people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

JSON_WORDS = {"string": "text", "integer": "whole number", "array": "list", "boolean": "true or false"}


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    note: SafeString


@dataclass(frozen=True)
class Shape:
    """One object of the documents, with its fields."""

    name: str
    note: SafeString
    fields: list[Field]


@dataclass(frozen=True)
class Answer:
    """One status of an operation. `shape` names what a success carries, "" when it is none of ours."""

    status: int
    note: str
    shape: str


@dataclass(frozen=True)
class Body:
    """What a request carries; `shape` names the object, "" when it is a form."""

    media_type: str
    fields: str
    shape: str


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    title: str
    note: SafeString
    params: list[Field]
    body: Body | None
    answers: list[Answer]


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Every operation in the order of the document."""
    return [
        Operation(
            id=operation["operationId"],
            method=method.upper(),
            path=path,
            title=operation["summary"],
            note=prose(operation.get("description", "")),
            params=[
                Field(param["name"], words(param["schema"]), prose(param.get("description", "")))
                for param in operation["parameters"]
            ],
            body=_body(operation.get("requestBody", {})),
            answers=[
                Answer(int(status), answer["description"], _shape(answer))
                for status, answer in (
                    (status, resolved(document, answer))
                    for status, answer in sorted(
                        operation["responses"].items(), key=lambda pair: int(pair[0])
                    )
                )
            ],
        )
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def resolved(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part itself, or what it refers to."""
    if "$ref" not in part:
        return part
    _root, *steps = str(part["$ref"]).split("/")
    found: Any = document
    for step in steps:
        found = found[step]
    return dict(found)


def shapes(document: Mapping[str, Any]) -> list[Shape]:
    """Every object but the params of the models, which have addresses of their own."""
    return [
        Shape(
            name,
            prose(schema.get("description", "")),
            [Field(key, words(value), prose(value.get("description", ""))) for key, value in fields.items()],
        )
        for name, schema in sorted(document["components"]["schemas"].items())
        if (fields := schema.get("properties") or _common(schema))
        and not name.startswith(("params.", "param."))
    ]


def words(schema: Mapping[str, Any]) -> str:
    """The type of a value in a few words, such as `text or null` or `list of Output`."""
    if "$ref" in schema:
        return _name(schema)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(words(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"] if value != "")
    if "const" in schema:
        return str(schema["const"])
    kind: str | list[str] = schema.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(JSON_WORDS.get(one, one) for one in kind)
    if kind == "array":
        return f"list of {words(schema.get('items', {}))}"
    formats = {"date-time": "time", "date": "day", "uuid": "id"}
    return formats.get(str(schema.get("format")), JSON_WORDS.get(kind, kind))


def prose(text: str) -> SafeString:
    """The text with what stands between backticks as code."""
    parts = text.split("`")
    marks = [("<code>", "</code>") if place % 2 else ("", "") for place in range(len(parts))]
    rows = [(mark_safe(a), part, mark_safe(b)) for (a, b), part in zip(marks, parts, strict=True)]  # noqa: S308
    return format_html_join("", "{}{}{}", rows)


def _common(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a choice among shapes, those of all shapes together."""
    plain = {"model": {"type": "string"}, "params": {"type": "object"}}
    fields: dict[str, Any] = {}
    for shape in schema.get("oneOf", []):
        fields |= {key: plain.get(key, value) for key, value in shape.get("properties", {}).items()}
    return fields


def _shape(answer: Mapping[str, Any]) -> str:
    return next((_name(content["schema"]) for content in answer.get("content", {}).values()), "")


def _body(body: Mapping[str, Any]) -> Body | None:
    for media_type, content in body.get("content", {}).items():
        return Body(media_type, ", ".join(content["schema"].get("properties", {})), _name(content["schema"]))
    return None


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]
