"""Accept: the one door. Form, REST, run again and scripts all come through `accept()`.

In one transaction it locks the team, then the membership, asks quota, inserts the row that is receipt and order in
one, and rings the queue. Twenty requests at once against a limit of five therefore give five: each waits for the
lock and then sees the receipts of those before it. SQLite has no row locks; its transactions here are immediate, so
only one at a time gets past BEGIN.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_UP, Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Membership, Team
from generations import queue, quota
from generations.catalogue import load, pricing
from generations.catalogue.spec import InvalidParams, ModelSpec, ParamType
from generations.models import Connection, Generation, State, Upload, search_text

KEY_LIVES = timedelta(days=1)
WAITS_AT_MOST = timedelta(days=7)
MEDIA = {ParamType.AUDIO, ParamType.IMAGE, ParamType.VIDEO}


class MayNotGenerate(Exception):
    """The member's role does not allow generating, or the membership ended."""


class PriceUnknown(Exception):
    """The price of this model is unknown and the team refuses such models."""


class KeyReused(Exception):
    """The idempotency key already stands for another request."""


@dataclass(frozen=True)
class Quote:
    """What one generation is expected to cost, in the currency of the connection. `cost` None: price unknown."""

    cost: Decimal | None
    currency: str
    basis: str
    as_of: date | None
    converted_from: str = ""


@dataclass(frozen=True)
class Accepted:
    """`created` is false when an idempotency key gave an earlier generation back."""

    generation: Generation
    created: bool
    warnings: Sequence[quota.Line] = ()


def quote(spec: ModelSpec, params: Mapping[str, Any], connection: Connection) -> Quote:
    """The estimate from the catalogue's price, corrected by what such generations really cost lately."""
    estimate = pricing.estimate(spec, params)
    if estimate.amount is None:
        return Quote(None, connection.currency, estimate.basis, None)
    amount, converted = _in_currency(estimate.amount, estimate.currency, connection.currency)
    factor = pricing.learned(_past_costs(spec, connection))
    if factor is not None:
        amount, converted = amount * factor, ""
    amount = amount.quantize(Decimal("0.0001"), rounding=ROUND_UP)
    return Quote(amount, connection.currency, estimate.basis, estimate.as_of, converted)


def accept(
    membership: Membership,
    model: str,
    raw: Mapping[str, Any],
    *,
    title: str = "",
    idempotency_key: str = "",
    strict: bool = False,
) -> Accepted:
    """Takes an order, or refuses it without a trace.

    `raw` are params as a form (texts) or, with `strict`, as JSON gives them. Raises `load.UnknownModel`,
    `InvalidParams`, `MayNotGenerate`, `PriceUnknown`, `quota.QuotaExceeded`, `KeyReused`.
    """
    if not membership.may_generate:
        raise MayNotGenerate
    spec = load.get(model)
    digest = _digest(spec, raw, title)
    if idempotency_key and (earlier := _earlier(membership, idempotency_key, digest)):
        return Accepted(earlier, created=False)
    params = spec.clean(raw, strict=strict)
    connection = Connection.current()
    estimate = quote(spec, params, connection)
    try:
        with transaction.atomic():
            team = Team.objects.select_for_update().get(pk=membership.team_id)
            locked = (
                Membership.objects.select_for_update(of=("self",))
                .select_related("user")
                .get(pk=membership.pk)
            )
            locked.team = team
            if not locked.may_generate:
                raise MayNotGenerate
            if idempotency_key and (earlier := _earlier(locked, idempotency_key, digest)):
                return Accepted(earlier, created=False)
            _check_uploads(spec, params, team)
            if estimate.cost is None and team.unknown_price == Team.UnknownPrice.REFUSE:
                raise PriceUnknown
            now = timezone.now()
            warnings = quota.ask(locked, estimate.cost, estimate.currency, now)
            generation = Generation.objects.create(
                team=team,
                author=locked.user,
                connection=connection,
                model=spec.slug,
                kind=spec.kind.value,
                title=_title(spec, params, title or str(params.get("title", ""))),
                params=params,
                search_text=search_text(title, *_words(params), spec.title),
                idempotency_key=idempotency_key,
                request_digest=digest if idempotency_key else "",
                currency=estimate.currency,
                cost_estimated=estimate.cost,
                cost_basis=estimate.basis[:200],
                status=State.QUEUED,
                created_at=now,
                updated_at=now,
                next_check_at=now,
                deadline_at=now + WAITS_AT_MOST,
            )
            queue.ring()
    except IntegrityError:
        # The same key reached another process between our look and our insert; its generation is the answer.
        if idempotency_key and (earlier := _earlier(membership, idempotency_key, digest)):
            return Accepted(earlier, created=False)
        raise
    return Accepted(generation, created=True, warnings=warnings)


