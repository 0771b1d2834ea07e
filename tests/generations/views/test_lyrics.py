"""A lyrics result: its parts, and the way into the form of a model that sings."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from accounts.models import Membership
from generations.catalogue import load
from generations.models import Generation, Output
from generations.views import lyrics
from tests.generations.views.reading import seen

TEXT = "Title: The last tram\nStyle: folk, wry\n\n[Verse]\nRain & <lights>\n\n[Chorus]\nGone"
SUNG = "[Verse]\nRain & <lights>\n\n[Chorus]\nGone"
SONG = "/t/tide/create/rhart-audio--suno-v5.5--custom/"


@pytest.fixture
def written(bob: Membership, make_generation: Any) -> Generation:
    made: Generation = make_generation(bob, kind="lyrics", model="rhart-audio--suno--lyrics", title="Tram")
    common = {"bytes": len(TEXT), "sha256": "0" * 64, "content_type": "text/plain", "extension": "txt"}
    Output.objects.create(generation=made, index=0, kind="text", text=TEXT, **common)
    return made


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (TEXT, ("The last tram", "folk, wry", SUNG)),
        ("Style: x\r\nTitle: y\r\nla", ("y", "x", "la")),
        ("la la\nTitle: not a head", ("", "", "la la\nTitle: not a head")),
        ("[Verse]\nla", ("", "", "[Verse]\nla")),
        ("", ("", "", "")),
        ("Title:", ("", "", "")),
    ],
)
def test_lines_in_front_that_say_what_they_are_are_taken_apart(text: str, parts: tuple[str, ...]) -> None:
    found = lyrics.words(text)
    assert (found.title, found.style, found.text) == parts


def test_the_page_shows_the_words_to_be_changed_and_who_can_sing_them(
    written: Generation, bob: Membership, vera: Membership, client_of: Any
) -> None:
    html = client_of(bob).get(f"/t/tide/g/{written.pk}/").content.decode()
    assert f">\n{escape(SUNG)}</textarea>" in html
    assert '<input type="hidden" name="title" value="The last tram">' in html
    assert f'formaction="{SONG}lyrics/"' in html
    assert 'data-copy="made-0"' in html
    watching = client_of(vera).get(f"/t/tide/g/{written.pk}/").content.decode()
    assert "lyrics/" not in watching
    assert "Rain &amp; &lt;lights&gt;" in watching


def test_the_words_as_edited_fill_the_form_of_a_song_and_nothing_is_ordered(
    bob: Membership, client_of: Any
) -> None:
    posted = {"title": "The last tram", "style": "folk, wry", "text": SUNG + "\n<i>La</i>"}
    answer = client_of(bob).post(f"{SONG}lyrics/", posted)
    page = seen(answer)
    assert answer.status_code == 200
    assert page.values["prompt"][-1].replace("\r\n", "\n") == SUNG + "\n<i>La</i>"
    assert page.values["title"] == ["The last tram"]
    assert page.values["tags"] == ["folk, wry"]
    assert answer["HX-Push-Url"] == SONG
    assert not Generation.objects.exists()
    sent = client_of(bob).post(SONG, page.sent())
    assert sent.status_code == 303
    assert Generation.objects.get().title == "The last tram"


@pytest.mark.parametrize(
    "spec",
    [s for s in load.models() if any(p.widget == "lyrics" for p in s.params)],
    ids=lambda spec: spec.slug,
)
def test_every_singer_gets_the_text_where_it_sings_it(spec: Any) -> None:
    values = lyrics.filled(spec, lyrics.Words("T", "folk", "la la"))
    sung = [param.key for param in spec.params if param.widget == "lyrics"]
    assert values[sung[0]] == "la la"
    assert set(values) <= {param.key for param in spec.params}
    assert list(values.values()).count("la la") == 1


def test_what_does_not_sing_has_no_such_form_and_a_reload_leads_to_the_form(
    bob: Membership, vera: Membership, zoe: Membership, client_of: Any, client: Client
) -> None:
    other = "/t/tide/create/rhart-audio--text-to-audio--voice-clone/lyrics/"
    assert client_of(bob).post(other, {"text": "la"}).status_code == 404
    assert client_of(bob).post("/t/tide/create/nothing/lyrics/", {"text": "la"}).status_code == 404
    assert client_of(bob).get(f"{SONG}lyrics/")["Location"] == SONG
    assert client_of(vera).post(f"{SONG}lyrics/", {"text": "la"}).status_code == 403
    assert client_of(zoe).post(f"{SONG}lyrics/", {"text": "la"}).status_code == 404
    assert client.post(f"{SONG}lyrics/", {"text": "la"}).status_code == 302


def test_the_catalogue_has_singers(bob: Membership) -> None:
    assert load.get("rhart-audio--suno-v5.5--custom") in lyrics.singers(bob)
