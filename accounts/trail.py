"""Reading the audit trail: its deeds in words, and finding among them.

Pages are cut by id, which sorts by time, so the oldest page costs what the newest costs; nothing is ever counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Action, AuditEntry, Mode, Role, Team

PAGE = 50

WORDS: Mapping[str, str | Promise] = {
    "allowance.changed": gettext_lazy("changed a limit"),
    "audit.exported": gettext_lazy("exported the audit trail"),
    "case.attached": gettext_lazy("attached a task to a generation"),
    "case.proposed": gettext_lazy("named the task of a generation"),
    "case.released": gettext_lazy("released the hold of a generation"),
    "case.retried": gettext_lazy("had a generation tried again"),
    "connection.added": gettext_lazy("added a connection"),
    "connection.chosen": gettext_lazy("chose the connection"),
    "connection.removed": gettext_lazy("removed a connection"),
    "key.entered": gettext_lazy("entered a key"),
    "key.replaced": gettext_lazy("replaced the key in use"),
    "member.added": gettext_lazy("added a member"),
    "account.made": gettext_lazy("made an account"),
    "domain.changed": gettext_lazy("changed which email domains may join"),
    "email.changed": gettext_lazy("changed an email address"),
    "invitation.made": gettext_lazy("made an invitation"),
    "invitation.renewed": gettext_lazy("renewed an invitation"),
    "invitation.revoked": gettext_lazy("revoked an invitation"),
    "invitation.used": gettext_lazy("used an invitation"),
    "member.joined": gettext_lazy("joined the team"),
    "member.left": gettext_lazy("left the team"),
    "password.changed": gettext_lazy("changed a password"),
    "password.reset": gettext_lazy("reset a password"),
    "recovery_codes.made": gettext_lazy("made recovery codes"),
    "second_factor.removed": gettext_lazy("removed a second factor"),
    "second_factor.set": gettext_lazy("set up a second factor"),
    "sign_in.failed": gettext_lazy("failed to sign in"),
    "sign_on.connected": gettext_lazy("connected single sign-on"),
    "sign_on.disconnected": gettext_lazy("disconnected single sign-on"),
    "signed_in": gettext_lazy("signed in"),
    "signed_out": gettext_lazy("signed out"),
    "price.changed": gettext_lazy("changed a price"),
    "report.exported": gettext_lazy("exported a report"),
    "cap.changed": gettext_lazy("changed their own cap"),
    "topup.granted": gettext_lazy("granted a top-up"),
    "topup.revoked": gettext_lazy("revoked a top-up"),
    "request.made": gettext_lazy("asked for more"),
    "request.declined": gettext_lazy("declined a request for more"),
    "lora.given": gettext_lazy("uploaded a LoRA"),
    "lora.removed": gettext_lazy("removed a LoRA"),
    "model.added": gettext_lazy("brought in an AI app or a workflow"),
    "model.settled": gettext_lazy("settled the form of an AI app or a workflow"),
    "model.switched": gettext_lazy("changed whether an AI app or a workflow is in use"),
    "models.allowed": gettext_lazy("changed for whom models are"),
    "notice.ended": gettext_lazy("took a notice down"),
    "notice.posted": gettext_lazy("posted a notice"),
    "password.set": gettext_lazy("set a password"),
    "role.changed": gettext_lazy("changed a role"),
    "second_factor.changed": gettext_lazy("changed who needs a second factor"),
    "sending.paused": gettext_lazy("paused sending"),
    "sending.resumed": gettext_lazy("had sending go on"),
    "settings.changed": gettext_lazy("changed the settings of the team"),
    "share.changed": gettext_lazy("changed a link for outsiders"),
    "share.made": gettext_lazy("made a link for outsiders"),
    "share.revoked": gettext_lazy("revoked a link for outsiders"),
    "team.made": gettext_lazy("made the team"),
    "token.made": gettext_lazy("made a token"),
    "token.revoked": gettext_lazy("revoked a token"),
    "voice.archived": gettext_lazy("archived a voice"),
    "voice.consent": gettext_lazy("noted the consent for a voice"),
    "voice.handed_over": gettext_lazy("handed a voice over"),
    "voice.opened": gettext_lazy("changed who may use a voice"),
    "voice.restored": gettext_lazy("restored a voice"),
    "webhook.made": gettext_lazy("made a webhook"),
    "webhook.changed": gettext_lazy("changed a webhook"),
    "webhook.disabled": gettext_lazy("switched a webhook off"),
    "webhook.enabled": gettext_lazy("switched a webhook on"),
    "webhook.removed": gettext_lazy("removed a webhook"),
    "webhook.renewed": gettext_lazy("renewed the secret of a webhook"),
    "generations.approved": gettext_lazy("approved generations"),
    "generations.opened": gettext_lazy("changed who sees generations"),
    "generations.trashed": gettext_lazy("moved generations to the trash"),
    "generations.restored": gettext_lazy("restored generations from the trash"),
    "generations.unapproved": gettext_lazy("took back an approval"),
    "trash.emptied": gettext_lazy("emptied the trash"),
    "trash.purged": gettext_lazy("removed for good what was in the trash"),
    "collection.deleted": gettext_lazy("deleted a collection"),
    "retention.changed": gettext_lazy("changed a rule of retention"),
    "retention.applied": gettext_lazy("let go of old generations by a rule"),
    "weight.changed": gettext_lazy("changed the weight of the team"),
}
"""What somebody did, as it is read after their name."""

KEYS: Mapping[str, str | Promise] = {
    "action": gettext_lazy("when it is reached"),
    "may_download": gettext_lazy("download allowed"),
    "shows_author": gettext_lazy("says who made it"),
    "shows_prompt": gettext_lazy("shows the text"),
    "audience": gettext_lazy("who"),
    "key": gettext_lazy("key ending in"),
    "member_slots": gettext_lazy("of one member at once"),
    "needs_second_factor": gettext_lazy("second factor needed"),
    "unknown_price": gettext_lazy("models whose price is unknown"),
}
VALUES: Mapping[str, str | Promise] = {
    **{str(one.value): one.label for one in (*Role, *Mode, *Action)},
}
WAYS: Mapping[str, str | Promise] = {
    "page": gettext_lazy("on a page"),
    "api": gettext_lazy("by the API"),
    "command": gettext_lazy("by a command"),
    "worker": gettext_lazy("by the portal"),
}


_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:.*[+Z]")


class BadCursor(ValueError):
    """The cursor is none that a page gave."""


@dataclass(frozen=True)
class Filter:
    """What to show. Empty means everything. `person` did it or had it done to them; `until` is not included."""

    q: str = ""
    action: str = ""
    person: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.q or self.action or self.person or self.since or self.until)


@dataclass(frozen=True)
class Change:
    """One value before and after, each "" where there was none."""

    name: str
    before: str
    after: str


def find(team: Team, wanted: Filter) -> QuerySet[AuditEntry]:
    """The entries of the team that fit, newest first. Every word of `q` must occur, as part of a word too."""
    rows = AuditEntry.objects.filter(team=team).order_by("-id").select_related("actor", "person")
    if wanted.action:
        rows = rows.filter(action=wanted.action)
    if wanted.person:
        rows = rows.filter(Q(actor=wanted.person) | Q(person=wanted.person))
    if wanted.since:
        rows = rows.filter(at__gte=wanted.since)
    if wanted.until:
        rows = rows.filter(at__lt=wanted.until)
    for word in wanted.q.casefold().replace("\x00", " ").split():
        rows = rows.filter(words__contains=word)
    return rows


def page(team: Team, wanted: Filter, cursor: str = "", size: int = PAGE) -> tuple[list[AuditEntry], str]:
    """The page after `cursor` and the cursor of the next, "" on the last. Raises `BadCursor`."""
    rows = find(team, wanted)
    if cursor:
        if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
            raise BadCursor(cursor)
        rows = rows.filter(id__lt=int(cursor))
    items = list(rows[: size + 1])
    return items[:size], str(items[size - 1].pk) if len(items) > size else ""


def day(text: str, team: Team, *, after: bool = False) -> datetime | None:
    """The beginning of the day 2026-05-31 on the clock of the team, or its end; None where that is no day."""
    try:
        found = datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 - the zone is put on below
        return (found + timedelta(days=1) if after else found).replace(tzinfo=team.zone)
    except (ValueError, OverflowError):
        return None


def words_of(action: str) -> str:
    """A deed in words; one that has none is told by its own name."""
    known = WORDS.get(action)
    return str(known) if known is not None else action.replace(".", ": ").replace("_", " ")


def deeds() -> Sequence[tuple[str, str]]:
    """The deeds to choose from, each with its words, by their words."""
    return sorted(((action, words_of(action)) for action in WORDS), key=lambda one: one[1])


def changes(entry: AuditEntry, zone: ZoneInfo) -> list[Change]:
    """What is different since, in words; times are those of the zone."""
    names = list(dict.fromkeys([*entry.before, *entry.after]))
    found = [
        Change(_name(key), _value(entry.before.get(key), zone), _value(entry.after.get(key), zone))
        for key in names
    ]
    return [one for one in found if one.before or one.after]


def way(entry: AuditEntry) -> str:
    """How it was done: "on a page"."""
    return str(WAYS.get(entry.via, entry.via))


def _name(key: str) -> str:
    return str(KEYS.get(key, key.replace("_", " ")))


def _value(value: Any, zone: ZoneInfo) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_value(one, zone) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{_name(key)}: {_value(one, zone)}" for key, one in value.items())
    if isinstance(value, str) and _MOMENT.match(value):
        try:
            return date_format(datetime.fromisoformat(value).astimezone(zone), "j M Y H:i")
        except ValueError:
            return value
    return str(VALUES.get(str(value), value))