def _in_currency(amount: Decimal, price: str, account: str) -> tuple[Decimal, str]:
    """The amount in the account's currency, and the price's currency when a rate had to be assumed."""
    rate = Decimal(str(settings.CNY_PER_USD))
    if (price, account) == ("CNY", "USD"):
        return amount / rate, price
    if (price, account) == ("USD", "CNY"):
        return amount * rate, price
    return amount, ""


def _past_costs(spec: ModelSpec, connection: Connection) -> list[tuple[Decimal, Decimal]]:
    """(what the catalogue says today, what was really charged) of the latest finished generations of this model."""
    rows = (
        Generation.objects.filter(model=spec.slug, connection=connection, currency=connection.currency)
        .filter(status=State.SUCCEEDED, finished_at__isnull=False, cost_actual__isnull=False)
        .order_by("-finished_at")
        .values_list("params", "cost_actual")[:20]
    )
    pairs = []
    for params, actual in rows:
        listed = pricing.estimate(spec, params)
        if listed.amount and actual is not None:
            pairs.append((_in_currency(listed.amount, listed.currency, connection.currency)[0], actual))
    return pairs


def _digest(spec: ModelSpec, raw: Mapping[str, Any], title: str) -> str:
    text = json.dumps([spec.slug, raw, title], sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _earlier(membership: Membership, key: str, digest: str) -> Generation | None:
    """The generation that this key stands for. An outlived key is taken off its row, so that it can be used anew."""
    row = Generation.objects.filter(
        team=membership.team_id, author=membership.user_id, idempotency_key=key
    ).first()
    if row is None:
        return None
    if row.created_at < timezone.now() - KEY_LIVES:
        Generation.objects.filter(pk=row.pk).update(idempotency_key="")
        return None
    if row.request_digest != digest:
        raise KeyReused
    return row


def _check_uploads(spec: ModelSpec, params: Mapping[str, Any], team: Team) -> None:
    """Every upload that the params name must be the team's, and of a type and size the param takes."""
    errors: dict[str, list[str]] = {}
    for param in spec.params:
        if param.type not in MEDIA or param.key not in params:
            continue
        value = params[param.key]
        for reference in value if isinstance(value, list) else [value]:
            sentence = _upload_fault(reference, param.type.value, param.accept, param.max_size_mb, team)
            if sentence:
                errors.setdefault(param.key, []).append(sentence)
    if errors:
        raise InvalidParams(errors)


def _upload_fault(reference: str, kind: str, accept: Sequence[str], max_mb: int | None, team: Team) -> str:
    try:
        upload_id: uuid.UUID = Upload.id_of(reference)
    except ValueError:
        return "Choose a file."
    upload = Upload.objects.filter(pk=upload_id, team=team).first()
    if upload is None:
        return "This file is not there any more. Choose it again."
    if upload.kind != kind.lower():
        return {
            "IMAGE": "This is not a picture. Choose another file.",
            "VIDEO": "This is not a video. Choose another file.",
        }.get(kind, "This is not sound. Choose another file.")
    if accept and upload.extension.upper() not in {
        "JPG" if a.upper() == "JPEG" else a.upper() for a in accept
    }:
        return f"{upload.extension.upper()} is not accepted here. Use {' or '.join(accept)}."
    if max_mb and upload.bytes > max_mb * 1024**2:
        return f"At most {max_mb} MB; this file has {upload.bytes / 1024**2:.1f} MB."
    return ""


def _words(params: Mapping[str, Any]) -> list[str]:
    texts = [value for value in params.values() if isinstance(value, str)]
    return [text for text in texts if not text.startswith("upload:")]


def _first_name(spec: ModelSpec, params: Mapping[str, Any]) -> str:
    """The name of the first file given: all that tells one job without words from the next."""
    named = [Upload.objects.filter(pk=Upload.id_of(one)).first() for one in spec.uploads(params)[:1]]
    return named[0].name if named and named[0] is not None else ""


def _title(spec: ModelSpec, params: Mapping[str, Any], title: str) -> str:
    """The given title, of the form or of the song itself, else the first words of the prompt, else what it is made
    from, else the model's name.
    """
    prompt = str(params.get(spec.prompt_param, "")) or _first_name(spec, params)
    words = " ".join((title or prompt or spec.title).split())
    return (
        words
        if len(words) <= 80 and not title
        else words[:200]
        if title
        else words[:79].rsplit(" ", 1)[0] + "…"
    )
