"""Refusals in the form in which OpenAI's API gives them, and the entrance that turns ours into them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from accounts.models import ApiToken, Reach
from generations import disk, quota
from generations.catalogue.spec import InvalidParams
from generations.pipeline import accept
from generations.views.api import auth, lines

DO_NOT_REPEAT = {"x-should-retry": "false"}
"""OpenAI's programs repeat by themselves what fails; what costs, or is refused for good, they shall not."""


class Refusal(Exception):
    """What is answered instead. `param` is the field that is wrong, `code` the word for programs."""

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None, **headers: str
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


KINDS = {401: "authentication_error", 403: "permission_error", 429: "insufficient_quota"}


def answer(refusal: Refusal) -> HttpResponse:
    kind = KINDS.get(refusal.status, "server_error" if refusal.status >= 500 else "invalid_request_error")
    said = {"message": refusal.message, "type": kind, "param": refusal.param, "code": refusal.code}
    headers = {**DO_NOT_REPEAT, **refusal.headers}
    return JsonResponse({"error": said}, status=refusal.status, headers=headers)


def entrance(method: str, reach: Reach) -> Callable[[Callable[..., Any]], Callable[..., HttpResponseBase]]:
    """Finds the token, lets through what it reaches, and gives every refusal its form. `request.auth` is the token."""

    def wrapped(view: Callable[..., Any]) -> Callable[..., HttpResponseBase]:
        @csrf_exempt
        @login_not_required
        @functools.wraps(view)
        def call(request: HttpRequest) -> HttpResponseBase:
            try:
                if request.method != method:
                    raise Refusal(405, f"This address takes {method}.", Allow=method)
                request.auth = _token(request, reach)  # type: ignore[attr-defined]
                answered: HttpResponseBase = view(request)
                return answered
            except Refusal as refusal:
                return answer(refusal)
            except Exception as error:
                refusal_ = _known(error)
                if refusal_ is None:
                    raise
                return answer(refusal_)

        return call

    return wrapped


def _token(request: HttpRequest, reach: Reach) -> ApiToken:
    kind, _space, text = request.headers.get("Authorization", "").partition(" ")
    found = auth.Token(reach).authenticate(request, text) if kind.lower() == "bearer" else None
    if found is None:
        raise Refusal(
            401,
            "This API key is unknown, revoked or expired. Make a token on the portal.",
            code="invalid_api_key",
        )
    return found


def _known(error: Exception) -> Refusal | None:
    """What our refusals are there; None for what is none."""
    if isinstance(error, InvalidParams):
        [(_key, sentences), *_others] = error.errors.items()
        return Refusal(400, " ".join(sentences), code="invalid_value")
    if isinstance(error, quota.QuotaExceeded):
        return Refusal(429, lines.sentence(error), code="insufficient_quota")
    if isinstance(error, accept.PriceUnknown):
        said = "What this would cost is not known, and the team refuses such models."
        return Refusal(429, said, code="insufficient_quota")
    if isinstance(error, accept.KeyReused):
        return Refusal(409, "This Idempotency-Key stands for another request.", code="key_reused")
    if isinstance(error, accept.NotOffered):
        return Refusal(404, str(error), param="model", code="model_not_found")
    if isinstance(error, accept.TokenOver):
        return Refusal(401, str(error), code="invalid_api_key")
    if isinstance(error, disk.StorageLow):
        return Refusal(503, str(error), Retry_After="300")
    if isinstance(error, PermissionDenied):
        return Refusal(403, str(error), code="forbidden")
    if isinstance(error, RequestDataTooBig):
        return Refusal(413, "The body is too large.")
    if isinstance(error, UnreadablePostError):
        return Refusal(400, "The body cannot be read.")
    return None
