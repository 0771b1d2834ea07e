"""Accept: the one door. Form, REST, run again and scripts all come through `accept()`.

In one transaction it locks the team, then the membership, asks quota, inserts the row that is receipt and order in
one, and rings the queue. Twenty requests at once against a limit of five therefore give five: each waits for the
lock and then sees the receipts of those before it. SQLite has no row locks; its transactions here are immediate, so
only one at a time gets past BEGIN.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import ApiToken, Membership, Team
from generations import disk, own_models, permits, queue, quota, vault
from generations.catalogue import file, load
from generations.catalogue.size import size
from generations.catalogue.spec import EXTRA, InvalidParams, ModelSpec, ParamSpec
from generations.models import (
    Connection,
    Generation,
    PriceDecision,
    State,
    Upload,
    VoiceUse,
    database_now,
    search_text,
)
from generations.permits import ModelRefused
from generations.pipeline import twins
from generations.pipeline.descend import Origin, descend
from generations.pipeline.quoting import Quote, Tariff, price_of, priced, quote, quotes, tariffs

__all__ = [
    "Accepted",
    "KeyReused",
    "MayNotGenerate",
    "ModelRefused",
    "NotOffered",
    "Order",
    "Origin",
    "PriceUnknown",
    "Quote",
    "Switched",
    "Tariff",
    "TokenOver",
    "accept",
    "allowed",
    "digest_of",
    "earlier_with",
    "insert",
    "lock",
    "offered",
    "price_of",
    "priced",
    "quote",
    "quotes",
    "still",
    "tariffs",
    "title_of",
]

KEY_LIVES = timedelta(days=1)
WAITS_AT_MOST = timedelta(days=7)
PAUSE = re.compile(r"<#[0-9.]{1,5}#>")


class MayNotGenerate(PermissionDenied):
    """The member's role does not allow generating, or the membership ended, maybe in this moment."""

    def __init__(self) -> None:
        super().__init__("Your role does not let you generate (any more). Ask a manager for another one.")


class TokenOver(PermissionDenied):
    """The token was revoked or has expired, maybe in this moment."""

    def __init__(self) -> None:
        super().__init__("This token was revoked or has expired.")


class NotOffered(Exception):
    """The site of the connection, `site`, does not have this model."""

    def __init__(self, site: str) -> None:
        super().__init__(f"This model is not offered on RunningHub’s .{site} site.")
        self.site = site


class PriceUnknown(Exception):
    """The price of this model is unknown and the team refuses such models, or this one."""


class Switched(Exception):
    """The team began to use another connection in this moment, where this may cost something else."""


class KeyReused(Exception):
    """The idempotency key already stands for another request."""


@dataclass(frozen=True)
class Accepted:
    """`created` is false when an idempotency key gave an earlier generation back."""

    generation: Generation
    created: bool
    warnings: Sequence[quota.Line] = ()


@dataclass(frozen=True)
class Order:
    """One generation that is asked for, not yet taken: cleaned params and what they are expected to cost."""

    spec: ModelSpec
    params: dict[str, Any]
    title: str
    estimate: Quote
    voice: vault.Wish | None = None
    """What is said about the voice that it makes, if it makes one."""
    origin: Origin | None = None
    """The generation that was filled in again."""


