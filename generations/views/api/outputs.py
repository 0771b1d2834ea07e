"""The bytes of an output."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from ninja import Router

from generations.views.api.auth import ApiRequest
from generations.views.api.problems import answers, problem
from generations.views.output import output_content as page_content

router = Router(tags=["Generations"])

FILE = {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
RANGE = {"in": "header", "name": "Range", "schema": {"type": "string"}, "description": "`bytes=0-1023`"}
DOCUMENTED: dict[str, Any] = {
    "parameters": [
        RANGE,
        {
            "in": "query",
            "name": "download",
            "schema": {"const": "1"},
            "description": "As a file to keep, named after the title.",
        },
    ],
    "responses": {
        200: {"description": "The file.", **FILE},
        206: {"description": "The part that Range asks for.", **FILE},
        304: {"description": "If-None-Match or If-Modified-Since: not changed."},
    },
}


def output_content(request: ApiRequest, id: UUID, index: int) -> HttpResponseBase:
    """The stored bytes, as they came: whole, or the part that `Range` asks for."""
    membership = request.auth.membership
    request.membership = membership  # type: ignore[attr-defined]
    return refused(page_content(request, membership.team.slug, id, index))


def refused(served: HttpResponseBase) -> HttpResponseBase:
    """The bytes as they are; what a condition or a range refuses becomes a problem."""
    if served.status_code == 412:
        return problem("condition_failed", "The file is not what the condition expects.")
    if served.status_code == 416:
        size = served.headers["Content-Range"]
        headers = {"Content-Range": size, "Accept-Ranges": "bytes"}
        return problem("range_not_satisfiable", "The file ends before this range.", headers=headers)
    return served


PATH = "generations/{uuid:id}/outputs/{int:index}/content"
REFUSED = answers(404, 412, 416)
router.get(
    PATH,
    response=REFUSED,
    operation_id="output_content",
    summary="The bytes of an output",
    openapi_extra=DOCUMENTED,
)(output_content)
router.api_operation(
    ["HEAD"],
    PATH,
    response=answers(404, 412),
    operation_id="output_headers",
    summary="The headers of the bytes",
    openapi_extra=DOCUMENTED,
)(output_content)
