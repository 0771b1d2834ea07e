"""Links for outsiders as members make them: who may, and what bad input is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Membership
from generations.models import Collection, Generation, ShareLink, Voice
from generations.sharing import Thing
from tests.generations.test_sharing import album, link_to

TERMS = {"title": "Rain", "lasts": "7"}


def test_a_link_is_made_shown_changed_and_revoked(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    row = make_generation(bob, outputs=2, title="Rain")
    client = client_of(bob)
    assert f"/t/tide/g/{row.pk}/share/" in client.get(f"/t/tide/g/{row.pk}/").content.decode()
    form = client.get(f"/t/tide/g/{row.pk}/share/").content.decode()
    assert 'value="Rain"' in form
    made = client.post(f"/t/tide/g/{row.pk}/share/", {**TERMS, "password": "a good secret"}, follow=True)
    link = ShareLink.objects.get()
    assert made.redirect_chain == [(f"/t/tide/share/{link.pk}/", 302)]
    text = made.content.decode()
    assert f"http://testserver/s/{link.token}/" in text
    assert link.expires_at is not None
    assert timedelta(days=6, hours=23) < link.expires_at - timezone.now() <= timedelta(days=7)
    assert Client().get(f"/s/{link.token}/").status_code == 200
    changed = client.post(
        f"/t/tide/share/{link.pk}/",
        {"title": "Storm", "lasts": "kept", "no_password": "on", "may_download": "on"},
    )
    assert changed.status_code == 302
    now = ShareLink.objects.get()
    assert (now.title, now.password, now.may_download, now.expires_at) == ("Storm", "", True, link.expires_at)
    assert client.post(f"/t/tide/share/{link.pk}/revoke/").status_code == 302
    assert Client().get(f"/s/{link.token}/").status_code == 404
    over = client.get(f"/t/tide/share/{link.pk}/").content.decode()
    assert link.token not in over
    assert "Revoked" in over


def test_one_take_and_a_collection(bob: Membership, client_of: Any, make_generation: Any) -> None:
    row = make_generation(bob, outputs=2)
    client = client_of(bob)
    assert "Share Take B" in client.get(f"/t/tide/g/{row.pk}/share/?take=1").content.decode()
    client.post(f"/t/tide/g/{row.pk}/share/?take=1", TERMS)
    link = ShareLink.objects.get()
    assert link.output is not None
    assert link.output.index == 1
    for wrong in ("7", "-1", "x", "٣"):
        assert client.get(f"/t/tide/g/{row.pk}/share/?take={wrong}").status_code == 404
    made = album(bob, row)
    assert client.post(f"/t/tide/collections/{made.pk}/share/", TERMS).status_code == 302
    assert ShareLink.objects.filter(collection=made).exists()


def test_viewers_may_not_and_what_one_does_not_see_is_not_there(
    bob: Membership, carol: Membership, mona: Membership, vera: Membership, zoe: Membership, client_of: Any,
    make_generation: Any, make_voice: Any,
) -> None:  # fmt: skip
    row = make_generation(carol, outputs=1)
    address = f"/t/tide/g/{row.pk}/share/"
    assert client_of(vera).post(address, TERMS).status_code == 403
    assert client_of(zoe).post(address, TERMS).status_code == 404
    assert Client().post(address, TERMS).status_code == 302
    Generation.objects.filter(pk=row.pk).update(is_private=True)
    assert client_of(bob).post(address, TERMS).status_code == 404
    refused = client_of(mona).post(address, TERMS)
    assert (refused.status_code, "private to its author" in refused.content.decode()) == (422, True)
    assert client_of(carol).post(address, TERMS).status_code == 302
    voice = make_voice(carol, audience="owner")
    assert client_of(bob).post(f"/t/tide/g/{voice.made_by.pk}/share/", TERMS).status_code == 404
    hers = album(carol, is_private=True)
    assert client_of(bob).post(f"/t/tide/collections/{hers.pk}/share/", TERMS).status_code == 404
    assert ShareLink.objects.count() == 1


def test_members_look_after_their_own_and_managers_after_all(
    bob: Membership,
    carol: Membership,
    mona: Membership,
    zoe: Membership,
    client_of: Any,
    make_generation: Any,
) -> None:
    mine = link_to(bob, Thing(make_generation(bob, outputs=1)), title="Of Bob")
    hers = link_to(carol, Thing(make_generation(carol, outputs=1)), title="Of Carol")
    shown = client_of(bob).get("/t/tide/share/").content.decode()
    assert "Of Bob" in shown
    assert "Of Carol" not in shown
    everything = client_of(mona).get("/t/tide/share/").content.decode()
    assert "Of Bob" in everything
    assert "Of Carol" in everything
    assert client_of(bob).get(f"/t/tide/share/{hers.pk}/").status_code == 404
    assert client_of(bob).post(f"/t/tide/share/{hers.pk}/revoke/").status_code == 404
    assert client_of(zoe).get(f"/t/zoo/share/{mine.pk}/").status_code == 404
    assert client_of(mona).post(f"/t/tide/share/{mine.pk}/revoke/").status_code == 302
    assert ShareLink.objects.get(pk=mine.pk).revoked_by == mona.user


@pytest.mark.parametrize("why", ["private", "album", "voice", "thrown away"])
def test_what_is_not_there_any_more_has_no_name_and_its_link_is_not_called_alive(
    why: str, bob: Membership, carol: Membership, mona: Membership, client_of: Any, make_generation: Any,
    make_voice: Any,
) -> None:  # fmt: skip
    voice = make_voice(bob, audience="everyone") if why == "voice" else None
    row = voice.made_by if voice else make_generation(bob, outputs=1)
    shelf = album(bob, row)
    link = link_to(carol, Thing(collection=shelf) if why == "album" else Thing(row), title="For you")
    path, client = f"/t/tide/share/{link.pk}/", client_of(carol)
    seen = client.get(path).content.decode()
    assert (f"/s/{link.token}/" in seen, "Works<" in seen) == (True, True)
    Generation.objects.filter(pk=row.pk).update(title="Unreleased")
    Collection.objects.filter(pk=shelf.pk).update(name="Unreleased")
    assert "Unreleased" in client.get(path).content.decode(), "while it is open"
    if why == "private":
        Generation.objects.filter(pk=row.pk).update(is_private=True)
    elif why == "album":
        Collection.objects.filter(pk=shelf.pk).update(is_private=True)
    elif voice:
        Voice.objects.update(audience="owner")
    else:
        Generation.objects.filter(pk=row.pk).update(trashed_at=timezone.now())
    for who in (carol, mona) if why != "album" else (carol,):
        seen = client_of(who).get(path).content.decode()
        assert (str(row.pk) in seen, "Unreleased" in seen) == (
            (False, False) if who == carol else (True, True)
        )
        assert (f"/s/{link.token}/" in seen, "Works<" in seen) == (False, False)
        assert ("In the trash" if why == "thrown away" else "Not shown any more") in seen
        assert "Works<" not in client_of(who).get("/t/tide/share/").content.decode()
    assert Client().get(f"/s/{link.token}/").status_code == 404


def test_the_list_costs_the_same_queries_however_many(
    bob: Membership, carol: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, counts = client_of(mona), []
    link_to(bob, Thing(make_generation(bob, outputs=1)))
    client.get("/t/tide/share/")
    for _ in range(2):
        for who in (bob, carol, mona):
            link_to(who, Thing(make_generation(bob, outputs=1)))
            link_to(who, Thing(collection=album(bob, make_generation(bob, outputs=1))))
        with CaptureQueriesContext(connection) as queries:
            client.get("/t/tide/share/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"title": ""}, "This field is required"),
        ({"title": "\x00 "}, "Null characters"),
        ({"title": "x" * 201}, "at most 200"),
        ({"lasts": "8"}, "valid choice"),
        ({"lasts": "kept"}, "valid choice"),
        ({"password": "short"}, "at least 6"),
    ],
)
def test_bad_terms_come_back_filled(
    given: dict[str, str], told: str, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    row = make_generation(bob, outputs=1)
    answer = client_of(bob).post(f"/t/tide/g/{row.pk}/share/", {**TERMS, "may_download": "on", **given})
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert 'name="may_download" id="id_may_download" checked' in answer.content.decode()
    assert not ShareLink.objects.exists()


@pytest.mark.parametrize("why", ["waiting", "opaque"])
def test_what_cannot_be_shared_says_why(
    why: str, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    row = make_generation(bob, outputs=1, status="queued" if why == "waiting" else "succeeded")
    if why == "opaque":
        row.outputs.update(extension="gif")
    client = client_of(bob)
    assert client.get(f"/t/tide/g/{row.pk}/share/").status_code == 200
    answer = client.post(f"/t/tide/g/{row.pk}/share/", TERMS)
    assert answer.status_code == 422
    assert (
        "as soon as it is finished" if why == "waiting" else "cannot be taken off"
    ) in answer.content.decode()
    assert not ShareLink.objects.exists()


def test_a_title_taken_from_the_text_is_not_offered(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    row = make_generation(bob, outputs=1, title="Slow piano over rain")
    assert (
        "Slow piano"
        not in client_of(bob)
        .get(f"/t/tide/g/{row.pk}/share/")
        .content.decode()
        .partition('<form class="stack"')[2]
    )
