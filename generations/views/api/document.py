"""The OpenAPI document, made to say what ninja leaves out, and the page that shows it."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase
from ninja.openapi.schema import OpenAPISchema

from generations import vault
from generations.catalogue import load
from generations.models.team_model import SLUG
from generations.views.api import freshness, reading
from generations.views.api.problems import KINDS, MEDIA_TYPE

LOCATION = {
    "Location": {"description": "Where the generation is.", "schema": {"type": "string", "format": "uri"}}
}
RETRY = {"Retry-After": {"description": "Seconds until asking again pays.", "schema": {"type": "integer"}}}
CHALLENGE = {
    "WWW-Authenticate": {"description": "`Bearer`, and what was wrong.", "schema": {"type": "string"}}
}
TEXT_ONLY = r"^[^\x00-\x1f\x7f]*$"


WORTH_SHARING = 90
"""Characters: a reference has half as many."""


class Docs(DocsBase):
    """A plain page with our own styles: no script of its own, nothing from elsewhere."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        document = api.get_openapi_schema()
        root = f"{settings.PUBLIC_URL or request.build_absolute_uri('/').rstrip('/')}{api.get_root_path({})}"
        example = load.models()[0]
        context = {
            "lead": reading.prose(api.description),
            "operations": reading.operations(document),
            "shapes": reading.shapes(document),
            "problems": {code: (kind, reading.prose(kind.meaning)) for code, kind in KINDS.items()},
            "openapi_url": reverse("api:openapi-json"),
            "root": root,
            "openai_root": f"{root.removesuffix('v1/')}openai/v1",
            "example": example,
            "example_params": json.dumps(dict(example.example), ensure_ascii=False),
        }
        return render(request, "api/docs.html", context)


@dataclass(frozen=True)
class File:
    """The document as it is sent: made once for a process, plain and compressed. It holds nothing secret."""

    plain: bytes
    zipped: bytes
    etag: str

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> File:
        text = json.dumps(document, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))
        plain = text.encode()
        return cls(plain, gzip.compress(plain, mtime=0), freshness.mark(plain))

    def answer(self, request: HttpRequest) -> HttpResponse:
        takes_zipped = "gzip" in request.headers.get("Accept-Encoding", "")
        response = HttpResponse(self.zipped if takes_zipped else self.plain, content_type="application/json")
        if takes_zipped:
            response["Content-Encoding"] = "gzip"
        response["Vary"] = "Accept-Encoding"
        response["ETag"] = self.etag
        return response


class Api(NinjaAPI):
    """ninja's API with a document that is exact about refusals, headers and the params of each model."""

    @cached_property
    def file(self) -> File:
        return File.of(self.get_openapi_schema())

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        if kwargs or not hasattr(self, "_document"):
            self._document: OpenAPISchema = self._made(**kwargs)
        return self._document

    def _made(self, **kwargs: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**kwargs)
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if method == "get" and not path.endswith("/content"):
                    operation["responses"][304] = {"description": "If-None-Match: not changed."}
                for status, answer in operation["responses"].items():
                    _refine(method, int(status), answer, operation["operationId"])
        polled = {"generations": LOCATION | RETRY, "generations/{id}": RETRY, "changes": RETRY}
        for path, headers in polled.items():
            for operation in document["paths"][f"{self.get_root_path({})}{path}"].values():
                for status, answer in operation["responses"].items():
                    if int(status) < 300:
                        answer["headers"] = headers
        self._orders(document)
        _share_answers(document)
        return document

    def _orders(self, document: OpenAPISchema) -> None:
        """An order is one of as many shapes as there are models, each with the model's own params."""
        schemas = document["components"]["schemas"]
        schemas["OrderTitle"] = {"type": ["string", "null"], "maxLength": 200, "pattern": TEXT_ONLY}
        written = {
            spec.slug: {k: v for k, v in spec.json_schema().items() if k != "$schema"}
            for spec in load.models()
        }
        _share_params(written, schemas)
        shapes = []
        for spec in load.models():
            name = f"params.{re.sub(r'[^A-Za-z0-9._-]', '_', spec.slug)}"
            schemas[name] = written[spec.slug]
            shapes.append(
                {
                    "title": spec.title,
                    "required": ["model", "params"],
                    "additionalProperties": False,
                    "properties": {
                        "model": {"enum": [spec.slug, *spec.aliases]},
                        "params": {"$ref": f"#/components/schemas/{name}"},
                        "title": {"$ref": "#/components/schemas/OrderTitle"},
                        **({"voice": {"$ref": "#/components/schemas/NewVoice"}} if vault.maker(spec) else {}),
                    },
                }
            )
        shapes.append(
            {
                "title": "A model of the team's own",
                "type": "object",
                "required": ["model", "params"],
                "additionalProperties": False,
                "properties": {
                    "model": {"type": "string", "pattern": f"^(?:{SLUG.pattern})$"},
                    "params": {"type": "object", "description": "As `params_schema` of the model says."},
                    "title": {"type": ["string", "null"], "maxLength": 200, "pattern": TEXT_ONLY},
                },
            }
        )
        described = schemas["NewGeneration"]["description"]
        schemas["NewGeneration"] = {"description": described, "type": "object", "oneOf": shapes}


def _share_params(written: Mapping[str, dict[str, Any]], schemas: dict[str, Any]) -> None:
    """What several models take in the very same form is written once, as `param.<its key>`, and referred to."""
    found: dict[str, list[tuple[dict[str, Any], str]]] = defaultdict(list)
    for schema in written.values():
        for key, value in schema["properties"].items():
            found[json.dumps(value, sort_keys=True)].append((schema["properties"], key))
    variants: Counter[str] = Counter()
    for text, places in found.items():
        if len(places) < 2 or len(text) < WORTH_SHARING:
            continue
        word = re.sub(r"[^A-Za-z0-9_-]", "_", places[0][1])
        variants[word] += 1
        name = f"param.{word}" if variants[word] == 1 else f"param.{word}.{variants[word]}"
        schemas[name] = json.loads(text)
        for properties, key in places:
            properties[key] = {"$ref": f"#/components/schemas/{name}"}


def _share_answers(document: OpenAPISchema) -> None:
    """A refusal that several operations answer alike is written once and referred to."""
    found: dict[str, list[tuple[dict[Any, Any], Any]]] = defaultdict(list)
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 300:
                    found[f"{status} {json.dumps(answer, sort_keys=True)}"].append(
                        (operation["responses"], status)
                    )
    shared = document["components"].setdefault("responses", {})
    variants: Counter[int] = Counter()
    for places in found.values():
        if len(places) < 2:
            continue
        status = int(places[0][1])
        variants[status] += 1
        name = f"{HTTPStatus(status).name.title().replace('_', '')}{variants[status] if variants[status] > 1 else ''}"
        shared[name] = places[0][0][places[0][1]]
        for responses, key in places:
            responses[key] = {"$ref": f"#/components/responses/{name}"}


def _refine(method: str, status: int, answer: dict[str, Any], operation_id: str) -> None:
    if status >= 400 and "content" in answer:
        answer["content"] = {MEDIA_TYPE: next(iter(answer["content"].values()))}
        kinds = [kind for kind in KINDS.values() if kind.status == status and kind.of in ("", operation_id)]
        answer["description"] = " ".join(f"{kind.title}." for kind in kinds)
    if status == 401:
        answer["headers"] = CHALLENGE
    if status == 429:
        answer["headers"] = RETRY
    if method == "head":
        answer.pop("content", None)
