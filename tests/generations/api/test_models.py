"""The list of models: narrowed, in pages, short; and asking again for it, which looks at no model."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiToken, Membership
from generations import own_models
from generations.catalogue import load
from generations.models import Connection, ModelRule, TeamModel
from tests.conftest import MODEL
from tests.generations.api.conftest import Program
from tests.generations.foreign import APP_NODES


@pytest.fixture
def bobs(bob: Membership, program_of: Any) -> Program:
    found: Program = program_of(bob)
    found.get("me")
    return found


def test_pages_give_all_in_the_same_order(bobs: Program) -> None:
    whole = bobs.get("models").json()
    assert whole["next_cursor"] is None
    found: list[Any] = []
    cursor = ""
    while cursor is not None:
        page = bobs.get("models", {"limit": 100, "cursor": cursor}).json()
        assert len(page["items"]) <= 100
        found += page["items"]
        cursor = page["next_cursor"]
    assert found == whole["items"]
    assert bobs.get("models", {"cursor": "bm9uZQ"}).status_code == 422
    assert bobs.get("models", {"cursor": "_____w"}).status_code == 422


def test_a_short_row_has_a_quarter_of_the_bytes(bobs: Program) -> None:
    full, short = bobs.get("models"), bobs.get("models", {"view": "short"})
    assert [one["slug"] for one in short.json()["items"]] == [one["slug"] for one in full.json()["items"]]
    assert set(short.json()["items"][0]) == {"slug", "title", "vendor", "kind", "output"}
    assert len(short.content) < 0.3 * len(full.content)
    assert len(bobs.get("models", {"view": "short", "limit": 50}).content) < 10_000


def test_it_is_narrowed_by_kind_output_and_words(bobs: Program) -> None:
    music = bobs.get("models", {"kind": "music"}).json()["items"]
    assert music
    assert {one["kind"] for one in music} == {"music"}
    assert {one["output"] for one in bobs.get("models", {"output": "3d"}).json()["items"]} == {"3d"}
    title = load.get(MODEL).title
    assert MODEL in [one["slug"] for one in bobs.get("models", {"q": title.upper()}).json()["items"]]
    assert bobs.get("models", {"q": "no such thing"}).json() == {"items": [], "next_cursor": None}
    assert bobs.get("models", {"kind": "noise"}).status_code == 422


@pytest.mark.parametrize("path", ["models", "models?kind=music&limit=2", f"models/{MODEL}"])
def test_a_mark_holds_until_what_it_is_made_of_changes(
    path: str, bobs: Program, bob: Membership, program_of: Any
) -> None:
    known = bobs.get(path).headers["ETag"]
    assert [bobs.get(path, If_None_Match=known).status_code for _ in range(3)] == [304, 304, 304]
    with CaptureQueriesContext(connection) as cheap:
        bobs.get(path, If_None_Match=known)
    assert len(cheap) <= 3
    assert bobs.get("models/none", If_None_Match="*").status_code == 404

    rule = ModelRule.objects.create(team=bob.team, scope="kind", name="lip-sync", audience="nobody")
    second = bobs.get(path, If_None_Match=known)
    assert second.status_code == 200
    rule.delete()
    assert bobs.get(path, If_None_Match=known).status_code == 304

    own = Connection.objects.create(team=bob.team, base_url="https://www.runninghub.cn", is_used=True)
    assert bobs.get(path, If_None_Match=known).status_code == (404 if MODEL in path else 200)
    own.delete()
    Membership.objects.filter(pk=bob.pk).update(role="viewer")
    assert bobs.get(path, If_None_Match=known).status_code == 200
    ApiToken.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert bobs.get(path, If_None_Match=known).status_code == 401


def test_a_model_that_is_closed_is_closed_also_for_whoever_knew_it(bobs: Program, bob: Membership) -> None:
    known = bobs.get(f"models/{MODEL}").headers["ETag"]
    ModelRule.objects.create(team=bob.team, scope="model", name=MODEL, audience="nobody")
    for _ in range(2):
        assert bobs.get(f"models/{MODEL}", If_None_Match=known).status_code == 403
    assert MODEL not in [one["slug"] for one in bobs.get("models").json()["items"]]


@pytest.mark.parametrize("one", [False, True])
def test_a_mark_holds_until_the_teams_own_models_change(
    one: bool, bobs: Program, bob: Membership, django_assert_max_num_queries: Any
) -> None:
    def again(path: str, known: str) -> list[int]:
        return [bobs.get(path, If_None_Match=known).status_code for _ in range(2)]

    known = bobs.get("models").headers["ETag"]
    assert again("models", known) == [304, 304]
    row = own_models.add(bob.team, bob.user, "app", "1877265245566922753")
    facts = own_models.facts_of("app", APP_NODES)
    TeamModel.objects.filter(pk=row.pk).update(found={"title": "Boats", "facts": facts})
    form = {"title": "Boats", "summary": "", "kind": "picture", "fields": []}
    own_models.settle(row, bob.user, form, None)
    assert row.slug in [shown["slug"] for shown in bobs.get("models", If_None_Match=known).json()["items"]]

    path = f"models/{row.slug}" if one else "models"
    known = bobs.get(path).headers["ETag"]
    assert again(path, known) == [304, 304]
    with django_assert_max_num_queries(3):
        bobs.get(path, If_None_Match=known)
    own_models.settle(row, bob.user, {**form, "title": "Ships"}, None)
    changed = bobs.get(path, If_None_Match=known)
    assert (changed.status_code, b"Ships" in changed.content) == (200, True)
    known = changed.headers["ETag"]
    assert again(path, known) == [304, 304]
    own_models.switch(row, bob.user, offered=False)
    assert again(path, known) == ([404, 404] if one else [200, 200])


def test_a_304_costs_at_most_a_fifth(bobs: Program) -> None:
    known = bobs.get("models").headers["ETag"]

    def costs(**headers: str) -> float:
        taken = []
        for _ in range(7):
            began = time.process_time()
            bobs.get("models", **headers)
            taken.append(time.process_time() - began)
        return sorted(taken)[1]

    assert costs(If_None_Match=known) <= costs() / 5
