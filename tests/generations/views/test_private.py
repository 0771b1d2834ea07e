"""What is private or in the trash is nowhere for those it is not for: every page, file, list, picker and call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, Membership
from generations import keeping
from generations.models import Batch, Collection, CollectionItem, Descent, Generation, State, Upload, Way
from tests.conftest import MODEL

Make = Callable[..., Generation]
SECRET = "Confidential jingle"


@pytest.fixture
def secret(carol: Membership, make_generation: Make) -> Generation:
    """Carol's, with everything around it that could tell of it."""
    one = make_generation(
        carol,
        outputs=1,
        title=SECRET,
        params={"prompt": SECRET},
        is_private=True,
        batch=Batch.objects.create(team=carol.team, author=carol.user, model=MODEL, title=SECRET, asked=1),
        batch_place=1,
    )
    shelf = Collection.objects.create(team=carol.team, author=carol.user, name="Open shelf")
    CollectionItem.objects.create(collection=shelf, generation=one, place=1, added_by=carol.user)
    child = make_generation(carol, title="Child", params={"prompt": "Something else"})
    Descent.objects.create(child=child, parent=one, way=Way.INPUT)
    source = one.outputs.get()
    copy = Upload(
        team=carol.team,
        author=carol.user,
        name=f"{SECRET}.wav",
        kind="audio",
        content_type="audio/wav",
        extension="wav",
        bytes=source.bytes,
        sha256=source.sha256,
        source=source,
    )
    with source.file.open() as sound:
        copy.file.save("uploads/copy.wav", sound, save=True)
    Generation.objects.filter(pk=child.pk).update(
        params={"prompt": "Something else", "audio": copy.reference}
    )
    return one


def status(browser: Client, path: str, **options: Any) -> int:
    answer = browser.get(path, **options)
    if answer.streaming:
        answer.getvalue()
    return answer.status_code


def addresses(one: Generation) -> list[str]:
    """All of it that has an address of its own."""
    copy = Upload.objects.get()
    return [
        f"/t/tide/g/{one.pk}/",
        f"/t/tide/g/{one.pk}/status/",
        f"/t/tide/g/{one.pk}/menu/",
        f"/t/tide/g/{one.pk}/outputs/0/content",
        f"/t/tide/create/{MODEL}/?from={one.pk}",
        f"/t/tide/b/{one.batch_id}/",
        f"/t/tide/uploads/{copy.pk}/content",
    ]


def lists(one: Generation) -> list[str]:
    """Pages on which it could stand."""
    shelf, child = Collection.objects.get(), Generation.objects.get(title="Child")
    return [
        "/t/tide/create/",
        "/t/tide/library/",
        "/t/tide/collections/",
        f"/t/tide/collections/{shelf.pk}/",
        f"/t/tide/g/{child.pk}/",
        "/t/tide/trash/",
        f"/t/tide/library/choose/?deed=tag&pick={one.pk}",
        "/t/tide/usage/",
        "/t/tide/usage/report/",
        "/t/tide/voices/",
    ]


@pytest.mark.thorough
def test_a_private_one_is_its_authors_and_the_managers(
    secret: Generation,
    carol: Membership,
    bob: Membership,
    vera: Membership,
    mona: Membership,
    zoe: Membership,
    client_of: Any,
) -> None:
    for who, sees in ((carol, True), (mona, True), (bob, False), (vera, False), (zoe, False)):
        browser: Client = client_of(who)
        for path in addresses(secret):
            code = status(browser, path)
            assert code == (200 if sees else 404), f"{who} {path}: {code}"
        if who is zoe or who is vera:
            continue
        told = {path: SECRET in browser.get(path).content.decode() for path in lists(secret)}
        if not sees:
            assert not any(told.values()), told
    shelf = Collection.objects.get()
    seen = client_of(carol).get(f"/t/tide/collections/{shelf.pk}/").content.decode()
    assert SECRET in seen
    assert "0 generations" in client_of(bob).get(f"/t/tide/collections/{shelf.pk}/").content.decode()


VERBS = ["star", "rate", "edit", "tag", "approve", "open", "trash", "restore", "cancel", "again", "keeper"]


@pytest.mark.thorough
def test_no_verb_touches_what_is_not_seen(secret: Generation, bob: Membership, client_of: Any) -> None:
    browser: Client = client_of(bob)
    for verb in VERBS:
        answer = browser.post(f"/t/tide/g/{secret.pk}/{verb}/", {"rating": "5", "add": "x", "title": "x"})
        assert answer.status_code == 404, verb
    for deed in ("star", "rate:5", "private", "team", "trash"):
        browser.post("/t/tide/library/bulk/", {"deed": deed, "pick": secret.pk})
    secret.refresh_from_db()
    assert (secret.rating, secret.is_private, secret.trashed_at) == (0, True, None)
    assert not secret.favourites.exists()


