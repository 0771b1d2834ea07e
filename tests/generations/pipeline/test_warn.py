"""The owner of a voice that disappears is told once, two days before, and again after the next use."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import Membership
from generations import tasks
from generations.models import Heartbeat, State, Voice, VoiceUse
from generations.pipeline import warn
from tests.generations.pipeline.test_door import at_once

NEAR = timedelta(days=5, hours=1)


def ago(time: timedelta) -> Any:
    return timezone.now() - time


def test_the_owner_is_told_once(bob: Membership, make_voice: Any, settings: Any) -> None:
    settings.PUBLIC_URL = "https://sound.example"
    voice = make_voice(bob, "Harbour", finished_at=ago(NEAR))
    assert warn.voices() == 1
    sent = mail.outbox[0]
    assert sent.to == ["bob@example.com"]
    assert "Harbour" in sent.subject
    assert f"https://sound.example/t/tide/voices/{voice.pk}/" in sent.body
    assert "not confirmed" in sent.body
    assert warn.voices() == 0
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("age", "fields"),
    [
        (timedelta(days=4, hours=23), {}),
        (timedelta(days=7, minutes=1), {}),
        (NEAR, {"archived_at": timezone.now()}),
        (NEAR, {"status": State.FAILED}),
    ],
    ids=["not yet", "too late", "archived", "never made"],
)
def test_who_is_not_told(age: timedelta, fields: dict[str, Any], bob: Membership, make_voice: Any) -> None:
    make_voice(bob, finished_at=ago(age), **fields)
    assert warn.voices() == 0
    assert mail.outbox == []


def test_a_use_starts_the_clock_anew_and_the_next_silence_is_told_again(
    bob: Membership, make_voice: Any, make_generation: Any
) -> None:
    voice = make_voice(bob, finished_at=ago(timedelta(days=12)), warned_at=ago(timedelta(days=7)))
    VoiceUse.objects.create(generation=make_generation(bob, finished_at=ago(timedelta(days=1))), voice=voice)
    assert warn.voices() == 0
    voice.uses.all().delete()
    VoiceUse.objects.create(generation=make_generation(bob, finished_at=ago(NEAR)), voice=voice)
    VoiceUse.objects.create(generation=make_generation(bob, status=State.FAILED), voice=voice)
    assert warn.voices() == 1
    assert warn.voices() == 0


def test_of_several_who_look_at_once_one_tells(
    transactional_db: None, bob: Membership, make_voice: Any
) -> None:
    make_voice(bob, finished_at=ago(NEAR))
    assert at_once([warn.voices] * 6) == {"accepted": 6}
    assert len(mail.outbox) == 1


def test_a_mail_that_cannot_be_sent_is_tried_again(bob: Membership, make_voice: Any, settings: Any) -> None:
    make_voice(bob, finished_at=ago(NEAR))
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert warn.voices() == 0
    assert Voice.objects.get().warned_at is None
    settings.EMAIL_BACKEND = working
    assert warn.voices() == 1


def test_the_managers_are_told_when_the_owner_has_left(
    alice: Membership, mona: Membership, bob: Membership, make_voice: Any
) -> None:
    make_voice(bob, finished_at=ago(NEAR))
    Membership.objects.filter(pk=bob.pk).update(ended_at=timezone.now())
    warn.voices()
    assert sorted(to for sent in mail.outbox for to in sent.to) == ["alice@example.com", "mona@example.com"]


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_the_sweep_of_every_minute_looks_now_and_then(bob: Membership, make_voice: Any) -> None:
    make_voice(bob, finished_at=ago(NEAR))
    tasks.sweep()
    assert len(mail.outbox) == 1
    make_voice(bob, "Another", finished_at=ago(NEAR))
    tasks.sweep()
    assert len(mail.outbox) == 1
    Heartbeat.objects.filter(name="warn").update(beat_at=ago(timedelta(hours=1)))
    tasks.sweep()
    assert len(mail.outbox) == 2
