"""The audit trail: who did what to whom, when, from where, before and after.

Whoever changes something that the trail tells of calls `note` in the transaction that changes it, so neither is
there without the other. Entries are only ever added: the rows refuse to be changed or deleted, and in the database a
trigger refuses every UPDATE. No trigger refuses DELETE, because emptying a database for a test or a restore is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from accounts.models.team import Team
from accounts.models.user import User


@dataclass(frozen=True)
class Origin:
    """Where a deed came from: `via` is page, api, command or worker; the rest is that of a request.

    `who` tells who is signed in or whom the token speaks for, and is only asked where something is noted.
    """

    via: str = "worker"
    address: str | None = None
    browser: str = ""
    who: Callable[[], User | None] = lambda: None


_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - frozen


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """What is noted inside came from there."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


class AppendOnly(Exception):
    """An entry of the audit trail was about to be changed or deleted."""


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def update(self, **_: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly


class AuditEntry(models.Model):
    """One deed. `team` is None for what concerns no team, such as a wrong password.

    `actor` is who did it, None for the portal itself and for strangers; `actor_name` and `subject` are names as they
    were then. `subject` is what it was done to, in words; `person` is set where that is somebody. `before` and `after`
    hold only what changed.
    """

    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="audit_entries")
    at = models.DateTimeField(default=timezone.now, editable=False)
    action = models.CharField(max_length=40)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="deeds")
    actor_name = models.CharField(max_length=254, blank=True)
    person = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="done_to")
    subject = models.CharField(max_length=254, blank=True)
    before = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    after = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    reason = models.TextField(blank=True)
    via = models.CharField(max_length=8)
    address = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=200, blank=True)
    words = models.TextField(blank=True)
    """What a search looks through, in small letters."""

    objects = AuditQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["team", "-id"], name="audit_of_team")]

    def __str__(self) -> str:
        return f"{self.actor_name or 'the portal'}: {self.action} {self.subject}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly


def note(
    action: str,
    *,
    team: Team | None,
    by: User | None = None,
    subject: str = "",
    person: User | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Adds an entry. `action` is a word and a deed, such as `role.changed`; secrets never belong into it.

    Of `before` and `after` only what differs is kept. `by` left out is who makes the request, if
    anybody.
    """
    origin = _origin.get()
    by = by or origin.who()
    was, is_now = _plain(before), _plain(after)
    same = {key for key in was.keys() & is_now.keys() if was[key] == is_now[key]}
    was, is_now = ({key: one[key] for key in one if key not in same} for one in (was, is_now))
    subject = (subject or (person.email if person else ""))[:254]
    people = [text for one in (by, person) if one for text in (one.email, one.display_name)]
    return AuditEntry.objects.create(
        team=team,
        action=action,
        actor=by,
        actor_name=by.email if by else "",
        person=person,
        subject=subject,
        before=was,
        after=is_now,
        reason=reason,
        via=origin.via,
        address=origin.address,
        browser=origin.browser[:200],
        words=" ".join(
            [action, *people, subject, *_texts([was, is_now]), reason, origin.address or ""]
        ).casefold(),
    )


def _texts(value: Any) -> Iterator[str]:
    """Every word in it, names and values."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield str(key)
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    elif value is not None:
        yield str(value)


def note_of_account(action: str, person: User | None, *, by: User | None = None, **more: Any) -> None:
    """Adds what concerns somebody's account: an entry for each team they are in now, so that its managers see it, and
    one for no team where they are in none.
    """
    teams: list[Team | None] = list(Team.objects.filter(memberships__user=person, memberships__ended_at=None))
    for team in teams or [None]:
        note(action, team=team, by=by, person=person, **more)


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """As JSON keeps them: amounts and times as texts, so that nothing is rounded."""
    return {
        key: str(value) if isinstance(value, Decimal | datetime) else value
        for key, value in (values or {}).items()
    }
