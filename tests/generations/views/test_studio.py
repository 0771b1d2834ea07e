"""Create, from outside: what a browser sends and what it gets."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Action, Allowance, Measure, Membership, Mode, Period, Scope, Team
from generations.catalogue import load
from generations.catalogue.spec import ModelSpec, ParamSpec, ParamType
from generations.models import Generation, State, Upload, Voice
from tests.conftest import MODEL, tone
from tests.effort import thorough, tries
from tests.generations.catalogue.facts import SOUNDS
from tests.generations.media.samples import film, mp3_bytes
from tests.generations.views.reading import seen

SPECS = SOUNDS
AT_ONCE = (
    "rhart-audio/text-to-audio/speech-2.8-hd",
    "rhart-audio/text-to-audio/voice-clone",
    "minimax/music-2.6/text-to-music",
    "rhart-audio/suno-v5.5/custom",
    "rhart-audio/source-separation",
    "bytedance/doubao-seed-audio-1.0",
    "minimax/music-cover",
    "mureka-ai/mureka-v9/generate-song",
)
"""Models that have every kind of control between them; the long form tries all."""
FORMS = [pytest.param(s, id=s.slug) if s.endpoint in AT_ONCE else thorough(s, id=s.slug) for s in SOUNDS]
SPEECH = "rhart-audio--text-to-audio--speech-2.8-hd"
CLONE = "rhart-audio--text-to-audio--voice-clone"
PAGE = f"/t/tide/create/{MODEL}/"
VOICE = {
    "_voice_name": "Harbour",
    "_voice_audience": "everyone",
    "_voice_speaker": "Ada Byron",
    "_voice_consent": "1",
}
"""What a form that makes a voice asks besides."""
HOSTILE = [
    "\x00",
    "\ud800",
    "<script>alert(1)</script>",
    "{{ 7*7 }}",
    "' OR 1=1 --",
    "9" * 400,
    "NaN",
    "-inf",
]


def example(spec: ModelSpec) -> dict[str, Any]:
    """What a sensible member posts, files left out."""
    return dict(spec.example) | {param.key: None for param in spec.params if param.type.is_media}


def body(spec: ModelSpec, **changes: Any) -> dict[str, Any]:
    keys = {param.key for param in spec.params}
    filled = {key: value for key, value in example(spec).items() if key in keys}
    about = VOICE if any(param.widget == "new_voice" for param in spec.params) else {}
    posted = {key: _text(value) for key, value in {**filled, **about, **changes}.items() if value is not None}
    return posted | {param.key: file_for(param) for param in asked_files(spec)}


def asked_files(spec: ModelSpec) -> list[ParamSpec]:
    return [param for param in spec.params if param.type.is_media and param.required]


def file_for(param: ParamSpec) -> SimpleUploadedFile:
    if param.type is ParamType.VIDEO:
        return SimpleUploadedFile("film.mov", film(tone()[44:], channels=1, rate=8000), "video/quicktime")
    seconds = param.min_seconds or 1
    if "wav" not in param.accept:
        return SimpleUploadedFile("voice.mp3", mp3_bytes(seconds), "audio/mpeg")
    return SimpleUploadedFile("voice.wav", tone(seconds), "audio/wav")


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def limit(team: Team, amount: str, **fields: Any) -> None:
    put = {"scope": Scope.DEFAULT, "measure": Measure.SPEND, "period": Period.WEEK, "mode": Mode.LIMITED}
    Allowance.put(team, **{**put, **fields}, limit=Decimal(amount))


@pytest.mark.thorough
@pytest.mark.parametrize("spec", FORMS)
def test_every_model_has_a_form_with_its_defaults(alice: Membership, client_of: Any, spec: ModelSpec) -> None:
    page = seen(client_of(alice).get(f"/t/tide/create/{spec.slug}/"))
    for param in spec.params:
        if param.hidden or param.type.is_media:
            continue
        control = page.attributes[param.key]
        assert control["id" if control.get("type") != "radio" else "name"]
        if param.default is not None:
            want = str(param.default).lower() if isinstance(param.default, bool) else str(param.default)
            assert page.values[param.key][-1] == want


@pytest.mark.parametrize("name", ["alice", "mona", "bob", "vera"])
def test_members_of_every_role_can_read_the_page(
    name: str, client_of: Any, request: pytest.FixtureRequest
) -> None:
    client = client_of(request.getfixturevalue(name))
    assert client.get("/t/tide/create/").status_code == 200
    assert client.get(PAGE).status_code == 200


def test_a_stranger_finds_nothing_and_a_visitor_is_asked_to_sign_in(
    team: Team, zoe: Membership, client_of: Any, client: Any
) -> None:
    assert client_of(zoe).get(PAGE).status_code == 404
    assert client_of(zoe).post(PAGE, {"prompt": "x"}).status_code == 404
    assert client.get(PAGE).status_code == 302
    assert client.post(PAGE, {"prompt": "x"}).status_code == 302
    assert not Generation.objects.exists()


def test_a_viewer_may_not_generate_and_is_told_so(vera: Membership, client_of: Any) -> None:
    client = client_of(vera)
    assert "You are a viewer" in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"prompt": "x"}).status_code == 403
    assert not Generation.objects.exists()


def test_an_unknown_model_is_not_found(alice: Membership, client_of: Any) -> None:
    assert client_of(alice).get("/t/tide/create/nothing/").status_code == 404
    assert client_of(alice).post("/t/tide/create/nothing/", {"prompt": "x"}).status_code == 404


@pytest.mark.parametrize("spec", FORMS)
def test_a_filled_form_makes_one_generation_with_wire_values(
    alice: Membership, client_of: Any, spec: ModelSpec
) -> None:
    Team.objects.update(unknown_price=Team.UnknownPrice.ALLOW)
    client = client_of(alice)
    address = f"/t/tide/create/{spec.slug}/"
    posted = seen(client.get(address)).sent() | body(spec)
    answer = client.post(address, posted)
    made = Generation.objects.get()
    assert answer.status_code == 303
    assert answer["Location"] == f"{address}?from={made.pk}"
    want = spec.clean({**spec.example, **example_strict(spec)})
    assert json.loads(json.dumps(made.params)) == want
    assert made.author == alice.user
    assert made.status == State.QUEUED


def needed_by(spec: ModelSpec) -> list[ParamSpec]:
    """What a member has to fill in; some models make something of nothing."""
    return [p for p in spec.params if p.required and p.default is None and not p.hidden]


def example_strict(spec: ModelSpec) -> dict[str, Any]:
    media = [param.key for param in asked_files(spec)]
    reference = Upload.objects.get().reference if media else ""
    return dict.fromkeys(media, reference)


def test_after_sending_the_form_keeps_its_values_and_the_rail_has_the_card(
    alice: Membership, client_of: Any
) -> None:
    client = client_of(alice)
    answer = client.post(
        PAGE, {"prompt": "Rain on a tin roof", "format": "wav", "_title": "Roof"}, follow=True
    )
    page = seen(answer)
    assert page.values["prompt"] == ["Rain on a tin roof"]
    assert page.values["format"] == ["wav"]
    assert page.values["_title"] == ["Roof"]
    assert f"job-{Generation.objects.get().pk}" in page.texts
    assert "Waiting" in page.texts["now-list"]


def test_a_title_taken_from_the_text_is_not_put_into_the_form(alice: Membership, client_of: Any) -> None:
    answer = client_of(alice).post(PAGE, {"prompt": "Rain " * 40}, follow=True)
    assert seen(answer).values["_title"] == [""]


@pytest.mark.thorough
@pytest.mark.parametrize("spec", [form for form in FORMS if needed_by(form.values[0])])
def test_each_missing_value_comes_back_with_a_sentence(
    alice: Membership, client_of: Any, spec: ModelSpec
) -> None:
    client = client_of(alice)
    needed = needed_by(spec)
    answer = client.post(f"/t/tide/create/{spec.slug}/", {param.key: "" for param in needed})
    page = seen(answer)
    assert answer.status_code == 422
    for param in needed:
        assert page.error(param.key), param.key
        assert page.attributes[param.key]["aria-invalid"] == "true"
        assert f"p-{param.key}-error" in (page.attributes[param.key]["aria-describedby"] or "")
    assert not Generation.objects.exists()


def wrong_values(param: ParamSpec) -> list[str]:
    """Values that this param cannot take, hostile ones among them."""
    bad = ["\x00", "a\x00b", "\x1b[2J"] if param.type is ParamType.STRING else list(HOSTILE)
    if param.max_length and not param.multiple:
        bad.append("x" * (param.max_length + 1))
    if param.min is not None:
        bad += [str(param.min - 1), str((param.max or 0) + 1), "1e400", "٣", "0x10", "1,5"]
    if param.pattern and not param.widget:
        bad.append("!!!!!!!!!!")
    return [value.encode("utf-8", "replace").decode() for value in bad]


TRIED = {(SPEECH, "text"), (SPEECH, "speed")}
OPEN = [(spec, p) for spec in SOUNDS for p in spec.params if not p.hidden and not p.type.is_media]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("spec", "param"),
    [
        (pytest.param if (spec.slug, param.key) in TRIED else thorough)(
            spec, param, id=f"{spec.title}-{param.key}"
        )
        for spec, param in OPEN
    ],
)
def test_a_wrong_value_comes_back_as_it_was_with_a_sentence_at_its_field(
    alice: Membership, client_of: Any, spec: ModelSpec, param: ParamSpec
) -> None:
    client, address = client_of(alice), f"/t/tide/create/{spec.slug}/"
    for value in wrong_values(param):
        answer = client.post(address, body(spec, **{param.key: value}))
        page = seen(answer)
        assert answer.status_code == 422, value
        assert page.error(param.key), value
        assert page.attributes[param.key]["aria-invalid"] == "true"
        assert "<script>alert" not in answer.content.decode()
        if param.type is not ParamType.BOOLEAN:
            assert page.values[param.key][-1].strip() == value.strip()
        if spec.prompt_param and spec.prompt_param != param.key:
            assert page.values[spec.prompt_param] == [body(spec)[spec.prompt_param]]
    assert not Generation.objects.exists()


def test_a_setting_nobody_knows_is_named(alice: Membership, client_of: Any) -> None:
    answer = client_of(alice).post(PAGE, {"prompt": "Rain", "<b>tempo</b>": "120"})
    assert answer.status_code == 422
    assert "no setting called “&lt;b&gt;tempo&lt;/b&gt;”" in answer.content.decode()
    assert seen(answer).values["prompt"] == ["Rain"]
    assert not Generation.objects.exists()


def test_a_hidden_setting_cannot_be_changed(alice: Membership, client_of: Any) -> None:
    spec = load.get(SPEECH)
    answer = client_of(alice).post(f"/t/tide/create/{SPEECH}/", body(spec, enable_base64_output="true"))
    assert answer.status_code == 422
    assert "is fixed and cannot be changed" in answer.content.decode()


@pytest.mark.parametrize("title", ["x" * 201, "a\x00b"])
def test_a_title_that_cannot_be_kept_comes_back(alice: Membership, client_of: Any, title: str) -> None:
    answer = client_of(alice).post(PAGE, {"prompt": "Rain", "_title": title})
    page = seen(answer)
    assert answer.status_code == 422
    assert page.error("-title")
    assert page.values["_title"] == [title]
    assert page.values["prompt"] == ["Rain"]


@pytest.mark.parametrize("enforce", [False, True])
def test_ten_megabytes_are_answered_with_a_sentence(alice: Membership, enforce: bool) -> None:
    client = Client(enforce_csrf_checks=enforce)
    client.force_login(alice.user)
    answer = client.post(PAGE, {"prompt": "x" * 10 * 1024**2})
    assert answer.status_code == 422
    assert "more than can be read at once" in answer.content.decode()
    assert not Generation.objects.exists()


def test_a_form_without_its_token_is_refused(alice: Membership) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice.user)
    assert client.post(PAGE, {"prompt": "Rain"}).status_code == 403
    page = seen(client.get(PAGE))
    assert client.post(PAGE, page.sent() | {"prompt": "Rain"}).status_code == 303


def test_an_unchecked_switch_says_no(alice: Membership, client_of: Any) -> None:
    client, address = client_of(alice), f"/t/tide/create/{CLONE}/"
    earlier = client.post(address, body(load.get(CLONE), need_noise_reduction=["false", "true"]), follow=True)
    assert Generation.objects.get().params["need_noise_reduction"] is True
    again = seen(earlier).sent() | {"need_noise_reduction": "false", "_voice_consent": "1"}
    client.post(address, again)
    assert Generation.objects.order_by("-id")[0].params["need_noise_reduction"] is False


def test_a_form_sent_twice_makes_one_generation(alice: Membership, client_of: Any) -> None:
    client = client_of(alice)
    posted = seen(client.get(PAGE)).sent() | {"prompt": "Rain"}
    first, second = client.post(PAGE, posted), client.post(PAGE, posted)
    assert first["Location"] == second["Location"]
    assert Generation.objects.count() == 1


def test_a_form_with_a_file_sent_twice_makes_one_generation_and_one_upload(
    alice: Membership, client_of: Any
) -> None:
    client, spec = client_of(alice), load.get(CLONE)
    once = {"_once": uuid.uuid4().hex}
    for _ in range(2):
        assert client.post(f"/t/tide/create/{CLONE}/", body(spec) | once).status_code == 303
    assert (Generation.objects.count(), Upload.objects.count()) == (1, 1)


def test_a_changed_text_in_the_same_form_is_a_new_generation(alice: Membership, client_of: Any) -> None:
    client = client_of(alice)
    posted = seen(client.get(PAGE)).sent()
    for prompt in ["Rain", "Snow", "Snow"]:
        assert client.post(PAGE, posted | {"prompt": prompt}).status_code == 303
    assert sorted(Generation.objects.values_list("title", flat=True)) == ["Rain", "Snow"]


def test_a_fresh_form_with_the_same_text_is_a_new_generation(alice: Membership, client_of: Any) -> None:
    client = client_of(alice)
    for _ in range(2):
        client.post(PAGE, seen(client.get(PAGE)).sent() | {"prompt": "Rain"})
    assert Generation.objects.count() == 2


def test_a_file_is_kept_when_something_else_is_wrong(alice: Membership, client_of: Any) -> None:
    client, address = client_of(alice), f"/t/tide/create/{CLONE}/"
    answer = client.post(address, body(load.get(CLONE), custom_voice_id="no"))
    page = seen(answer)
    kept = Upload.objects.get()
    assert answer.status_code == 422
    assert page.values["audio"] == [kept.reference]
    assert "voice.wav" in answer.content.decode()
    again = {**page.sent(), "custom_voice_id": "Harbour01"}
    assert client.post(address, again).status_code == 303
    assert Generation.objects.get().params["audio"] == kept.reference
    assert Upload.objects.count() == 1


def test_a_file_that_is_no_sound_comes_back_with_a_sentence(alice: Membership, client_of: Any) -> None:
    posted = body(load.get(CLONE)) | {"audio": SimpleUploadedFile("voice.mp3", b"<html>not sound</html>")}
    answer = client_of(alice).post(f"/t/tide/create/{CLONE}/", posted)
    page = seen(answer)
    assert answer.status_code == 422
    assert page.error("audio")
    assert page.values["custom_voice_id"] == ["Harbour01"]
    assert not Upload.objects.exists()
    assert not Generation.objects.exists()


def test_another_teams_upload_cannot_be_used(alice: Membership, zoe: Membership, client_of: Any) -> None:
    client_of(zoe).post(f"/t/zoo/create/{CLONE}/", body(load.get(CLONE)))
    stolen = body(load.get(CLONE)) | {"audio": Upload.objects.get().reference}
    answer = client_of(alice).post(f"/t/tide/create/{CLONE}/", stolen)
    assert answer.status_code == 422
    assert seen(answer).error("audio")
    assert "voice.wav" not in answer.content.decode()


def test_over_a_limit_the_page_says_why_and_keeps_the_form(
    bob: Membership, mona: Membership, client_of: Any
) -> None:
    limit(bob.team, "0.50")
    answer = client_of(bob).post(PAGE, {"prompt": "Rain", "format": "wav"})
    page, html = seen(answer), answer.content.decode()
    assert answer.status_code == 402
    for part in [
        "Spend per week",
        "¥0.80",
        "¥0.50",
        "¥0.30",
        "mona@example.com",
        "Not sent, nothing charged",
    ]:
        assert part in html
    assert page.values["prompt"] == ["Rain"]
    assert page.values["format"] == ["wav"]
    assert not Generation.objects.exists()


def test_a_manager_is_led_to_the_limit_that_refused(alice: Membership, client_of: Any) -> None:
    limit(alice.team, "0", scope=Scope.POOL, measure=Measure.COUNT, period=Period.DAY)
    answer = client_of(alice).post(PAGE, {"prompt": "Rain"})
    assert answer.status_code == 402
    assert "/t/tide/team/limits/pool/" in answer.content.decode()
    assert "Team pool, generations per day" in answer.content.decode()


def test_a_limit_on_what_runs_at_once_says_when_it_goes_on(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    limit(bob.team, "1", measure=Measure.CONCURRENT, period=Period.NONE)
    make_generation(bob, status=State.RUNNING)
    answer = client_of(bob).post(PAGE, {"prompt": "Rain"})
    assert answer.status_code == 402
    assert "As soon as one of those under way has ended" in answer.content.decode()


def test_a_text_that_costs_too_much_is_told_its_length(bob: Membership, client_of: Any) -> None:
    limit(bob.team, "0.31")
    posted = body(load.get(SPEECH), text="x" * 1000)
    answer = client_of(bob).post(f"/t/tide/create/{SPEECH}/", posted)
    assert answer.status_code == 402
    assert "With at most 500 characters" in answer.content.decode()


def test_a_limit_that_only_warns_lets_it_through_and_says_so(bob: Membership, client_of: Any) -> None:
    limit(bob.team, "0.50", action=Action.WARN)
    answer = client_of(bob).post(PAGE, {"prompt": "Rain"}, follow=True)
    assert "passes the limit “Spend per week”" in answer.content.decode()
    assert Generation.objects.count() == 1


def test_an_earlier_generation_fills_the_form(
    bob: Membership, alice: Membership, client_of: Any, make_generation: Any
) -> None:
    earlier = make_generation(alice, params={"prompt": "Fog & <bells>", "format": "wav"}, title="Bells")
    page = seen(client_of(bob).get(f"{PAGE}?from={earlier.pk}"))
    assert page.values["prompt"] == ["Fog & <bells>"]
    assert page.values["format"] == ["wav"]
    assert page.values["_title"] == ["Bells"]


@pytest.mark.parametrize("given", ["nonsense", "01a2040d-74c0-7a1c-a75c-b8a8871ccc87", "\x00"])
def test_an_earlier_generation_that_is_not_there_is_not_found(
    alice: Membership, client_of: Any, given: str
) -> None:
    assert client_of(alice).get(PAGE, {"from": given}).status_code == 404


def test_another_teams_generation_does_not_fill_the_form(
    alice: Membership, zoe: Membership, client_of: Any, make_generation: Any
) -> None:
    foreign = make_generation(zoe)
    assert client_of(alice).get(PAGE, {"from": str(foreign.pk)}).status_code == 404


def test_the_page_opens_with_the_model_used_last(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    client = client_of(bob)
    assert "Music 2.6 Instrumental" in seen(client.get("/t/tide/create/")).texts["form-title"]
    make_generation(bob, model=SPEECH, kind="speech")
    assert seen(client.get("/t/tide/create/")).texts["form-title"] == "Speech 2.8 HD"
    make_generation(bob, model="gone--from--the--catalogue")
    assert "Instrumental" in seen(client.get("/t/tide/create/")).texts["form-title"]


def test_an_example_can_be_tried(alice: Membership, client_of: Any) -> None:
    page = seen(client_of(alice).get(f"{PAGE}?example=1"))
    assert page.values["prompt"] == [load.get(MODEL).example["prompt"]]


def test_more_rows_do_not_mean_more_queries(
    alice: Membership, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    def rows(times: int) -> None:
        for _ in range(times):
            make_generation(alice, outputs=2)
            make_generation(bob, status=State.QUEUED)
            make_generation(bob, status=State.RUNNING)
            make_generation(alice, status=State.FAILED)

    client = client_of(alice)
    rows(2)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    rows(5)
    with CaptureQueriesContext(connection) as many:
        client.get(PAGE)
    assert len(many) <= len(few) + 1  # the count of what has no card
    assert len(few) <= 30  # two of them for the notices and what is unread, which every page shows


OURS = {"_title", "_once", "x", "", "csrfmiddlewaretoken"}
KEYS = sorted({param.key for spec in SPECS for param in spec.params} | OURS)
ODD = ["", "true", "1", "1e9", "upload:x", "\x00", "NaN", "[]", "{"]
TEXTS = st.lists(st.one_of(st.text(max_size=60), st.sampled_from(ODD)), min_size=1, max_size=3)


@settings(max_examples=tries(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    slug=st.sampled_from([spec.slug for spec in SPECS]),
    data=st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), TEXTS, max_size=8),
    quote=st.booleans(),
)
def test_whatever_is_posted_is_answered(
    alice: Membership, client_of: Any, slug: str, data: dict[str, list[str]], quote: bool
) -> None:
    address = f"/t/tide/create/{slug}/" + ("quote/" if quote else "")
    posted = urlencode(data, doseq=True, errors="replace")
    answer = client_of(alice).post(address, posted, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in ({200} if quote else {303, 422})


def test_raw_bytes_that_are_no_text_are_answered(alice: Membership, client_of: Any) -> None:
    answer = client_of(alice).post(
        PAGE, b"prompt=%ED%A0%80%FF%00&%FF=%FE", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 422
    broken = client_of(alice).post(PAGE, b"--x\r\nnonsense", content_type="multipart/form-data; boundary=x")
    assert broken.status_code == 422
    worse = client_of(alice).post(PAGE, b"nonsense", content_type="multipart/form-data")
    assert worse.status_code == 422


@pytest.mark.thorough
def test_the_form_of_a_clone_asks_for_name_speaker_and_consent(
    alice: Membership, bob: Membership, client_of: Any
) -> None:
    client, address = client_of(alice), f"/t/tide/create/{CLONE}/"
    told = {**body(load.get(CLONE)), "_voice_audience": "some", "_voice_members": [str(bob.user_id)]}
    bad = {key: "" for key in VOICE if key != "_voice_audience"}
    answer = client.post(address, told | bad)
    page = seen(answer)
    assert answer.status_code == 422
    for part in ("_voice_name", "_voice_speaker", "_voice_consent"):
        assert page.texts[f"p-{part.replace('_', '-', 1)}-error"], part
    assert page.values["_voice_audience"] == ["some"]
    assert page.values["_voice_members"] == [str(bob.user_id)]
    assert not Generation.objects.exists()
    again = page.sent() | {"_voice_name": "Harbour", "_voice_speaker": "Ada", "_voice_consent": "1"}
    assert client.post(address, again).status_code == 303
    voice = Voice.objects.get()
    assert (voice.name, voice.speaker, voice.audience) == ("Harbour", "Ada", "some")
    assert [grant.user for grant in voice.grants.all()] == [bob.user]


@pytest.mark.thorough
def test_people_without_a_choice_come_back_with_a_sentence(alice: Membership, client_of: Any) -> None:
    answer = client_of(alice).post(
        f"/t/tide/create/{CLONE}/", body(load.get(CLONE), _voice_audience="some", _voice_name="Harbour")
    )
    assert answer.status_code == 422
    assert "p--voice_members-error" in seen(answer).texts
    assert seen(answer).values["_voice_name"] == ["Harbour"]


@pytest.mark.thorough
def test_a_taken_id_is_said_at_its_field(
    alice: Membership, zoe: Membership, make_voice: Any, client_of: Any
) -> None:
    make_voice(zoe, voice_id="Harbour01")
    answer = client_of(alice).post(f"/t/tide/create/{CLONE}/", body(load.get(CLONE)))
    assert answer.status_code == 422
    assert "taken" in seen(answer).error("custom_voice_id")


def test_an_earlier_clone_comes_back_without_its_id_and_without_the_consent(
    alice: Membership, client_of: Any
) -> None:
    client, address = client_of(alice), f"/t/tide/create/{CLONE}/"
    client.post(address, body(load.get(CLONE)))
    made = Generation.objects.get()
    assert made.params["custom_voice_id"] == "Harbour01"
    page = seen(client.get(f"{address}?from={made.pk}"))
    assert page.values["custom_voice_id"] == [""]
    assert page.values["_voice_name"] == ["Harbour"]
    assert page.values["_voice_speaker"] == ["Ada Byron"]
    assert "_voice_consent" not in page.values
    again = client.post(f"/t/tide/g/{made.pk}/again/")
    assert again["Location"] == f"{address}?from={made.pk}"
    assert Generation.objects.count() == 1
    assert seen(client.get(f"{address}?example=1")).values["custom_voice_id"] == [""]
    assert client.post(f"{address}?from=nonsense", {}).status_code == 422


def test_a_voice_is_chosen_by_the_address(alice: Membership, make_voice: Any, client_of: Any) -> None:
    voice = make_voice(alice)
    page = seen(client_of(alice).get(f"/t/tide/create/{SPEECH}/?voice={voice.voice_id}"))
    assert page.values["voice_id"] == [voice.voice_id]


def test_a_designed_voice_needs_nobodys_consent(alice: Membership, client_of: Any) -> None:
    spec = next(s for s in SPECS if any(p.widget == "new_voice" for p in s.params) and not asked_files(s))
    posted = body(spec, _voice_speaker=None, _voice_consent=None)
    client_of(alice).post(f"/t/tide/create/{spec.slug}/", posted)
    voice = Voice.objects.get()
    assert (voice.origin, voice.audience, voice.consent_at, voice.is_agreed) == (
        "designed",
        "everyone",
        None,
        True,
    )
    assert voice.made_by.params["voiceId"] == voice.voice_id


def test_voices_are_made_one_at_a_time(alice: Membership, client_of: Any) -> None:
    answer = client_of(alice).post(f"/t/tide/create/{CLONE}/", body(load.get(CLONE), _copies="3"))
    assert answer.status_code == 422
    assert "one at a time" in answer.content.decode()
    assert not Voice.objects.exists()


def test_all_that_is_wrong_with_a_new_voice_is_told_at_once(bob: Membership, client_of: Any) -> None:
    posted = body(load.get(CLONE), _voice_consent=None, _voice_audience="some", _voice_name="x" * 81)
    page = seen(client_of(bob).post(f"/t/tide/create/{CLONE}/", posted))
    for part in ("name", "consent", "members"):
        assert page.error(f"-voice_{part}"), part
    assert not Generation.objects.exists()
