"""The form of a model: what stands open, what is folded away, what is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from accounts.models import Membership
from generations import forms
from generations.catalogue import load
from generations.catalogue.param import Option, ParamSpec, ParamType
from generations.catalogue.spec import ModelSpec
from generations.models import Upload

SPEECH = load.get("minimax/speech-2.8-hd")
CLONE = load.get("minimax/voice-clone")


def spec_of(*params: ParamSpec) -> ModelSpec:
    return replace(SPEECH, params=params)


def text(key: str, **fields: Any) -> ParamSpec:
    return ParamSpec(key=key, type=ParamType.STRING, label=key.title(), **fields)


def names(rows: list[Any]) -> list[list[str]]:
    return [[field.name for field in row.fields] for row in rows]


def test_required_first_then_four_common_ones_the_rest_folded_away(alice: Membership) -> None:
    optional = [text(f"o{n}") for n in range(6)]
    spec = spec_of(
        *optional, text("must", required=True), text("rare", advanced=True), text("no", hidden=True)
    )
    form = forms.build(spec, alice)
    assert names(form.rows) == [["must"], ["o0"], ["o1"], ["o2"], ["o3"]]
    assert [field.name for field in form.advanced] == ["o4", "o5", "rare"]
    assert "no" not in {field.name for field in form.fields}


def test_narrow_controls_share_a_line(alice: Membership) -> None:
    assert ["speed", "volume", "pitch"] in names(forms.build(SPEECH, alice).rows)


def test_the_fold_says_how_many_differ_and_opens_for_a_fault(alice: Membership) -> None:
    calm = forms.build(SPEECH, alice, {"text": "Hi"})
    assert (calm.advanced_changed, calm.advanced_open) == (0, False)
    wrong = forms.build(
        SPEECH, alice, {"pronunciation_dict": "nonsense"}, {"pronunciation_dict": ["Write a slash."]}
    )
    assert (wrong.advanced_changed, wrong.advanced_open) == (1, True)
    assert wrong.faulty[0].focused


def test_faults_of_nothing_visible_are_said_above_the_form(alice: Membership) -> None:
    errors = {"enable_base64_output": ["It is fixed."], "junk": ["No such setting."], "": ["All wrong."]}
    assert forms.build(SPEECH, alice, {}, errors).other_errors == [
        "Answer as text: It is fixed.",
        "No such setting.",
        "All wrong.",
    ]


def test_uploads_of_other_teams_and_nonsense_are_not_shown(alice: Membership, zoe: Membership) -> None:
    foreign = Upload.objects.create(
        team=zoe.team, author=zoe.user, name="x.wav", kind="audio", content_type="audio/wav", bytes=1
    )
    for value in [foreign.reference, "upload:nonsense", "\x00", ["a"], "upload:" + "9" * 50]:
        form = forms.build(CLONE, alice, {"audio": value})
        assert not form.fields[0].files


def test_team_voices_stand_first(
    alice: Membership, zoe: Membership, make_generation: Any, make_voice: Any
) -> None:
    make_voice(alice, "Harbour", voice_id="Harbour01")
    make_voice(alice, "Broken", status="failed")
    make_voice(zoe, "Stranger")
    first, *others = forms.groups(alice)
    assert [voice.voice_id for voice in first.voices] == ["Harbour01"]
    assert first.voices[0].sample is not None
    assert sum(len(group.voices) for group in others) == len(load.voices())
    form = forms.build(SPEECH, alice, {"voice_id": "Harbour01"})
    assert form.voice
    assert form.voice.note == "Cloned by Alice"
    assert form.voice_is_listed


def test_a_voice_from_elsewhere_is_kept(alice: Membership) -> None:
    form = forms.build(SPEECH, alice, {"voice_id": "from-another-account"})
    assert form.voice
    assert form.voice.voice_id == "from-another-account"
    assert not form.voice_is_listed


def test_several_choices_are_read_as_a_list() -> None:
    many = ParamSpec("k", ParamType.LIST, "K", multiple=True, options=(Option("a", "A"), Option("b", "B")))
    data = QueryDict("k=a&k=b&k=&x=1&x=2&_title=+T++t+&_once=nonsense")
    posted = forms.read(spec_of(many), data, MultiValueDict(), lambda *_: Upload())
    assert posted.raw == {"k": ["a", "b"], "x": "2"}
    assert (posted.title, posted.once) == ("T t", "")


def test_a_form_without_a_key_of_its_own_gets_a_fresh_one(alice: Membership) -> None:
    assert forms.build(SPEECH, alice).once != forms.build(SPEECH, alice).once
