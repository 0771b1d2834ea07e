"""Finding, showing and cancelling."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership
from generations.models import Generation, State, VoiceUse
from generations.views.api import schemas
from tests.conftest import MODEL
from tests.generations.api.conftest import Program


@pytest.fixture
def bobs(bob: Membership, program_of: Any) -> Program:
    return program_of(bob)


def titles(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["title"] for item in answer.json()["items"]]


def test_the_states_of_the_contract_are_those_of_the_rows() -> None:
    assert list(get_args(schemas.StateName)) == State.values


def test_pages_follow_each_other_without_a_gap_or_a_repetition(
    bobs: Program, bob: Membership, make_generation: Any
) -> None:
    made = [str(make_generation(bob, title=f"Piece {n}").pk) for n in range(55)]
    found, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        body = bobs.get("generations", {"cursor": cursor}).json()
        assert set(body) == {"items", "next_cursor"}
        found += [item["id"] for item in body["items"]]
        cursor, pages = body["next_cursor"], pages + 1
        make_generation(bob, title="Made meanwhile")
    assert cursor is None
    assert pages == 3
    assert found == made[::-1]


def test_what_a_voice_said_is_found_by_those_who_may_know_of_it(
    bobs: Program, bob: Membership, carol: Membership, program_of: Any, make_voice: Any, make_generation: Any
) -> None:
    voice, said = make_voice(bob, audience="owner"), make_generation(bob, title="Said")
    make_generation(bob, title="Another")
    VoiceUse.objects.create(generation=said, voice=voice)
    assert titles(bobs.get("generations", {"voice": str(voice.pk)})) == ["Said"]
    assert titles(bobs.get("generations", {"voice": voice.pk.hex})) == ["Said"]
    assert len(titles(bobs.get("generations", {"voice": ""}))) == 3
    assert titles(program_of(carol).get("generations", {"voice": str(voice.pk)})) == []
    assert titles(bobs.get("generations", {"voice": "-" * 36})) == []
    assert bobs.get("generations", {"voice": "Harbour"}).status_code == 422


def test_the_list_costs_the_same_for_two_and_for_twenty(
    bobs: Program, bob: Membership, carol: Membership, make_generation: Any
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            bobs.get("generations")
        return len(caught)

    make_generation(bob, outputs=2)
    make_generation(carol, outputs=2)
    bobs.get("me")
    few = queries()
    for number in range(9):
        make_generation(bob, outputs=1)
        make_generation(carol, outputs=number % 3)
    assert queries() == few <= 4


def test_an_item_of_the_list_is_what_its_own_address_shows(
    bobs: Program, bob: Membership, make_generation: Any
) -> None:
    row = make_generation(bob, outputs=2)
    assert bobs.get("generations").json()["items"] == [bobs.get(f"generations/{row.pk}").json()]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["Speech", "Hers", "Waits", "Rain"]),
        (
            {"status": "", "model": "", "author": "", "q": "", "cursor": ""},
            ["Speech", "Hers", "Waits", "Rain"],
        ),
        ({"status": "queued"}, ["Waits"]),
        ({"status": "failed"}, []),
        ({"author": "me"}, ["Speech", "Waits", "Rain"]),
        ({"author": "carol@example.com"}, ["Hers"]),
        ({"author": "Carol@Example.com"}, ["Hers"]),
        ({"author": "zoe@example.com"}, []),
        ({"author": "nobody@example.com"}, []),
        ({"author": "0"}, []),
        ({"model": MODEL}, ["Hers", "Waits", "Rain"]),
        ({"model": MODEL.replace("--", "/")}, ["Hers", "Waits", "Rain"]),
        ({"model": "minimax/speech-2.8-hd"}, ["Speech"]),
        ({"model": "minimax--speech-2.8-hd"}, ["Speech"]),
        ({"model": "no/such"}, []),
        ({"q": "piano"}, ["Hers", "Waits", "Rain"]),
        ({"q": "PIANO rain hers"}, ["Hers"]),
        ({"q": "%"}, []),
        ({"q": "piano", "author": "me", "status": "queued", "model": MODEL}, ["Waits"]),
    ],
)
def test_filters_narrow_the_list(
    asked: dict[str, str], found: list[str], bobs: Program, bob: Membership, carol: Membership,
    zoe: Membership, make_generation: Any,
) -> None:  # fmt: skip
    make_generation(bob)
    make_generation(zoe, title="Abroad")
    make_generation(bob, title="Waits", status=State.QUEUED)
    make_generation(carol, title="Hers")
    make_generation(
        bob, title="Speech", model="rhart-audio--text-to-audio--speech-2.8-hd", params={"text": "Hello"}
    )
    assert titles(bobs.get("generations", asked)) == found


def test_what_somebody_made_who_left_is_still_found(
    bobs: Program, carol: Membership, make_generation: Any
) -> None:
    make_generation(carol, title="Hers")
    Membership.objects.filter(pk=carol.pk).update(ended_at=timezone.now())
    assert titles(bobs.get("generations", {"author": "carol@example.com"})) == ["Hers"]


def test_a_model_that_left_the_catalogue_is_still_found(
    bobs: Program, bob: Membership, make_generation: Any
) -> None:
    row = make_generation(bob, title="Old", model="old--model")
    assert titles(bobs.get("generations", {"model": "old/model"})) == ["Old"]
    assert bobs.get(f"generations/{row.pk}").json()["model"] == "old--model"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "done"),
        ("status", "QUEUED"),
        ("cursor", "1"),
        ("cursor", "x" * 32),
        ("cursor", "\x00"),
        ("q", "nul\x00"),
        ("q", "a " * 101),
        ("author", "nul\x00"),
        ("model", "nul\x00"),
        ("model", "x" * 201),
    ],
)
def test_a_filter_that_is_none_is_named(name: str, value: str, bobs: Program) -> None:
    answer = bobs.get("generations", {name: value})
    assert answer.status_code == 422
    assert [one["param"] for one in answer.json()["errors"]] == [name]


def test_a_finished_generation_shows_its_receipt_and_its_outputs(
    bobs: Program, bob: Membership, make_generation: Any
) -> None:
    row = make_generation(
        bob, outputs=2, cost_actual=Decimal("0.123456"), upstream_id="77", dispatched_at=timezone.now()
    )
    body = bobs.get(f"generations/{row.pk}").json()
    assert (body["status"], body["upstream_id"], body["error"]) == ("succeeded", "77", None)
    assert (body["cost_estimated"], body["cost_actual"], body["currency"]) == (
        "0.80",
        "0.123456",
        row.currency,
    )
    assert body["dispatched_at"].endswith("Z")
    assert body["finished_at"].endswith("Z")
    output = body["outputs"][1]
    assert set(output) == {"index", "kind", "content_type", "bytes", "sha256", "duration", "url"}
    assert (output["index"], output["kind"], output["content_type"], output["duration"]) == (
        1,
        "audio",
        "audio/wav",
        1.0,
    )
    assert output["url"] == f"http://testserver/api/v1/generations/{row.pk}/outputs/1/content"
    assert "Retry-After" not in bobs.get(f"generations/{row.pk}").headers


def test_addresses_are_at_the_public_address_where_one_is_set(
    bobs: Program, bob: Membership, make_generation: Any, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://sound.example.com"
    row = make_generation(bob, outputs=1)
    url = bobs.get(f"generations/{row.pk}").json()["outputs"][0]["url"]
    assert url == f"https://sound.example.com/api/v1/generations/{row.pk}/outputs/0/content"


def test_a_failure_says_why(bobs: Program, bob: Membership, make_generation: Any) -> None:
    row = make_generation(
        bob,
        status=State.FAILED,
        error_code="1501",
        error_message="It was refused.",
        error_detail="secret words",
    )
    answer = bobs.get(f"generations/{row.pk}")
    assert answer.json()["error"] == {"code": "1501", "message": "It was refused."}
    assert b"secret" not in answer.content


@pytest.mark.thorough
@pytest.mark.parametrize("state", [s for s in State if s not in ("succeeded", "failed", "cancelled")])
def test_what_is_not_over_says_when_to_ask_again(
    state: State, bobs: Program, bob: Membership, make_generation: Any
) -> None:
    answer = bobs.get(f"generations/{make_generation(bob, status=state).pk}")
    assert answer.json()["status"] == state
    assert 1 <= int(answer.headers["Retry-After"]) <= 30


def test_what_waits_is_cancelled_at_once_and_costs_nothing(
    bobs: Program, bob: Membership, make_generation: Any
) -> None:
    row = make_generation(bob, status=State.QUEUED)
    answer = bobs.post(f"generations/{row.pk}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json() == bobs.get(f"generations/{row.pk}").json()
    row.refresh_from_db()
    assert row.cost_counted == 0


@pytest.mark.thorough
@pytest.mark.parametrize("state", [State.DISPATCHING, State.UNCONFIRMED, State.RUNNING, State.GATHERING])
def test_what_was_sent_notes_the_wish_and_goes_on(
    state: State, bobs: Program, bob: Membership, make_generation: Any
) -> None:
    row = make_generation(bob, status=state)
    for _ in range(2):
        answer = bobs.post(f"generations/{row.pk}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, state)
    row.refresh_from_db()
    assert row.cancel_requested_at is not None


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.CANCELLED])
def test_what_is_over_cannot_be_cancelled(
    state: State, bobs: Program, bob: Membership, make_generation: Any
) -> None:
    row = make_generation(bob, status=state)
    answer = bobs.post(f"generations/{row.pk}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_over")
    assert answer.json()["status"] == 409
    assert Generation.objects.get().status == state


@pytest.mark.parametrize(
    "pk", ["1", "nope", "%00", "018f0000-0000-7000-8000-000000000000", "00000000-0000-0000-0000-00000000000G"]
)
def test_an_id_that_is_none_is_not_found(pk: str, bobs: Program) -> None:
    assert bobs.get(f"generations/{pk}").status_code == 404
    assert bobs.post(f"generations/{pk}/cancel").status_code == 404
    assert bobs.get(f"generations/{pk}/outputs/0/content").status_code == 404
