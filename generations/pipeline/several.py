"""Several at once, through the same door: one generation for each line of a text, or the same some times over.

All of an order is taken in one transaction under the locks of `accept`: limits are asked once and then counted on for
each, so what fits is taken in order, the first that does not fit ends it, and the rest is kept as a draft. A process
that dies in between leaves nothing behind.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import ApiToken, Membership
from generations import disk, own_models, queue, quota, vault
from generations.catalogue.spec import InvalidParams, ModelSpec
from generations.models import Batch, Connection, Draft, Generation, database_now
from generations.pipeline import accept as door
from generations.pipeline.accept import Order, Tariff

MOST = 200
"""Generations of one order."""
NAMED = 5
"""Lines whose faults are told one by one."""


@dataclass(frozen=True)
class Line:
    """One of several: its place in the order from 1, its title ("" for its own words), its text.

    `text` None leaves the params as they are; `params` are its own, in place of those of the order.
    """

    place: int
    text: str | None
    title: str = ""
    params: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Taken:
    """What became of an order: so many were `taken` in `batch`; what a limit stopped waits in `rest`."""

    batch: Batch
    taken: int
    rest: Draft | None = None
    refusal: quota.QuotaExceeded | None = None
    warnings: Sequence[quota.Line] = ()
    created: bool = True


class RestGone(Exception):
    """The rest of this batch was sent or thrown away meanwhile."""


def numbered(lines: Sequence[Line], title: str) -> list[Line]:
    """The lines with the title of the order and their number, where they have none of their own, so that they sort as
    they were written.
    """
    width = max(2, len(str(len(lines))))
    return [
        replace(line, title=line.title or (f"{title} {line.place:0{width}}" if title else ""))
        for line in lines
    ]


def orders(
    spec: ModelSpec, raw: Mapping[str, Any], lines: Sequence[Line], tariff: Tariff, *, strict: bool = False
) -> list[Order]:
    """Each line as an order of its own, cleaned (`strict` as of `ModelSpec.clean`) and priced. Raises `InvalidParams`,
    naming lines that do not fit.
    """
    found: list[Order] = []
    errors: dict[str, list[str]] = {}
    for line in lines:
        mine = {**raw, **(line.params or {})}
        if line.text is not None:
            mine[spec.prompt_param] = line.text
        try:
            params = spec.clean(mine, strict=strict)
        except InvalidParams as invalid:
            _gather(errors, invalid, spec, line)
            continue
        alike = line.text is None and line.params is None
        same = alike and not line.title and len(lines) > 1
        name = f"{door.title_of(spec, params, '')} {line.place}" if same else line.title
        found.append(Order(spec, params, name, tariff.quote(params)))
    if errors:
        raise InvalidParams(errors)
    return found


def accept(
    membership: Membership,
    model: str,
    raw: Mapping[str, Any],
    lines: Sequence[Line],
    *,
    title: str = "",
    idempotency_key: str = "",
    token: ApiToken | None = None,
    strict: bool = False,
    origin: door.Origin | None = None,
) -> Taken:
    """Takes as many of `lines`, in order, as the limits let through; the rest becomes a draft of the member.

    Raises what `accept.accept` raises; `quota.QuotaExceeded` when not even the first fits. Then nothing is kept.
    """
    if not membership.may_generate:
        raise door.MayNotGenerate
    disk.refuse_when_low()
    connection = Connection.of(membership.team)
    asked = own_models.known(model, membership.team)
    digest = door.digest_of(asked, [dict(raw), [asdict(line) for line in lines]], title)
    if idempotency_key and (earlier := _earlier(membership, idempotency_key, digest)):
        return earlier
    spec = door.offered(model, connection, membership.team)
    if vault.maker(spec) is not None:
        raise InvalidParams({"": [_("Voices are made one at a time, each with a consent of its own.")]})
    lines = numbered(lines, title)
    found = orders(spec, raw, lines, Tariff(spec, connection, membership.team), strict=strict)
    wanted = [replace(order, origin=origin) for order in found]
    try:
        with transaction.atomic():
            locked = door.lock(membership)
            token = door.still(token)
            if idempotency_key and (earlier := _earlier(locked, idempotency_key, digest)):
                return earlier
            if Connection.of(locked.team).pk != connection.pk:
                raise door.Switched
            batch = Batch.objects.create(
                team=locked.team,
                author=locked.user,
                model=spec.slug,
                title=title or _name(spec, wanted),
                asked=len(lines),
            )
            key = {"idempotency_key": idempotency_key, "request_digest": digest} if idempotency_key else {}
            taken = _take(locked, connection, batch, lines, wanted, key, token)
            if taken.refusal is not None:
                taken = _keep_rest(taken, raw, lines)
            queue.ring()
    except door.Switched:
        return accept(
            locked,
            model,
            raw,
            lines,
            title=title,
            idempotency_key=idempotency_key,
            token=token,
            strict=strict,
            origin=origin,
        )
    except IntegrityError:
        if idempotency_key and (earlier := _earlier(membership, idempotency_key, digest)):
            return earlier
        raise
    return taken


def accept_rest(membership: Membership, draft_id: uuid.UUID, token: ApiToken | None = None) -> Taken:
    """Sends what a limit had stopped, in the same batch and under the same names; what does not fit stays the rest.

    Raises `RestGone` when another click was first, else as `accept`.
    """
    disk.refuse_when_low()
    with transaction.atomic():
        locked = door.lock(membership)
        token = door.still(token)
        drafts = Draft.objects.select_for_update(of=("self",)).select_related("batch")
        draft = drafts.filter(pk=draft_id, team=locked.team, author=locked.user, batch__isnull=False).first()
        if draft is None or draft.batch is None:
            raise RestGone
        connection = Connection.of(locked.team)
        spec = door.offered(draft.model, connection, membership.team)
        lines = [Line(**line) for line in draft.lines]
        wanted = orders(spec, draft.params, lines, Tariff(spec, connection, locked.team))
        taken = _take(locked, connection, draft.batch, lines, wanted, {}, token)
        if taken.refusal is None:
            draft.delete()
        else:
            draft.lines = [asdict(line) for line in lines[taken.taken :]]
            draft.updated_at = timezone.now()
            draft.save(update_fields=["lines", "updated_at"])
            taken = Taken(draft.batch, taken.taken, draft, taken.refusal, taken.warnings)
        queue.ring()
    return taken


def _take(
    locked: Membership,
    connection: Connection,
    batch: Batch,
    lines: Sequence[Line],
    wanted: Sequence[Order],
    key: Mapping[str, str],
    token: ApiToken | None = None,
) -> Taken:
    """Inserts those that fit. The first carries the key by which the whole order is found again."""
    costs: list[Decimal | None] = [door.allowed(locked, order) for order in wanted]
    now = database_now()
    room = quota.room(quota.standing(locked, now, token), costs)
    currency = connection.currency
    refusal = quota.QuotaExceeded(room.refusing, costs[room.fit], currency) if room.refusing else None
    if refusal is not None and not room.fit:
        raise refusal
    for line, order in zip(lines[: room.fit], wanted[: room.fit], strict=True):
        door.insert(locked, connection, order, now, batch=batch, batch_place=line.place, token=token, **key)
        key = {}
    return Taken(batch, room.fit, None, refusal, room.warning)


def _name(spec: ModelSpec, wanted: Sequence[Order]) -> str:
    """What an order without a title is called: as its first, and how many more."""
    first = wanted[0].title or door.title_of(spec, wanted[0].params, "")
    words = {"first": first[:160], "n": len(wanted) - 1}
    more = ngettext("%(first)s and %(n)s more", "%(first)s and %(n)s more", len(wanted) - 1)
    return more % words if len(wanted) > 1 else first


def _keep_rest(taken: Taken, raw: Mapping[str, Any], lines: Sequence[Line]) -> Taken:
    batch = taken.batch
    rest = Draft.objects.create(
        team=batch.team,
        author=batch.author,
        model=batch.model,
        title=batch.title,
        params=dict(raw),
        lines=[asdict(line) for line in lines[taken.taken :]],
        batch=batch,
    )
    return Taken(batch, taken.taken, rest, taken.refusal, taken.warnings)


def _earlier(membership: Membership, key: str, digest: str) -> Taken | None:
    found = door.earlier_with(membership, key, digest)
    if found is None:
        return None
    if found.batch is None:
        raise door.KeyReused
    count = Generation.objects.filter(batch=found.batch).count()
    return Taken(found.batch, count, found.batch.drafts.first(), created=False)


def _gather(errors: dict[str, list[str]], invalid: InvalidParams, spec: ModelSpec, line: Line) -> None:
    """A fault of the text is told with its line; a fault of a setting is the same for all and told once."""
    for key, sentences in invalid.errors.items():
        said = errors.setdefault(key, [])
        if line.params is not None:
            said += [f"Line {line.place}: {sentence}" for sentence in sentences] if len(said) < NAMED else []
        elif key != spec.prompt_param or line.text is None:
            said += [sentence for sentence in sentences if sentence not in said]
        elif len(said) < NAMED:
            said += [f"Line {line.place}: {sentence}" for sentence in sentences]
