"""`manage.py demo`: a team to try things with, and a few finished generations to listen to.

They are made by the pipeline itself, in the sandbox, so the demo shows nothing the portal cannot do. The sandbox here
keeps its tasks where `manage.py sandbox` finds them, so a demo that is interrupted is finished by the worker.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import Action, Allowance, Measure, Membership, Mode, Period, Role, Scope, Team, User
from generations import uploads
from generations.models import ACTIVE, Audience, Connection, Generation, Output, Voice
from generations.pipeline import dispatch, follow, gather
from generations.pipeline.accept import accept
from generations.sandbox import Sandbox
from generations.vault import Wish

SLUG = "demo"
PASSWORD = "sound-check-2026"  # noqa: S105
ACCOUNTS = (("alice", Role.OWNER), ("bob", Role.MEMBER), ("vera", Role.VIEWER))
PATIENCE = 60.0

CLONE = "minimax/voice-clone"
MUSIC = "minimax/music-2.6/text-to-instrumental"
SPEECH = "minimax/speech-2.8-hd"
PIECES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    (
        "alice",
        SPEECH,
        "Episode 12, cold open",
        {
            "text": "The harbour was quiet that morning. <#0.5#> Quiet enough to hear the ropes.",
            "voice_id": "Wise_Woman",
            "emotion": "neutral",
        },
    ),
    (
        "bob",
        MUSIC,
        "Boss fight, phase two",
        {
            "prompt": "Aggressive battle music, 138 bpm, D minor, taiko drums and distorted bass, rising tension"
        },
    ),
    (
        "alice",
        MUSIC,
        "Lesson intro, calm",
        {"prompt": "Calm lo-fi with soft piano and vinyl warmth, 78 bpm, for the start of a lesson"},
    ),
    (
        "bob",
        SPEECH,
        "Tavern keeper, greeting",
        {
            "text": "Sit down, stranger. The soup is hot, and the stories are free.",
            "voice_id": "Deep_Voice_Man",
        },
    ),
)
RECORDING = (
    "alice",
    SPEECH,
    "Harbour, a recording",
    {
        "text": "This is a recording to clone a voice from. It is long enough to tell how I speak, how high and how "
        "fast, and where I stop for breath. <#1.0#> The ferry leaves at seven. The ferry comes back at nine. In "
        "between there is nothing to do but wait, and to listen to the ropes.",
        "voice_id": "Wise_Woman",
        "emotion": "neutral",
    },
)
VOICE = Wish(
    name="Harbour",
    language="English",
    audience=Audience.EVERYONE,
    speaker="Wise Woman, a built-in voice",
    consents=True,
)
CLONED = {"text": "Good morning from the far end of the pier."}
SPOKEN = {"text": "High water at noon, low water at six. Mind the buoy, it moved."}


class Command(BaseCommand):
    help = "Makes the demo team with accounts, limits and a few finished generations. Running it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.USES_SANDBOX:
            raise CommandError("The demo is made in the sandbox only; unset RUNNINGHUB_API_KEY to have it.")
        people = _people()
        if Generation.objects.filter(team__slug=SLUG).exists():
            return
        self.stdout.write("Making a few pieces of demo sound ...")
        with transaction.atomic():
            for name, model, title, params in (*PIECES, RECORDING):
                accept(people[name], model, params, title=title)
        _finish()
        _clone(people)


def _people() -> dict[str, Membership]:
    """The demo team's members by name, with limits a newcomer can run into."""
    team, fresh = Team.objects.get_or_create(slug=SLUG, defaults={"name": "Demo team"})
    found = {}
    for name, role in ACCOUNTS:
        user = User.objects.filter(email=f"{name}@example.com").first() or User.objects.create_user(
            f"{name}@example.com", PASSWORD, name=name.title()
        )
        found[name], _ = Membership.objects.get_or_create(team=team, user=user, defaults={"role": role})
    if fresh:
        limits = ((Scope.POOL, Period.MONTH, "200"), (Scope.DEFAULT, Period.WEEK, "20"))
        for scope, period, amount in limits:
            Allowance.put(
                team,
                scope=scope,
                measure=Measure.SPEND,
                period=period,
                mode=Mode.LIMITED,
                limit=Decimal(amount),
                action=Action.BLOCK,
            )
    return found


def _clone(people: dict[str, Membership]) -> None:
    """A voice of the team, cloned from a recording, and one thing that it said."""
    heard = Output.objects.filter(generation__team__slug=SLUG, generation__title=RECORDING[2]).first()
    if heard is None:
        return
    with heard.file.open("rb") as sound:
        recording = UploadedFile(ContentFile(sound.read()), "harbour.mp3", size=heard.bytes)
        kept = uploads.store(people["alice"], recording, expected="audio")
    accept(people["alice"], CLONE, {**CLONED, "audio": kept.reference}, voice=VOICE)
    _finish()
    voice = Voice.objects.usable(people["bob"]).first()
    if voice is not None:
        accept(people["bob"], SPEECH, {**SPOKEN, "voice_id": voice.voice_id, "emotion": "neutral"})
        _finish()


def _finish() -> None:
    """Runs the stages here and now against a sandbox without waiting times."""
    here = settings.RUNNINGHUB_BASE_URL
    with Sandbox(slots=8, pace=0, state_dir=settings.DATA_DIR / "sandbox") as sandbox:
        settings.RUNNINGHUB_BASE_URL = sandbox.url
        try:
            give_up = time.monotonic() + PATIENCE
            while Generation.objects.filter(team__slug=SLUG, status__in=ACTIVE).exists():
                if time.monotonic() > give_up:
                    break
                with _whole():
                    _round()
                time.sleep(0.1)
        finally:
            settings.RUNNINGHUB_BASE_URL = here


@contextmanager
def _whole() -> Iterator[None]:
    """An interruption waits until this is done: a submit that is cut in two would stay unconfirmed for ever."""
    heard: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: heard.append(number))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for heard_number in heard:
            signal.raise_signal(heard_number)


def _round() -> None:
    Generation.objects.filter(status__in=ACTIVE).update(next_check_at=timezone.now())
    for row in dispatch.claim(Connection.current(), 8):
        dispatch.send(row)
    for row in follow.claim(8):
        follow.look(row)
    for row in gather.claim(8):
        gather.gather(row)
