"""Which exception becomes which problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja.errors import AuthenticationError, HttpError, ValidationError

from generations import disk, library, quota
from generations.catalogue.load import UnknownModel
from generations.catalogue.spec import InvalidParams
from generations.pipeline import accept
from generations.uploads import BadUpload
from generations.views import access, offered
from generations.views.api import lines, schemas
from generations.views.api.auth import NoSecondFactor, ScopeMissing
from generations.views.api.problems import invalid, problem


def _unauthorized(request: HttpRequest, exception: AuthenticationError) -> HttpResponse:
    if "Authorization" not in request.headers:
        detail, challenge = "Send a token: Authorization: Bearer rhw_…", 'Bearer realm="api"'
    else:
        detail = "This token is unknown, revoked or expired, or its member is not in the team any more."
        challenge = 'Bearer realm="api", error="invalid_token"'
    return problem("unauthorized", detail, headers={"WWW-Authenticate": challenge})


def _not_found(request: HttpRequest, exception: Http404) -> HttpResponse:
    told = str(exception) if isinstance(exception, offered.NotOffered | access.Gone) else ""
    return problem("not_found", told or "There is nothing here for this token's team.")


def _forbidden(request: HttpRequest, exception: PermissionDenied) -> HttpResponse:
    return problem("forbidden", str(exception) or "The role of this token's member does not allow it.")


def _scope_missing(request: HttpRequest, exception: ScopeMissing) -> HttpResponse:
    return problem("scope_missing", str(exception))


def _no_second_factor(request: HttpRequest, exception: NoSecondFactor) -> HttpResponse:
    return problem("second_factor_missing", str(exception))


def _token_over(request: HttpRequest, exception: accept.TokenOver) -> HttpResponse:
    return _unauthorized(request, AuthenticationError())


def _malformed(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem("malformed", "The body cannot be read. Send one JSON object, or multipart for a file.")


def _too_large(request: HttpRequest, exception: RequestDataTooBig) -> HttpResponse:
    return problem("too_large", "The body is too large. Send files to uploads and name them in params.")


def _invalid_request(request: HttpRequest, exception: ValidationError) -> HttpResponse:
    errors: dict[str, list[str]] = {}
    for fault in exception.errors:
        source, *place = fault["loc"]
        inner = place[1:] if source == "body" else place
        errors.setdefault(".".join(map(str, inner)) or "body", []).append(_sentence(fault))
    return invalid(errors)


def _sentence(fault: Mapping[str, Any]) -> str:
    match fault["type"]:
        case "missing":
            return "This is needed."
        case "extra_forbidden":
            return "There is no field of this name; leave it out."
        case "string_type" | "string_unicode":
            return "This has to be text."
        case "dict_type" | "model_attributes_type" | "model_type":
            return "This has to be an object of names and values."
        case "literal_error":
            return f"Use one of {fault['ctx']['expected']}."
        case "string_too_long":
            return f"At most {fault['ctx']['max_length']} characters."
        case "string_pattern_mismatch":
            return "This is not in the form that is documented."
    return f"{fault['msg']}."


def _invalid_params(request: HttpRequest, exception: InvalidParams) -> HttpResponse:
    return invalid(exception.errors)


def _unknown_model(request: HttpRequest, exception: UnknownModel) -> HttpResponse:
    return invalid({"model": ["There is no model of this name. GET models has them all."]})


def _not_offered(request: HttpRequest, exception: accept.NotOffered) -> HttpResponse:
    return invalid({"model": [f"{exception} GET models has those that are."]})


def _bad_cursor(request: HttpRequest, exception: library.BadCursor) -> HttpResponse:
    return invalid({"cursor": ["Give next_cursor of the page before, or leave it out."]})


def _bad_upload(request: HttpRequest, exception: BadUpload) -> HttpResponse:
    return invalid({"file": [str(exception.sentence)]})


def _may_not_generate(request: HttpRequest, exception: accept.MayNotGenerate) -> HttpResponse:
    return problem("forbidden", "Viewers listen; they do not generate. Ask a manager for another role.")


def _price_unknown(request: HttpRequest, exception: accept.PriceUnknown) -> HttpResponse:
    detail = "What this would cost is not known, and the team refuses such models. A manager can allow them."
    return problem("price_unknown", detail)


def _key_reused(request: HttpRequest, exception: accept.KeyReused) -> HttpResponse:
    detail = "This Idempotency-Key already stands for another request. Use a new key for a new request."
    return problem("key_reused", detail)


def _storage_low(request: HttpRequest, exception: disk.StorageLow) -> HttpResponse:
    return problem("storage_low", str(exception), headers={"Retry-After": "300"})


def _quota_exceeded(request: HttpRequest, exception: quota.QuotaExceeded) -> HttpResponse:
    tightest = lines.shown(exception.line)
    return problem(
        "quota_exceeded",
        lines.sentence(exception),
        limit=tightest.limit,
        left=tightest.left,
        resets_at=tightest.resets_at,
        limit_name=tightest.name,
        scope=tightest.scope,
        measure=tightest.measure,
        period=tightest.period,
        cost=None if exception.cost is None else schemas.amount(exception.cost),
        currency=exception.currency,
        lines=[lines.shown(line).model_dump() for line in exception.lines],
    )


HANDLERS: Mapping[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
    AuthenticationError: _unauthorized,
    Http404: _not_found,
    PermissionDenied: _forbidden,
    ScopeMissing: _scope_missing,
    NoSecondFactor: _no_second_factor,
    accept.TokenOver: _token_over,
    HttpError: _malformed,
    SuspiciousOperation: _malformed,
    MultiPartParserError: _malformed,
    UnreadablePostError: _malformed,
    RequestDataTooBig: _too_large,
    ValidationError: _invalid_request,
    InvalidParams: _invalid_params,
    UnknownModel: _unknown_model,
    accept.NotOffered: _not_offered,
    library.BadCursor: _bad_cursor,
    BadUpload: _bad_upload,
    accept.MayNotGenerate: _may_not_generate,
    accept.PriceUnknown: _price_unknown,
    accept.KeyReused: _key_reused,
    disk.StorageLow: _storage_low,
    quota.QuotaExceeded: _quota_exceeded,
}
