"""Receivers: what managers do with them. Each deed has its line in the audit trail, in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership, Team, audit
from generations import outgoing, queue
from generations.models import Delivery, Receiver
from generations.models.receiver import new_secret
from generations.pipeline import announce

MOST = 20
"""Receivers of a team."""
EVENTS: Mapping[str, str | Promise] = {
    "generation.finished": gettext_lazy("A generation is finished"),
    "generation.failed": gettext_lazy("A generation failed"),
    "generation.refused": gettext_lazy("A generation was refused by RunningHub before it began"),
    "generation.cancelled": gettext_lazy("A generation was cancelled"),
    "allowance.asked": gettext_lazy("Somebody asks for more"),
    "allowance.granted": gettext_lazy("Somebody was granted more"),
    "allowance.declined": gettext_lazy("A request for more was declined or nobody answered it"),
    "limit.near": gettext_lazy("A limit is nearly used up"),
    "limit.reached": gettext_lazy("A limit is used up"),
    "spending.unusual": gettext_lazy("Somebody spends more than usual"),
    "connection.paused": gettext_lazy("Sending is paused"),
    "connection.resumed": gettext_lazy("Sending goes on"),
    "voice.expiring": gettext_lazy("A voice is about to be deleted by the provider"),
}


class NotDone(ValueError):
    """It was not done; the text says why."""


def check(url: str, events: Sequence[str]) -> None:
    """Raises `NotDone` for what can be told to be wrong without calling anybody."""
    try:
        outgoing.parts_of(url)
    except outgoing.Refused as error:
        raise NotDone(str(error)) from None
    if not events or set(events) - set(EVENTS):
        raise NotDone(_("Choose at least one event of those there are."))


@transaction.atomic
def make(actor: Membership, url: str, events: Sequence[str]) -> tuple[Receiver, str]:
    """A new receiver and its secret, which is shown for the only time. Raises `NotDone`."""
    check(url, events)
    team = Team.objects.select_for_update().get(pk=actor.team_id)
    if Receiver.objects.filter(team=team, removed_at=None).count() >= MOST:
        raise NotDone(_("The team has %(n)s webhooks already. Remove one first.") % {"n": MOST})
    secret = new_secret()
    receiver = Receiver(team=team, url=url, events=sorted(set(events)), made_by=actor.user)
    receiver.keep(secret)
    receiver.save()
    audit.note("webhook.made", team=team, by=actor.user, subject=url, after={"events": receiver.events})
    return receiver, secret


@transaction.atomic
def change(actor: Membership, receiver: Receiver, url: str, events: Sequence[str]) -> None:
    """Another address or other events, from the next change on. Raises `NotDone`."""
    check(url, events)
    before = {"url": receiver.url, "events": receiver.events}
    after = {"url": url, "events": sorted(set(events))}
    Receiver.objects.filter(pk=receiver.pk).update(**after, resume_at=None)
    audit.note("webhook.changed", team=actor.team, by=actor.user, subject=url, before=before, after=after)


@transaction.atomic
def switch(actor: Membership, receiver: Receiver, *, on: bool) -> bool:
    """Has it told from now on, or no more. Gives whether that was a change."""
    rows = Receiver.objects.filter(pk=receiver.pk, removed_at=None, disabled_at__isnull=not on)
    changes = (
        {"disabled_at": None, "disabled_for": "", "failing_since": None, "faults": 0, "resume_at": None}
        if on
        else {"disabled_at": timezone.now(), "disabled_for": ""}
    )
    if not rows.update(**changes):
        return False
    if not on:
        _give_up(receiver)
    what = "webhook.enabled" if on else "webhook.disabled"
    audit.note(what, team=actor.team, by=actor.user, subject=receiver.url)
    return True


@transaction.atomic
def remove(actor: Membership, receiver: Receiver) -> bool:
    """Nothing is sent there any more."""
    rows = Receiver.objects.filter(pk=receiver.pk, removed_at=None)
    if not rows.update(removed_at=timezone.now(), sealed_secret=""):
        return False
    _give_up(receiver)
    audit.note("webhook.removed", team=actor.team, by=actor.user, subject=receiver.url)
    return True


@transaction.atomic
def renew(actor: Membership, receiver: Receiver) -> str:
    """Another secret, shown for the only time; what is sent from now on is signed with it."""
    secret = new_secret()
    receiver.keep(secret)
    receiver.save(update_fields=["sealed_secret"])
    audit.note("webhook.renewed", team=actor.team, by=actor.user, subject=receiver.url)
    return secret


@transaction.atomic
def test(receiver: Receiver) -> Delivery:
    """Sends something that means nothing; the log tells what came of it. A resting receiver is tried at once.

    Raises `NotDone` for one that is switched off.
    """
    if receiver.disabled_at is not None:
        raise NotDone(_("It is switched off. Switch it on first."))
    Receiver.objects.filter(pk=receiver.pk).update(resume_at=None)
    made = announce.test_of(receiver)
    queue.ring_deliver()
    return made


@transaction.atomic
def resend(delivery: Delivery) -> Delivery:
    """The same once more, under the same id. Raises `NotDone`."""
    receiver = delivery.receiver
    if receiver.disabled_at is not None:
        raise NotDone(_("It is switched off. Switch it on first."))
    if delivery.state == Delivery.State.WAITING:
        raise NotDone(_("It is on its way already."))
    Receiver.objects.filter(pk=receiver.pk).update(resume_at=None)
    made = Delivery.objects.create(
        receiver=receiver,
        event_id=delivery.event_id,
        event=delivery.event,
        number=delivery.number,
        subject=delivery.subject,
        body=delivery.body,
    )
    queue.ring_deliver()
    return made


def _give_up(receiver: Receiver) -> None:
    waiting = Delivery.objects.filter(receiver=receiver, state=Delivery.State.WAITING)
    waiting.update(state=Delivery.State.GIVEN_UP, ended_at=timezone.now(), lease_until=None)
