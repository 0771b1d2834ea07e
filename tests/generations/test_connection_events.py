"""Sending that stops or goes on is a change of every team that it concerns, once."""

from __future__ import annotations

import pytest

from accounts.models import Membership, Role, Team
from generations import connections
from generations.models import Change, Connection
from generations.models.connection import key_digest
from tests.conftest import join


@pytest.fixture
def elsewhere(db: None) -> Membership:
    """Somebody in a team that sends by an account of its own."""
    other = join(Team.objects.create(slug="reef", name="Reef"), "ruth", Role.OWNER)
    Connection.objects.create(
        team=other.team, base_url="https://www.runninghub.cn", is_used=True, sealed_key="x", name="Ours"
    )
    return other


def changes() -> list[tuple[str, str]]:
    return list(Change.objects.order_by("pk").values_list("team__slug", "event"))


def test_a_pause_of_the_shared_account_concerns_the_teams_that_use_it(
    alice: Membership, zoe: Membership, elsewhere: Membership
) -> None:
    shared = Connection.current()
    Team.objects.create(slug="empty", name="Nobody is here")
    assert connections.pause(shared, alice.team, alice.user, "Rehearsal")
    assert not connections.pause(shared, alice.team, alice.user, "Rehearsal")
    slugs = {alice.team.slug, zoe.team.slug}
    assert set(changes()) == {(slug, "connection.paused") for slug in slugs}
    assert len(changes()) == 2
    told = Change.objects.first()
    assert told is not None
    assert told.data == {
        "connection": shared.pk, "name": str(shared), "code": "by_hand", "reason": "Rehearsal"
    }  # fmt: skip
    assert told.is_open
    Change.objects.all().delete()
    shared.refresh_from_db()
    assert connections.resume(shared, alice.team)
    assert not connections.resume(shared, alice.team)
    assert set(changes()) == {(slug, "connection.resumed") for slug in slugs}


def test_a_pause_of_a_teams_own_account_concerns_it_alone(alice: Membership, elsewhere: Membership) -> None:
    own = Connection.objects.get(team=elsewhere.team)
    assert own.pause("funds", "There is no money left.")
    assert own.resume()
    assert changes() == [("reef", "connection.paused"), ("reef", "connection.resumed")]


def test_another_key_ends_a_pause_that_the_former_brought_about(elsewhere: Membership) -> None:
    own = Connection.objects.get(team=elsewhere.team)
    own.note_key(key_digest=key_digest("a"))
    assert changes() == []
    own.pause("key", "The key is refused.")
    own.note_key(key_digest=key_digest("b"))
    assert [event for _team, event in changes()] == ["connection.paused", "connection.resumed"]
    own.pause("by_hand", "Rehearsal")
    own.note_key(key_digest=key_digest("c"))
    assert [event for _team, event in changes()][2:] == ["connection.paused"]
