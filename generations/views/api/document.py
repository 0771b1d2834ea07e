"""The OpenAPI document, made to say what ninja leaves out, and the page that shows it."""

from __future__ import annotations

import json
import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase
from ninja.openapi.schema import OpenAPISchema

from generations import vault
from generations.catalogue import load
from generations.models.team_model import SLUG
from generations.views.api import reading
from generations.views.api.problems import KINDS, MEDIA_TYPE

LOCATION = {
    "Location": {"description": "Where the generation is.", "schema": {"type": "string", "format": "uri"}}
}
RETRY = {"Retry-After": {"description": "Seconds until asking again pays.", "schema": {"type": "integer"}}}
CHALLENGE = {
    "WWW-Authenticate": {"description": "`Bearer`, and what was wrong.", "schema": {"type": "string"}}
}
TEXT_ONLY = r"^[^\x00-\x1f\x7f]*$"


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


class Api(NinjaAPI):
    """ninja's API with a document that is exact about refusals, headers and the params of each model."""

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
        return document

    def _orders(self, document: OpenAPISchema) -> None:
        """An order is one of as many shapes as there are models, each with the model's own params."""
        schemas = document["components"]["schemas"]
        shapes = []
        for spec in load.models():
            name = f"params.{re.sub(r'[^A-Za-z0-9._-]', '_', spec.slug)}"
            schemas[name] = {k: v for k, v in spec.json_schema().items() if k != "$schema"}
            shapes.append(
                {
                    "title": spec.title,
                    "type": "object",
                    "required": ["model", "params"],
                    "additionalProperties": False,
                    "properties": {
                        "model": {"enum": [spec.slug, *spec.aliases]},
                        "params": {"$ref": f"#/components/schemas/{name}"},
                        "title": {"type": ["string", "null"], "maxLength": 200, "pattern": TEXT_ONLY},
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
        schemas["NewGeneration"] = {"description": schemas["NewGeneration"]["description"], "oneOf": shapes}


def _refine(method: str, status: int, answer: dict[str, Any], operation_id: str) -> None:
    if status >= 400 and "content" in answer:
        answer["content"] = {MEDIA_TYPE: next(iter(answer["content"].values()))}
        kinds = [kind for kind in KINDS.values() if kind.status == status and kind.of in ("", operation_id)]
        answer["description"] = " ".join(f"{kind.title}." for kind in kinds)
    if status == 401:
        answer["headers"] = CHALLENGE
    if method == "head":
        answer.pop("content", None)
