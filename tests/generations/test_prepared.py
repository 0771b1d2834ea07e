"""Queries that are put together once answer each time anew, and what the plain query answers."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, Team
from generations.models import Counts, Generation, Given, Rows, Tag, Update

pytestmark = pytest.mark.django_db


def test_rows_are_those_of_the_query_each_time_anew(
    alice: Membership, bob: Membership, zoe: Membership, make_generation: Any
) -> None:
    team: Any = Given("team")
    since: Any = Given("since")
    asked = Rows(
        lambda: (
            Generation.objects.filter(team=team, created_at__gte=since)
            .select_related("author")
            .prefetch_related("outputs")
            .order_by("-id")
        )
    )
    before = timezone.now() - timedelta(hours=1)
    made = [make_generation(one, outputs=2) for one in (alice, bob)]
    make_generation(zoe)
    found = asked(team=alice.team_id, since=before)
    assert found == made[::-1]
    with CaptureQueriesContext(connection) as more:
        assert [row.author.name for row in found] == ["Bob", "Alice"]
        assert [len(row.outputs.all()) for row in found] == [2, 2]
    assert len(more) == 0
    assert [row.team for row in asked(team=zoe.team_id, since=before)] == [zoe.team]
    assert asked(team=alice.team_id, since=timezone.now() + timedelta(hours=1)) == []
    made[0].delete()
    assert asked(team=alice.team_id, since=before) == made[1:]


def test_one_row_by_its_id(bob: Membership, make_generation: Any) -> None:
    pk: Any = Given("pk")
    asked = Rows(lambda: Generation.objects.filter(pk=pk).only("title"))
    one, other = make_generation(bob), make_generation(bob)
    assert [row.title for row in asked(pk=one.pk)] == [one.title]
    assert asked(pk=other.pk) == [other]


def test_a_change_is_that_of_the_plain_update_each_time_anew(
    alice: Membership, bob: Membership, make_generation: Any
) -> None:
    author: Any = Given("author")
    put = Update(
        lambda: Generation.objects.filter(author=author, claims__lt=2),
        next_check_at=Given("at"),
        claims=F("claims") + 1,
        webhook="rang",
    )
    one, other = make_generation(alice), make_generation(bob)
    now = timezone.now()
    assert put(author=bob.user_id, at=now) == 1
    assert put(author=bob.user_id, at=now + timedelta(hours=1)) == 1
    assert put(author=bob.user_id, at=now + timedelta(hours=2)) == 0
    other.refresh_from_db()
    assert (other.next_check_at, other.claims, other.webhook) == (now + timedelta(hours=1), 2, "rang")
    before = one.next_check_at
    one.refresh_from_db()
    assert (one.next_check_at, one.claims) == (before, 0)


def test_a_change_that_fails_leaves_no_transaction_that_looks_whole(
    bob: Membership, make_generation: Any
) -> None:
    row = make_generation(bob)
    put = Update(lambda: Generation.objects.filter(pk=Given("pk")), author=None)
    with transaction.atomic():
        with pytest.raises(IntegrityError):
            put(pk=row.pk)
        assert transaction.get_rollback()
        transaction.set_rollback(True)


def test_counts_are_those_of_the_queries_each_time_anew(alice: Membership, zoe: Membership) -> None:
    team: Any = Given("team")
    asked = Counts(
        lambda: {
            "tags": Tag.objects.filter(team=team),
            "named": Tag.objects.filter(team=team, name__startswith="a%"),
            "teams": Team.objects.all(),
        }
    )
    assert asked(team=alice.team_id) == {"tags": 0, "named": 0, "teams": Team.objects.count()}
    for name in ("a%b", "b"):
        Tag.objects.create(team=alice.team, name=name, folded=name)
    with CaptureQueriesContext(connection) as queries:
        assert asked(team=alice.team_id)["tags"] == 2
        assert asked(team=alice.team_id)["named"] == 1
        assert asked(team=zoe.team_id)["tags"] == 0
    assert len(queries) == 3


@pytest.mark.django_db(transaction=True)
def test_threads_ask_with_connections_of_their_own(bob: Membership) -> None:
    user: Any = Given("user")
    asked = Rows(lambda: Membership.objects.filter(user=user).select_related("team"))
    assert asked(user=bob.user_id) == [bob]
    found: list[Any] = []

    def ask() -> None:
        found.append((asked(user=bob.user_id), connection.connection is not None))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [([bob], True)] * 8
