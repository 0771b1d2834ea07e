"""Hold: an order that a limit refused, sent by itself once the limit has started anew.

A held order is no generation; nothing is reserved for it, so when its time comes it goes through the door like any
other, once, and may be refused again. It leaves `waiting` in the transaction that takes it: a worker that is killed
leaves either both the generation and the note of it, or neither, and the next sweep tries again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Action, Membership
from accounts.notify import tell
from generations import disk, quota, vault
from generations.catalogue import load
from generations.catalogue.spec import InvalidParams, ModelSpec
from generations.models import Draft, Generation, HeldOrder, database_now
from generations.pipeline import accept as door

MOST = 20
"""Orders that one member may have waiting."""
AT_ONCE = 50
PUT_OFF = timedelta(minutes=10)
State = HeldOrder.State
logger = logging.getLogger(__name__)


class TooMany(Exception):
    """The member has as many waiting as anybody may."""


def due_at(lines: Sequence[quota.Line]) -> datetime | None:
    """When all the limits that refuse have started anew; None when one of them never does by itself."""
    ends = [line.resets_at for line in lines if line.action == Action.BLOCK]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def may_hold(spec: ModelSpec) -> bool:
    """Whether this can wait: what makes a voice states a consent, which is given at the moment of making."""
    return vault.maker(spec) is None


def hold(
    membership: Membership,
    spec: ModelSpec,
    raw: Mapping[str, Any],
    title: str,
    due: datetime,
    *,
    once: str = "",
) -> HeldOrder:
    """Keeps an order until `due`; the same form, told by `once`, gives the same one.

    Raises `InvalidParams`, `TooMany`.
    """
    spec.clean(raw)
    with transaction.atomic():
        locked = door.lock(membership)
        mine = HeldOrder.objects.filter(membership=locked)
        if once and (same := mine.filter(once=once).exclude(state=State.WITHDRAWN).first()):
            return same
        if mine.filter(state=State.WAITING).count() >= MOST:
            raise TooMany
        return HeldOrder.objects.create(
            team=locked.team,
            membership=locked,
            model=spec.slug,
            title=title,
            once=once,
            params=dict(raw),
            due_at=due,
        )


def withdraw(order: HeldOrder) -> Draft | None:
    """The member does not want it sent any more; gives its form as a draft. None when it was sent meanwhile."""
    with transaction.atomic():
        if not order.settle(State.WITHDRAWN):
            return None
        draft = order.keep()
        HeldOrder.objects.filter(pk=order.pk).update(draft=draft)
    return draft


def send_due(now: datetime | None = None) -> int:
    """Sends what is due, the oldest first; gives how many were taken."""
    now = now or database_now()
    rows = HeldOrder.objects.filter(state=State.WAITING, due_at__lte=now).order_by("due_at", "pk")
    taken = 0
    for order in rows.select_related("team", "membership__user", "membership__team")[:AT_ONCE]:
        try:
            taken += send(order)
        except disk.StorageLow:
            break
        except Exception:
            # Put off, so that one that can never be sent does not stand before all others.
            logger.exception("The held order %s could not be sent now.", order.pk)
            later = HeldOrder.objects.filter(pk=order.pk, state=State.WAITING)
            later.update(due_at=now + PUT_OFF)
    return taken


def doubt_due() -> int:
    """After a backup was restored: what was due meanwhile may have been sent, so it is a draft now; gives how many."""
    rows = HeldOrder.objects.filter(state=State.WAITING, due_at__lte=database_now())
    doubted = 0
    for order in rows.select_related("team", "membership__user", "membership__team"):
        _refuse(
            order,
            _("A backup was restored, and whether it was sent since is not known. Look before sending it."),
        )
        doubted += 1
    return doubted


def send(order: HeldOrder) -> bool:
    """Takes it or refuses it, for good either way; false as well when somebody else was first."""
    try:
        with transaction.atomic():
            if not order.settle(State.TAKEN):
                return False
            accepted = door.accept(
                order.membership,
                order.model,
                order.params,
                title=order.title,
                idempotency_key=f"held-{order.pk}",
            )
            HeldOrder.objects.filter(pk=order.pk).update(generation=accepted.generation)
            _tell_taken(order, accepted.generation)
    except quota.QuotaExceeded:
        _refuse(order, _("A limit refused it again: others were quicker, or the limit is lower now."))
    except door.PriceUnknown:
        _refuse(order, _("Its price is not known any more, and the team refuses such models."))
    except (load.UnknownModel, door.NotOffered):
        _refuse(order, _("The model is not offered any more."))
    except InvalidParams:
        _refuse(order, _("The model does not take these settings any more, or a file is gone."))
    except door.KeyReused:
        _refuse(order, _("Something else was sent in its place."))
    except door.ModelRefused as refused:
        _refuse(order, str(refused))
    except PermissionDenied:
        _refuse(order, _("Your role does not let you generate any more."))
    else:
        return True
    return False


def _tell_taken(order: HeldOrder, generation: Generation) -> None:
    words = {"title": generation.title}
    link = reverse("generation", args=[order.team.slug, generation.pk])
    title = _("Held until the limit started anew, now sent: %(title)s") % words
    tell(order.membership.user, "held", title, team=order.team, link=link)


def _refuse(order: HeldOrder, why: str) -> None:
    with transaction.atomic():
        if not order.settle(State.REFUSED):
            return
        draft = order.keep()
        HeldOrder.objects.filter(pk=order.pk).update(draft=draft)
        said = f"{why}\n\n" + _("Your form is still there, as you filled it.")
        title = _("Held until the limit started anew, but not sent: %(title)s") % {"title": str(order)[:100]}
        link = reverse("draft_open", args=[order.team.slug, draft.pk])
        tell(order.membership.user, "held", title, said, team=order.team, link=link)
