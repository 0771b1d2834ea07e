"""The pages of AI apps and workflows, and that what comes of them is a model like any other."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import ApiToken, AuditEntry, Membership
from generations import own_models, prices
from generations.catalogue import load
from generations.catalogue.described import MOST_FIELDS
from generations.models import (
    Draft,
    Generation,
    ModelRule,
    Preset,
    PriceCheck,
    State,
    TeamModel,
    TeamModelForm,
)
from generations.pipeline import describe
from tests.conftest import point_at, run_pipeline
from tests.generations.foreign import APP, WORKFLOW, Foreign
from tests.generations.views.reading import seen

BrowserOf = Callable[[Membership], Client]


@pytest.fixture
def foreign(settings: Any) -> Iterator[Foreign]:
    with Foreign() as running:
        point_at(settings, running.url)
        yield running


def posted(page: str) -> dict[str, Any]:
    """What a browser would send of the form that settles, as it stands."""
    form = page[page.index('name="mark"') - 40 :]
    form = form[: form.index("</form>")]
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name = re.search(r'name="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        is_box = 'type="checkbox"' in tag
        if name and (not is_box or " checked" in tag):
            found[name[1]] = html.unescape(value[1]) if value else ""
    for name_, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name_] = chosen[1] if chosen else ""
    for name_, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found[name_] = html.unescape(text)
    return found


def brought(client: Client, by: Membership, source: str, pasted: str) -> TeamModel:
    answer = client.post(reverse("own_models", args=[by.team.slug]), {"source": source, "pasted": pasted})
    assert answer.status_code == 302, answer.content
    model = TeamModel.objects.latest("pk")
    describe.describe(model.pk)
    model.refresh_from_db()
    return model


def page_of(model: TeamModel) -> str:
    return reverse("own_model", args=[model.team.slug, model.pk])


def settled(client: Client, model: TeamModel, **said: Any) -> Any:
    form = posted(client.get(page_of(model)).content.decode())
    return client.post(page_of(model), {**form, "kind": "picture", **said})


def an_app(client: Client, by: Membership, **said: Any) -> TeamModel:
    """In use, at a price, and asking for a text alone."""
    model = brought(client, by, "app", APP)
    form = {"use-0": "fix", "use-2": "leave", "use-3": "leave", **said}
    assert settled(client, model, **form).status_code == 302
    prices.put(
        by.team,
        by.user,
        model.slug,
        amount=Decimal("0.3"),
        currency="CNY",
        since=date(2026, 1, 1),
    )
    model.refresh_from_db()
    return model


def test_a_manager_brings_an_app_in_and_a_member_runs_it(
    foreign: Foreign, mona: Membership, bob: Membership, client_of: BrowserOf
) -> None:
    client = client_of(mona)
    model = brought(client, mona, "app", f"https://www.runninghub.cn/ai-detail/{APP}")
    page = client.get(page_of(model)).content.decode()
    assert "What to see" in page
    assert 'value="Boats"' in page
    answer = settled(
        client,
        model,
        **{"use-0": "fix", "label-1": "Your wish", "order-3": "0", "use-2": "leave", "title": "Boot"},
    )
    assert answer.status_code == 302
    spec = load.get(model.slug)
    assert [(p.key, p.label) for p in spec.params] == [("value", "steps"), ("prompt", "Your wish")]
    refused = client.post(reverse("studio_model", args=["tide", model.slug]), {"prompt": "x"})
    assert refused.status_code == 402  # nobody said yet what it costs
    price = {"amount": "0.3", "unit": "call", "since": f"{timezone.localdate()}", "note": ""}
    priced = client.post(reverse("price", args=["tide", model.slug]), price)
    assert priced.status_code == 302, priced.content.decode()
    member = client_of(bob)
    assert "Boot" in member.get(reverse("studio_model", args=["tide", model.slug])).content.decode()
    sent = member.post(
        reverse("studio_model", args=["tide", model.slug]), {"prompt": "a red boat", "value": "9"}
    )
    assert sent.status_code == 303, sent.content.decode()
    run_pipeline()
    row = Generation.objects.get()
    assert (row.status, row.title, row.cost_estimated) == (State.SUCCEEDED, "a red boat", Decimal("0.3"))
    shown = member.get(reverse("generation", args=["tide", row.pk])).content.decode()
    assert "Your wish" in shown
    assert "Boot" in member.get(reverse("library", args=["tide"]) + f"?model={model.slug}").content.decode()


def test_inputs_of_a_workflow_are_ticked_and_opened(
    foreign: Foreign, mona: Membership, client_of: BrowserOf
) -> None:
    client = client_of(mona)
    model = brought(client, mona, "workflow", WORKFLOW)
    form = posted(client.get(page_of(model)).content.decode())
    assert "use-0" not in form
    page = client.post(
        page_of(model), {**form, "title": "Dawn", "kind": "picture", "way": "take", "take-5": "1"}
    )
    assert page.status_code == 200
    assert "field__error" not in page.content.decode()
    opened = posted(page.content.decode())
    assert {"title": opened["title"], "use-5": opened["use-5"]} == {"title": "Dawn", "use-5": "ask"}
    assert not TeamModelForm.objects.exists()
    assert client.post(page_of(model), opened).status_code == 302
    assert [p.key for p in load.get(model.slug).params] == ["text"]


def test_it_is_a_model_by_rest_and_in_batches_and_drafts(
    foreign: Foreign, mona: Membership, bob: Membership, client_of: BrowserOf
) -> None:
    model = an_app(client_of(mona), mona)
    client, bearer = Client(), {"HTTP_AUTHORIZATION": f"Bearer {ApiToken.issue(bob)}"}
    listed = client.get("/api/v1/models", **bearer).json()["items"]
    assert [one["title"] for one in listed if one["slug"] == model.slug] == ["Boats"]
    schema = client.get(f"/api/v1/models/{model.slug}", **bearer).json()["params_schema"]
    assert set(schema["properties"]) == {"prompt", "_extra"}
    order = {"model": model.slug, "params": {"prompt": "by REST"}}
    made = client.post("/api/v1/generations", json.dumps(order), "application/json", **bearer)
    assert made.status_code == 201, made.content
    wrong = {"model": model.slug, "params": {"prompt": "x", "steps": 3}}
    refused = client.post("/api/v1/generations", json.dumps(wrong), "application/json", **bearer)
    assert refused.status_code == 422
    items = {"model": model.slug, "items": [{"params": {"prompt": "one"}}, {"params": {"prompt": "two"}}]}
    batch = client.post("/api/v1/batches", json.dumps(items), "application/json", **bearer)
    assert batch.status_code == 201, batch.content
    run_pipeline()
    assert Generation.objects.filter(status=State.SUCCEEDED, form=1).count() == 3
    kept = client_of(bob).post(reverse("draft_keep", args=["tide", model.slug]), {"prompt": "later"})
    assert kept.status_code in (200, 204, 302, 303)
    assert Draft.objects.get().model == model.slug
    assert "Boats" in client_of(bob).get(reverse("drafts", args=["tide"])).content.decode()


def test_another_team_knows_nothing_of_it(
    foreign: Foreign, mona: Membership, zoe: Membership, client_of: BrowserOf
) -> None:
    model = an_app(client_of(mona), mona)
    stranger = client_of(zoe)
    assert stranger.get(page_of(model)).status_code == 404
    assert stranger.get(reverse("own_model", args=["zoo", model.pk])).status_code == 404
    for address in ("studio_model", "price"):
        assert stranger.get(reverse(address, args=["zoo", model.slug])).status_code == 404
    sent = stranger.post(reverse("studio_model", args=["zoo", model.slug]), {"prompt": "x"})
    assert sent.status_code == 404
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {ApiToken.issue(zoe)}"}
    assert Client().get(f"/api/v1/models/{model.slug}", **bearer).status_code == 404
    order = {"model": model.slug, "params": {"prompt": "x"}}
    refused = Client().post("/api/v1/generations", json.dumps(order), "application/json", **bearer)
    assert refused.status_code in (404, 422)
    assert "Boats" not in refused.content.decode()
    filtered = stranger.get(reverse("library", args=["zoo"]) + f"?model={model.slug}")
    assert "Boats" not in filtered.content.decode()
    upload = reverse("upload_add", args=["zoo"]) + f"?model={model.slug}&param=image"
    assert stranger.post(upload).status_code == 404
    assert not Generation.objects.exists()


def test_a_colleague_may_use_it_but_not_settle_it_and_nobody_sees_it_signed_out(
    foreign: Foreign, mona: Membership, bob: Membership, client_of: BrowserOf, client: Client
) -> None:
    model = an_app(client_of(mona), mona)
    member = client_of(bob)
    assert member.get(reverse("own_models", args=["tide"])).status_code == 403
    assert member.get(page_of(model)).status_code == 403
    assert member.get(reverse("studio_model", args=["tide", model.slug])).status_code == 200
    assert client.get(page_of(model)).status_code == 302


def test_rules_and_taking_it_out_of_use_count(
    foreign: Foreign, mona: Membership, bob: Membership, client_of: BrowserOf
) -> None:
    manager, member = client_of(mona), client_of(bob)
    model = an_app(manager, mona)
    form = reverse("studio_model", args=["tide", model.slug])
    rules = {"what": [f"model:{model.slug}"], "audience": "nobody"}
    assert manager.post(reverse("model_rules", args=["tide"]), rules).status_code == 302
    assert member.get(form).status_code == 403
    ModelRule.objects.all().delete()
    assert manager.post(reverse("own_model_switch", args=["tide", model.pk])).status_code == 302
    assert member.get(form).status_code == 404
    assert model.slug not in member.get(reverse("models", args=["tide"])).content.decode()
    manager.post(reverse("own_model_switch", args=["tide", model.pk]), {"offered": "1"})
    assert member.get(form).status_code == 200


def test_fetching_again_shows_what_changed_and_replaces_nothing(
    foreign: Foreign, mona: Membership, client_of: BrowserOf
) -> None:
    client = client_of(mona)
    model = an_app(client, mona)
    foreign.nodes[1]["fieldValue"] = "a paper ship"
    foreign.nodes.append({"nodeId": "70", "fieldName": "seed", "fieldValue": "1", "fieldType": "STRING"})
    del foreign.nodes[3]
    client.post(reverse("own_model_refresh", args=["tide", model.pk]))
    describe.describe(model.pk)
    page = client.get(page_of(model)).content.decode()
    assert "What changed on RunningHub" in page
    assert "a paper boat → a paper ship" in page
    assert load.get(model.slug).form == 1
    client.post(reverse("own_model_leave", args=["tide", model.pk]))
    assert TeamModel.objects.get().found is None
    client.post(reverse("own_model_refresh", args=["tide", model.pk]))
    describe.describe(model.pk)
    assert settled(client, model).status_code == 302
    spec = load.get(model.slug)
    assert (spec.form, [(p.key, p.default) for p in spec.params]) == (
        2,
        [("prompt", "a paper ship"), ("seed", "1")],
    )


def fetched_again(client: Client, model: TeamModel) -> None:
    client.post(reverse("own_model_refresh", args=[model.team.slug, model.pk]))
    describe.describe(model.pk)


def test_what_changed_while_the_page_was_open_is_shown_before_it_counts(
    foreign: Foreign, mona: Membership, client_of: BrowserOf
) -> None:
    client = client_of(mona)
    model = an_app(client, mona)
    form = posted(client.get(page_of(model)).content.decode()) | {"label-1": "Typed meanwhile"}
    foreign.nodes[1]["fieldValue"] = "a paper ship"
    fetched_again(client, model)
    refused = client.post(page_of(model), form)
    page = refused.content.decode()
    assert refused.status_code == 422
    for words in ("RunningHub tells of it changed", "a paper boat → a paper ship", 'value="Typed meanwhile"'):
        assert words in page, words
    assert TeamModel.objects.get().number == 1
    taking = client.post(page_of(model), {**form, "way": "take"}).content.decode()
    assert "RunningHub tells of it changed" in taking
    assert client.post(page_of(model), posted(page)).status_code == 302
    assert TeamModel.objects.get().number == 2


def test_what_was_typed_stays_with_its_input_when_others_came_and_went(
    foreign: Foreign, mona: Membership, client_of: BrowserOf
) -> None:
    client = client_of(mona)
    model = brought(client, mona, "app", APP)
    form = posted(client.get(page_of(model)).content.decode()) | {"label-1": "Typed meanwhile"}
    foreign.nodes = [foreign.nodes[3], foreign.nodes[1], foreign.nodes[2]]
    fetched_again(client, model)
    shown = posted(client.post(page_of(model), form | {"kind": "picture"}).content.decode())
    labels = {shown[f"label-{at}"] for at in range(3)}
    assert labels == {"steps", "Typed meanwhile", "风格"}
    assert client.post(page_of(model), shown).status_code == 302
    assert {p.key: p.label for p in load.get(model.slug).params}["prompt"] == "Typed meanwhile"


def test_two_managers_do_not_overwrite_each_other(
    foreign: Foreign, mona: Membership, client_of: BrowserOf
) -> None:
    client = client_of(mona)
    model = an_app(client, mona)
    form = posted(client.get(page_of(model)).content.decode())
    data = TeamModelForm.objects.get().data
    seen = own_models.mark(model, own_models.latest(model))
    assert client.post(page_of(model), {**form, "title": "Theirs"}).status_code == 302
    late = client.post(page_of(model), {**form, "title": "Mine"})
    page = late.content.decode()
    assert (late.status_code, "Somebody settled it while you were at it" in page) == (422, True)
    assert 'value="Mine"' in page
    with pytest.raises(own_models.Moved, match="Somebody settled it"):
        own_models.settle(model, mona.user, data, None, seen)
    assert load.get(model.slug).title == "Theirs"
    assert client.post(page_of(model), posted(page)).status_code == 302
    assert load.get(model.slug).title == "Mine"


def test_faults_are_said_and_the_form_comes_back_filled(
    foreign: Foreign, mona: Membership, client_of: BrowserOf
) -> None:
    client = client_of(mona)
    model = brought(client, mona, "app", APP)
    answer = settled(
        client,
        model,
        title="",
        kind="poem",
        **{"label-1": "", "help-1": "Kept", "use-3": "fix", "start-3": "many"},
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    for words in (
        "Give it a name.",
        "Choose what it makes.",
        "do not ask for it",
        "whole number",
        'value="Kept"',
    ):
        assert words in page, words
    moved = settled(client, model, mark="of another time")
    assert (moved.status_code, "while you were at it" in moved.content.decode()) == (422, True)
    assert not TeamModelForm.objects.exists()


def test_an_app_with_the_most_inputs_there_may_be_is_settled(
    foreign: Foreign, mona: Membership, client_of: BrowserOf
) -> None:
    foreign.nodes = [foreign.nodes[3] | {"nodeId": str(number)} for number in range(MOST_FIELDS)]
    client = client_of(mona)
    model = brought(client, mona, "app", APP)
    assert settled(client, model, title="Many").status_code == 302
    assert len(load.get(model.slug).params) == MOST_FIELDS


def test_a_long_text_stays_out_of_the_form_and_is_told(
    foreign: Foreign, mona: Membership, client_of: BrowserOf
) -> None:
    foreign.nodes[1]["fieldValue"] = "A very long tale. " * 1_000
    client = client_of(mona)
    model = brought(client, mona, "app", APP)
    page = client.get(page_of(model)).content.decode()
    assert posted(page)["start-1"] == ""
    assert "Left empty, it goes as it comes: A very long tale." in page


def test_what_cannot_be_kept_whole_is_named_and_the_form_comes_back_filled(
    foreign: Foreign, mona: Membership, client_of: BrowserOf
) -> None:
    foreign.nodes[1]["fieldValue"] = "x" * 300_000
    client = client_of(mona)
    model = brought(client, mona, "app", APP)
    answer = settled(client, model, title="Typed", **{"use-1": "leave"})
    page = answer.content.decode()
    assert answer.status_code == 422
    there = page.partition('id="input-1"')[2].partition("</fieldset>")[0]
    assert "What it comes with cannot be kept whole" in there
    assert page.count("What it comes with cannot be kept whole") == 1
    assert 'value="Typed"' in page
    assert settled(client, model, **{"start-1": "a boat"}).status_code == 302


def test_a_password_is_never_shown(foreign: Foreign, mona: Membership, client_of: BrowserOf) -> None:
    client = client_of(mona)
    model = an_app(client, mona, password="sesame street")
    page = client.get(page_of(model)).content.decode()
    assert "sesame" not in page + json.dumps(list(AuditEntry.objects.values("before", "after")), default=str)
    assert TeamModel.objects.get().password == "sesame street"
    settled(client, model)
    assert TeamModel.objects.get().password == "sesame street"
    settled(client, model, forget_password="on")
    assert TeamModel.objects.get().password == ""


def test_every_step_stands_in_the_audit_trail(
    foreign: Foreign, mona: Membership, client_of: BrowserOf
) -> None:
    client = client_of(mona)
    model = an_app(client, mona)
    client.post(reverse("own_model_switch", args=["tide", model.pk]))
    told = list(AuditEntry.objects.filter(action__startswith="model.").values_list("action", flat=True))
    assert told == ["model.added", "model.settled", "model.switched"]


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("", "Paste the address"),
        ("boats", "There is no id in this"),
        (f"/ai-detail/{APP}", "has this one already"),
    ],
)
def test_what_cannot_be_brought_in_says_why(
    foreign: Foreign, mona: Membership, client_of: BrowserOf, pasted: str, words: str
) -> None:
    client = client_of(mona)
    brought(client, mona, "app", APP)
    answer = client.post(reverse("own_models", args=["tide"]), {"source": "app", "pasted": pasted})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert TeamModel.objects.count() == 1


def test_the_page_looks_again_while_it_is_fetched(
    foreign: Foreign, mona: Membership, client_of: BrowserOf
) -> None:
    client = client_of(mona)
    model = own_models.add(mona.team, mona.user, "app", APP)
    page = client.get(page_of(model)).content.decode()
    assert 'hx-trigger="every 2s"' in page
    asked = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "own-state"}
    assert "HX-Refresh" not in client.get(page_of(model), **asked)
    describe.describe(model.pk)
    assert client.get(page_of(model), **asked)["HX-Refresh"] == "true"


def test_lists_cost_the_same_with_one_model_of_its_own_and_with_many(
    foreign: Foreign,
    mona: Membership,
    client_of: BrowserOf,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    make_generation: Callable[..., Generation],
) -> None:
    client = client_of(mona)
    make_generation(mona, model=an_app(client, mona).slug, form=1)
    data = TeamModelForm.objects.get().data

    def counted(address: str) -> int:
        with django_assert_max_num_queries(200) as found:
            assert client.get(address).status_code == 200
        return len(found)

    pages = [
        reverse(name, args=["tide"]) for name in ("models", "own_models", "prices", "model_rules", "library")
    ]
    for address in pages:
        client.get(address)
    first = [counted(address) for address in pages]
    for number in range(5):
        more = own_models.add(mona.team, mona.user, "app", f"{10**12 + number}")
        TeamModel.objects.filter(pk=more.pk).update(found={"title": "Boats", "facts": []})
        own_models.settle(more, mona.user, {**data, "title": f"Boats {number}"}, None)
        make_generation(mona, model=more.slug, form=1)
    own_models._current.clear()
    after = [counted(address) for address in pages]
    assert after[:4] == first[:4]
    assert after[4] <= first[4] + 1  # the names of all of them at once


def test_its_price_is_not_asked_of_runninghub(
    foreign: Foreign, mona: Membership, client_of: BrowserOf
) -> None:
    client = client_of(mona)
    model = an_app(client, mona)
    ask = reverse("price_check", args=["tide", model.slug])
    assert ask not in client.get(reverse("studio_model", args=["tide", model.slug])).content.decode()
    client.post(ask, {"prompt": "x"})
    assert not PriceCheck.objects.exists()


def test_a_result_can_go_into_it(
    foreign: Foreign, mona: Membership, client_of: BrowserOf, make_generation: Callable[..., Generation]
) -> None:
    client = client_of(mona)
    model = an_app(client, mona, **{"use-0": "ask"})
    row = make_generation(mona, outputs=1)
    row.outputs.update(kind="image", extension="png", content_type="image/png", width=24, height=16)
    page = client.get(reverse("generation", args=["tide", row.pk])).content.decode()
    form = reverse("studio_model", args=["tide", model.slug]) + f"?use={row.pk}/0"
    assert form in page
    assert f"output:{row.pk}/0" in client.get(form).content.decode()


def test_a_text_can_be_taken_for_a_voice_and_keeps_the_rights_of_voices(
    foreign: Foreign,
    mona: Membership,
    bob: Membership,
    carol: Membership,
    zoe: Membership,
    client_of: BrowserOf,
    make_voice: Callable[..., Any],
) -> None:
    model = an_app(client_of(mona), mona, **{"type-1": "VOICE", "label-1": "Who speaks", "start-1": ""})
    (param,) = load.get(model.slug).params
    assert (param.widget, param.type.value, param.label) == ("voice", "STRING", "Who speaks")
    mine = make_voice(bob, "Harbour", audience="owner")
    strange = make_voice(zoe, "Zoo")
    page = reverse("studio_model", args=["tide", model.slug])
    text = client_of(bob).get(page).content.decode()
    assert mine.voice_id in text
    assert "Wise_Woman" in text
    assert strange.voice_id not in text
    for browser, voice, status in (
        (client_of(bob), mine, 303),
        (client_of(carol), mine, 422),
        (client_of(bob), strange, 422),
    ):
        assert browser.post(page, {"prompt": voice.voice_id}).status_code == status
    run_pipeline()
    assert foreign.started[-1][1]["nodeInfoList"][1]["fieldValue"] == mine.voice_id
    form = client_of(mona).get(page_of(model)).content.decode()
    assert '<option value="VOICE" selected>' in form


def test_only_one_input_is_a_voice(foreign: Foreign, mona: Membership, client_of: BrowserOf) -> None:
    client = client_of(mona)
    model = brought(client, mona, "workflow", WORKFLOW)
    opened = posted(client.get(page_of(model)).content.decode())
    names = {f"take-{n}": "1" for n in range(30)}
    opened = posted(client.post(page_of(model), {**opened, **names, "way": "take"}).content.decode()) | {
        "kind": "speech",
        "title": "Two",
    }
    texts = [name for name in opened if name.startswith("type-") and opened[name] == "STRING"]
    assert len(texts) > 1
    empty = {name.replace("type", "start"): "" for name in texts}
    answer = client.post(page_of(model), {**opened, **dict.fromkeys(texts, "VOICE"), **empty})
    assert answer.status_code == 422
    assert "Only one input can be taken for a voice." in answer.content.decode()
    one = {**opened, texts[0]: "VOICE"}
    answer = client.post(page_of(model), one)
    assert "It can begin with a voice of the system only." in answer.content.decode()
    assert client.post(page_of(model), one | empty).status_code == 302


def test_presets_of_a_model_of_the_team(
    foreign: Foreign,
    mona: Membership,
    bob: Membership,
    carol: Membership,
    zoe: Membership,
    client_of: BrowserOf,
) -> None:
    model = an_app(client_of(mona), mona, **{"use-2": "ask", "use-3": "ask"})
    page = reverse("studio_model", args=["tide", model.slug])
    filled = {"prompt": "A boat", "select": "1", "value": "31"}
    asked = seen(client_of(bob).post(f"{page}preset/new/", filled), "preset").sent()
    answer = client_of(bob).post(f"{page}preset/save/", {**asked, "name": "Ink", "shared": "on"})
    assert answer.status_code in (200, 302), answer.content
    preset = Preset.objects.get()
    assert (preset.model, preset.name, preset.shared) == (model.slug, "Ink", True)
    assert {key: str(value) for key, value in preset.params.items()} == {"select": "1", "value": "31"}
    chosen = {"prompt": "Another", "_preset": str(preset.pk)}
    text = client_of(carol).post(f"{page}preset/", chosen, follow=True).content.decode()
    assert "Another" in text
    assert 'value="31"' in text
    other = reverse("studio_model", args=["zoo", model.slug])
    assert client_of(zoe).post(f"{other}preset/save/", filled).status_code == 404
    assert client_of(zoe).post(f"{other}preset/", chosen).status_code == 404
    # Settled anew without one of them, the preset gives what there still is, and the form says nothing wrong.
    assert settled(client_of(mona), model, **{"use-3": "fix"}).status_code == 302
    text = client_of(carol).post(f"{page}preset/", chosen, follow=True).content.decode()
    assert "Another" in text
    client_of(mona).post(reverse("own_model_switch", args=["tide", model.pk]))
    assert client_of(carol).post(f"{page}preset/", chosen).status_code == 404
