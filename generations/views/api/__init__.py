"""The REST API under /api/v1/: a second entrance to the same door. Nothing here decides; it asks what pages ask.

A bearer token speaks for one member of one team. Every answer is JSON or the bytes of a file, also every refusal.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from generations.views.api import (
    accounting,
    asking,
    batches,
    bill,
    bringing_in,
    bulk,
    changes,
    collections,
    connections,
    drafts,
    freshness,
    generations,
    imports,
    keeping,
    lending,
    limits,
    managing,
    me,
    models,
    outputs,
    own,
    people,
    retention,
    searches,
    settling,
    shares,
    team,
    uploads,
    voices,
    voicing,
    webhooks,
)
from generations.views.api.auth import reads
from generations.views.api.document import Api, Docs
from generations.views.api.parser import StrictParser
from generations.views.api.problems import missing, problem
from generations.views.api.refusals import HANDLERS

DESCRIPTION = (
    "Generate, wait, fetch: POST generations answers at once, GET generations/{id} says how it stands, and the "
    "outputs' addresses give the files. Send `Authorization: Bearer` with a token of yours. Money is text with "
    "decimals; times are ISO 8601 with their offset. Fields may be added; none is renamed or removed. A param that "
    "takes a file takes `upload:<id>` of a file sent before, or `output:<generation id>/<index>` of something made "
    "here, which is then kept as an upload of the team.\n\n"
    "What a person does on a page is here too, with the same roles, limits and lines of the audit trail, but for this: "
    "Signing in and what protects it is done by a person in a browser. "
    "Tokens are made on pages, so that a token that was lost makes no others. "
    "And what belongs only to how pages look for somebody, as a form half filled in, has no address here."
)

api = Api(
    title="rhweb",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    auth=reads,
    docs=Docs(),
    docs_decorator=require_safe,
    parser=StrictParser(),
)
_MODULES = (
    *(me, models, bringing_in, lending, voices, generations, outputs, uploads, imports, batches),
    *(voicing, keeping, bulk, retention, searches, collections, shares, changes, webhooks, own, drafts),
    *(people, team, limits, accounting, managing, bill, connections, asking, settling),
)
for _module in _MODULES:
    api.add_router("", _module.router)
for _exception, _handler in HANDLERS.items():
    api.add_exception_handler(_exception, _handler)


def entrance(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Lets requests without a session through to the token check, and turns what ninja leaves bare into problems."""

    @csrf_exempt
    @login_not_required
    @functools.wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            response = missing(request)
        if response.status_code == 405:
            allowed = response.headers["Allow"]
            response = problem(
                "method_not_allowed", f"This address takes {allowed}.", headers={"Allow": allowed}
            )
        if request.method == "GET" and isinstance(response, HttpResponse):
            response = freshness.of_bytes(request, response)
        if request.method == "HEAD" and isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response

    return answer


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The document. ninja's own view would make it anew for each request."""
    return api.file.answer(request)


_patterns, _app, _namespace = api.urls
for _pattern in _patterns:
    if isinstance(_pattern, URLPattern):
        _pattern.callback = entrance(openapi if _pattern.name == "openapi-json" else _pattern.callback)

urlpatterns = [
    path("v1/", (_patterns, _app, _namespace)),
    path("openai/v1/", include("generations.views.openai")),
    re_path("", entrance(missing)),
]
