"""The library attacked: deeds upon what is not one's own, taken back by who may not any more, and links that end
while they are used.
"""

from __future__ import annotations

import io
import uuid
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, Membership, Role
from generations import keeping, sharing
from generations.keeping import shelves
from generations.models import Alteration, Collection, CollectionItem, Favourite, Generation, Tagging
from generations.sharing import Terms, Thing
from tests.conftest import tone
from tests.generations.api.conftest import Program
from tests.generations.test_sharing import album, link_to

BULK, UNDO = "/t/tide/library/bulk/", "/t/tide/library/undo/"


def only(row: Generation) -> Any:
    return Generation.objects.filter(pk=row.pk)


def again(row: Generation) -> Generation:
    row.refresh_from_db()
    return row


def undone(client: Client, change: Alteration | None) -> str:
    assert change is not None
    answer = client.post(UNDO, {"change": change.pk}, follow=True)
    return answer.content.decode()


def become(who: Membership, role: str) -> None:
    Membership.objects.filter(pk=who.pk).update(role=role)


@pytest.mark.parametrize("deed", ["private", "team", "trash"])
def test_a_manager_no_more_takes_nothing_of_others_back(
    deed: str, mona: Membership, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    his, hers = make_generation(bob, is_private=deed == "team"), make_generation(mona)
    if deed == "team":
        only(hers).update(is_private=True)
    client = client_of(mona)
    client.post(BULK, {"deed": deed, "pick": [his.pk, hers.pk]})
    change = Alteration.objects.get()
    assert len(change.rows) == 2
    become(mona, Role.MEMBER)
    before = (again(his).is_private, his.trashed_at)
    said = undone(client, change)
    assert "1 is as it was" in said
    assert "is not yours to change" in said
    assert (again(his).is_private, his.trashed_at) == before
    assert again(hers).is_private is (deed == "team")
    assert hers.trashed_at is None


def test_what_one_does_not_see_any_more_is_not_touched(
    bob: Membership, carol: Membership, client_of: Any, make_generation: Any
) -> None:
    one = make_generation(bob)
    rated, tagged, starred = (
        keeping.rate(only(one), carol.user, 4),
        keeping.tag(only(one), carol.user, carol.team, "Calm"),
        keeping.star(only(one), carol.user),
    )
    only(one).update(is_private=True)
    for change in (rated, tagged, starred):
        assert "is as it was" not in undone(client_of(carol), change)
    assert again(one).rating == 4
    assert Tagging.objects.count() == 1
    assert Favourite.objects.count() == 1


def test_nothing_comes_back_into_a_collection_that_was_closed(
    bob: Membership, carol: Membership, client_of: Any, make_generation: Any
) -> None:
    one, two = make_generation(bob), make_generation(bob)
    shelf = shelves.create(bob, "Album")
    shelves.add(shelf, only(one), bob.user)
    out = shelves.remove(shelf, only(one), carol.user)
    put = shelves.add(shelf, only(two), carol.user)
    Collection.objects.filter(pk=shelf.pk).update(is_private=True)
    for change in (out, put):
        assert "is as it was" not in undone(client_of(carol), change)
    assert list(CollectionItem.objects.values_list("generation", flat=True)) == [two.pk]


def test_a_viewer_takes_back_only_stars(bob: Membership, client_of: Any, make_generation: Any) -> None:
    one = make_generation(bob)
    rated, starred = keeping.rate(only(one), bob.user, 4), keeping.star(only(one), bob.user)
    become(bob, Role.VIEWER)
    client = client_of(bob)
    assert rated is not None
    assert client.post(UNDO, {"change": rated.pk}).status_code == 403
    assert "1 is as it was" in undone(client, starred)
    assert again(one).rating == 4


def test_who_left_takes_nothing_back(
    bob: Membership, carol: Membership, client_of: Any, make_generation: Any
) -> None:
    change = keeping.rate(only(make_generation(carol)), bob.user, 4)
    Membership.objects.filter(pk=bob.pk).update(ended_at=timezone.now())
    assert change is not None
    assert client_of(bob).post(UNDO, {"change": change.pk}).status_code == 404
    assert Generation.objects.get().rating == 4


DEEDS = [
    *("star", "rate:4", "tag", "untag", "collect", "approve", "private", "team", "trash"),
]


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("way", ["page", "rest"])
def test_no_deed_reaches_another_team_or_what_is_private_to_others(
    deed: str,
    way: str,
    bob: Membership,
    mona: Membership,
    carol: Membership,
    zoe: Membership,
    client_of: Any,
    make_generation: Any,
) -> None:
    theirs, hidden = make_generation(zoe, is_private=deed == "team"), make_generation(carol, is_private=True)
    who = mona if deed == "approve" else bob
    picks = [theirs.pk] if who is mona else [theirs.pk, hidden.pk]
    shelf, tag = shelves.create(who, "Album"), {"tag": "Calm"}
    for row, by in ((theirs, zoe), (hidden, carol)):
        keeping.tag(only(row), by.user, by.team, "Calm")
    kept = [again(row).__dict__.copy() for row in (theirs, hidden)]
    links = [model.objects.count() for model in (Favourite, Tagging, CollectionItem)]
    Alteration.objects.all().delete()
    if way == "page":
        data = {"deed": deed, "pick": picks, **tag, "collection": str(shelf.pk)}
        assert client_of(who).post(BULK, data).status_code == 302
    else:
        name, _colon, rating = deed.partition(":")
        body: dict[str, Any] = {"deed": name, "generations": [str(pk) for pk in picks], **tag}
        body |= {"collection": str(shelf.pk), **({"rating": int(rating)} if rating else {})}
        answer = Program(ApiToken.issue(who)).post("deeds", body)
        assert answer.status_code == 200, answer.content
        assert (answer.json()["changed"], answer.json()["left"]) == (0, len(picks))
    for row, before in zip((theirs, hidden), kept, strict=True):
        after = again(row).__dict__
        assert {k: v for k, v in after.items() if k != "_state"} == {
            k: v for k, v in before.items() if k != "_state"
        }
    assert [model.objects.count() for model in (Favourite, Tagging, CollectionItem)] == links
    assert not Alteration.objects.exists()


def test_ten_thousand_are_refused_without_a_fault(bob: Membership, client_of: Any) -> None:
    many = [str(uuid.uuid4()) for _ in range(10_000)]
    client = client_of(bob)
    assert client.post(BULK, {"deed": "trash", "pick": many}).status_code == 400
    assert client.post(BULK, {"deed": "trash", "pick": many[:3_900]}).status_code == 422
    answer = Program(ApiToken.issue(bob)).post("deeds", {"deed": "trash", "generations": many})
    assert answer.status_code == 422
    assert client.post("/t/tide/download/", {"ids": ",".join(many)}).status_code == 302
    assert client.post("/t/tide/download/zip/", {"ids": ",".join(many)}).status_code == 404


def test_what_is_approved_or_shared_is_closed_by_the_trash_and_open_again_as_it_was(
    bob: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    one = make_generation(bob, outputs=1)
    keeping.approve(only(one), mona.user)
    approved = again(one).approved_at
    link = link_to(bob, Thing(one))
    page = f"/s/{link.token}/"
    assert Client().get(page).status_code == 200
    client = client_of(bob)
    client.post(BULK, {"deed": "trash", "pick": one.pk})
    assert Client().get(page).status_code == 404
    undone(client, Alteration.objects.get(what="trash"))
    assert Client().get(page).status_code == 200
    assert (again(one).approved_at, one.approved_by_id) == (approved, mona.user_id)


ENDS = {
    "revoked": lambda by, link, row: sharing.revoke(by, link),
    "expired": lambda by, link, row: type(link).objects.filter(pk=link.pk).update(expires_at=timezone.now()),
    "no download": lambda by, link, row: sharing.change(by, link, Terms(link.title, may_download=False)),
    "another password": lambda by, link, row: sharing.change(
        by, link, Terms(link.title, password="a good secret", may_download=True)
    ),
    "trashed": lambda by, link, row: keeping.trash(only(row), by.user),
    "private to its author": lambda by, link, row: only(row).update(is_private=True),
    "out of the collection": lambda by, link, row: CollectionItem.objects.filter(generation=row).delete(),
    "collection closed": lambda by, link, row: link.collection.delete(),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_zip_that_is_being_sent_ends_with_its_link(
    end: str, bob: Membership, carol: Membership, make_generation: Any
) -> None:
    first, second = (make_generation(carol, outputs=1, title=title) for title in ("One", "Two"))
    link = link_to(bob, Thing(collection=album(bob, first, second)), title="Songs", may_download=True)
    answer = Client().get(f"/s/{link.token}/all.zip")
    blocks = iter(answer.streaming_content)
    data = next(blocks)
    ENDS[end](bob, link, second)
    data += b"".join(blocks)
    answer.close()
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.namelist() == ["001 One.wav", "MISSING.txt"]
        assert found.read("001 One.wav") == tone()
        assert b"002 Two.wav" in found.read("MISSING.txt")


def test_what_is_thrown_away_while_a_member_takes_it_out_still_comes_whole(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    rows = [make_generation(bob, outputs=1, title="A/B: the same") for _ in range(3)]
    picks = ",".join(str(row.pk) for row in rows)
    answer = client_of(bob).post("/t/tide/download/zip/", {"ids": picks, "pattern": "{title}"})
    blocks = iter(answer.streaming_content)
    data = next(blocks)
    keeping.trash(Generation.objects.filter(pk__in=[row.pk for row in rows]), bob.user)  # type: ignore[arg-type]
    data += b"".join(blocks)
    answer.close()
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        sounds = [name for name in found.namelist() if name.endswith(".wav")]
        assert sounds == [f"A-B - the same{mark}.wav" for mark in ("", " (2)", " (3)")]
        assert all(found.read(name) == tone() for name in sounds)
