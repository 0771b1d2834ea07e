"""Every address against everybody who may knock."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, Membership
from generations.models import Generation, State
from tests.conftest import MODEL, tone
from tests.generations.api.conftest import Program

pytestmark = pytest.mark.thorough

ORDER = {"model": MODEL, "params": {"prompt": "Slow piano over rain"}}


@pytest.fixture
def bobs(bob: Membership, make_generation: Any) -> dict[str, Generation]:
    """What Bob made: one that is done, one that waits."""
    return {
        "done": make_generation(bob, outputs=1),
        "waiting": make_generation(bob, status=State.QUEUED),
    }


def call(program: Any, name: str, bobs: dict[str, Generation]) -> Any:
    """Knocks at the address of this name as this program."""
    done, waiting = bobs["done"].pk, bobs["waiting"].pk
    match name:
        case "generate":
            return program.post("generations", ORDER)
        case "cancel":
            return program.post(f"generations/{waiting}/cancel")
        case "upload":
            return program.upload(wav())
        case "content":
            return program.get(f"generations/{done}/outputs/0/content")
        case "headers":
            return program.head(f"generations/{done}/outputs/0/content")
        case "show":
            return program.get(f"generations/{done}")
        case "model":
            return program.get(f"models/{MODEL}")
    return program.get(name)


def wav() -> Any:
    return SimpleUploadedFile("steps.wav", tone(), "audio/wav")


NAMES = [
    "me",
    "models",
    "model",
    "voices",
    "usage",
    "generations",
    "generate",
    "show",
    "cancel",
    "content",
    "headers",
    "upload",
]
MEMBER = dict.fromkeys(NAMES, 200) | {"generate": 201, "upload": 201}
EXPECTED = {
    "alice": MEMBER,
    "mona": MEMBER,
    "bob": MEMBER,
    "carol": MEMBER | {"cancel": 403},
    "vera": MEMBER | {"generate": 403, "cancel": 403, "upload": 403},
    "zoe": MEMBER | {"show": 404, "cancel": 404, "content": 404, "headers": 404},
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("who", EXPECTED)
def test_a_role_opens_what_it_should_and_nothing_else(
    who: str, name: str, bobs: Any, program_of: Any, request: pytest.FixtureRequest
) -> None:
    answer = call(program_of(request.getfixturevalue(who)), name, bobs)
    answer.close()
    assert answer.status_code == EXPECTED[who][name]
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"


def _none(bob: Membership) -> None:
    return None


def _unknown(bob: Membership) -> str:
    return "rhw_" + "x" * 43


def _revoked(bob: Membership) -> str:
    token = ApiToken.issue(bob)
    ApiToken.objects.update(revoked_at=timezone.now())
    return token


def _expired(bob: Membership) -> str:
    token = ApiToken.issue(bob)
    ApiToken.objects.update(expires_at=timezone.now())
    return token


def _ended(bob: Membership) -> str:
    token = ApiToken.issue(bob)
    Membership.objects.filter(pk=bob.pk).update(ended_at=timezone.now())
    return token


def _inactive(bob: Membership) -> str:
    token = ApiToken.issue(bob)
    type(bob.user).objects.filter(pk=bob.user_id).update(is_active=False)
    return token


def _odd(bob: Membership) -> str:
    return "ä\x01 \\ rhw_"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("token_of", [_none, _unknown, _revoked, _expired, _ended, _inactive, _odd])
def test_without_a_valid_token_every_address_is_closed(
    token_of: Any, name: str, bob: Membership, bobs: Any
) -> None:
    token = token_of(bob)
    answer = call(Program(token), name, bobs)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="api"')
    assert ("invalid_token" in answer.headers["WWW-Authenticate"]) == (token is not None)
    assert Generation.objects.count() == 2


def test_a_session_does_not_count(alice: Membership, client_of: Any) -> None:
    client: Client = client_of(alice)
    assert client.get("/api/v1/me").status_code == 401
    assert client.post("/api/v1/generations", ORDER, content_type="application/json").status_code == 401


@pytest.mark.parametrize(
    "header", ["Basic Ym9iOnB3", "rhw_x", "Bearer", "Bearer ", "Token x", "", "Bearer a b"]
)
def test_another_way_to_sign_in_does_not_count(header: str, bob: Membership) -> None:
    ApiToken.issue(bob)
    assert Client().get("/api/v1/me", headers={"Authorization": header}).status_code == 401


def test_a_token_speaks_for_one_team_only(
    bob: Membership, zoe: Membership, program_of: Any, bobs: Any
) -> None:
    abroad = Membership.objects.create(team=zoe.team, user=bob.user, role="member")
    program = program_of(abroad)
    assert program.get("me").json()["team"]["slug"] == "zoo"
    assert program.get("generations").json()["items"] == []
    assert program.get(f"generations/{bobs['done'].pk}").status_code == 404


def test_a_role_taken_away_counts_at_once(bob: Membership, program_of: Any, bobs: Any) -> None:
    program = program_of(bob)
    Membership.objects.filter(pk=bob.pk).update(role="viewer")
    assert program.post("generations", ORDER).status_code == 403
    assert program.post(f"generations/{bobs['waiting'].pk}/cancel").status_code == 403


def test_something_that_never_was_is_not_told_from_something_of_others(
    zoe: Membership, program_of: Any, bobs: Any
) -> None:
    program = program_of(zoe)
    bodies = {program.get(f"generations/{pk}").content for pk in (bobs["done"].pk, uuid.uuid4())}
    assert len(bodies) == 1


def test_the_use_of_a_token_is_noted_once_a_minute(bob: Membership, program_of: Any) -> None:
    program = program_of(bob)
    assert ApiToken.objects.get().last_used_at is None
    program.get("me")
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    program.get("me")
    assert ApiToken.objects.get().last_used_at == first
