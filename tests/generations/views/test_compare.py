"""Two generations beside each other: who may, what is told apart, and what an address may say."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Membership
from generations import uploads
from generations.models import Output, State, Upload
from generations.views.difference import MOST_WORDS, told_apart
from tests.conftest import tone
from tests.generations.views.test_generation import text_of

CLONE = "rhart-audio--text-to-audio--voice-clone"


def url(a: object = "", b: object = "") -> str:
    return f"/t/tide/compare/?a={a}&b={b}"


@pytest.mark.parametrize("who", ["alice", "bob", "carol", "vera"])
def test_every_member_hears_both_and_reads_what_differs(
    who: str, bob: Membership, carol: Membership, client_of: Any, make_generation: Any, request: Any
) -> None:
    calm = {"prompt": "Slow piano over rain", "sampleRate": "44100", "format": "mp3"}
    a = make_generation(bob, title="Rain", outputs=1, params=calm)
    b = make_generation(
        carol, title="Storm", outputs=1, params={**calm, "prompt": "Fast piano over <rain>", "format": "wav"}
    )
    answer = client_of(request.getfixturevalue(who)).get(url(a.pk, b.pk))
    page = answer.content.decode()
    assert answer.status_code == 200
    for one in (a, b):
        assert f'<audio controls preload="none" src="/t/tide/g/{one.pk}/outputs/0/content"' in page
    assert "<del>Slow</del> piano over " in page
    assert "<ins>Fast</ins> piano over " in page
    assert "<rain>" not in page
    differing, _, equal = text_of(page).partition("settings are the same in both")
    assert "Bob Carol" in differing.partition("What differs")[2]
    assert re.search(r"(?i)format mp3 wav", differing.partition("What differs")[2])
    assert "44100" not in differing.partition("What differs")[2]
    assert "44100 44100" in equal or "44.1" in equal


def test_strangers_get_404_whichever_of_the_two_is_not_theirs(
    bob: Membership, zoe: Membership, client: Any, client_of: Any, make_generation: Any
) -> None:
    ours, theirs = make_generation(bob, outputs=1), make_generation(zoe, outputs=1)
    assert client_of(zoe).get(url(ours.pk, ours.pk)).status_code == 404
    assert client_of(bob).get(url(theirs.pk, ours.pk)).status_code == 404
    answer = client_of(bob).get(url(ours.pk, theirs.pk))
    assert answer.status_code == 404
    assert "no such generation in this team" in answer.content.decode()
    assert client.get(url(ours.pk, ours.pk)).status_code == 302
    assert client_of(bob).post(url(ours.pk, ours.pk)).status_code == 405


def test_what_made_a_hidden_voice_is_not_compared_by_others(
    bob: Membership, carol: Membership, client_of: Any, make_generation: Any, make_voice: Any
) -> None:
    voice, ours = make_voice(bob, "Pier", audience="private"), make_generation(carol, outputs=1)
    for address in (url(voice.made_by.pk, ours.pk), url(ours.pk, voice.made_by.pk)):
        assert client_of(carol).get(address).status_code == 404
        assert client_of(bob).get(address).status_code == 200


def test_the_name_of_a_copy_of_private_work_is_told_only_to_whom_the_work_is_shown(
    bob: Membership, carol: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    secret = make_generation(bob, title="Secret jingle", outputs=1, is_private=True)
    copy, plain = (
        uploads.store(bob, SimpleUploadedFile(f"{name}.wav", tone(length)))
        for length, name in ((9, "Secret jingle"), (10, "Harbour"))
    )
    Upload.objects.filter(pk=copy.pk).update(source=secret.outputs.get())
    a, b = (
        make_generation(bob, model=CLONE, kind="voice", params={"audio": one.reference, "text": "Hello"})
        for one in (copy, plain)
    )
    for who, named in ((bob, "Secret jingle.wav"), (mona, "Secret jingle.wav"), (carol, "Uploaded file")):
        for address in (url(a.pk, b.pk), url(b.pk, a.pk)):
            said = text_of(client_of(who).get(address).content.decode())
            assert named in said
            assert "Harbour.wav" in said
            assert ("Secret jingle" in said) == (who != carol)


def test_a_take_is_named_by_its_number_or_by_a_whole_address(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(bob, title="Rain", outputs=3)
    page = client_of(bob).get(
        url(f"{made.pk}/2", f"https://sound.example/t/tide/g/{made.pk}/outputs/1/content")
    )
    said = text_of(page.content.decode())
    assert "A: Rain, take C" in said
    assert "B: Rain, take B" in said
    assert client_of(bob).get(url(made.pk, f"{made.pk}/9")).status_code == 404
    assert client_of(bob).get(url(f"{made.pk}/9")).status_code == 404
    Output.objects.filter(generation=made, index=1).update(is_keeper=True)
    assert "A: Rain, take B" in text_of(client_of(bob).get(url(made.pk, f"{made.pk}/0")).content.decode())


def test_with_one_of_them_the_page_offers_the_other(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(bob, title="Rain", outputs=2)
    later = make_generation(bob, title="Storm", outputs=1)
    make_generation(bob, title="Never made", status=State.FAILED)
    page = client_of(bob).get(url(made.pk)).content.decode()
    for offered in (f"{made.pk}/1", f"{later.pk}/0"):
        assert f"?a={made.pk}/0&amp;b={offered}" in page
    assert "Never made" not in page
    wrong = client_of(bob).get(url(made.pk, "nonsense"))
    assert wrong.status_code == 404
    assert 'value="nonsense"' in wrong.content.decode()
    assert client_of(bob).get(url("nonsense", made.pk)).status_code == 404
    nothing = client_of(bob).get("/t/tide/compare/")
    assert nothing.status_code == 200
    assert "Open the library" in nothing.content.decode()


@pytest.mark.parametrize("state", State.values)
def test_what_has_made_nothing_is_compared_by_its_settings(
    state: str, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    a, b = make_generation(bob, status=state), make_generation(bob, outputs=1)
    page = client_of(bob).get(url(a.pk, b.pk))
    assert page.status_code == 200
    assert "data-together" not in page.content.decode()
    assert client_of(bob).get(url(a.pk, a.pk)).status_code == 200


def test_the_number_of_queries_is_constant(bob: Membership, client_of: Any, make_generation: Any) -> None:
    browser = client_of(bob)
    counts = []
    for outputs in (1, 3):
        a, b = (make_generation(bob, outputs=outputs) for _ in range(2))
        browser.get(url(a.pk, b.pk))
        for address in (url(a.pk, b.pk), url(a.pk)):
            with CaptureQueriesContext(
                connection,
            ) as seen:
                assert browser.get(address).status_code == 200
            counts.append(len(seen))
    assert counts[:2] == counts[2:]


words = st.text(alphabet="ab 海浪<&\n,", max_size=40)


@given(before=words, after=words)
def test_told_apart_texts_are_the_texts(before: str, after: str) -> None:
    for marked, text in zip(told_apart(before, after), (before, after), strict=True):
        plain = re.sub(r"</?(del|ins)>", "", marked)
        assert plain.replace("&lt;", "<").replace("&amp;", "&") == text
    if before == after:
        assert "<" not in told_apart(before, after)[0]


def test_chinese_is_told_apart_by_the_character() -> None:
    a, b = told_apart("海边的浪声", "海边的风声")
    assert (a, b) == ("海边的<del>浪</del>声", "海边的<ins>风</ins>声")


def test_spaces_are_no_words_and_stay_outside_the_marks() -> None:
    assert told_apart("Slow  piano\nover rain ", "Fast violin over  rain") == (
        "<del>Slow  piano</del>\nover rain ",
        "<ins>Fast violin</ins> over  rain",
    )
    assert told_apart("one two", " one\n\ntwo") == ("one two", " one\n\ntwo")


def test_long_texts_of_other_words_are_told_apart() -> None:
    a, b = (" ".join(f"{word}{n}" for n in range(MOST_WORDS - 1)) for word in ("rain", "sun"))
    assert told_apart(f"{a}.", f"{b}.") == (f"<del>{a}</del>.", f"<ins>{b}</ins>.")


@pytest.mark.parametrize("word", ["and ", ", "])
def test_texts_that_would_take_too_long_stand_beside_each_other_without_marks(word: str) -> None:
    """Nearly all of these words are in both, one by one, so each is looked for in all the rest again."""
    a, b = (word.join(f"{other}{n} " for n in range(MOST_WORDS // 2)) for other in ("rain", "sun"))
    begun = time.process_time()
    assert told_apart(a, b) == (a, b)
    assert time.process_time() - begun < 10, "without an end it takes most of a minute"
    few = 20
    a, b = (word.join(f"{other}{n} " for n in range(few)) for other in ("rain", "sun"))
    marked = told_apart(a, b)
    assert (marked[0].count("<del>"), marked[1].count("<ins>")) == (few, few)
