"""What the calls answer: frozen values holding only what is used."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

State = Literal["waiting", "succeeded", "failed", "cancelled"]


@dataclass(frozen=True)
class Submitted:
    """RunningHub has taken a generation. ``raw`` is its answer without the key."""

    upstream_id: str
    status: str
    raw: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class AppForm:
    """What an AI app asks for: the entries of its ``nodeInfoList`` as they came (API.md 7)."""

    name: str
    nodes: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class LoraPlace:
    """Where a LoRA is to be sent, and what it is called from then on (API.md 5)."""

    file_name: str
    url: str


@dataclass(frozen=True)
class Result:
    """One entry of ``results``: a file (``url``), a text, or both.

    ``output_type`` is the word given, lower case: mostly a file extension, sometimes "image" (API.md 3).
    """

    url: str | None
    output_type: str
    text: str | None
    node_id: str


@dataclass(frozen=True)
class Usage:
    """The four cost fields as given (API.md 3); money in the currency of the account, time in seconds."""

    consume_money: str | None = None
    consume_coins: str | None = None
    task_cost_time: str | None = None
    third_party_consume_money: str | None = None

    def charged(self) -> Decimal | None:
        """The money charged, None when no usable amount is given (which is not zero).

        API.md 3 leaves open which of the two money fields carries a standard model's charge. Read alone, each
        is the charge. The same amount in both is one charge reported twice, for a model passing its whole
        price on; different amounts are the machine's share and the maker's, so they are added. Coins are not
        money, but where they were charged and no money was, the run was not free either: unknown.
        """
        amounts = {amount(self.consume_money), amount(self.third_party_consume_money)} - {None}
        money = sum((one for one in amounts if one is not None), Decimal(0))
        return money if money or (amounts and not amount(self.consume_coins)) else None


@dataclass(frozen=True)
class TaskReply:
    """Where a task stands. Only "succeeded", "failed" and "cancelled" are verdicts.

    ``status`` is RunningHub's own word, "" when it gave none. ``error_code`` and ``error_detail`` are kept
    whenever they are given; ``error_text`` holds sentences for members and is filled only for "failed".
    ``model`` and ``params`` are what the reply says the task was asked for; mostly it says nothing (API.md 3).
    """

    upstream_id: str
    state: State
    status: str
    results: tuple[Result, ...] = ()
    usage: Usage = Usage()
    error_code: str = ""
    error_text: str = ""
    error_detail: str = ""
    model: str = ""
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class WebhookEvent:
    """The call that RunningHub made, or means to make, when a task ended.

    ``url`` is where to: the address given at the submit, so it names whose task it is. ``status`` is RunningHub's
    word for how it went (SUCCESS, FAILED, PENDING, RETRYING), ``response`` what it was answered.
    """

    id: str
    upstream_id: str
    url: str
    status: str
    response: str
    retries: int | None


@dataclass(frozen=True)
class Uploaded:
    """A file RunningHub holds for a day. ``size`` in bytes, None when not told (API.md 5)."""

    download_url: str
    file_name: str
    type: str
    size: int | None


@dataclass(frozen=True)
class PricePreview:
    """``amount`` is None when no price is told; ``free_left`` counts free calls (API.md 2)."""

    amount: Decimal | None
    currency: str
    text: str
    is_free: bool | None
    free_left: int | None


@dataclass(frozen=True)
class QueueStatus:
    """Slots of the key and how many are taken; None where a number is missing (API.md 8)."""

    limit: int | None
    running: int | None
    queued: int | None
    total: int | None
    key_type: str


@dataclass(frozen=True)
class AccountStatus:
    """``balance`` in ``currency`` (None for consumer keys), ``coins`` in RH coins (API.md 8)."""

    balance: Decimal | None
    coins: Decimal | None
    running: int | None
    currency: str
    api_type: str


@dataclass(frozen=True)
class ApiKey:
    """One key of an account: its end, never more. ``quota`` and ``used`` in whatever the account counts in.

    ``is_own`` is the key that asked. ``enabled`` and ``expires`` are None and "" where that is not told.
    """

    end: str
    name: str
    is_own: bool
    enabled: bool | None
    quota: Decimal | None
    used: Decimal | None
    expires: str


@dataclass(frozen=True)
class Downloaded:
    """What went into the sink: its size, SHA-256 in hex, and the Content-Type header as given."""

    bytes: int
    sha256: str
    content_type: str


MOST_KEYS = 200


def api_key(item: dict[str, Any], own_end: str) -> ApiKey:
    """A key as the list of them tells it (API.md 8); that of the asking client has been replaced by [key] already."""
    word = text(item.get("key") or item.get("apiKey"), 300) or ""
    is_own = word == "[key]"
    enabled = count(item.get("status"))
    return ApiKey(
        end=own_end if is_own else word[-4:] if len(word) >= 8 else "",
        name=text(item.get("apiKeyName"), 80) or "",
        is_own=is_own,
        enabled=None if enabled is None else enabled == 1,
        quota=amount(item.get("quotaLimit")),
        used=amount(item.get("quotaUsed")),
        expires=text(item.get("expireAt"), 40) or "",
    )


def amount(value: Any) -> Decimal | None:
    """A sum of money or coins: a plain number from 0 to below a thousand million, given as number or text."""
    word = text(value, 40)
    if word is None or not re.fullmatch(r"\d+(\.\d*)?([eE][+-]?\d{1,2})?", word, re.ASCII):
        return None
    number = Decimal(word)
    return number if number < 10**9 else None


def count(value: Any) -> int | None:
    """A whole number of things, given as number or text; None for anything else and below zero."""
    number = amount(value)
    return int(number) if number is not None and number == int(number) else None


def text(value: Any, length: int) -> str | None:
    """A short text or a number as text; None for nothing and for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    if isinstance(value, int) and abs(value) >= 10**40:
        return None
    return str(value).strip()[:length] or None
