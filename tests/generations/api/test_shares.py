"""Links for outsiders, made by a program: they open, end and are seen as those that are made on a page."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Membership
from generations.models import Collection, Generation, ShareLink, State
from tests.generations.api.conftest import Program


@pytest.fixture
def bobs(bob: Membership, program_of: Any) -> Program:
    found: Program = program_of(bob)
    return found


def made(program: Program, row: Any, **terms: Any) -> Any:
    answer = program.post(f"generations/{row.pk}/shares", terms)
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_link_opens_until_it_is_revoked(bobs: Program, bob: Membership, make_generation: Any) -> None:
    row = make_generation(bob, outputs=1, title="Morning")
    link = made(bobs, row, title="For you", days="1", may_download=True)
    assert (link["title"], link["generation"], link["is_live"]) == ("For you", str(row.pk), True)
    page = Client().get(link["url"])
    assert page.status_code == 200
    assert b"For you" in page.content
    assert bobs.get(f"shares/{link['id']}").json()["views"] == 1
    ended = bobs.post(f"shares/{link['id']}/revoke")
    assert (ended.status_code, ended.json()["url"], ended.json()["is_live"]) == (200, None, False)
    assert Client().get(link["url"]).status_code == 404
    assert bobs.post(f"shares/{link['id']}/revoke").status_code == 200
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", "actor__email", "via"))
    assert actions == [("share.made", "bob@example.com", "api"), ("share.revoked", "bob@example.com", "api")]


def test_a_link_to_what_was_made_private_is_not_live(
    bob: Membership, carol: Membership, program_of: Any, make_generation: Any
) -> None:
    row, carols = make_generation(bob, outputs=1), program_of(carol)
    link = made(carols, row)
    Generation.objects.filter(pk=row.pk).update(is_private=True)
    now = carols.get(f"shares/{link['id']}").json()
    assert (now["is_live"], now["url"]) == (False, None)
    assert [one["is_live"] for one in carols.get("shares").json()["items"]] == [False]
    Generation.objects.filter(pk=row.pk).update(is_private=False)
    assert carols.get(f"shares/{link['id']}").json() == link


def test_what_is_left_out_of_a_change_stays(bobs: Program, bob: Membership, make_generation: Any) -> None:
    link = made(bobs, make_generation(bob, outputs=1), password="a long word", shows_author=True)
    assert link["has_password"]
    path = f"shares/{link['id']}"
    renamed = bobs.post(path, {"title": "Else"}).json()
    assert (renamed["title"], renamed["has_password"], renamed["shows_author"]) == ("Else", True, True)
    assert renamed["expires_at"] == link["expires_at"]
    opened = bobs.post(path, {"password": "", "days": "always", "shows_author": False}).json()
    assert (opened["has_password"], opened["expires_at"], opened["shows_author"]) == (False, None, False)
    bobs.post(f"{path}/revoke")
    assert bobs.post(path, {"title": "Late"}).status_code == 409


@pytest.mark.parametrize(
    ("terms", "param"),
    [
        ({"password": "short"}, "password"),
        ({"days": "3"}, "days"),
        ({"title": "\u00a0"}, "title"),
        ({"output": 7}, "output"),
        ({"until": "never"}, "until"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    terms: dict[str, Any], param: str, bobs: Program, bob: Membership, make_generation: Any
) -> None:
    answer = bobs.post(f"generations/{make_generation(bob, outputs=1).pk}/shares", terms)
    assert answer.status_code == 422
    assert [one["param"] for one in answer.json()["errors"]] == [param]
    assert not ShareLink.objects.exists()


def test_what_is_not_finished_is_not_shared(bobs: Program, bob: Membership, make_generation: Any) -> None:
    row = make_generation(bob, status=State.QUEUED)
    assert bobs.post(f"generations/{row.pk}/shares", {}).status_code == 422


def test_a_title_that_is_the_text_is_not_told(bobs: Program, bob: Membership, make_generation: Any) -> None:
    row = make_generation(bob, outputs=1, title="Secret rain", params={"prompt": "Secret rain"})
    assert made(bobs, row)["title"] == "Untitled"


def test_a_collection_is_shared_and_managers_look_after_all(
    bobs: Program, bob: Membership, carol: Membership, mona: Membership, program_of: Any
) -> None:
    shelf = Collection.objects.create(team=bob.team, author=bob.user, name="Album")
    link = bobs.post(f"collections/{shelf.pk}/shares", {}).json()
    assert (link["collection"], link["title"]) == (str(shelf.pk), "Album")
    assert program_of(carol).get("shares").json()["items"] == []
    assert program_of(carol).get(f"shares/{link['id']}").status_code == 404
    assert [one["id"] for one in program_of(mona).get("shares").json()["items"]] == [link["id"]]
    assert program_of(mona).post(f"shares/{link['id']}/revoke").status_code == 200


def test_what_is_private_is_shared_by_its_author_alone(
    bob: Membership,
    carol: Membership,
    mona: Membership,
    zoe: Membership,
    make_generation: Any,
    program_of: Any,
) -> None:
    """For managers, who see it, that is told; for others it is not there."""
    row = make_generation(carol, outputs=1, is_private=True)
    refused = program_of(mona).post(f"generations/{row.pk}/shares", {})
    assert (refused.status_code, "private to its author" in refused.content.decode()) == (422, True)
    for who in (bob, zoe):
        assert program_of(who).post(f"generations/{row.pk}/shares", {}).status_code == 404
    assert program_of(carol).post(f"generations/{row.pk}/shares", {}).status_code == 201


def test_the_list_has_pages_and_no_query_for_each(
    bobs: Program, bob: Membership, make_generation: Any
) -> None:
    row = make_generation(bob, outputs=1)
    made(bobs, row)
    with CaptureQueriesContext(connection) as one:
        bobs.get("shares")
    ShareLink.objects.bulk_create(
        ShareLink(team=bob.team, made_by=bob.user, generation=row, title=f"{n}", digest=uuid.uuid4().hex)
        for n in range(60)
    )
    with CaptureQueriesContext(connection) as many:
        first = bobs.get("shares")
    assert len(many) == len(one)
    assert len(first.json()["items"]) == 50
    rest = bobs.get("shares", {"cursor": first.json()["next_cursor"]}).json()
    assert (len(rest["items"]), rest["next_cursor"]) == (11, None)
    assert bobs.get("shares", If_None_Match=first.headers["ETag"]).status_code == 304
