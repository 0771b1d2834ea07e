"""The page of one generation: what was made, of what, for how much, and what happened."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Membership
from generations.models import Generation, Output, State, Upload

NOW = datetime(2026, 6, 18, 9, 31, 40, tzinfo=UTC)
SPEECH = "minimax--speech-2.8-hd"


def url(generation: Generation, verb: str = "") -> str:
    return f"/t/{generation.team.slug}/g/{generation.pk}/" + (f"{verb}/" if verb else "")


def text_of(page: str) -> str:
    """What a reader sees of it, on one line."""
    body = re.sub(r"<(script|style|textarea)\b.*?</\1>", " ", page.split("<main", 1)[1], flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_one_sound_is_on_the_stage_and_can_be_saved(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(alice, outputs=1)
    page = client_of(alice).get(url(made)).content.decode()
    assert f'data-stage data-track data-src="{url(made)}outputs/0/content"' in page
    assert f'{url(made)}outputs/0/content?download=1"' in page
    assert "WAV, 8 kHz, 16 kB" in page
    assert 'aria-labelledby="all-takes"' not in page


def test_several_sounds_are_takes(alice: Membership, client_of: Any, make_generation: Any) -> None:
    made = make_generation(alice, outputs=3)
    page = client_of(alice).get(url(made)).content.decode()
    assert re.findall(r'data-take="([^"]+)"', page) == ["Take A", "Take B", "Take C"]
    assert "Keep position between takes" in page


def test_texts_pictures_and_anything_else_show_too(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(alice, kind="text")
    common = {"generation": made, "bytes": 5, "sha256": "0" * 64}
    Output.objects.create(
        index=0, kind="text", content_type="text/plain", extension="txt", text="<i>la\nla", **common
    )
    Output.objects.create(
        index=1, kind="image", content_type="image/png", extension="png", file="x.png", **common
    )
    Output.objects.create(
        index=2, kind="video", content_type="video/mp4", extension="mp4", file="x.mp4", **common
    )
    Output.objects.create(
        index=3, kind="3d", content_type="model/obj", extension="obj", file="x.obj", **common
    )
    page = client_of(alice).get(url(made)).content.decode()
    assert "&lt;i&gt;la<br>la" in page
    assert 'data-copy="made-0"' in page
    assert "<img " in page
    assert "<video " in page
    assert "OBJ, 5 B" in page


def test_pauses_and_noises_of_a_speech_are_marked(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    text = "<i>Quiet</i>. <#0.5#> Then (breath) <b>somebody</b> (shouted).\n\nNew paragraph"
    made = make_generation(
        alice, model=SPEECH, kind="speech", params={"text": text, "voice_id": "Wise_Woman"}
    )
    page = client_of(alice).get(url(made)).content.decode()
    assert '&lt;i&gt;Quiet&lt;/i&gt;. <mark class="markup small">pause 0.5 s</mark>' in page
    assert '<mark class="markup small">breath</mark>' in page
    assert "&lt;b&gt;somebody&lt;/b&gt; (shouted).</p><p>New paragraph</p>" in page
    assert "&lt;#0.5#&gt;" in page, "Copy copies the text as it was written"


def test_settings_are_in_words_and_say_what_was_changed(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(alice, params={"prompt": "Slow piano", "sampleRate": "16000", "format": "mp3"})
    words = text_of(client_of(alice).get(url(made)).content.decode())
    assert "Settings" in words
    assert "changed" in words


def test_a_model_that_left_the_catalogue_shows_its_params_as_they_are(
    alice: Membership, client_of: Any, make_generation: Any
) -> None:
    odd = {"text": "the longest text of all", "speed": 1.5, "deep": {"a": [1]}, "none": None}
    made = make_generation(alice, model="gone--x", params=odd)
    words = text_of(client_of(alice).get(url(made)).content.decode())
    assert "speed 1.5" in words
    assert words.count("the longest text of all") == 1
    assert "Run again" not in words


def test_files_that_went_in_are_shown_with_a_player(
    alice: Membership, zoe: Membership, client_of: Any, make_generation: Any
) -> None:
    def given(membership: Membership, name: str) -> Upload:
        values = {
            "kind": "audio",
            "content_type": "audio/wav",
            "extension": "wav",
            "bytes": 9,
            "sha256": "0",
            "duration": 3,
        }
        return Upload.objects.create(
            team=membership.team, author=membership.user, name=name, file="u.wav", **values
        )

    mine, theirs = given(alice, "my voice.wav"), given(zoe, "their voice.wav")
    params = {"text": "hi", "audio": mine.reference, "more": [theirs.reference, "upload:nonsense"]}
    page = client_of(alice).get(url(make_generation(alice, params=params))).content.decode()
    assert f'data-src="/t/tide/uploads/{mine.pk}/content"' in page
    assert "my voice.wav" in page
    assert "their voice.wav" not in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cost_actual": Decimal("0.79")}, "Estimate ¥0.80 Held ¥0.80 Charged ¥0.79 Difference −¥0.01"),
        ({"cost_actual": None}, "Charged not reported Counted ¥0.80"),
        ({"cost_estimated": None, "cost_actual": Decimal("0.79")}, "Estimate price unknown Charged ¥0.79"),
        ({"cost_estimated": None}, "Estimate price unknown Charged not reported Counted unknown"),
        ({"status": State.FAILED}, "Estimate ¥0.80 Held ¥0.80 Released ¥0.80 Charged ¥0.00"),
        ({"status": State.FAILED, "cost_actual": Decimal("0.30")}, "Released ¥0.50 Charged ¥0.30"),
        ({"status": State.CANCELLED}, "It was never sent, so nothing was charged."),
        ({"status": State.RUNNING}, "Charged so far unknown Still on hold ¥0.80"),
        ({"status": State.RUNNING, "cost_estimated": None}, "Still on hold nothing"),
        ({"status": State.GATHERING, "cost_actual": Decimal("0.79")}, "Held ¥0.80 Charged ¥0.79"),
        ({"cost_basis": "129 characters at 0.62 per 1,000"}, "129 characters at 0.62 per 1,000."),
    ],
)
def test_the_receipt_adds_up(
    fields: dict[str, Any], words: str, alice: Membership, client_of: Any, make_generation: Any
) -> None:
    made = make_generation(alice, currency="CNY", **fields)
    assert words in text_of(client_of(alice).get(url(made)).content.decode())


def test_what_happened_follows_the_clock_of_the_team(
    alice: Membership, team: Any, client_of: Any, make_generation: Any
) -> None:
    team.time_zone = "Asia/Shanghai"
    team.save()
    made = make_generation(
        alice,
        created_at=NOW,
        claimed_at=NOW + timedelta(seconds=2),
        submitting_at=NOW + timedelta(seconds=2),
        dispatched_at=NOW + timedelta(seconds=3),
        upstream_done_at=NOW + timedelta(seconds=63),
        finished_at=NOW + timedelta(seconds=64.5),
    )
    words = text_of(client_of(alice).get(url(made)).content.decode())
    assert "What happened 1:04 Accepted, ¥0.80 held 17:31:40 Waited for a slot 17:31:40 2.0 s" in words
    assert (
        "Made 17:31:43 1:00 Copied and checked 17:32:43 1.5 s Safe, 1.5 s after RunningHub was done 17:32:44"
        in words
    )
