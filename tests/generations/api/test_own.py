"""Drafts, presets, searches, caps, favourites and what is told: a member's own, by a program."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import ApiToken, Measure, Membership, Notification, Scope
from generations.catalogue import load
from generations.models import (
    Batch,
    Draft,
    FavouriteVoice,
    Generation,
    HeldOrder,
    Preset,
    PresetDefault,
    SavedSearch,
    Upload,
    VoiceSample,
)
from tests.conftest import MODEL, content, tone
from tests.generations.api.conftest import Program


@pytest.fixture
def bobs(bob: Membership, program_of: Any) -> Program:
    found: Program = program_of(bob)
    return found


def test_a_draft_is_kept_replaced_opened_on_its_page_and_discarded(
    bobs: Program, bob: Membership, client_of: Any
) -> None:
    body = {"model": MODEL, "params": {"prompt": "Half a thou", "nonsense": 1}, "title": "Later"}
    kept = bobs.post("drafts", body).json()
    assert (kept["params"], kept["title"]) == ({"prompt": "Half a thou"}, "Later")
    page = client_of(bob).get(f"/t/{bob.team.slug}/create/{MODEL}/?draft={kept['id']}")
    assert b"Half a thou" in page.content
    again = bobs.post("drafts", {"model": MODEL, "params": {"prompt": "A thought"}, "id": kept["id"]}).json()
    assert (again["id"], again["params"]) == (kept["id"], {"prompt": "A thought"})
    assert [one["id"] for one in bobs.get("drafts").json()["items"]] == [kept["id"]]
    assert bobs.post(f"drafts/{kept['id']}/discard").status_code == 204
    assert bobs.get(f"drafts/{kept['id']}").status_code == 404


def test_a_draft_takes_the_place_of_no_other_models_or_orders(bobs: Program, bob: Membership) -> None:
    other = next(spec for spec in load.models() if spec.slug != MODEL)
    mine = bobs.post("drafts", {"model": MODEL, "params": {"prompt": "Mine"}}).json()
    batch = Batch.objects.create(team=bob.team, author=bob.user, model=MODEL, title="Two", asked=2)
    whose = {"team": bob.team, "author": bob.user, "model": MODEL, "params": {"prompt": "Mine"}}
    waits = Draft.objects.create(**whose, batch=batch, lines=[{"place": 2, "text": "Two"}])
    running = Draft.objects.create(**whose, is_running=True)
    for model, pk in ((other.slug, mine["id"]), (MODEL, str(waits.pk)), (MODEL, str(running.pk))):
        refused = bobs.post("drafts", {"model": model, "params": {}, "id": pk})
        assert (refused.status_code, [one["param"] for one in refused.json()["errors"]]) == (
            422,
            ["id"],
        )
        assert bobs.get(f"drafts/{pk}").json()["params"] == {"prompt": "Mine"}
    assert Draft.objects.count() == 3


@pytest.mark.parametrize(
    "params", [{"prompt": {"a": [1]}}, {"prompt": None}, {"prompt": ["\x00", "\ud800"]}, {"prompt": 1.5}]
)
def test_a_draft_may_hold_what_the_model_would_refuse(
    params: dict[str, Any], bobs: Program, bob: Membership, client_of: Any
) -> None:
    kept = bobs.post("drafts", {"model": MODEL, "params": params})
    assert kept.status_code == 201
    page = f"/t/{bob.team.slug}/create/{MODEL}/?draft={kept.json()['id']}"
    assert client_of(bob).get(page).status_code == 200
    assert client_of(bob).get(f"/t/{bob.team.slug}/drafts/").status_code == 200


def test_a_number_that_no_database_holds_is_left_out_of_a_draft(bobs: Program) -> None:
    body = f'{{"model": "{MODEL}", "params": {{"prompt": 1e400, "format": "mp3"}}}}'
    kept = bobs.post("drafts", body.encode())
    assert (kept.status_code, kept.json()["params"]) == (201, {"prompt": None, "format": "mp3"})


def test_a_draft_is_its_authors_alone_and_has_an_end(
    bobs: Program, carol: Membership, mona: Membership, zoe: Membership, program_of: Any
) -> None:
    kept = bobs.post("drafts", {"model": MODEL, "params": {"prompt": "Mine"}}).json()
    for who in (carol, mona, zoe):
        assert program_of(who).get(f"drafts/{kept['id']}").status_code == 404
        assert program_of(who).post(f"drafts/{kept['id']}/discard").status_code == 404
        taken = program_of(who).post("drafts", {"model": MODEL, "params": {}, "id": kept["id"]})
        assert taken.status_code == 404
    assert bobs.post("drafts", {"model": MODEL, "params": {"prompt": "x" * 200_001}}).status_code == 422
    assert bobs.post("drafts", {"model": "none", "params": {}}).status_code == 422


def test_a_held_order_is_taken_back_once(bobs: Program, bob: Membership) -> None:
    order = HeldOrder.objects.create(
        team=bob.team, membership=bob, model=MODEL, params={"prompt": "Rain"},
        due_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    assert [one["id"] for one in bobs.get("held").json()["items"]] == [str(order.pk)]
    assert bobs.post(f"held/{order.pk}/withdraw").json()["params"] == {"prompt": "Rain"}
    assert bobs.post(f"held/{order.pk}/withdraw").status_code == 409
    assert bobs.get("held").json()["items"] == []


def test_a_preset_taken_back_is_nobodys_beginning_any_more(
    bobs: Program, bob: Membership, carol: Membership, program_of: Any
) -> None:
    preset = Preset.objects.create(
        team=bob.team, author=bob.user, model=MODEL, name="Calm", params={}, shared=True
    )
    carols = program_of(carol)
    assert carols.post(f"presets/{preset.pk}/default", {"on": True}).status_code == 204
    assert PresetDefault.objects.count() == 1
    assert carols.post(f"presets/{preset.pk}/share", {"on": False}).status_code == 403
    assert bobs.post("presets", {"model": MODEL, "name": "Calm", "shared": False}).status_code == 201
    assert not PresetDefault.objects.exists()
    assert bobs.post(f"presets/{preset.pk}/share", {"on": True}).json()["shared"] is True
    assert carols.post(f"presets/{preset.pk}/default", {"on": True}).status_code == 204
    assert carols.post(f"presets/{preset.pk}/default", {"on": False}).status_code == 204
    assert not PresetDefault.objects.exists()


def test_presets_have_an_end(bobs: Program, bob: Membership) -> None:
    large = {"model": MODEL, "name": "Large", "params": {"format": "m" * 200_001}}
    assert "too long" in bobs.post("presets", large).json()["errors"][0]["message"]
    Preset.objects.bulk_create(
        Preset(team=bob.team, author=bob.user, model=MODEL, name=f"Calm {n}", params={}) for n in range(200)
    )
    one_more = bobs.post("presets", {"model": MODEL, "name": "One more"})
    assert "throw one away first" in one_more.json()["errors"][0]["message"]
    assert bobs.post("presets", {"model": MODEL, "name": "Calm 7", "shared": True}).status_code == 201
    assert Preset.objects.count() == 200


def test_a_search_is_kept_as_a_page_keeps_it(
    bobs: Program, bob: Membership, vera: Membership, program_of: Any
) -> None:
    kept = bobs.post("searches", {"name": " Rain ", "query": "q=rain&nonsense=1", "shared": True}).json()
    assert (kept["name"], kept["query"], kept["shared"]) == ("Rain", "q=rain", True)
    assert bobs.post("searches", {"name": "All", "query": "nonsense=1"}).status_code == 422
    veras = program_of(vera)
    assert [one["name"] for one in veras.get("searches").json()["items"]] == ["Rain"]
    assert veras.post("searches", {"name": "Mine", "query": "q=x", "shared": True}).json()["shared"] is False
    assert veras.post(f"searches/{kept['id']}/remove").status_code == 403
    assert bobs.post(f"searches/{kept['id']}/remove").status_code == 204
    assert SavedSearch.objects.count() == 1


def test_caps_of_ones_own_tighten_and_what_is_left_out_stays(bobs: Program, bob: Membership) -> None:
    answer = bobs.post("usage/cap", {"spend_day": "2.50", "count_week": 7})
    assert answer.status_code == 200, answer.content
    bobs.post("usage/cap", {"count_week": None})
    rows = bob.team.allowances.filter(scope=Scope.OWN, mode="limited")
    assert [(row.measure, row.period, row.limit) for row in rows] == [(Measure.SPEND, "day", Decimal("2.5"))]
    refused = bobs.post("usage/cap", {"spend_day": "-1"})
    assert [one["param"] for one in refused.json()["errors"]] == ["spend_day"]


def test_favourites_and_samples_of_voices(bobs: Program, bob: Membership) -> None:
    voice = load.voices()[0].voice_id
    assert bobs.post("favourite-voices", {"voice_id": voice}).status_code == 204
    assert bobs.get("favourite-voices").json()["items"] == [voice]
    assert bobs.post("favourite-voices", {"voice_id": "nobody"}).status_code == 404
    assert bobs.post("favourite-voices", {"voice_id": voice, "on": False}).status_code == 204
    assert not FavouriteVoice.objects.exists()
    first, second = (bobs.post("voices/hear", {"voice_id": voice}) for _ in range(2))
    assert first.status_code == 200, first.content
    assert first.json()["id"] == second.json()["id"]
    assert VoiceSample.objects.count() == Generation.objects.count() == 1


def test_the_limit_of_a_token_binds_also_what_it_hears_and_repeats(
    bob: Membership, make_generation: Any
) -> None:
    row = make_generation(bob, outputs=1, params={"prompt": "Rain"})
    poor = Program(ApiToken.issue(bob, scopes=["generate"], count_limit=0))
    for path, body in (
        ("voices/hear", {"voice_id": load.voices()[0].voice_id}),
        (f"generations/{row.pk}/again", None),
    ):
        answer = poor.post(path, body)
        assert (answer.status_code, answer.json()["scope"]) == (402, "token")
    assert Generation.objects.count() == 1


def test_the_same_once_more_is_one_under_one_key(
    bobs: Program, bob: Membership, make_generation: Any
) -> None:
    row = make_generation(bob, outputs=1, params={"prompt": "Rain"}, title="Storm")
    path = f"generations/{row.pk}/again"
    first, second = bobs.post(path, Idempotency_Key="k1"), bobs.post(path, Idempotency_Key="k1")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert (first.json()["title"], first.json()["params"]["prompt"]) == ("Storm", "Rain")
    assert bobs.post(f"generations/{bob.team_id}/again").status_code == 404


def test_one_notification_is_read_and_only_one_of_this_team(
    bobs: Program, bob: Membership, zoe: Membership
) -> None:
    mine = Notification.objects.create(user=bob.user, team=bob.team, event="granted", title="More")
    elsewhere = Notification.objects.create(user=bob.user, team=zoe.team, event="granted", title="More")
    foreign = Notification.objects.create(user=zoe.user, team=zoe.team, event="granted", title="More")
    assert bobs.post(f"notifications/{mine.pk}/read").status_code == 204
    assert {bobs.post(f"notifications/{one.pk}/read").status_code for one in (elsewhere, foreign)} == {404}
    assert list(Notification.objects.exclude(read_at=None)) == [mine]


def test_an_upload_is_shown_and_sent_back(bobs: Program, zoe: Membership, program_of: Any) -> None:
    sent = bobs.upload(SimpleUploadedFile("rain.wav", tone(1), "audio/wav")).json()
    assert bobs.get(f"uploads/{sent['id']}").json() == sent
    whole = bobs.get(f"uploads/{sent['id']}/content")
    assert b"".join(whole.streaming_content) == content(Upload.objects.get())
    part = bobs.get(f"uploads/{sent['id']}/content", Range="bytes=0-3")
    assert (part.status_code, b"".join(part.streaming_content)) == (206, b"RIFF")
    assert bobs.head(f"uploads/{sent['id']}/content").status_code == 200
    assert program_of(zoe).get(f"uploads/{sent['id']}/content").status_code == 404


def test_ones_own_report_has_nobody_elses(
    bobs: Program, bob: Membership, carol: Membership, make_generation: Any
) -> None:
    make_generation(bob, cost_actual=Decimal("1.50"))
    make_generation(carol, cost_actual=Decimal("9.00"))
    rows = bobs.get("usage/report", {"by": "model"}).json()["rows"]
    assert [(row["made"], row["spent"]) for row in rows] == [(1, "1.50")]
    assert bobs.get("usage/report", {"by": "member"}).status_code == 422
    table = b"".join(bobs.get("usage/receipts.csv").streaming_content).decode()
    assert "bob@example.com" in table
    assert "carol@example.com" not in table


def test_drafts_are_in_the_order_of_the_page(bobs: Program) -> None:
    for n in range(3):
        bobs.post("drafts", {"model": MODEL, "params": {"prompt": f"{n}"}})
    assert [one["params"]["prompt"] for one in bobs.get("drafts").json()["items"]] == ["2", "1", "0"]
    assert Draft.objects.count() == 3
