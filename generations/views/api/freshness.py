"""ETag and 304: whoever asks again and again is told cheaply that nothing is new.

Every JSON answer gets the mark of its bytes, so that unchanged ones are not sent twice. What programs poll has a mark
of its own that is known before the answer is made: from the rows alone, without their people, files and places in line.
The place of what waits and the expected end move without any row, so they are part of such a mark by the tens of
seconds of the clock.

Who asks a third time costs next to nothing: the process remembers for a minute at most which rows a mark was made of
and what they held, with those of the token, and `Unchanged` asks the database for just these before anything else of a
request is thought of. A revoked token, an ended membership and another role are other rows, so they stop at once; what
is not a row of these, as a voice that was opened to somebody, is seen within that minute.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from accounts.models import ApiToken, Membership
from accounts.models.token import digest
from generations.models import OVER, Generation
from generations.vault import Hidden

CLOCK = 10
"""Seconds that an answer about something unfinished may be old."""
STAMP = (
    "pk", "status", "updated_at", "title", "cost_estimated", "cost_actual", "upstream_id", "error_code",
    "cancel_requested_at", "finished_at",
)  # fmt: skip


def mark(*parts: Any) -> str:
    """The ETag of an answer that is made of these. Weak, because it is of the meaning and not of the bytes."""
    return f'W/"{hashlib.sha256(repr(parts).encode()).hexdigest()[:24]}"'


def is_known(request: HttpRequest, etag: str) -> bool:
    """Whether the caller has what has this mark."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    plain = etag.removeprefix("W/")
    return "*" in known or any(one.removeprefix("W/") == plain for one in known)


def not_changed(etag: str) -> HttpResponse:
    answer = HttpResponse(status=304)
    del answer["Content-Type"]
    return headed(answer, etag)


def headed(answer: HttpResponse, etag: str) -> HttpResponse:
    """With its mark, and kept by nobody who would not ask again."""
    answer["ETag"] = etag
    answer["Cache-Control"] = "private, no-cache"
    return answer


def of_bytes(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """The answer, marked by its bytes unless it is marked already; 304 where the caller has it."""
    if answer.status_code != 200 or not answer.headers.get("Content-Type", "").startswith("application/json"):
        return answer
    etag = answer.headers.get("ETag") or mark(answer.content)
    if is_known(request, etag):
        kept = not_changed(etag)
        if "Retry-After" in answer.headers:
            kept["Retry-After"] = answer["Retry-After"]
        return kept
    return headed(answer, etag)


def of_rows(
    request: HttpRequest, membership: Membership, hidden: Hidden, rows: Iterable[tuple[Any, ...]], *more: Any
) -> str:
    """The mark of generations given by their STAMP, for this member, under this address."""
    found = list(rows)
    moving = any(row[1] not in OVER for row in found)
    clock = int(time.time() / CLOCK) if moving else 0
    who = (membership.pk, membership.role, sorted(hidden.voice_ids))
    return mark(request.get_full_path(), request.get_host(), who, found, clock, *more)


def stamp(row: Generation) -> tuple[Any, ...]:
    """The STAMP of a row that is loaded."""
    return tuple(getattr(row, name) for name in STAMP)


def asks_again(request: HttpRequest) -> bool:
    return "If-None-Match" in request.headers


KEPT_SECONDS = 60.0
MOST_KEPT = 4096


@dataclass(frozen=True)
class Seen:
    """Statements and what they gave."""

    statements: tuple[tuple[str, tuple[Any, ...]], ...]
    rows: tuple[Any, ...]


@dataclass(frozen=True)
class Kept:
    """What a mark belongs to, until when that holds, and the pause that the answer names."""

    seen: Seen
    until: float
    retry_after: str


_kept: OrderedDict[tuple[str, str, str, str], Kept] = OrderedDict()
_lock = threading.Lock()


def look(token: ApiToken, *made_of: QuerySet[Any, Any], beside: Sequence[str] = ()) -> Seen | None:
    """The rows of the token and of these queries, which give tuples of all that a mark is made of. `beside` are
    further columns that are reached from the token.

    To be asked before what the mark is made of is read: what changes in between is then seen as a change.
    """
    who = ApiToken.objects.filter(pk=token.pk).values_list(
        "digest", "revoked_at", "scopes", "membership__role", "membership__ended_at", "membership__user__is_active",
        "membership__team__needs_second_factor", *beside,
    ).order_by(*beside)  # fmt: skip
    try:
        statements = tuple(one.query.sql_with_params() for one in (who, *made_of))
    except EmptyResultSet:
        return None
    return Seen(statements, _ask(statements))


def remember(
    request: HttpRequest,
    token: ApiToken,
    etag: str,
    seen: Seen | None,
    *,
    moving: bool = False,
    retry_after: str = "",
) -> None:
    """Keeps in mind that this mark belongs to what was seen. `moving` ones hold until the clock of `of_rows` moves."""
    if seen is None:
        return
    now = time.time()
    until = now + KEPT_SECONDS
    if moving:
        until = min(until, (int(now / CLOCK) + 1) * CLOCK)
    if token.expires_at is not None:
        until = min(until, token.expires_at.timestamp())
    with _lock:
        _kept[_key(request, etag)] = Kept(seen, until, retry_after)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)


def _key(request: HttpRequest, etag: str) -> tuple[str, str, str, str]:
    who = digest(request.headers.get("Authorization", ""))
    return (who, request.get_host(), request.get_full_path(), etag)


def _ask(statements: tuple[tuple[str, tuple[Any, ...]], ...]) -> tuple[Any, ...]:
    found = []
    with connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(sql, params)
            found.append(tuple(tuple(row) for row in cursor.fetchall()))
    return tuple(found)


class Unchanged:
    """Middleware that answers 304 to whoever asks again for what this process knows to be the same."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.headers.get("If-None-Match")
        if asked is None or request.method != "GET" or not request.path_info.startswith("/api/v1/"):
            return self.get_response(request)
        kept = _kept.get(_key(request, asked))
        if kept is None or kept.until <= time.time() or _ask(kept.seen.statements) != kept.seen.rows:
            return self.get_response(request)
        answer = not_changed(asked)
        if kept.retry_after:
            answer["Retry-After"] = kept.retry_after
        return answer