def accept(
    membership: Membership,
    model: str,
    raw: Mapping[str, Any],
    *,
    title: str = "",
    idempotency_key: str = "",
    strict: bool = False,
    voice: vault.Wish | None = None,
    token: ApiToken | None = None,
    origin: Origin | None = None,
) -> Accepted:
    """Takes an order, or refuses it without a trace.

    `raw` are params as a form (texts) or, with `strict`, as JSON gives them; `voice` is said about a voice that is to
    be made; `token` is what it is asked for through, whose own limits bind as well; `origin` is what was filled in
    again. Raises `load.UnknownModel`,
    `NotOffered`, `InvalidParams`, `MayNotGenerate`, `TokenOver`, `ModelRefused`, `PriceUnknown`,
    `quota.QuotaExceeded`, `KeyReused`, `disk.StorageLow`.
    """
    if not membership.may_generate:
        raise MayNotGenerate
    disk.refuse_when_low()
    connection = Connection.of(membership.team)
    # First what the key stands for: it stands also when the model was taken out of use since.
    asked = own_models.known(model, membership.team)
    digest = digest_of(asked, raw if voice is None else [raw, asdict(voice)], title)
    if idempotency_key and (earlier := earlier_with(membership, idempotency_key, digest)):
        return Accepted(earlier, created=False)
    spec = offered(model, connection, membership.team)
    params = spec.clean(raw, strict=strict)
    order = Order(spec, params, title, quote(spec, params, connection, membership.team), voice, origin)
    try:
        with transaction.atomic():
            locked = lock(membership)
            token = still(token)
            if idempotency_key and (earlier := earlier_with(locked, idempotency_key, digest)):
                return Accepted(earlier, created=False)
            if Connection.of(locked.team).pk != connection.pk:
                raise Switched
            now = database_now()
            warnings = quota.ask(locked, allowed(locked, order), order.estimate.currency, now, token)
            generation = insert(
                locked,
                connection,
                order,
                now,
                token=token,
                idempotency_key=idempotency_key,
                request_digest=digest if idempotency_key else "",
            )
            queue.ring()
    except Switched:
        return accept(
            locked,
            model,
            raw,
            title=title,
            idempotency_key=idempotency_key,
            strict=strict,
            voice=voice,
            token=token,
            origin=origin,
        )
    except IntegrityError:
        # The same key reached another process between our look and our insert; its generation is the answer.
        if idempotency_key and (earlier := earlier_with(membership, idempotency_key, digest)):
            return Accepted(earlier, created=False)
        raise
    return Accepted(generation, created=True, warnings=warnings)


def offered(model: str, connection: Connection, team: Team) -> ModelSpec:
    """The model as it is now, which the site of this connection has and the team may know of. Raises
    `load.UnknownModel`, `NotOffered`.
    """
    spec = own_models.get(model, team)
    if not spec.is_on(connection.site):
        raise NotOffered(connection.site)
    return spec


def lock(membership: Membership) -> Membership:
    """The membership under the locks of its team and of itself, in this order, as it is now.

    For use inside a transaction. Raises `MayNotGenerate`.
    """
    team = Team.objects.select_for_update().get(pk=membership.team_id)
    rows = Membership.objects.select_for_update(of=("self",)).select_related("user")
    locked = rows.get(pk=membership.pk)
    locked.team = team
    if not (locked.may_generate and locked.user.is_active):
        raise MayNotGenerate
    return locked


def still(token: ApiToken | None) -> ApiToken | None:
    """The token as it is now, which a revocation may have overtaken. For use under `lock`. Raises `TokenOver`."""
    if token is None:
        return None
    found = ApiToken.valid().filter(pk=token.pk).first()
    if found is None:
        raise TokenOver
    return found


def allowed(locked: Membership, order: Order) -> Decimal | None:
    """The cost to ask quota for, once the model and the inputs are found to be the member's to use, and the price not
    unknown to a team that minds. Raises `load.UnknownModel` for one that was taken out of use in this moment,
    `ModelRefused`, `InvalidParams`, `PriceUnknown`.
    """
    if not own_models.is_in_use(order.spec):
        raise load.UnknownModel("This model was taken out of use.")
    permits.refuse(locked, order.spec)
    if EXTRA in order.params and not locked.may_manage:
        raise InvalidParams({EXTRA: ["Only managers may send settings that the catalogue does not know."]})
    _check_uploads(order.spec, order.params, locked)
    vault.refuse_foreign(locked, order.spec, order.params)
    if order.voice is not None and vault.maker(order.spec):
        order.voice.check(locked, needs_consent=vault.needs_consent(order.spec))
    if order.estimate.cost is None and not PriceDecision.lets_run(locked.team, order.spec.slug):
        raise PriceUnknown
    return order.estimate.cost


