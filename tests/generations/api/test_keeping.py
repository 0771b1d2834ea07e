"""Keeping order by program: notes of a generation, the trash, tags and collections."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Membership
from generations import keeping
from generations.models import Collection, Generation, State
from tests.generations.api.conftest import Program

Make = Callable[..., Generation]
ProgramOf = Callable[[Membership], Program]


def test_what_is_given_is_changed_and_the_rest_stays(
    bob: Membership, make_generation: Make, program_of: ProgramOf
) -> None:
    one = make_generation(bob)
    program = program_of(bob)
    path = f"generations/{one.pk}"
    first = program.send("PATCH", path, {"rating": 4, "tags": ["Calm", "rain "], "starred": True})
    assert first.status_code == 200
    assert first.json() == {
        "id": str(one.pk),
        "title": "Rain",
        "notes": "",
        "rating": 4,
        "starred": True,
        "approved": False,
        "private": False,
        "tags": ["Calm", "rain"],
        "trashed_at": None,
        "removed_at": None,
    }
    second = program.send(
        "PATCH", path, {"tags": ["RAIN", "Loud"], "private": True, "notes": "n", "title": " A  b "}
    )
    assert second.json()["tags"] == ["Loud", "rain"]
    assert (second.json()["rating"], second.json()["title"], second.json()["private"]) == (4, "A b", True)
    assert program.get(f"{path}/kept").json() == second.json()
    assert program.get("tags", {"q": "lou"}).json()["items"] == ["Loud"]
    assert program.send("PATCH", path, {}).json() == second.json()


@pytest.mark.parametrize(
    "body",
    [{"rating": 6}, {"rating": "x"}, {"tags": ["a,b"]}, {"tags": [""]}, {"title": ""}, {"title": "  "}, {"other": 1}],
)  # fmt: skip
def test_what_cannot_be_taken_is_422_and_changes_nothing(
    body: Any, bob: Membership, make_generation: Make, program_of: ProgramOf
) -> None:
    one = make_generation(bob)
    answer = program_of(bob).send("PATCH", f"generations/{one.pk}", {"notes": "x", **body})
    assert answer.status_code == 422
    assert answer.json()["errors"]
    one.refresh_from_db()
    assert one.notes == ""


def test_each_may_what_the_pages_let_them(
    bob: Membership,
    carol: Membership,
    vera: Membership,
    mona: Membership,
    zoe: Membership,
    make_generation: Make,
    program_of: ProgramOf,
) -> None:
    one = make_generation(bob)
    path = f"generations/{one.pk}"
    for who, body, code in (
        (carol, {"rating": 3}, 200),
        (carol, {"title": "Hers"}, 403),
        (carol, {"rating": 1, "private": True}, 403),
        (carol, {"approved": True}, 403),
        (vera, {"starred": True}, 200),
        (vera, {"rating": 1}, 403),
        (vera, {"tags": ["x"]}, 403),
        (mona, {"approved": True, "title": "Kept"}, 200),
        (zoe, {"starred": True}, 404),
    ):
        assert program_of(who).send("PATCH", path, body).status_code == code, (who, body)
    one.refresh_from_db()
    assert (one.rating, one.title, one.is_approved, one.is_private) == (3, "Kept", True, False)


def test_thrown_away_and_taken_out_again(
    bob: Membership, carol: Membership, make_generation: Make, program_of: ProgramOf
) -> None:
    one, running = make_generation(bob), make_generation(bob, status=State.RUNNING)
    program, path = program_of(bob), f"generations/{one.pk}"
    assert program_of(carol).post(f"{path}/trash").status_code == 403
    for _time in range(2):
        gone = program.post(f"{path}/trash")
        assert gone.status_code == 200
        assert gone.json()["removed_at"] > gone.json()["trashed_at"]
    assert program_of(carol).get(path).status_code == 404
    refused = program.post(f"generations/{running.pk}/trash")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_trashable")
    for _time in range(2):
        assert program.post(f"{path}/restore").json()["trashed_at"] is None
    assert program_of(carol).get(path).status_code == 200


def test_what_was_removed_for_good_is_404_and_says_so(
    bob: Membership, make_generation: Make, program_of: ProgramOf
) -> None:
    from generations.pipeline import purge

    one = make_generation(bob, outputs=1)
    rows: Any = Generation.objects.filter(pk=one.pk)
    keeping.trash(rows, bob.user)
    keeping.empty(rows)
    purge.tend()
    for path in (f"generations/{one.pk}", f"generations/{one.pk}/outputs/0/content"):
        answer = program_of(bob).get(path)
        assert answer.status_code == 404
        assert "receipt is kept" in answer.json()["detail"]


@pytest.mark.thorough
def test_a_collection_from_beginning_to_end(
    bob: Membership, carol: Membership, make_generation: Make, program_of: ProgramOf
) -> None:
    ids = [str(make_generation(bob, title=name).pk) for name in "abc"]
    program = program_of(carol)
    made = program.post("collections", {"name": " Spring  season "})
    assert made.status_code == 201
    path = f"collections/{made.json()['id']}"
    assert made.json()["name"] == "Spring season"
    assert program.post(f"{path}/items", {"generations": [*ids, ids[0]]}).json()["generations"] == ids
    moved = program_of(bob).post(f"{path}/move", {"generation": ids[2], "before": ids[0]}).json()
    assert moved["generations"] == [ids[2], ids[0], ids[1]]
    assert program.post(f"{path}/move", {"generation": ids[2]}).json()["generations"] == ids
    lost = program.post(f"{path}/move", {"generation": str(uuid.uuid4())})
    assert (lost.status_code, lost.json()["code"]) == (409, "not_in_collection")
    out = program.send("DELETE", f"{path}/items/{ids[1]}")
    assert (out.json()["generations"], out.json()["count"]) == ([ids[0], ids[2]], 2)
    assert program_of(bob).send("PATCH", path, {"private": True}).status_code == 403
    assert program.send("PATCH", path, {"private": True}).json()["private"] is True
    assert program_of(bob).get(path).status_code == 404
    assert program_of(bob).get("collections").json() == {"items": [], "next_cursor": None}
    assert program_of(bob).send("DELETE", path).status_code == 404
    assert program.send("DELETE", path).status_code == 204
    assert not Collection.objects.exists()
    assert Generation.objects.filter(trashed_at=None).count() == 3


def test_a_manager_renames_a_colleagues_collection_and_does_not_close_it(
    bob: Membership, mona: Membership, program_of: ProgramOf
) -> None:
    path = f"collections/{program_of(bob).post('collections', {'name': 'Spring'}).json()['id']}"
    for private in (True, False):
        refused = program_of(mona).send("PATCH", path, {"name": "Mine", "private": private})
        assert refused.status_code == 403
        assert "Only its author" in refused.json()["detail"]
    assert program_of(mona).send("PATCH", path, {"name": "Summer"}).json()["name"] == "Summer"
    assert program_of(bob).get(path).json()["private"] is False


def test_collections_come_in_pages(bob: Membership, program_of: ProgramOf) -> None:
    for n in range(52):
        Collection.objects.create(team=bob.team, author=bob.user, name=str(n))
    first = program_of(bob).get("collections").json()
    second = program_of(bob).get("collections", {"cursor": first["next_cursor"]}).json()
    names = [one["name"] for one in [*first["items"], *second["items"]]]
    assert names == [str(n) for n in reversed(range(52))]
    assert second["next_cursor"] is None


def test_a_twin_is_mentioned_and_nothing_is_blocked(
    bob: Membership, make_generation: Make, program_of: ProgramOf
) -> None:
    order = {"model": "rhart-audio--text-to-audio--speech-2.8-turbo", "params": {"text": "Good morning"}}
    program = program_of(bob)
    first = program.post("generations", order)
    assert first.status_code == 201
    assert "Link" not in first
    Generation.objects.update(status=State.SUCCEEDED)
    second = program.post("generations", order)
    assert second.status_code == 201
    assert second["Link"] == f'<{first["Location"]}>; rel="duplicate"'
    other = program.post("generations", {**order, "params": {"text": "Good evening"}})
    assert "Link" not in other
