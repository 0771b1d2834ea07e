"""Any answer of RunningHub, brought into one form.

Bodies come flat (API.md 2), wrapped as ``{code, msg|message, data}``, with other spellings, and sometimes as
something else entirely. Nothing in here raises because of what an answer holds.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from . import codes
from .transport import Received

_DEPTH = 24
_DETAIL = 400
_NOTHING = frozenset({"", "null", "none", "undefined", "0", "-1"})


class Scrubber:
    """Removes the key, and characters no database takes, from everything the other side says."""

    def __init__(self, api_key: str) -> None:
        spellings = {api_key, quote(api_key, safe="")}  # one call has it in its address
        self._key = re.compile("|".join(re.escape(one) for one in spellings), re.IGNORECASE)

    def text(self, value: str) -> str:
        value = value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
        return self._key.sub("[key]", value)

    def value(self, value: Any, depth: int = _DEPTH) -> Any:
        """The same for a JSON value; what lies deeper than any real answer is dropped."""
        if isinstance(value, str):
            return self.text(value)
        if depth == 0 and isinstance(value, (dict, list)):
            return None
        if isinstance(value, dict):
            return {self.text(key): self.value(item, depth - 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, depth - 1) for item in value]
        return value


@dataclass(frozen=True)
class Answer:
    """``outer`` is the body's object, {} when it is none; ``inner`` what it wraps as ``data`` or ``error``.

    ``items`` are the objects of the list it is about, wherever that stands. ``retry_after`` is in seconds;
    ``unreadable`` says what is wrong with the body, "" when nothing is.
    """

    http_status: int
    outer: dict[str, Any]
    inner: dict[str, Any]
    retry_after: float | None
    unreadable: str
    items: tuple[dict[str, Any], ...] = ()

    @property
    def fine(self) -> bool:
        return 200 <= self.http_status < 300

    def field(self, *names: str) -> Any:
        """The first filled value under any of these names, flat or wrapped; None if there is none."""
        for fields in (self.outer, self.inner):
            for name in names:
                if fields.get(name) not in (None, ""):
                    return fields[name]
        return None

    @property
    def code(self) -> str:
        """The error code: "421" for 421, "421", 421.0 and TASK_QUEUE_MAXED; "" when all is well or unsaid."""
        for fields in (self.outer, self.inner):
            for name in ("errorCode", "error_code"):
                if word := _code(fields.get(name)):
                    return word
        return _code(self.outer.get("code")) or _code(self.inner.get("code")) or _named(self.message)

    @property
    def message(self) -> str:
        """The other side's words about an error; "" for none and for words like "success"."""
        for name in ("errorMessage", "error_message", "message", "msg"):
            for fields in (self.outer, self.inner):
                word = fields.get(name)
                if isinstance(word, str) and word.strip() and word.strip().lower() not in ("success", "ok"):
                    return word.strip()
        return ""

    @property
    def detail(self) -> str:
        """For managers and logs: the HTTP status where it matters, and the other side's words."""
        words = [] if self.fine else [f"HTTP {self.http_status}"]
        words += [self.message or self.unreadable]
        return ", ".join(word for word in words if word)[:_DETAIL]

    @property
    def _given_id(self) -> Any:
        return self.field("taskId", "task_id")

    @property
    def task_id(self) -> str:
        """The upstream id, "" when none is given or what is given cannot be one."""
        given = self._given_id
        if isinstance(given, int) and not isinstance(given, bool):
            return str(given) if 0 < given < 10**40 else ""
        if isinstance(given, str) and re.fullmatch(r"[\w.:-]{1,80}", given.strip(), re.ASCII):
            return "" if given.strip().lower() in _NOTHING else given.strip()
        return ""

    @property
    def odd_task_id(self) -> str:
        """What stands where the upstream id belongs, but is none, "" for nothing: perhaps a task exists."""
        given = self._given_id
        odd = bool(given) and not self.task_id and str(given).strip().lower() not in _NOTHING
        return str(given)[:_DETAIL] if odd else ""

    def judge(self) -> codes.Code | None:
        """The row of the code, else of the HTTP status; None when neither is known or nothing is wrong."""
        row = codes.lookup(self.code) if self.code else None
        return row or codes.for_http(self.http_status)


def parse(received: Received, scrub: Scrubber) -> Answer:
    text = received.body.decode("utf-8-sig", "replace")
    body: Any = None
    problem = "an empty answer"
    if text.strip():
        try:
            # NaN and the infinities are no JSON; they say nothing, like null.
            body = json.loads(text, parse_constant=lambda _: None)
            problem = "" if isinstance(body, (dict, list)) else "an answer that is no object"
        except (ValueError, RecursionError):
            problem = "an answer that is no JSON"
    if problem and text.strip():
        problem += f": {scrub.text(text[:2000])[:200]}"
    body = scrub.value(body)
    items = _items(body)
    if isinstance(body, list):
        body = next((item for item in body if isinstance(item, dict)), None)
    outer = body if isinstance(body, dict) else {}
    inner = _inner(outer)
    for fields in (outer, inner):
        _unfold(fields, "results", scrub)
    if not outer and not problem:
        problem = "an answer without any field"
    if received.cut:
        problem = f"{problem} ({scrub.text(received.cut)})" if problem else ""
    return Answer(
        http_status=received.status,
        outer=outer,
        inner=inner,
        retry_after=_retry_after(received.headers),
        unreadable=problem,
        items=tuple(item for item in items if isinstance(item, dict)),
    )


def _items(value: Any, depth: int = 3) -> list[Any]:
    """The list an answer is about: the body itself, what it wraps, or what lies in there under any name."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and depth:
        for part in value.values():
            if isinstance(part, list) or (isinstance(part, dict) and _items(part, depth - 1)):
                return _items(part, depth - 1)
    return []


def _inner(outer: dict[str, Any]) -> dict[str, Any]:
    for name in ("data", "error"):
        value = outer.get(name)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, dict) and value:
            return value
    return {}


def _unfold(fields: dict[str, Any], name: str, scrub: Scrubber) -> None:
    """Open a JSON document that was sent as a string."""
    if isinstance(fields.get(name), str):
        with suppress(ValueError, RecursionError):
            fields[name] = scrub.value(json.loads(fields[name], parse_constant=lambda _: None))


def _code(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and abs(value) >= 10**18:
        return ""
    word = str(value).strip()[:60]
    if re.fullmatch(r"-?\d+\.0+", word, re.ASCII):
        word = word.split(".")[0]
    row = codes.lookup(word)
    if row is None:
        return word
    return "" if row.kind == "ok" else row.code


def _named(message: str) -> str:
    """The code of a message that is nothing but the code's name, as gateways send it."""
    row = codes.lookup(message) if message else None
    return row.code if row and row.name.upper() == message.upper() and row.kind != "ok" else ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by the Retry-After header (a number or a date), at most an hour."""
    word = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}", word, re.ASCII):
        seconds = float(word)
    else:
        try:
            seconds = parsedate_to_datetime(word).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
    return min(max(seconds, 0.0), 3600.0)
