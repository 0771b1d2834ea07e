"""A param that takes the id of an earlier result is chosen from the results there are."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership
from generations import forms
from generations.catalogue import load
from generations.models import Generation, Output, State
from tests.generations.views.reading import seen

COVER = load.get("minimax/music-cover")
PAGE = f"/t/tide/create/{COVER.slug}/"
FILE = "upload:00000000-0000-0000-0000-000000000000"
PRODUCER = "minimax--music-cover-preprocess"


def made(make_generation: Any, who: Membership, text: str, **fields: Any) -> Generation:
    row: Generation = make_generation(who, model=PRODUCER, kind="music", **fields)
    Output.objects.create(
        generation=row, index=0, kind="text", content_type="text/plain", extension="txt", text=text,
        bytes=len(text), sha256="0" * 64,
    )  # fmt: skip
    return row


def field(form: forms.ModelForm) -> forms.Field:
    return next(one for one in form.fields if one.name == "coverFeatureId")


def test_the_results_of_the_team_are_offered_newest_first(
    bob: Membership, carol: Membership, zoe: Membership, make_generation: Any
) -> None:
    made(make_generation, bob, '{"coverFeatureId": "f-1", "lyrics": "La"}', title="Harbour song")
    made(make_generation, carol, "Feature id: f-2", title="Gulls")
    made(make_generation, carol, "Feature id: f-2", title="Gulls again")
    made(make_generation, zoe, '{"coverFeatureId": "f-3"}', title="Not ours")
    made(make_generation, bob, '{"coverFeatureId": "f-4"}', title="Failed", status=State.FAILED)
    made(make_generation, bob, "no id in here", title="Odd")
    offered = field(forms.build(COVER, bob)).results
    assert [(result.value, result.title) for result in offered] == [
        ("f-2", "Gulls again"), ("f-1", "Harbour song"),
    ]  # fmt: skip


def test_a_chosen_result_is_sent_and_an_id_from_elsewhere_counts_more(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    made(make_generation, bob, '{"coverFeatureId": "f-1"}', title="Harbour song")
    client = client_of(bob)
    page = client.get(PAGE)
    assert "Harbour song" in page.content.decode()
    spec = load.get(COVER.slug)
    for given, want in (
        (["f-1", ""], "f-1"), (["f-1", "f-9"], "f-9"), (["", ""], ""), (["", '{"featureId": "f-7"}'], "f-7"),
    ):  # fmt: skip
        posted = QueryDict(mutable=True)
        posted.setlist("coverFeatureId", given)
        raw = {
            **forms.peek(spec, posted),
            "prompt": "Bossa nova",
            "audioUrl": FILE,
            "lyrics": "La la la la la",
        }
        assert spec.clean(raw).get("coverFeatureId", "") == want


def test_an_unknown_id_stays_chosen(bob: Membership, client_of: Any, make_generation: Any) -> None:
    made(make_generation, bob, '{"coverFeatureId": "f-1"}')
    answer = client_of(bob).post(PAGE, {"coverFeatureId": "f-elsewhere"})
    assert answer.status_code == 422
    assert seen(answer).values["coverFeatureId"][0] == "f-elsewhere"


def test_without_results_there_is_a_box_and_the_way_to_one(bob: Membership, client_of: Any) -> None:
    page = client_of(bob).get(PAGE).content.decode()
    assert f"/t/tide/create/{PRODUCER}/" in page
    assert '<input class="input" id="p-coverFeatureId"' in page


def test_looking_them_up_takes_the_same_queries_however_many(bob: Membership, make_generation: Any) -> None:
    counts = []
    for count in (1, 20):
        for n in range(count):
            made(make_generation, bob, f'{{"coverFeatureId": "f-{count}-{n}"}}')
        with CaptureQueriesContext(connection) as queries:
            forms.build(COVER, bob)
        counts.append(len(queries))
    assert counts[0] == counts[1]
