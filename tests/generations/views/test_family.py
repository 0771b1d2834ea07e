"""Where a generation came from, and the twin of what a form asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership
from generations.catalogue import load
from generations.catalogue.spec import InvalidParams
from generations.models import Descent, Generation, State, Way
from generations.pipeline import accept, several, twins
from tests.conftest import tone
from tests.generations.views.reading import seen

Make = Callable[..., Generation]
SPEECH = "rhart-audio--text-to-audio--speech-2.8-turbo"
MUSIC = "minimax--music-2.6--text-to-instrumental"
CLONE = "rhart-audio--text-to-audio--voice-clone"


def ways() -> list[tuple[str, str, str]]:
    rows = Descent.objects.order_by("pk").values_list("child__title", "parent__title", "way")
    return [(child, parent, way) for child, parent, way in rows]


def create(model: str, query: str = "") -> str:
    return f"/t/tide/create/{model}/{query}"


def test_run_again_and_edited_are_told_apart(bob: Membership, make_generation: Make, client_of: Any) -> None:
    spec = load.get(MUSIC)
    one = make_generation(bob, params=spec.clean({"prompt": "Slow piano over rain"}), outputs=1)
    browser: Client = client_of(bob)
    page = browser.get(f"/t/tide/g/{one.pk}/").content.decode()
    key = page.split('name="key" value="')[1].split('"')[0]
    browser.post(f"/t/tide/g/{one.pk}/again/", {"key": key})
    form = seen(browser.get(create(MUSIC, f"?from={one.pk}")))
    assert form.values["_from"] == [str(one.pk)]
    browser.post(create(MUSIC), {**form.sent(), "prompt": "Quick piano over rain", "_title": "Quick"})
    browser.post(create(MUSIC), {**form.sent(), "_once": "", "_title": "Once more"})
    assert ways() == [
        ("Rain", "Rain", Way.AGAIN),
        ("Quick", "Rain", Way.EDITED),
        ("Once more", "Rain", Way.AGAIN),
    ]


def test_the_old_take_stays_playable_beside_the_form(
    bob: Membership, make_generation: Make, client_of: Any
) -> None:
    one = make_generation(bob, outputs=1)
    browser: Client = client_of(bob)
    text = browser.get(create(MUSIC, f"?from={one.pk}")).content.decode()
    assert (
        f'data-src="/t/tide/g/{one.pk}/outputs/0/content"' in text.split('id="create"')[1].split("</form>")[0]
    )
    wrong = browser.post(create(MUSIC), {"prompt": "", "_from": one.pk})
    assert wrong.status_code == 422
    assert f'data-src="/t/tide/g/{one.pk}/outputs/0/content"' in wrong.content.decode()
    waiting = make_generation(bob, status=State.QUEUED)
    assert "_from" not in seen(browser.get(create(MUSIC, f"?from={waiting.pk}"))).values


def test_a_form_may_name_anything_as_its_origin(
    bob: Membership, zoe: Membership, make_generation: Make, client_of: Any
) -> None:
    theirs = make_generation(zoe)
    for origin in (theirs.pk, "nonsense", "00000000-0000-0000-0000-000000000000"):
        answer = client_of(bob).post(create(MUSIC), {"prompt": f"Rain {origin}", "_from": origin})
        assert answer.status_code == 303
    assert ways() == []


def test_a_result_that_goes_in_is_a_parent_once(
    bob: Membership, make_generation: Make, client_of: Any
) -> None:
    one = make_generation(bob, outputs=1, title="Take")
    output = one.outputs.get()
    output.duration = 30
    output.save(update_fields=["duration"])
    spec = load.get("rhart-audio--extract-vocal")
    assert spec.repeats
    from generations import uploads

    kept = uploads.from_output(bob, output, "take.wav", spec.params[0])
    made = accept.accept(bob, spec.slug, {"videoUrl": kept.upload.reference}, title="Voice", strict=True)
    assert ways() == [("Voice", "Take", Way.INPUT)]
    assert made.generation.twin


def test_each_of_several_knows_where_it_came_from(bob: Membership, make_generation: Make) -> None:
    one = make_generation(bob)
    lines = [several.Line(1, "Rain on tin"), several.Line(2, "Rain on slate")]
    several.accept(bob, MUSIC, {}, lines, origin=accept.Origin.of(one))
    assert [way for _child, _parent, way in ways()] == [Way.EDITED, Way.EDITED]


def test_what_is_refused_leaves_no_trace(bob: Membership, make_generation: Make) -> None:
    one = make_generation(bob)
    with pytest.raises(InvalidParams):
        accept.accept(bob, MUSIC, {"prompt": ""}, origin=accept.Origin.of(one))
    assert ways() == []


def test_the_page_shows_parents_and_children_in_few_queries(
    bob: Membership, carol: Membership, make_generation: Make, client_of: Any, django_assert_num_queries: Any
) -> None:
    one, parent = make_generation(bob, title="Middle"), make_generation(bob, title="Before")
    hidden = make_generation(carol, title="Hers alone", is_private=True)
    for mother in (parent, hidden):
        Descent.objects.create(child=one, parent=mother, way=Way.INPUT)
    Descent.objects.create(child=make_generation(bob, title="After"), parent=one, way=Way.EDITED)
    browser: Client = client_of(bob)
    path = f"/t/tide/g/{one.pk}/"
    text = browser.get(path).content.decode()
    family = text.split('id="family"')[1].split("</section>")[0]
    assert family.index("Before") < family.index("This generation") < family.index("After")
    assert "Hers alone" not in text
    assert "1 that is not there for you" in family
    with CaptureQueriesContext(connection) as few:
        browser.get(path)
    for n in range(20):
        Descent.objects.create(child=make_generation(bob, title=f"After {n}"), parent=one, way=Way.AGAIN)
    with django_assert_num_queries(len(few)):
        assert "and older ones" in browser.get(path).content.decode()


@pytest.fixture
def spoken(bob: Membership, make_generation: Make) -> Generation:
    """What Bob had said already."""
    made = accept.accept(bob, SPEECH, {"text": "Good morning"}).generation
    Generation.objects.filter(pk=made.pk).update(status=State.SUCCEEDED)
    made.refresh_from_db()
    return made


def test_a_form_offers_the_twin_before_it_costs_anything(
    spoken: Generation, bob: Membership, carol: Membership, client_of: Any
) -> None:
    browser: Client = client_of(bob)
    form = seen(browser.get(create(SPEECH)))
    asked = {**form.sent(), "text": "Good morning"}
    answer = browser.post(create(SPEECH), asked)
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "You already made this on" in text
    assert f'href="/t/tide/g/{spoken.pk}/"' in text
    assert 'name="_way" value="anew"' in text
    assert seen(answer).values["text"] == ["Good morning"]
    assert Generation.objects.count() == 1

    other = client_of(carol).post(create(SPEECH), {"text": "Good morning"})
    assert "Bob already made this on" in other.content.decode()

    anew = browser.post(create(SPEECH), {**asked, "_way": "anew"})
    assert anew.status_code == 303
    assert Generation.objects.count() == 2
    again = browser.post(create(SPEECH), {**asked, "_way": "anew"})
    assert again.status_code == 303  # a double click is one order
    assert Generation.objects.count() == 2


@pytest.mark.parametrize(
    "difference", ["text", "voice", "model", "private", "trashed", "failed", "running", "stranger"]
)
def test_no_twin_is_offered_where_there_is_none(
    difference: str, spoken: Generation, bob: Membership, carol: Membership, zoe: Membership
) -> None:
    raw, model, who = {"text": "Good morning"}, SPEECH, bob
    if difference == "text":
        raw["text"] = "Good evening"
    elif difference == "voice":
        raw["voice_id"] = "Calm_Woman"
    elif difference == "model":
        model = SPEECH.replace("2.8", "2.6")
    elif difference == "private":
        Generation.objects.update(is_private=True)
        who = carol
    elif difference == "trashed":
        from django.utils import timezone

        Generation.objects.update(trashed_at=timezone.now())
    elif difference == "stranger":
        who = zoe
    else:
        Generation.objects.update(status=difference)
    assert twins.twin_of(bob, load.get(SPEECH), {"text": "Good morning"}) == spoken or difference in (
        "trashed", "failed", "running",
    )  # fmt: skip
    assert twins.twin_of(who, load.get(model), raw) is None


def test_a_model_whose_results_differ_has_no_twins(bob: Membership) -> None:
    made = accept.accept(bob, MUSIC, {"prompt": "Rain"}).generation
    assert made.twin is None
    Generation.objects.update(status=State.SUCCEEDED)
    assert twins.twin_of(bob, load.get(MUSIC), {"prompt": "Rain"}) is None


def test_a_file_is_its_content_and_not_its_name(bob: Membership, carol: Membership) -> None:
    from generations import uploads

    spec = load.get("rhart-audio--extract-vocal")
    references = [
        uploads.fit(who, SimpleUploadedFile(name, tone(20.0)), spec.params[0]).upload.reference
        for who, name in ((bob, "one.wav"), (carol, "other.wav"))
    ]
    digests = {twins.digest(spec, {"videoUrl": one}) for one in references}
    assert references[0] != references[1]
    assert len(digests) == 1


def test_the_search_for_a_twin_goes_by_its_index(spoken: Generation, bob: Membership) -> None:
    with CaptureQueriesContext(connection) as asked:
        twins.twin_of(bob, load.get(SPEECH), {"text": "Good morning"})
    sql = next(one["sql"] for one in asked if '"twin" =' in one["sql"])
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "generation_twins" in plan
