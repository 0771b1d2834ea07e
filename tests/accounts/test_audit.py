"""The audit trail as rows: only ever added to, and each entry knows who, from where, before and after."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet

from accounts import trail
from accounts.models import AuditEntry, Membership, audit


def test_an_entry_keeps_only_what_changed(bob: Membership) -> None:
    entry = audit.note(
        "allowance.changed",
        team=bob.team,
        by=bob.user,
        person=bob.user,
        before={"limit": Decimal("5.10"), "action": "block"},
        after={"limit": Decimal("7.50"), "action": "block"},
    )
    kept = AuditEntry.objects.get(pk=entry.pk)
    assert (kept.before, kept.after) == ({"limit": "5.10"}, {"limit": "7.50"})
    assert (kept.actor_name, kept.subject, kept.via) == ("bob@example.com", "bob@example.com", "worker")


def test_nothing_is_changed_or_taken_away(bob: Membership) -> None:
    entry = audit.note("role.changed", team=bob.team, by=bob.user)
    for deed in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(action="x"),
    ):
        with pytest.raises(audit.AppendOnly):
            deed()
    assert AuditEntry.objects.get().action == "role.changed"


def test_it_knows_where_it_came_from(bob: Membership) -> None:
    origin = audit.Origin("page", "203.0.113.7", "Firefox", lambda: bob.user)
    with audit.coming_from(origin):
        entry = audit.note("role.changed", team=bob.team)
    assert (entry.actor, entry.address, entry.browser, entry.via) == (
        bob.user,
        "203.0.113.7",
        "Firefox",
        "page",
    )
    assert audit.note("role.changed", team=bob.team).actor is None


def test_the_database_refuses_too(bob: Membership) -> None:
    """A later migration that makes the table anew on SQLite would lose the trigger, and fail here."""
    entry = audit.note("role.changed", team=bob.team, by=bob.user)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        QuerySet(AuditEntry).filter(pk=entry.pk).update(action="nothing.happened")
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE accounts_auditentry SET actor_name = 'nobody'")
    assert AuditEntry.objects.get().action == "role.changed"


def test_a_search_looks_through_names_and_values(bob: Membership, mona: Membership) -> None:
    audit.note(
        "role.changed", team=bob.team, by=mona.user, person=bob.user, after={"role": "Größe", "n": [1, "雨"]}
    )
    audit.note("settings.changed", team=bob.team, by=mona.user, reason="Quarter's end")

    def found(q: str) -> int:
        return trail.find(bob.team, trail.Filter(q=q)).count()

    assert [found(q) for q in ("GRÖSSE", "雨", "bob@", "Mona", "quarter's", "mona bob", "\x00", "%", "bobby")] == [
        1, 1, 1, 2, 1, 1, 2, 0, 0,
    ]  # fmt: skip


def test_every_deed_that_the_code_notes_has_words() -> None:
    root = Path(__file__).resolve().parents[2]
    noted = set()
    for path in (path for name in ("accounts", "generations") for path in (root / name).rglob("*.py")):
        noted |= set(re.findall(r'note\(\s*"([a-z_]+\.[a-z_]+)"', path.read_text()))
    assert len(noted) > 20
    assert noted - set(trail.WORDS) == set(), "say in accounts/trail.py how these are read"
