"""Settings under a name: a member's own, or open to the team."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership
from generations.catalogue import load
from generations.models import Draft, Preset, PresetDefault
from tests.generations.views.reading import seen

SPEC = load.get("minimax--speech-2.8-hd")
PAGE = f"/t/tide/create/{SPEC.slug}/"
FILLED = {"text": "Good morning", "voice_id": "Elegant_Man", "speed": "0.9", "emotion": "sad", "_title": "T"}


def save(client: Any, name: str, **more: str) -> Any:
    asked = seen(client.post(f"{PAGE}preset/new/", FILLED), "preset")
    return client.post(f"{PAGE}preset/save/", {**asked.sent(), "name": name, **more}, follow=True)


def test_settings_are_saved_without_the_text(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    saved = save(client, "Calm  man")
    preset = Preset.objects.get()
    assert (preset.name, preset.author, preset.shared) == ("Calm man", bob.user, False)
    assert preset.params == {"voice_id": "Elegant_Man", "speed": "0.9", "emotion": "sad"}
    assert "is saved" in saved.content.decode()
    assert seen(saved).values["text"] == ["Good morning"]  # nothing that was written is lost meanwhile


def test_a_preset_fills_the_settings_and_leaves_the_text(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    save(client, "Calm man")
    Draft.objects.all().delete()
    mine = {
        "text": "Other words",
        "voice_id": "Wise_Woman",
        "speed": "1.5",
        "_preset": str(Preset.objects.get().pk),
    }
    page = seen(client.post(f"{PAGE}preset/", mine, follow=True))
    assert page.values["text"] == ["Other words"]
    assert (page.values["speed"], page.values["emotion"]) == (["0.9"], ["sad"])


@pytest.mark.thorough
def test_the_form_begins_with_the_default_preset(bob: Membership, carol: Membership, client_of: Any) -> None:
    client = client_of(bob)
    save(client, "Calm man", default="on")
    Draft.objects.all().delete()
    assert seen(client.get(PAGE)).values["speed"] == ["0.9"]
    assert "Begins with your preset" in client.get(PAGE).content.decode()
    assert seen(client_of(carol).get(PAGE)).values["speed"] != ["0.9"]
    preset = Preset.objects.get()
    client.post(f"/t/tide/presets/{preset.pk}/default/", {"on": "no"})
    assert seen(client.get(PAGE)).values["speed"] != ["0.9"]
    client.post(f"/t/tide/presets/{preset.pk}/default/", {"on": "yes"})
    assert PresetDefault.objects.get().preset == preset
    save(client, "Second", default="on")
    assert PresetDefault.objects.get().preset.name == "Second"


def test_the_same_name_again_changes_the_preset(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    save(client, "Calm")
    save(client, "Calm", shared="on")
    assert Preset.objects.get().shared


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x00b"])
def test_a_name_that_cannot_be_kept_comes_back(bob: Membership, client_of: Any, name: str) -> None:
    client = client_of(bob)
    asked = seen(client.post(f"{PAGE}preset/new/", FILLED), "preset")
    answer = client.post(f"{PAGE}preset/save/", {**asked.sent(), "name": name, "shared": "on"})
    assert answer.status_code == 422
    assert "preset-error" in answer.content.decode()
    assert seen(answer, "preset").values["settings"] == asked.values["settings"]
    assert not Preset.objects.exists()


def test_settings_that_are_wrong_are_told_and_the_form_keeps_them(bob: Membership, client_of: Any) -> None:
    client = client_of(bob)
    answer = client.post(f"{PAGE}preset/new/", {**FILLED, "speed": "9"}, follow=True)
    assert "Speed: " in answer.content.decode()
    assert seen(answer).values["speed"] == ["9"]
    assert not Preset.objects.exists()


@pytest.mark.parametrize("given", ["", "{", "[]", "[" * 5_000, '{"nonsense": 1, "text": "x"}'])
def test_hostile_settings_are_none(bob: Membership, client_of: Any, given: str) -> None:
    client_of(bob).post(f"{PAGE}preset/save/", {"settings": given, "name": "Odd"})
    assert Preset.objects.get().params == {}


@pytest.mark.thorough
def test_a_colleague_uses_a_shared_preset_and_cannot_change_it(
    bob: Membership, carol: Membership, alice: Membership, client_of: Any
) -> None:
    save(client_of(bob), "Ours", shared="on")
    save(client_of(bob), "Mine")
    ours, mine = Preset.objects.get(name="Ours"), Preset.objects.get(name="Mine")
    colleague = client_of(carol)
    listed = colleague.get("/t/tide/presets/").content.decode()
    assert "Ours" in listed
    assert "Mine" not in listed
    applied = colleague.post(f"{PAGE}preset/", {"text": "x", "_preset": str(ours.pk)}, follow=True)
    assert seen(applied).values["speed"] == ["0.9"]
    assert colleague.post(f"{PAGE}preset/", {"text": "x", "_preset": str(mine.pk)}).status_code == 404
    for verb in ("share", "delete"):
        assert colleague.post(f"/t/tide/presets/{ours.pk}/{verb}/").status_code == 403
        assert colleague.post(f"/t/tide/presets/{mine.pk}/{verb}/").status_code == 404
    assert colleague.post(f"/t/tide/presets/{ours.pk}/default/").status_code == 302
    client_of(bob).post(f"/t/tide/presets/{ours.pk}/share/", {"on": "no"})
    assert not PresetDefault.objects.exists()
    client_of(bob).post(f"/t/tide/presets/{ours.pk}/share/", {"on": "yes"})
    assert client_of(alice).post(f"/t/tide/presets/{ours.pk}/delete/").status_code == 302
    assert [preset.name for preset in Preset.objects.all()] == ["Mine"]


@pytest.mark.thorough
def test_who_may_not(bob: Membership, vera: Membership, zoe: Membership, client_of: Any, client: Any) -> None:
    save(client_of(bob), "Ours", shared="on")
    pk = Preset.objects.get().pk
    calls = [("get", "/t/tide/presets/")] + [
        ("post", address)
        for address in (
            f"{PAGE}preset/", f"{PAGE}preset/new/", f"{PAGE}preset/save/", f"/t/tide/presets/{pk}/default/",
            f"/t/tide/presets/{pk}/share/", f"/t/tide/presets/{pk}/delete/",
        )
    ]  # fmt: skip
    for method, address in calls:
        assert getattr(client_of(vera), method)(address).status_code == 403
        assert getattr(client_of(zoe), method)(address).status_code == 404
        assert getattr(client, method)(address).status_code == 302
    assert Preset.objects.count() == 1


@pytest.mark.parametrize("odd", ["NaN", "1e400", "[" * 480 + "]" * 480, '{"a": "b"}', "null"])
def test_what_no_form_posts_is_no_setting(odd: str, bob: Membership, client_of: Any) -> None:
    given = f'{{"speed": "0.9", "emotion": {odd}}}'
    answer = client_of(bob).post(f"{PAGE}preset/save/", {"settings": given, "name": "Odd"})
    assert answer.status_code == 302
    assert Preset.objects.get().params == {"speed": "0.9"}


@pytest.mark.thorough
def test_a_preset_saved_anew_for_oneself_is_taken_back_from_colleagues(
    bob: Membership, carol: Membership, client_of: Any
) -> None:
    save(client_of(bob), "Calm man", shared="on")
    preset = Preset.objects.get()
    for client in (client_of(bob), client_of(carol)):
        client.post(f"/t/tide/presets/{preset.pk}/default/", {"on": "yes"})
    save(client_of(bob), "Calm man")
    assert list(PresetDefault.objects.values_list("membership", flat=True)) == [bob.pk]
    assert seen(client_of(carol).get(PAGE)).values["speed"] != ["0.9"]


@pytest.mark.thorough
def test_a_preset_with_settings_the_model_lost_still_works(bob: Membership, client_of: Any) -> None:
    preset = Preset.objects.create(
        team=bob.team, author=bob.user, model=SPEC.slug, name="Old", params={"gone": "1", "speed": "0.8"}
    )
    PresetDefault.objects.create(membership=bob, model=SPEC.slug, preset=preset)
    client = client_of(bob)
    assert seen(client.get(PAGE)).values["speed"] == ["0.8"]
    applied = client.post(f"{PAGE}preset/", {"text": "x", "_preset": str(preset.pk)}, follow=True)
    assert client.post(PAGE, seen(applied).sent()).status_code == 303


@pytest.mark.thorough
def test_pages_ask_the_same_however_many_presets(bob: Membership, client_of: Any) -> None:
    client, counts = client_of(bob), []
    for count in (1, 15):
        for n in range(count):
            Preset.objects.create(team=bob.team, author=bob.user, model=SPEC.slug, name=f"{count}.{n}")
        asked = []
        for page in ("/t/tide/presets/", PAGE):
            client.get(page)
            with CaptureQueriesContext(connection) as queries:
                client.get(page)
            asked.append(len(queries))
        counts.append(asked)
    assert counts[0] == counts[1]


def test_an_untouched_form_leaves_no_draft_when_its_settings_are_saved(
    bob: Membership, client_of: Any
) -> None:
    client = client_of(bob)
    client.post(f"{PAGE}preset/new/", seen(client.get(PAGE)).sent())
    assert not Draft.objects.exists()
