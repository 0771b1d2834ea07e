"""Purge: what lay in the trash for its time goes for good, its receipt and every sum stay."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import AuditEntry, Membership, Notification, Period, Role, Team, User
from generations import keeping, quota, receipts, reports
from generations.keeping import shelves
from generations.models import (
    Batch,
    CollectionItem,
    Connection,
    Favourite,
    Generation,
    Output,
    State,
    Tagging,
    Upload,
)
from generations.pipeline import purge
from tests.conftest import MODEL
from tests.effort import thorough, tries

Make = Callable[..., Generation]
SECRET = "Slow piano over rain"


def due(one: Generation, who: Membership) -> Generation:
    """Thrown away so long ago that its time is over."""
    keeping.trash(Generation.objects.filter(pk=one.pk), who.user)  # type: ignore[arg-type]
    Generation.objects.filter(pk=one.pk).update(purge_at=timezone.now() - timedelta(seconds=1))
    one.refresh_from_db()
    return one


def files(one: Generation) -> list[str]:
    try:
        return default_storage.listdir(Output.folder(one.team_id, one.pk))[1]
    except FileNotFoundError:
        return []


def everywhere(text: str) -> list[str]:
    """The tables in which the text still stands, whatever their models."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            # The index of pairs cannot be read as a table; what is in it is gone when nothing is found by it.
            if not table.startswith(("generations_", "accounts_")) or table == "generations_pairs":
                continue
            cursor.execute(f'SELECT * FROM "{table}"')
            if any(text.casefold() in str(value).casefold() for row in cursor.fetchall() for value in row):
                found.append(table)
    return found


@pytest.fixture
def rich(bob: Membership, mona: Membership, make_generation: Make) -> Generation:
    """One of which everything is kept that can be."""
    one = make_generation(
        bob,
        outputs=2,
        title=SECRET,
        notes=SECRET,
        results=[{"url": "", "text": SECRET}],
        error_message=SECRET,
        error_detail=SECRET,
        cost_actual=Decimal("0.90"),
        batch=Batch.objects.create(team=bob.team, author=bob.user, model=MODEL, title=SECRET, asked=1),
        batch_place=1,
    )
    Output.objects.create(
        generation=one,
        index=9,
        kind="text",
        content_type="text/plain",
        extension="txt",
        text=SECRET,
        bytes=3,
        sha256="0",
    )
    rows: Any = Generation.objects.filter(pk=one.pk)
    keeping.star(rows, mona.user)
    keeping.tag(rows, bob.user, bob.team, "Calm")
    shelves.add(shelves.create(bob, "Album"), rows, bob.user)
    Notification.objects.create(user=bob.user, event="finished", title=SECRET, link=f"/t/tide/g/{one.pk}/")
    return one


def test_files_and_words_go_and_the_receipt_stays(rich: Generation, bob: Membership) -> None:
    assert len(everywhere(SECRET)) >= 4
    before = receipts.by_member(bob.team)
    due(rich, bob)

    assert purge.tend() == 1

    assert files(rich) == []
    assert everywhere(SECRET) == []
    assert not Output.objects.exists()
    for links in (Tagging, Favourite, CollectionItem):
        assert not links._default_manager.exists()
    rich.refresh_from_db()
    assert rich.is_purged
    assert rich.purge_at is None
    assert (rich.cost_counted, rich.cost_estimated, rich.status) == (
        Decimal("0.90"),
        Decimal("0.80"),
        State.SUCCEEDED,
    )
    assert receipts.by_member(bob.team) == before
    assert AuditEntry.objects.get(action="trash.purged").after == {"removed": 1}
    assert purge.tend() == 0


def test_nothing_goes_before_its_time_or_after_it_was_restored(rich: Generation, bob: Membership) -> None:
    keeping.trash(Generation.objects.filter(pk=rich.pk), bob.user)  # type: ignore[arg-type]
    rich.refresh_from_db()
    assert rich.purge_at is not None
    assert rich.purge_at - timezone.now() > timedelta(days=29, hours=23)
    assert purge.tend() == 0
    due_again = Generation.objects.filter(pk=rich.pk)
    due_again.update(purge_at=timezone.now() - timedelta(hours=1))
    assert keeping.restore(due_again) == 1  # type: ignore[arg-type]
    assert not purge.purge(rich.pk)
    assert len(files(rich)) == 2


def test_once_begun_it_cannot_be_restored(rich: Generation, bob: Membership) -> None:
    due(rich, bob)
    Generation.objects.filter(pk=rich.pk).update(purged_at=timezone.now())
    assert keeping.restore(Generation.objects.filter(pk=rich.pk)) == 0  # type: ignore[arg-type]
    assert purge.tend() == 1
    assert everywhere(SECRET) == []


def test_what_came_back_to_life_or_makes_a_voice_sound_is_left(bob: Membership, make_voice: Any) -> None:
    voice = make_voice(bob)
    Generation.objects.filter(pk=voice.made_by_id).update(
        trashed_at=timezone.now(), purge_at=timezone.now() - timedelta(days=1)
    )
    assert purge.tend() == 0
    assert Output.objects.filter(generation=voice.made_by_id, file__gt="").exists()


