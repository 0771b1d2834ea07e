"""The cast and the stage of every test."""

from __future__ import annotations

import functools
import hashlib
import io
import itertools
import time
import wave
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, Role, Team, User
from generations.models import (
    ACTIVE,
    OVER,
    Connection,
    Generation,
    Inquiry,
    Output,
    State,
    Upload,
    Voice,
    search_text,
)
from generations.pipeline import dispatch, follow, gather, inquire, watch

pytest_plugins = ["tests.browser.chromium", "tests.effort", "tests.emptied", "tests.migrated", "tests.spread"]

NUMBERS = itertools.count()
MODEL = "minimax--music-2.6--text-to-instrumental"


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(slug="tide", name="Tide Tables")


def join(team: Team, name: str, role: Role) -> Membership:
    user = User.objects.create_user(f"{name}@example.com", "a long enough password", name=name.title())
    return Membership.objects.create(team=team, user=user, role=role)


@pytest.fixture
def alice(team: Team) -> Membership:
    """Owns the team."""
    return join(team, "alice", Role.OWNER)


@pytest.fixture
def mona(team: Team) -> Membership:
    """Manages the team."""
    return join(team, "mona", Role.MANAGER)


@pytest.fixture
def bob(team: Team) -> Membership:
    """An ordinary member."""
    return join(team, "bob", Role.MEMBER)


@pytest.fixture
def carol(team: Team) -> Membership:
    """Another ordinary member, Bob's colleague."""
    return join(team, "carol", Role.MEMBER)


@pytest.fixture
def vera(team: Team) -> Membership:
    """May look and listen only."""
    return join(team, "vera", Role.VIEWER)


@pytest.fixture
def zoe(db: None) -> Membership:
    """A stranger: owns another team."""
    return join(Team.objects.create(slug="zoo", name="Zoo"), "zoe", Role.OWNER)


@pytest.fixture
def client_of() -> Callable[[Membership], Client]:
    """A browser in which this member is signed in."""

    def signed_in(membership: Membership) -> Client:
        client = Client()
        client.force_login(membership.user)
        return client

    return signed_in


@pytest.fixture(autouse=True)
def files_of_their_own(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Stored files of a test land in a folder of its own, which is only made when there are any."""
    folder = tmp_path_factory.getbasetemp() / f"media-{next(NUMBERS)}"
    options = {**settings.STORAGES["default"]["OPTIONS"], "location": str(folder)}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}


@functools.cache
def tone(seconds: float = 1.0, rate: int = 8000) -> bytes:
    """A WAV file of that length."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(bytearray((i * 7) % 251 for i in range(int(seconds * rate) * 2))))
    return out.getvalue()


def content(row: Output | Upload) -> bytes:
    """The bytes of its file."""
    with row.file.open("rb") as file:
        return bytes(file.read())


@pytest.fixture
def make_generation() -> Callable[..., Generation]:
    """A generation in any state; `outputs` adds that many stored sounds."""

    def make(membership: Membership, *, outputs: int = 0, **fields: Any) -> Generation:
        now = timezone.now()
        params = fields.pop(
            "params", {"prompt": "Slow piano over rain", "sampleRate": "44100", "format": "mp3"}
        )
        title = fields.pop("title", "Rain")
        status = fields.pop("status", State.SUCCEEDED)
        values: dict[str, Any] = {
            "team": membership.team,
            "author": membership.user,
            "connection": Connection.current(),
            "model": MODEL,
            "kind": "music",
            "title": title,
            "params": params,
            "search_text": search_text(*[v for v in params.values() if isinstance(v, str)]),
            "status": status,
            "cost_estimated": Decimal("0.80"),
            "next_check_at": None if status in OVER else now,
            "finished_at": now if status in OVER else None,
        }
        generation = Generation.objects.create(**{**values, **fields})
        for index in range(outputs):
            data = tone()
            output = Output(
                generation=generation,
                index=index,
                kind="audio",
                content_type="audio/wav",
                extension="wav",
                bytes=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                duration=1.0,
                sample_rate=8000,
                channels=1,
                peaks_row=" ".join(["50"] * 96),
                peaks_stage=" ".join(["50"] * 360),
            )
            output.file.save(Output.file_name(generation, index, "wav"), ContentFile(data), save=False)
            output.save()
        return generation

    return make


@pytest.fixture
def make_voice(make_generation: Callable[..., Generation]) -> Callable[..., Voice]:
    """A voice with its preview; open to everyone and agreed to unless said otherwise."""

    def make(owner: Membership, name: str = "Harbour", **fields: Any) -> Voice:
        voice_id = fields.pop("voice_id", f"{name}{next(NUMBERS):06}")
        made = {
            "title": name,
            "model": "rhart-audio--text-to-audio--voice-clone",
            "kind": "voice",
            "outputs": 1,
            "params": {"custom_voice_id": voice_id, "text": f"I am {name}, good morning."},
            "cost_actual": Decimal("3.12"),
            **{key: fields.pop(key) for key in ("status", "finished_at") if key in fields},
        }
        agreed = {"speaker": "Ada", "consent_at": timezone.now(), "consent_by": owner.user}
        if fields.get("consent_at", ...) is None:
            agreed = {}
        values = {"origin": "cloned", "audience": "everyone", "team": owner.team, "owner": owner.user}
        return Voice.objects.create(
            **{**values, **agreed, **fields},
            name=name,
            voice_id=voice_id,
            made_by=make_generation(owner, **made),
        )

    return make


@pytest.fixture
def sandbox(settings: Any) -> Iterator[Any]:
    """A quick sandbox on a port of its own, and the portal pointed at it as its upstream."""
    from generations.sandbox import Sandbox

    with Sandbox(slots=3, pace=0, quick=True) as running:
        point_at(settings, running.url)
        yield running


def point_at(settings: Any, url: str, key: str = "k" * 32) -> None:
    """Makes `url` the upstream, as RUNNINGHUB_BASE_URL and RUNNINGHUB_API_KEY would."""
    settings.RUNNINGHUB_BASE_URL = url
    settings.RUNNINGHUB_API_KEY = key
    settings.USES_SANDBOX = False


@pytest.fixture
def drive() -> Callable[..., None]:
    """Runs the pipeline in this process until every generation is over, parked or unconfirmed.

    Waits of the pipeline are skipped: whatever waits for its next look is looked at now.
    """
    return run_pipeline


def run_pipeline(*, seconds: float = 60.0) -> None:
    """As `drive`. The sandbox renders beside us, so the end is a matter of time and not of rounds."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        Connection.objects.update(full_until=None, next_check_at=timezone.now())
        Inquiry.objects.filter(lease_until=None).exclude(question="").update(due_at=timezone.now())
        asked = Q(status=State.UNCONFIRMED) & (Q(inquiry=None) | Q(inquiry__question=""))
        waiting = Generation.objects.filter(status__in=ACTIVE, parked_at=None).exclude(asked)
        if not waiting.exists():
            return
        waiting.filter(lease_until=None).update(next_check_at=timezone.now())
        one_round()
        time.sleep(0.005)
    states = list(Generation.objects.values_list("status", "error_code"))
    raise AssertionError(f"the pipeline did not come to an end: {states}")


def one_round() -> None:
    """Every stage once, for whatever is due."""
    connection = Connection.current()
    watch.refresh_connection(connection)
    for row in dispatch.claim(Connection.current(), 16):
        dispatch.send(row)
    for row in follow.claim(64):
        follow.look(row)
    for row in gather.claim(64):
        gather.gather(row)
    inquire.work()
