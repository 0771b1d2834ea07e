"""The import page and its files."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import ApiToken, Membership
from generations.models import Generation, ShareLink
from generations.pipeline.adopt import adopt
from tests.conftest import tone

ADDRESS = "/t/tide/import/"


def sounds(*names: str) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(name, tone()) for name in names]


def test_one_leads_to_its_page_and_several_to_the_library(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    once = re.search(r'name="once" value="(\w+)"', client.get(ADDRESS).content.decode())
    assert once
    answer = client.post(ADDRESS, {"file": sounds("One.wav"), "kind": "speech", "once": once[1]})
    row = Generation.objects.get()
    assert answer["Location"] == f"/t/tide/g/{row.pk}/"
    assert (
        client.post(ADDRESS, {"file": sounds("One.wav"), "kind": "speech", "once": once[1]})["Location"]
        == answer["Location"]
    )
    assert (
        client.post(ADDRESS, {"file": sounds("a.wav", "b.wav"), "kind": "music"})["Location"]
        == "/t/tide/library/"
    )
    assert Generation.objects.count() == 3
    listed = client.get("/t/tide/library/").content.decode()
    assert "One" in listed
    assert "Imported" in listed


def test_its_page_says_imported_and_offers_no_other_run(bob: Membership, client_of: Any) -> None:
    row = adopt(bob, sounds("Harbour bells.wav")[0])
    text = client_of(bob).get(f"/t/tide/g/{row.pk}/").content.decode()
    assert "Imported" in text
    assert "Original name" in text
    assert "Harbour bells.wav" in text
    assert "Run again" not in text
    assert "Receipt" not in text
    assert f"/t/tide/g/{row.pk}/share/" in text
    assert client_of(bob).get("/t/tide/create/").status_code in (200, 302), "what was made last is no model"
    client_of(bob).post(f"/t/tide/g/{row.pk}/share/", {"title": "Bells", "lasts": "7"})
    assert Client().get(f"/s/{ShareLink.objects.get().token}/").status_code == 200
    again = client_of(bob).post(f"/t/tide/g/{row.pk}/again/", {"key": "k"})
    assert again.status_code < 500
    assert Generation.objects.count() == 1


def test_what_is_refused_is_named_and_the_rest_comes_in(bob: Membership, client_of: Any) -> None:
    files = [*sounds("good.wav"), SimpleUploadedFile("bad <b>.wav", b"no sound")]
    answer = client_of(bob).post(ADDRESS, {"file": files, "kind": "music", "once": "k"})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "1 file is in the library" in text
    assert "bad &lt;b&gt;.wav" in text
    assert Generation.objects.count() == 1


@pytest.mark.parametrize("data", [{}, {"kind": "music"}, {"kind": "opera", "file": "x"}, {"file": "text"}])
def test_bad_forms_say_what_to_do(data: dict[str, str], bob: Membership, client_of: Any) -> None:
    answer = client_of(bob).post(ADDRESS, data)
    assert answer.status_code == 422
    assert "Choose at least one file" in answer.content.decode()


def test_too_much_at_once_is_not_even_read(bob: Membership, client_of: Any, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    answer = client_of(bob).post(
        ADDRESS, {"file": sounds("a.wav"), "kind": "music"}, headers={"Content-Length": "99999999"}
    )
    assert answer.status_code == 413
    assert "Together the files may have at most" in answer.content.decode()
    settings.MAX_UPLOAD_BYTES = 10**9
    settings.MIN_FREE_BYTES = 2**60
    assert client_of(bob).post(ADDRESS, {"file": sounds("a.wav")}).status_code == 507


def test_viewers_strangers_and_forged_forms_bring_nothing_in(
    bob: Membership, vera: Membership, zoe: Membership, client_of: Any
) -> None:
    assert client_of(vera).get(ADDRESS).status_code == 403
    assert client_of(vera).post(ADDRESS, {"file": sounds("a.wav")}).status_code == 403
    assert client_of(zoe).post(ADDRESS, {"file": sounds("a.wav")}).status_code == 404
    assert Client().post(ADDRESS, {"file": sounds("a.wav")}).status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bob.user)
    assert strict.post(ADDRESS, {"file": sounds("a.wav"), "kind": "music"}).status_code == 403
    assert not Generation.objects.exists()


def test_by_the_api(bob: Membership, vera: Membership) -> None:
    headers = {"Authorization": f"Bearer {ApiToken.issue(bob)}"}
    answer = Client().post(
        "/api/v1/imports",
        {"file": sounds("Bells.wav")[0], "title": "At noon", "kind": "song"},
        headers=headers,
    )
    assert answer.status_code == 201
    told = answer.json()
    assert (told["model"], told["title"], told["status"]) == ("import", "At noon", "succeeded")
    assert told["params"] == {"original_name": "Bells.wav"}
    assert told["cost_actual"] == "0" or float(told["cost_actual"]) == 0
    assert len(told["outputs"]) == 1
    assert Client().get(f"/api/v1/generations/{told['id']}", headers=headers).status_code == 200
    for bad in (
        {},
        {"file": SimpleUploadedFile("x.wav", b"no")},
        {"file": sounds("a.wav")[0], "kind": "opera"},
    ):
        assert Client().post("/api/v1/imports", bad, headers=headers).status_code == 422
    looking = {"Authorization": f"Bearer {ApiToken.issue(vera)}"}
    assert Client().post("/api/v1/imports", {"file": sounds("a.wav")[0]}, headers=looking).status_code == 403
    assert Generation.objects.count() == 1


def test_what_has_no_cost_leaves_no_gap_where_a_cost_would_stand(bob: Membership, client_of: Any) -> None:
    adopt(bob, SimpleUploadedFile("Harbour bell.wav", tone(2.0), "audio/wav"))
    page = client_of(bob).get("/t/tide/library/").content.decode()
    (line,) = re.findall(r'rows__sub tiny clip phone-only">([^<]+)<', page)
    assert re.fullmatch(r"Bob · 0:02 · \d\d:\d\d", line)
