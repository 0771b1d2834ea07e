"""Who am I, what is there, what is used, and the documents about it all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Allowance, Measure, Membership, Mode, Period, Scope, Team
from generations.catalogue import load
from generations.models import State
from tests.conftest import MODEL
from tests.generations.api.conftest import Program


@pytest.fixture
def bobs(bob: Membership, program_of: Any) -> Program:
    return program_of(bob)


def test_me_says_whom_the_token_speaks_for_and_what_is_left(
    bobs: Program, bob: Membership, carol: Membership, make_generation: Any
) -> None:
    Allowance.put(
        bob.team,
        scope=Scope.POOL,
        measure=Measure.SPEND,
        period=Period.MONTH,
        mode=Mode.LIMITED,
        limit=Decimal(5),
    )
    Allowance.put(
        bob.team,
        scope=Scope.DEFAULT,
        measure=Measure.COUNT,
        period=Period.DAY,
        mode=Mode.LIMITED,
        limit=Decimal(3),
    )
    make_generation(bob)
    make_generation(carol)
    body = bobs.get("me").json()
    assert body["user"] == {"email": "bob@example.com", "name": "Bob"}
    assert body["team"] == {"slug": "tide", "name": "Tide Tables", "time_zone": "UTC"}
    assert (body["role"], body["may_generate"]) == ("member", True)
    lines = {line["name"]: line for line in body["limits"]}
    day, month = lines["member_count_day"], lines["team_spend_month"]
    assert (day["limit"], day["used"], day["left"], day["scope"]) == (3, 1, 2, "default")
    assert (month["limit"], month["used"], month["left"], month["scope"]) == ("5.00", "1.60", "3.40", "pool")
    assert datetime.fromisoformat(month["resets_at"]) > timezone.now()


def test_usage_adds_up_mine_and_ours(
    bobs: Program, bob: Membership, carol: Membership, zoe: Membership, make_generation: Any
) -> None:
    Team.objects.update(time_zone="Asia/Shanghai")
    make_generation(bob, cost_actual=Decimal("0.123456"))
    make_generation(bob, status=State.FAILED)
    make_generation(bob, status=State.RUNNING)
    make_generation(carol)
    make_generation(zoe)
    body = bobs.get("usage").json()
    for period in ("day", "week", "month"):
        assert body[period]["mine"] == {"spend": "0.923456", "count": 2}
        assert body[period]["team"] == {"spend": "1.723456", "count": 3}
        start = datetime.fromisoformat(body[period]["since"])
        assert start.astimezone(UTC).strftime("%H:%M") == "16:00"
        assert start <= timezone.now() < datetime.fromisoformat(body[period]["resets_at"])
    assert body["running"] == {"mine": 1, "team": 1}
    assert body["limits"] == []


def test_every_model_is_listed_with_its_price(bobs: Program) -> None:
    body = bobs.get("models").json()
    assert [one["slug"] for one in body["items"]] == [spec.slug for spec in load.models()]
    music = next(one for one in body["items"] if one["slug"] == MODEL)
    assert (music["kind"], music["output"], music["price"]["unit"]) == ("music", "audio", "call")
    assert Decimal(music["price"]["amount"]) == load.get(MODEL).price.amount  # type: ignore[union-attr]
    assert music["usual_seconds"] > 0


@pytest.mark.parametrize("name", [MODEL, "minimax--voice-clone"])
def test_a_model_has_the_schema_of_its_params(name: str, bobs: Program) -> None:
    body = bobs.get(f"models/{name}").json()
    spec = load.get(name)
    assert body["slug"] == spec.slug
    assert body["params_schema"] == spec.json_schema()


@pytest.mark.parametrize(
    "name", ["nope", "minimax/music-2.6/text-to-music", "%00", "%ff", "../me", "x" * 3000]
)
def test_a_model_that_is_not_there_is_not_found(name: str, bobs: Program) -> None:
    answer = bobs.get(f"models/{name}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_voices_are_the_teams_own_and_the_systems(
    bobs: Program, bob: Membership, zoe: Membership, make_voice: Any
) -> None:
    voice = make_voice(bob, "Harbour", voice_id="Harbour01", language="English")
    make_voice(bob, "Failed", status=State.FAILED)
    make_voice(bob, "Running", status=State.RUNNING)
    make_voice(bob, "Put away", archived_at=voice.created_at)
    make_voice(zoe, "Abroad")
    items = bobs.get("voices").json()["items"]
    sample = f"generations/{voice.made_by_id}/outputs/0/content"
    assert items[0].pop("sample_url").endswith(sample)
    heard = bobs.get(sample)
    heard.getvalue()
    assert heard.status_code == 200
    made = datetime.fromisoformat(items[0].pop("last_used_at"))
    assert datetime.fromisoformat(items[0].pop("kept_until")) - made == timedelta(hours=168)
    assert items[0] == {
        "voice_id": "Harbour01", "name": "Harbour", "language": "English", "gender": None, "origin": "team",
        "id": str(voice.pk), "made": "cloned", "owner": "bob@example.com", "audience": "everyone",
        "consent": True, "may_use": True, "used_in": 0,
    }  # fmt: skip
    system = items[1:]
    assert len(system) == len(load.voices())
    assert {one["origin"] for one in system} == {"system"}