def insert(
    locked: Membership, connection: Connection, order: Order, asked_at: datetime, **more: Any
) -> Generation:
    """The row of an order that quota allowed, inside the transaction that asked, with the voice that it makes or the
    note of the one that it speaks with. `asked_at` is the time by which quota was asked, of the database's clock.
    Raises `InvalidParams` when the id of a new voice is taken.
    """
    spec, now = order.spec, timezone.now()
    title = order.title or (order.voice.name if order.voice and vault.maker(spec) else "")
    params = vault.with_id(spec, order.params, title)
    spoken = vault.spoken(spec, params)
    words = [word for word in _words(params) if spoken is None or word != spoken.voice_id]
    generation = Generation.objects.create(
        team=locked.team,
        author=locked.user,
        connection=connection,
        model=spec.slug,
        form=spec.form,
        kind=spec.kind.value,
        title=title_of(spec, params, title or str(params.get("title", ""))),
        params=params,
        size=size(params),
        twin=twins.digest(spec, params),
        search_text=search_text(*words, spec.title),
        currency=order.estimate.currency,
        cost_estimated=order.estimate.cost,
        cost_basis=order.estimate.basis[:200],
        status=State.QUEUED,
        created_at=asked_at,
        updated_at=now,
        untold_at=now,
        next_check_at=now,
        deadline_at=now + WAITS_AT_MOST,
        **more,
    )
    vault.make(generation, spec, locked, order.voice)
    if spoken is not None:
        VoiceUse.objects.create(generation=generation, voice=spoken)
    descend(generation, spec, params, order.origin)
    return generation


def digest_of(spec: ModelSpec, raw: Any, title: str) -> str:
    """Tells one request from another under the same idempotency key."""
    text = json.dumps([spec.slug, raw, title], sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def earlier_with(membership: Membership, key: str, digest: str) -> Generation | None:
    """The generation that this key stands for. An outlived key is taken off its row, so that it can be used anew.

    Raises `KeyReused` when the key came with another request.
    """
    row = Generation.objects.filter(
        team=membership.team_id, author=membership.user_id, idempotency_key=key
    ).first()
    if row is None:
        return None
    if row.created_at < database_now() - KEY_LIVES:
        Generation.objects.filter(pk=row.pk).update(idempotency_key="")
        return None
    if row.request_digest != digest:
        raise KeyReused
    return row


def _check_uploads(spec: ModelSpec, params: Mapping[str, Any], locked: Membership) -> None:
    """Every upload that the params name must be the team's and not the recording of a voice that is hidden from the
    member, and of a type, size and length the param takes.
    """
    if not any(param.type.is_media and param.key in params for param in spec.params):
        return
    rows = Upload.objects.heard_by(locked).exclude(pk__in=vault.hidden_from(locked).uploads)
    errors: dict[str, list[str]] = {}
    for param in spec.params:
        if not param.type.is_media or param.key not in params:
            continue
        value = params[param.key]
        for reference in value if isinstance(value, list) else [value]:
            sentence = _upload_fault(reference, param, rows)
            if sentence:
                errors.setdefault(param.key, []).append(sentence)
    if errors:
        raise InvalidParams(errors)


def _upload_fault(reference: str, param: ParamSpec, rows: QuerySet[Upload]) -> str:
    try:
        upload_id: uuid.UUID = Upload.id_of(reference)
    except ValueError:
        return "Choose a file."
    upload = rows.filter(pk=upload_id).first()
    if upload is None:
        return "This file is not there any more. Choose it again."
    sides = (upload.width, upload.height) if upload.width and upload.height else None
    return file.fault(param, upload.kind, upload.extension, upload.bytes, upload.duration, sides)


def _words(params: Mapping[str, Any]) -> list[str]:
    texts = [value for value in params.values() if isinstance(value, str)]
    return [text for text in texts if not text.startswith("upload:")]


def _first_name(spec: ModelSpec, params: Mapping[str, Any]) -> str:
    """The name of the first file given: all that tells one job without words from the next."""
    named = [Upload.objects.filter(pk=Upload.id_of(one)).first() for one in spec.uploads(params)[:1]]
    return named[0].name if named and named[0] is not None else ""


def title_of(spec: ModelSpec, params: Mapping[str, Any], title: str) -> str:
    """The given title, of the form or of the song itself, else the first words of the prompt, else what it is made
    from, else the model's name. Marks of a pause are no words.
    """
    prompt = PAUSE.sub(" ", str(params.get(spec.prompt_param, ""))).strip() or _first_name(spec, params)
    words = " ".join((title or prompt or spec.title).split())
    return (
        words
        if len(words) <= 80 and not title
        else words[:200]
        if title
        else words[:79].rsplit(" ", 1)[0] + "…"
    )
