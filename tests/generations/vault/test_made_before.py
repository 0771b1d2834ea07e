"""Clones that were made before there was a vault are voices of their teams."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Membership
from generations import uploads
from generations.models import State, Voice, VoiceUse
from tests.conftest import tone

adopt = import_module("generations.migrations.0004_voices_made_before").adopt
SPEECH = "rhart-audio--text-to-audio--speech-2.8-hd"


def test_what_was_cloned_becomes_a_voice_once(
    bob: Membership, carol: Membership, zoe: Membership, make_generation: Any
) -> None:
    recording = uploads.store(bob, SimpleUploadedFile("a.wav", tone()))
    given = {"audio": recording.reference, "custom_voice_id": "Harbour01", "text": "Hi"}
    made = make_generation(bob, kind="voice", params=given)
    make_generation(carol, kind="voice", params=given)
    make_generation(bob, kind="voice", params={**given, "custom_voice_id": "Failed001"}, status=State.FAILED)
    for odd in (7, "", None, "x" * 300):
        make_generation(bob, kind="voice", params={"custom_voice_id": odd})
    said = make_generation(carol, kind="speech", model=SPEECH, params={"text": "x", "voice_id": "Harbour01"})
    make_generation(zoe, kind="speech", model=SPEECH, params={"text": "x", "voice_id": "Harbour01"})
    make_generation(bob, kind="speech", model=SPEECH, params={"text": "x", "voice_id": "Wise_Woman"})
    for _ in range(2):
        adopt(apps, None)
    voice = Voice.objects.get()
    assert (voice.voice_id, voice.name, voice.owner, voice.team) == (
        "Harbour01",
        "Harbour01",
        bob.user,
        bob.team,
    )
    assert (voice.audience, voice.consent_at, voice.origin) == ("everyone", None, "cloned")
    assert (voice.made_by, voice.sample) == (made, recording)
    assert [use.generation for use in VoiceUse.objects.all()] == [said]
