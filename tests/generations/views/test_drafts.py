"""A half-filled form survives; what was kept on purpose is found again; nobody else sees either."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership
from generations.catalogue import load
from generations.models import Draft, Generation, Upload
from tests.conftest import MODEL, tone
from tests.generations.views.reading import seen

PAGE = f"/t/tide/create/{MODEL}/"
SPEECH = load.get("minimax--speech-2.8-hd").slug
CLONE = "rhart-audio--text-to-audio--voice-clone"


def test_a_half_filled_form_is_there_again_after_the_tab_was_closed(bob: Membership, client_of: Any) -> None:
    writing = client_of(bob)
    posted = seen(writing.get(PAGE)).sent() | {"prompt": "Slow pia", "format": "wav", "_title": "Roof"}
    assert writing.post(f"{PAGE}draft/", posted).status_code == 204
    again = client_of(bob).get(PAGE)
    page = seen(again)
    assert (page.values["prompt"], page.values["format"], page.values["_title"]) == (
        ["Slow pia"], ["wav"], ["Roof"],
    )  # fmt: skip
    assert "Unfinished since" in page.texts["resumed"]
    assert not Generation.objects.exists()


def test_what_a_manager_wrote_as_json_is_there_again(
    mona: Membership, client_of: Any, make_generation: Any
) -> None:
    client, extra = client_of(mona), '{"steps": 30'
    posted = seen(client.get(PAGE)).sent() | {"_extra": extra}
    assert client.post(f"{PAGE}draft/", posted).status_code == 204
    assert seen(client.get(PAGE)).values["_extra"] == [extra]
    made = make_generation(mona, params={"prompt": "Rain", "_extra": {"steps": 30}})
    assert "steps" in seen(client.get(f"{PAGE}?from={made.pk}")).values["_extra"][0]


def test_it_holds_what_could_not_be_sent(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    wrong = {"text": "a\x00b\ud800", "voice_id": "no such", "speed": "fast", "_by_line": "on", "_copies": "x"}
    encoded = {key: value.encode("utf-8", "replace").decode() for key, value in wrong.items()}
    assert client.post(f"/t/tide/create/{SPEECH}/draft/", encoded).status_code == 204
    page = seen(client.get(f"/t/tide/create/{SPEECH}/"))
    assert page.values["text"] == ["ab?"]
    assert (page.values["speed"], page.values["_copies"]) == (["fast"], ["x"])
    assert page.values["_by_line"] == ["on"]


def test_an_untouched_form_leaves_no_draft(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    untouched = seen(client.get(PAGE)).sent()
    client.post(f"{PAGE}draft/", untouched | {"prompt": "x"})
    assert Draft.objects.count() == 1
    client.post(f"{PAGE}draft/", untouched)
    assert not Draft.objects.exists()


def test_each_model_and_each_member_has_one_of_its_own(
    bob: Membership, carol: Membership, client_of: Any
) -> None:
    for client in (client_of(bob), client_of(bob), client_of(carol)):
        client.post(f"{PAGE}draft/", {"prompt": f"Words {id(client)}"})
        client.post(f"/t/tide/create/{SPEECH}/draft/", {"text": "Hello"})
    assert Draft.objects.count() == 4
    assert seen(client_of(bob).get("/t/tide/create/")).values


def test_it_is_over_when_it_was_sent(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    client.post(f"{PAGE}draft/", {"prompt": "Rain"})
    client.post(PAGE, seen(client.get(PAGE)).sent())
    assert Generation.objects.get().params["prompt"] == "Rain"
    assert not Draft.objects.exists()


def test_reset_begins_anew(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    client.post(f"{PAGE}draft/", {"prompt": "Rain"})
    page = client.post(f"{PAGE}anew/", follow=True)
    assert seen(page).values["prompt"] == [""]
    assert not Draft.objects.exists()


def test_a_refused_form_keeps_its_draft(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    client.post(f"{PAGE}draft/", {"prompt": "Rain"})
    assert client.post(PAGE, {"prompt": ""}).status_code == 422
    assert seen(client.get(PAGE)).values["prompt"] == ["Rain"]


def test_kept_under_the_drafts_opened_changed_kept_again_and_sent(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    listed = client.post(f"{PAGE}keep/", {"prompt": "Rain on a roof", "format": "wav"}, follow=True)
    kept = Draft.objects.get()
    assert "Rain on a roof" in listed.content.decode()
    opened = seen(client.get(f"/t/tide/drafts/{kept.pk}/", follow=True))
    assert (opened.values["prompt"], opened.values["format"]) == (["Rain on a roof"], ["wav"])
    client.post(f"{PAGE}keep/", opened.sent() | {"prompt": "Snow"})
    assert Draft.objects.get().params["prompt"] == "Snow"
    refused = client.post(PAGE, opened.sent() | {"prompt": ""})
    assert seen(refused).values["_draft"] == [str(kept.pk)]
    assert client.post(PAGE, opened.sent() | {"prompt": "Hail"}).status_code == 303
    assert not Draft.objects.exists()


def test_a_chosen_file_is_kept_with_the_draft(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    file = SimpleUploadedFile("me.wav", tone(10), "audio/wav")
    client.post(f"/t/tide/create/{CLONE}/keep/", {"audio": file, "custom_voice_id": "Harbour01"})
    upload = Upload.objects.get()
    opened = client.get(f"/t/tide/drafts/{Draft.objects.get().pk}/", follow=True)
    assert seen(opened).values["audio"] == [upload.reference]


def test_a_draft_is_thrown_away(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    client.post(f"{PAGE}keep/", {"prompt": "Rain"})
    address = f"/t/tide/drafts/{Draft.objects.get().pk}/discard/"
    assert "thrown away" in client.post(address, follow=True).content.decode()
    assert client.post(address).status_code == 404


def test_nobody_else_sees_or_touches_a_draft(
    bob: Membership, alice: Membership, carol: Membership, vera: Membership, zoe: Membership,
    client_of: Any, client: Any,
) -> None:  # fmt: skip
    client_of(bob).post(f"{PAGE}keep/", {"prompt": "Bob’s secret"})
    address = f"/t/tide/drafts/{Draft.objects.get().pk}/"
    for other in (alice, carol):
        assert "secret" not in client_of(other).get("/t/tide/drafts/").content.decode()
        assert client_of(other).get(address).status_code == 404
        assert client_of(other).get(f"{PAGE}?draft={Draft.objects.get().pk}").status_code == 404
        assert client_of(other).post(f"{address}discard/").status_code == 404
        client_of(other).post(PAGE, {"prompt": "Rain", "_draft": str(Draft.objects.get().pk)})
    for page in ("/t/tide/drafts/", address):
        assert client_of(vera).get(page).status_code == 403
        assert client_of(zoe).get(page).status_code == 404
        assert client.get(page).status_code == 302
    for verb in ("draft", "keep", "anew"):
        assert client_of(vera).post(f"{PAGE}{verb}/", {"prompt": "x"}).status_code == 403
        assert client_of(zoe).post(f"{PAGE}{verb}/", {"prompt": "x"}).status_code == 404
        assert client.post(f"{PAGE}{verb}/", {"prompt": "x"}).status_code == 302
    assert Draft.objects.count() == 1


@pytest.mark.parametrize("given", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_a_draft_that_is_not_there(bob: Membership, client_of: Any, given: str) -> None:
    client = client_of(bob)
    assert client.get(f"{PAGE}?draft={given}").status_code == 404
    assert client.post(PAGE, {"prompt": "Rain", "_draft": given}).status_code == 303


def test_a_draft_of_a_model_that_left_is_listed_and_can_go(bob: Membership, client_of: Any) -> None:
    Draft.objects.create(
        team=bob.team, author=bob.user, model="gone--model", params={"text": "x"}, title="Old"
    )
    client = client_of(bob)
    assert "Old" in client.get("/t/tide/drafts/").content.decode()
    assert client.get(f"/t/tide/drafts/{Draft.objects.get().pk}/", follow=True).status_code == 404
    client.post(f"/t/tide/drafts/{Draft.objects.get().pk}/discard/")
    assert not Draft.objects.exists()


def test_the_list_asks_the_same_whatever_its_length(bob: Membership, client_of: Any) -> None:
    client, counts = client_of(bob), []
    for count in (1, 20):
        for n in range(count):
            client.post(f"{PAGE}keep/", {"prompt": f"{count} {n}"})
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/t/tide/drafts/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_save_at_once_leave_one_draft(bob: Membership, client_of: Any) -> None:
    clients, answers = [client_of(bob) for _ in range(4)], []
    start = threading.Barrier(4)

    def save(number: int) -> None:
        start.wait(30)
        answers.append(clients[number].post(f"{PAGE}draft/", {"prompt": f"Tab {number}"}).status_code)
        connections.close_all()

    threads = [threading.Thread(target=save, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [204] * 4
    assert Draft.objects.count() == 1


def test_what_was_said_of_a_new_voice_stays_but_not_the_consent(
    bob: Membership, carol: Membership, client_of: Any
) -> None:
    client, page = client_of(bob), f"/t/tide/create/{CLONE}/"
    said = {
        "text": "Hello", "_voice_name": "Harbour", "_voice_speaker": "Ada", "_voice_language": "English",
        "_voice_audience": "some", "_voice_members": str(carol.user_id), "_voice_consent": "1",
    }  # fmt: skip
    client.post(f"{page}draft/", said)
    for opened in (client.get(page), client.get(page)):
        values = seen(opened).values
        assert (values["_voice_name"], values["_voice_speaker"]) == (["Harbour"], ["Ada"])
        assert (values["_voice_audience"], values["_voice_members"]) == (["some"], [str(carol.user_id)])
        assert values["_voice_language"] == ["English"]
        assert "_voice_consent" not in values
    client.post(f"{page}keep/", seen(client.get(page)).sent())
    kept = Draft.objects.get()
    assert seen(client.get(f"/t/tide/drafts/{kept.pk}/", follow=True)).values["_voice_name"] == ["Harbour"]
