"""Refusals of the REST API as `application/problem+json` (RFC 9457).

Every problem has `type`, `title`, `status`, `detail` and `code`. `code` is the word for programs; `type` is the
address of its paragraph on the page of the documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse

from generations.views.api import schemas

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """One kind of refusal: its status, its title, and when it happens. `of` is the one operation that has it."""

    status: int
    title: str
    meaning: str
    of: str = ""


KINDS: Mapping[str, Kind] = {
    "malformed": Kind(400, "Not readable", "The body is not JSON, or not multipart where a file is sent."),
    "unauthorized": Kind(
        401,
        "A token is needed",
        "The token is missing, unknown, revoked or expired, or its member left the team.",
    ),
    "quota_exceeded": Kind(
        402,
        "A limit is reached",
        "One more generation of this cost does not fit a limit of the member or the team. `limit`, `left` and"
        " `resets_at` are of the tightest one, and `lines` has every limit that refuses. Nothing was accepted.",
    ),
    "price_unknown": Kind(
        402,
        "The price is unknown",
        "What the model costs is not known, and the team refuses such models.",
    ),
    "forbidden": Kind(403, "Not allowed", "The member's role does not allow this."),
    "scope_missing": Kind(
        403,
        "The token does not reach this",
        "The token has not the scope that this needs: generate or manage.",
    ),
    "second_factor_missing": Kind(
        403,
        "A second factor is missing",
        "The team asks for a second factor, and the token's member has none. Service members need none.",
    ),
    "not_found": Kind(404, "Not found", "There is nothing here, or it belongs to another team."),
    "method_not_allowed": Kind(
        405, "Method not allowed", "The `Allow` header names the methods of this address."
    ),
    "already_over": Kind(
        409, "Already over", "The generation has ended, so it cannot be cancelled.", "cancel"
    ),
    "not_trashable": Kind(
        409,
        "Not to be thrown away",
        "It is still under way, or a voice is heard by it.",
        "trash",
    ),
    "not_in_collection": Kind(
        409, "Not in the collection", "What was to be moved was taken out of the collection.", "move_item"
    ),
    "key_reused": Kind(
        409, "Key already used", "The Idempotency-Key stands for another request of the last day."
    ),
    "not_possible": Kind(
        409, "Not possible now", "What there is already, or how it stands, does not allow it."
    ),
    "changes_forgotten": Kind(
        410,
        "Changes are gone",
        "They are kept for 30 days. Read what there is, then begin anew at `begin_at`.",
    ),
    "condition_failed": Kind(412, "Condition failed", "If-Match or If-Unmodified-Since does not hold."),
    "too_large": Kind(413, "Too large", "The body has more bytes than are taken here."),
    "range_not_satisfiable": Kind(416, "Range outside the file", "`Content-Range` has the size of the file."),
    "invalid": Kind(
        422, "Not valid", "`errors` has one entry for each fault, with the param and a sentence."
    ),
    "too_many_downloads": Kind(
        429,
        "Too many downloads at once",
        "The team, or the portal, sends as many zips as it can at present. `Retry-After` says in how many seconds to "
        "ask again.",
        "batch_zip",
    ),
    "too_many_questions": Kind(
        429,
        "Too many questions",
        "The team asked RunningHub for 30 prices within a minute. `Retry-After` says in how many seconds to ask again.",
        "check_price",
    ),
    "storage_low": Kind(
        507,
        "No room for results",
        "The disk of the portal is nearly full, so nothing new is taken. It goes on by itself; try again later.",
    ),
    "broken": Kind(500, "Something broke", "A fault of the portal. It is in the log of the operators."),
}


def problem(
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    status: int | None = None,
    **more: Any,
) -> HttpResponse:
    """A refusal of this kind. `more` are members beyond the five; money in them is text already."""
    kind = KINDS[code]
    body = {
        "type": f"{reverse('api:openapi-view')}#{code}",
        "title": kind.title,
        "status": status or kind.status,
        "detail": detail,
        "code": code,
        **more,
    }
    return JsonResponse(
        body, encoder=DjangoJSONEncoder, status=body["status"], content_type=MEDIA_TYPE, headers=headers
    )


def is_asked(request: HttpRequest) -> bool:
    """Whether the request is for the API, so that even a broken portal answers with a problem."""
    return request.path.startswith("/api/")


def of_status(status: int, detail: str) -> HttpResponse:
    """The first kind of this status."""
    return problem(next(code for code, kind in KINDS.items() if kind.status == status), detail)


def invalid(errors: Mapping[str, list[str]]) -> HttpResponse:
    """422 with one entry for each sentence. The key "" stands for the params as a whole."""
    listed = [
        {"param": key or "params", "message": said} for key, sentences in errors.items() for said in sentences
    ]
    detail = listed[0]["message"] if len(listed) == 1 else f"{len(listed)} values cannot be taken."
    return problem("invalid", detail, errors=listed)


def missing(request: HttpRequest, **kwargs: object) -> HttpResponse:
    """404 for an address that the API does not have, whatever the method."""
    detail = "The API has no such address."
    if request.path.endswith("/"):
        detail += " Its addresses have no slash at the end."
    return problem("not_found", detail)


def answers(*statuses: int) -> dict[frozenset[int], Any]:
    """The refusals of one operation, for its documentation. 401 and 403 go without saying."""
    special = {402: schemas.QuotaProblem | schemas.Problem, 422: schemas.InvalidProblem}
    plain = frozenset({401, 403, *statuses} - set(special))
    return {plain: schemas.Problem, **{frozenset({s}): special[s] for s in statuses if s in special}}