def test_an_upload_of_it_stays_and_knows_whose_sound_it_is(
    rich: Generation, bob: Membership, carol: Membership, client_of: Callable[[Membership], Client]
) -> None:
    """A private take, used by its author: nobody else hears the copy, also when the take itself is gone."""
    source = rich.outputs.get(index=0)
    copy = Upload(
        team=bob.team, author=bob.user, name="copy.wav", kind="audio", content_type="audio/wav", extension="wav",
        bytes=source.bytes, sha256=source.sha256, source=source,
    )  # fmt: skip
    with source.file.open() as sound:
        copy.file.save("uploads/copy.wav", sound, save=True)
    Generation.objects.filter(pk=rich.pk).update(is_private=True)
    address = f"/t/tide/uploads/{copy.pk}/content"
    for _time in ("before", "after"):
        heard = client_of(bob).get(address)
        heard.getvalue()
        assert heard.status_code == 200
        assert client_of(carol).get(address).status_code == 404
        due(rich, bob)
        purge.tend()
    left = Output.objects.get()
    assert (left.file.name, left.text, left.peaks_row) == ("", "", "")
    assert files(rich) == []


class Killed(BaseException):
    """As a kill: nothing catches it."""


class Deadly(FileSystemStorage):
    """Kills whoever removes a second file."""

    removed = 0

    def delete(self, name: str) -> None:
        if Deadly.removed:
            raise Killed
        Deadly.removed += 1
        super().delete(name)


@pytest.mark.thorough
@pytest.mark.parametrize("line", [thorough(n) if n % 4 else n for n in range(14)])
def test_killed_on_any_statement_the_next_sweep_finishes(
    line: int, rich: Generation, bob: Membership
) -> None:
    due(rich, bob)
    seen = 0

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen > line:
            raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count), contextlib.suppress(Killed):
        purge.purge(rich.pk)
    rich.refresh_from_db()
    if not rich.is_purged:  # not begun: all of it is there
        assert len(files(rich)) == 2
        assert rich.title == SECRET
    purge.tend()
    assert everywhere(SECRET) == []
    assert files(rich) == []


def test_killed_between_two_files_the_next_sweep_finishes(
    rich: Generation, bob: Membership, settings: Any
) -> None:
    due(rich, bob)
    usual = settings.STORAGES
    deadly = f"{__name__}.{Deadly.__name__}"
    settings.STORAGES = {**usual, "default": {**usual["default"], "BACKEND": deadly}}
    with pytest.raises(Killed):
        purge.purge(rich.pk)
    assert len(files(rich)) == 1
    settings.STORAGES = usual
    assert purge.tend() == 1
    assert files(rich) == []
    assert everywhere(SECRET) == []


def test_a_download_that_runs_goes_on_and_the_next_one_is_told(
    rich: Generation, bob: Membership, carol: Membership, client_of: Callable[[Membership], Client]
) -> None:
    address = f"/t/tide/g/{rich.pk}/outputs/0/content"
    running = client_of(bob).get(address)
    chunks = iter(running.streaming_content)
    begun = next(chunks)
    due(rich, bob)
    purge.tend()
    assert len(begun) + sum(map(len, chunks)) == int(running["Content-Length"])
    for who in (bob, carol):
        for page in (address, f"/t/tide/g/{rich.pk}/"):
            answer = client_of(who).get(page)
            assert answer.status_code == 410
            assert b"receipt is kept" in answer.content


@pytest.mark.thorough
class Sums(TestCase):
    """Throwing away, restoring, emptying and purging never change what anything cost, or what is left."""

    @settings(max_examples=tries(40), deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(0, 4), st.sampled_from(["trash", "restore", "empty", "purge"])), max_size=14
        )
    )
    def test_no_sum_changes(self, deeds: list[tuple[int, str]]) -> None:
        team = Team.objects.create(slug="tide", name="Tide")
        user = User.objects.create_user("bob@example.com", "a long enough password")
        bob = Membership.objects.create(team=team, user=user, role=Role.MEMBER)
        made = [
            Generation.objects.create(
                team=team,
                author=user,
                connection=Connection.current(),
                model=MODEL,
                kind="music",
                title=f"Rain {n}",
                params={"prompt": SECRET},
                status=status,
                cost_estimated=Decimal("0.80"),
                cost_actual=actual,
                next_check_at=None,
            )
            for n, (status, actual) in enumerate(
                [
                    (State.SUCCEEDED, Decimal("0.91")),
                    (State.SUCCEEDED, None),
                    (State.FAILED, Decimal("0.10")),
                    (State.CANCELLED, None),
                    (State.RUNNING, None),
                ]
            )
        ]
        before = self.sums(bob)
        for place, deed in deeds:
            rows: Any = Generation.objects.filter(pk=made[place].pk)
            if deed == "trash":
                keeping.trash(rows, user)
            elif deed == "restore":
                keeping.restore(rows)
            elif deed == "empty":
                keeping.empty(rows)
            else:
                purge.tend()
            assert self.sums(bob) == before
        assert Generation.objects.count() == 5

    def sums(self, bob: Membership) -> list[Any]:
        wanted = reports.Wanted(reports.Span.of(Period.MONTH, bob.team))
        return [
            receipts.summary(bob),
            receipts.by_member(bob.team),
            [(line.used, line.limit) for line in quota.standing(bob)],
            *[reports.rows(bob.team, wanted, by) for by in reports.By],
        ]