def test_rest_knows_it_as_little(
    secret: Generation, carol: Membership, bob: Membership, mona: Membership
) -> None:
    for who, sees in ((carol, True), (mona, True), (bob, False)):
        headers = {"Authorization": f"Bearer {ApiToken.issue(who)}"}
        for path in (f"generations/{secret.pk}", f"generations/{secret.pk}/outputs/0/content"):
            code = status(Client(), f"/api/v1/{path}", headers=headers)
            assert code == (200 if sees else 404), f"{who} {path}: {code}"
        for query in ("", "?q=confidential", f"?author={carol.user.email}", f"?model={MODEL}"):
            listed = Client().get(f"/api/v1/generations{query}", headers=headers)
            assert listed.status_code == 200
            ids = [one["id"] for one in listed.json()["items"]]
            assert (str(secret.pk) in ids) == sees, f"{who} {query}"
            assert (SECRET in listed.content.decode()) == sees


def test_the_rail_shows_work_that_is_private_to_its_author_only(
    carol: Membership, bob: Membership, make_generation: Make, client_of: Any
) -> None:
    make_generation(carol, title=SECRET, is_private=True, status=State.RUNNING, params={"prompt": "x"})
    headers = {"HX-Request": "true"}
    assert SECRET in client_of(carol).get("/t/tide/now/", headers=headers).content.decode()
    assert SECRET not in client_of(bob).get("/t/tide/now/", headers=headers).content.decode()


@pytest.mark.thorough
def test_a_private_result_is_nobody_elses_input(secret: Generation, bob: Membership, client_of: Any) -> None:
    """Neither the take nor the copy of it that its author made."""
    model = "rhart-audio--text-to-audio--voice-clone"
    used = client_of(bob).get(f"/t/tide/create/{model}/?use={secret.pk}/0")
    assert used.status_code == 404
    copy = Upload.objects.get()
    for reference in (f"output:{secret.pk}/0", copy.reference):
        data = {
            "audio": reference,
            "text": "Good morning",
            "_voice_name": "Hers",
            "_voice_consent": "on",
            "_voice_speaker": "C",
        }
        answer = client_of(bob).post(f"/t/tide/create/{model}/", data)
        assert answer.status_code == 422
        assert "not there any more" in answer.content.decode()
        assert SECRET not in answer.content.decode()


@pytest.mark.thorough
def test_in_the_trash_it_is_for_those_who_may_restore_it(
    carol: Membership, bob: Membership, vera: Membership, mona: Membership, secret: Generation, client_of: Any
) -> None:
    Generation.objects.filter(pk=secret.pk).update(is_private=False)
    assert client_of(bob).get(f"/t/tide/g/{secret.pk}/").status_code == 200
    keeping.trash(Generation.objects.filter(pk=secret.pk), carol.user)  # type: ignore[arg-type]
    for who, code in ((carol, 200), (mona, 200), (bob, 404), (vera, 404)):
        for path in (f"/t/tide/g/{secret.pk}/", f"/t/tide/g/{secret.pk}/outputs/0/content"):
            assert status(client_of(who), path) == code
    shown = {path: SECRET in client_of(carol).get(path).content.decode() for path in lists(secret)}
    assert [path for path, there in shown.items() if there] == [
        f"/t/tide/g/{Generation.objects.get(title='Child').pk}/",  # the name of the copy that went in
        "/t/tide/trash/",
    ]
    assert SECRET not in client_of(bob).get("/t/tide/trash/").content.decode()
    assert client_of(bob).post(f"/t/tide/g/{secret.pk}/restore/").status_code == 404


def test_a_batch_goes_by_what_is_seen_of_it_and_counts_all(
    carol: Membership, bob: Membership, make_generation: Make, client_of: Any
) -> None:
    batch = Batch.objects.create(team=carol.team, author=carol.user, model=MODEL, title=SECRET, asked=2)
    make_generation(carol, title=SECRET, is_private=True, batch=batch, batch_place=1)
    make_generation(carol, title="Open one", batch=batch, batch_place=2, params={"prompt": "x"})
    text = client_of(bob).get(f"/t/tide/b/{batch.pk}/").content.decode()
    assert SECRET not in text
    assert "2 of 2" in text
    assert "¥1.60" in text
    assert SECRET in client_of(carol).get(f"/t/tide/b/{batch.pk}/").content.decode()


def test_whoever_left_passes_what_is_private_on(
    carol: Membership, bob: Membership, secret: Generation, client_of: Any
) -> None:
    Membership.objects.filter(pk=carol.pk).update(ended_at=timezone.now(), heir=bob.user)
    assert client_of(bob).get(f"/t/tide/g/{secret.pk}/").status_code == 200
    assert client_of(bob).post(f"/t/tide/g/{secret.pk}/open/", {"to": "team"}).status_code == 302
    secret.refresh_from_db()
    assert not secret.is_private
