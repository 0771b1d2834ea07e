"""Something made here as an input of something else, by the form and by REST, without a download."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiToken, Membership
from generations.catalogue import file, load
from generations.models import Generation, Output, Upload
from tests.conftest import tone
from tests.generations.api.conftest import Program
from tests.generations.views.reading import seen

pytestmark = pytest.mark.thorough

CLONE = "rhart-audio--text-to-audio--voice-clone"
PAGE = f"/t/tide/create/{CLONE}/"
WORDS = {"custom_voice_id": "Harbour01", "text": "Good morning."}
FORM = {**WORDS, "_voice_name": "Harbour", "_voice_speaker": "Ada", "_voice_consent": "1"}


def made(make_generation: Any, who: Membership, seconds: float = 12, title: str = "Lighthouse") -> Generation:
    """A generation with one sound of that length."""
    found: Generation = make_generation(who, outputs=1, title=title)
    data = tone(seconds)
    output = found.outputs.get()
    default_storage.delete(output.file.name)
    output.file.save(output.file.name, ContentFile(data), save=False)
    output.bytes, output.sha256, output.duration = len(data), hashlib.sha256(data).hexdigest(), seconds
    output.save()
    return found


def reference(of: Generation) -> str:
    return f"output:{of.pk}/0"


def test_the_form_opens_with_the_result_as_its_file_and_keeps_nothing_yet(
    bob: Membership, carol: Membership, client_of: Any, make_generation: Any
) -> None:
    song = made(make_generation, carol)
    answer = client_of(bob).get(f"{PAGE}?use={song.pk}/0")
    html = answer.content.decode()
    assert seen(answer).values["audio"] == [reference(song)]
    assert "Lighthouse" in html
    assert "From the library" in html
    assert f"/t/tide/g/{song.pk}/outputs/0/content" in html
    assert "Still to look at: Preview text" in " ".join(html.split())
    assert not Upload.objects.exists()


def test_sent_it_becomes_one_upload_of_the_team_with_the_same_bytes(
    bob: Membership, carol: Membership, client_of: Any, make_generation: Any
) -> None:
    song = made(make_generation, carol)
    for who, name in ((bob, "Harbour01"), (carol, "Harbour02")):
        order = {**FORM, "audio": reference(song), "custom_voice_id": name}
        assert client_of(who).post(PAGE, order).status_code == 303
    kept, output = Upload.objects.get(), song.outputs.get()
    assert (kept.source, kept.author, kept.name) == (output, bob.user, "Lighthouse.wav")
    assert (kept.sha256, kept.duration) == (output.sha256, 12)
    assert kept.file.name != output.file.name
    with kept.file.open("rb") as copy, output.file.open("rb") as original:
        assert copy.read() == original.read()
    assert {row.params["audio"] for row in Generation.objects.filter(kind="voice")} == {kept.reference}


def test_sending_such_a_form_twice_makes_one_generation(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    song, client = made(make_generation, bob), client_of(bob)
    posted = seen(client.get(f"{PAGE}?use={song.pk}/0")).sent() | FORM
    assert [client.post(PAGE, posted).status_code for _ in range(2)] == [303, 303]
    assert Generation.objects.filter(kind="voice").count() == 1


def test_what_does_not_fit_says_so_at_once_and_when_it_is_sent(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    short, client = made(make_generation, bob, 3), client_of(bob)
    cover = "/t/tide/create/minimax--music-cover/"
    opened = client.get(f"{cover}?use={short.pk}/0")
    assert "At least 6 seconds; this has 3.0 seconds." in seen(opened).error("audioUrl")
    sent = client.post(cover, {"prompt": "Bossa nova", "audioUrl": reference(short)})
    assert sent.status_code == 422
    assert "At least 6 seconds; this has 3.0 seconds." in seen(sent).error("audioUrl")
    assert seen(sent).values["prompt"] == ["Bossa nova"]
    assert seen(sent).values["audioUrl"] == [reference(short)]
    assert not Upload.objects.exists()


def test_a_type_that_the_model_does_not_take_is_converted(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    song = made(make_generation, bob)
    Output.objects.update(extension="flac", content_type="audio/flac")
    answer = client_of(bob).post(PAGE, {**FORM, "audio": reference(song)}, follow=True)
    assert "Lighthouse.wav: Kept as WAV, because the model does not take FLAC." in answer.content.decode()
    kept = Upload.objects.get()
    assert (kept.extension, kept.source) == ("wav", song.outputs.get())
    again = client_of(bob).post(PAGE, {**FORM, "audio": reference(song), "custom_voice_id": "Harbour02"})
    assert (again.status_code, Upload.objects.count()) == (303, 1)


def test_a_result_whose_file_is_gone_is_said(bob: Membership, client_of: Any, make_generation: Any) -> None:
    song = made(make_generation, bob)
    default_storage.delete(song.outputs.get().file.name)
    answer = client_of(bob).post(PAGE, {**FORM, "audio": reference(song)})
    assert answer.status_code == 422
    assert "not there any more" in seen(answer).error("audio")
    assert not Upload.objects.exists()


def test_nobody_uses_what_another_team_made(
    bob: Membership, zoe: Membership, client_of: Any, client: Any, make_generation: Any
) -> None:
    theirs = made(make_generation, zoe)
    assert client_of(bob).get(f"{PAGE}?use={theirs.pk}/0").status_code == 404
    assert client_of(zoe).get(f"{PAGE}?use={theirs.pk}/0").status_code == 404
    assert client.get(f"{PAGE}?use={theirs.pk}/0").status_code == 302
    answer = client_of(bob).post(PAGE, {**FORM, "audio": reference(theirs)})
    assert answer.status_code == 422
    assert "Lighthouse" not in answer.content.decode()
    by_rest = Program(ApiToken.issue(bob)).post(
        "generations", {"model": CLONE, "params": {**WORDS, "audio": reference(theirs)}}
    )
    assert by_rest.status_code == 422
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    "place", ["nonsense", "1/0", "01a2040d-74c0-7a1c-a75c-b8a8871ccc87/0", "{}/7", "{}/99999", "{}"]
)
def test_a_place_that_is_none_is_not_found(
    place: str, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    song = made(make_generation, bob)
    assert client_of(bob).get(PAGE, {"use": place.format(song.pk)}).status_code == 404


def test_a_model_that_takes_no_sound_has_no_use_for_it(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    song = made(make_generation, bob)
    assert client_of(bob).get(f"/t/tide/create/rhart-audio--suno--lyrics/?use={song.pk}/0").status_code == 404


def test_rest_takes_a_result_by_its_place(bob: Membership, make_generation: Any) -> None:
    song, bobs = made(make_generation, bob), Program(ApiToken.issue(bob))
    order = {"model": CLONE, "params": {**WORDS, "audio": reference(song)}}
    first = bobs.post("generations", order, Idempotency_Key="one")
    again = bobs.post("generations", order, Idempotency_Key="one")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["params"]["audio"] == Upload.objects.get().reference
    for bad in (f"output:{song.pk}/5", "output:nonsense/0"):
        answer = bobs.post("generations", {"model": CLONE, "params": {**WORDS, "audio": bad}})
        assert answer.status_code == 422
        assert [one["param"] for one in answer.json()["errors"]] == ["audio"]
    schema = bobs.get(f"models/{CLONE}").json()["params_schema"]["properties"]["audio"]
    assert "output:" in schema["pattern"]
    assert "output:<generation id>/<index>" in bobs.get("openapi.json").json()["info"]["description"]


def test_pages_offer_what_the_catalogue_knows_to_do_with_a_sound(
    bob: Membership, vera: Membership, client_of: Any, make_generation: Any
) -> None:
    song = made(make_generation, bob)
    page, menu = f"/t/tide/g/{song.pk}/", f"/t/tide/g/{song.pk}/menu/"
    html = client_of(bob).get(page).content.decode()
    assert f'href="{PAGE}?use={song.pk}/0"' in html
    assert "Clone this voice" in html
    assert all(f"/create/{use.spec.slug}/?use=" in html for use in file.uses("audio", "ai"))
    assert f'href="{PAGE}?use={song.pk}/0"' in client_of(bob).get(menu).content.decode()
    for address in (page, menu):
        assert "?use=" not in client_of(vera).get(address).content.decode()


def test_each_take_is_offered_as_itself(bob: Membership, client_of: Any, make_generation: Any) -> None:
    song = make_generation(bob, outputs=2)
    html = client_of(bob).get(f"/t/tide/g/{song.pk}/").content.decode()
    assert f"{PAGE}?use={song.pk}/0" in html
    assert f"{PAGE}?use={song.pk}/1" in html


@pytest.mark.parametrize("site", ["ai", "cn"])
def test_every_model_that_takes_files_is_offered_once(site: str) -> None:
    for kind in ("audio", "image", "video"):
        offered = [use.spec.slug for use in file.uses(kind, site)]
        takes = [
            spec.slug
            for spec in load.offered(site)
            if any(p.type.value.lower() == kind or (kind == "audio" and p.takes_sound) for p in spec.params)
        ]
        assert sorted(offered) == sorted(takes)
    assert {"Clone this voice", "Separate this"} <= {use.words for use in file.uses("audio", site)}
    assert file.uses("text", site) == ()


def test_more_results_in_the_library_ask_no_more(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    client = client_of(bob)
    make_generation(bob, outputs=2)
    client.get("/t/tide/library/")
    with CaptureQueriesContext(connection) as few:
        client.get("/t/tide/library/")
    for _ in range(5):
        make_generation(bob, outputs=2)
    with CaptureQueriesContext(connection) as many:
        client.get("/t/tide/library/")
    assert len(many) <= len(few)


def test_a_song_is_separated_as_a_film_without_pictures(
    bob: Membership, client_of: Any, make_generation: Any, sandbox: Any, drive: Any
) -> None:
    song = made(make_generation, bob, title="Lighthouse")
    page = "/t/tide/create/rhart-audio--source-separation/"
    assert f'{page}?use={song.pk}/0"' in client_of(bob).get(f"/t/tide/g/{song.pk}/").content.decode()
    posted = seen(client_of(bob).get(f"{page}?use={song.pk}/0")).sent()
    answer = client_of(bob).post(page, posted, follow=True)
    assert "Lighthouse.mov: Wrapped into a video with a black picture" in answer.content.decode()
    kept = Upload.objects.get()
    assert (kept.kind, kept.extension, kept.source) == ("video", "mov", song.outputs.get())
    drive()
    parts = Generation.objects.get(kind="separation")
    assert parts.status == "succeeded", parts.error_message
    assert [output.kind for output in parts.outputs.all()] == ["audio", "audio"]
