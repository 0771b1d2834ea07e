"""Lines in bulk through the one door: as many as fit, in order, never more, and the rest is kept."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Action, ApiToken, Measure, Membership, Period, Scope, Team
from generations import quota
from generations.catalogue.spec import InvalidParams
from generations.models import Batch, Draft, Generation
from generations.pipeline import accept as door
from generations.pipeline import several
from generations.pipeline.several import Line
from generations.queue import waiting
from tests.conftest import MODEL, point_at
from tests.effort import tries
from tests.generations.pipeline.test_door import at_once, crowd, limit  # noqa: F401

SPEECH = "minimax--speech-2.8-hd"
RAW = {"voice_id": "Wise_Woman", "emotion": "sad"}


def lines(count: int) -> list[Line]:
    """Of one length, so that each costs the same."""
    return [Line(n, f"This is line number {n:02}.") for n in range(1, count + 1)]


def price_of(line: Line) -> Decimal:
    from generations.catalogue import load
    from generations.models import Connection

    spec = load.get(SPEECH)
    cost = door.quote(spec, {"text": line.text}, Connection.current(), None).cost
    assert cost is not None
    return cost


def test_forty_lines_and_a_limit_for_twenty_five(bob: Membership) -> None:
    wanted = lines(40)
    limit(bob.team, Measure.SPEND, str(sum(map(price_of, wanted[:25]))))
    taken = several.accept(bob, SPEECH, RAW, wanted, title="Tavern")
    assert (taken.taken, taken.batch.asked) == (25, 40)
    rows = list(taken.batch.generations.order_by("id"))
    assert [row.params["text"] for row in rows] == [line.text for line in wanted[:25]]
    assert [row.title for row in rows][::24] == ["Tavern 01", "Tavern 25"]
    assert [row.batch_place for row in rows] == list(range(1, 26))
    assert taken.rest is not None
    assert [line["text"] for line in taken.rest.lines] == [line.text for line in wanted[25:]]
    assert (taken.rest.author, taken.rest.params, taken.rest.is_running) == (bob.user, RAW, False)
    assert taken.refusal is not None
    assert taken.refusal.line.name == "member_spend_week"
    assert waiting()


def test_the_rest_goes_on_in_the_same_batch_when_there_is_room_again(bob: Membership) -> None:
    limit(bob.team, Measure.COUNT, "3")
    taken = several.accept(bob, SPEECH, RAW, lines(8), title="Guards")
    assert taken.rest is not None
    limit(bob.team, Measure.COUNT, "5")
    again = several.accept_rest(bob, taken.rest.pk)
    assert (again.taken, again.batch) == (2, taken.batch)
    limit(bob.team, Measure.COUNT, "100")
    last = several.accept_rest(bob, taken.rest.pk)
    assert (last.taken, last.rest) == (3, None)
    assert [row.title for row in taken.batch.generations.order_by("batch_place")] == [
        f"Guards 0{n}" for n in range(1, 9)
    ]
    assert not Draft.objects.exists()
    with pytest.raises(several.RestGone):
        several.accept_rest(bob, taken.rest.pk)


def test_a_token_that_is_revoked_while_it_asks_sends_no_rest(bob: Membership) -> None:
    limit(bob.team, Measure.COUNT, "3")
    taken = several.accept(bob, SPEECH, RAW, lines(8))
    assert taken.rest is not None
    limit(bob.team, Measure.COUNT, "100")
    ApiToken.issue(bob)
    token = ApiToken.objects.get()
    token.revoke()
    with pytest.raises(door.TokenOver):
        several.accept_rest(bob, taken.rest.pk, token)
    assert Generation.objects.count() == 3
    assert Draft.objects.filter(pk=taken.rest.pk).exists()


def test_nothing_is_kept_when_not_even_the_first_fits(bob: Membership) -> None:
    limit(bob.team, Measure.COUNT, "0")
    with pytest.raises(quota.QuotaExceeded):
        several.accept(bob, SPEECH, RAW, lines(3))
    assert not (Batch.objects.exists())
    assert not (Draft.objects.exists())
    assert not (Generation.objects.exists())


def test_a_line_that_cannot_be_sent_is_named_and_nothing_is(bob: Membership) -> None:
    wanted = [*lines(2), Line(3, "x" * 20_000), Line(4, "Fine.")]
    with pytest.raises(InvalidParams) as error:
        several.accept(bob, SPEECH, {**RAW, "emotion": "bored"}, wanted)
    assert error.value.errors["text"][0].startswith("Line 3: ")
    assert len(error.value.errors["emotion"]) == 1
    assert not Generation.objects.exists()


def test_the_same_three_times_is_told_apart_by_number(bob: Membership) -> None:
    taken = several.accept(bob, MODEL, {"prompt": "Calm piano"}, [Line(n, None) for n in (1, 2, 3)])
    assert [row.title for row in taken.batch.generations.order_by("id")] == [
        "Calm piano 1", "Calm piano 2", "Calm piano 3",
    ]  # fmt: skip


def test_a_line_keeps_a_name_of_its_own(bob: Membership) -> None:
    taken = several.accept(
        bob, SPEECH, RAW, [Line(1, "Halt!", "guard_halt"), Line(2, "Who goes?")], title="G"
    )
    assert [row.title for row in taken.batch.generations.order_by("id")] == ["guard_halt", "G 02"]
    assert taken.batch.title == "G"
    other = several.accept(bob, SPEECH, RAW, [Line(1, "Halt!", "guard_halt"), Line(2, "Who goes?")])
    assert other.batch.title == "guard_halt and 1 more"


def test_voices_are_made_one_at_a_time(bob: Membership) -> None:
    clone = "rhart-audio--text-to-audio--voice-clone"
    with pytest.raises(InvalidParams, match="one at a time"):
        several.accept(bob, clone, {"text": "Hello"}, [Line(1, None), Line(2, None)])
    assert not Batch.objects.exists()


def test_two_clicks_are_one_order(bob: Membership) -> None:
    limit(bob.team, Measure.COUNT, "2")
    first = several.accept(bob, SPEECH, RAW, lines(3), idempotency_key="k")
    second = several.accept(bob, SPEECH, RAW, lines(3), idempotency_key="k")
    assert (second.batch, second.taken, second.rest, second.created) == (first.batch, 2, first.rest, False)
    assert Generation.objects.count() == 2
    with pytest.raises(door.KeyReused):
        several.accept(bob, SPEECH, RAW, lines(4), idempotency_key="k")
    with pytest.raises(door.KeyReused):
        several.accept(bob, SPEECH, {"voice_id": "Wise_Woman", "text": "One."}, lines(1), idempotency_key="k")


def test_who_may_not_generate_gets_nothing(vera: Membership) -> None:
    with pytest.raises(door.MayNotGenerate):
        several.accept(vera, SPEECH, RAW, lines(2))


def test_the_rest_of_a_colleague_is_out_of_reach(bob: Membership, carol: Membership) -> None:
    limit(bob.team, Measure.COUNT, "1")
    taken = several.accept(bob, SPEECH, RAW, lines(2))
    assert taken.rest is not None
    with pytest.raises(several.RestGone):
        several.accept_rest(carol, taken.rest.pk)


def test_an_unknown_price_refuses_all(bob: Membership) -> None:
    with pytest.raises(door.PriceUnknown):
        several.accept(bob, "bytedance--doubao-seed-audio-1.0", {"format": "mp3"}, lines(2))
    assert not Batch.objects.exists()


def test_a_model_of_another_site_is_refused_at_once_and_later(bob: Membership, settings: Any) -> None:
    limit(bob.team, Measure.COUNT, "1")
    song = "mureka-ai--mureka-v9--generate-song"
    taken = several.accept(bob, song, {"n": "1"}, lines(2))
    assert taken.rest is not None
    point_at(settings, "https://www.runninghub.ai")
    with pytest.raises(door.NotOffered):
        several.accept_rest(bob, taken.rest.pk)
    with pytest.raises(door.NotOffered):
        several.accept(bob, song, {"n": "1"}, lines(2))
    assert Draft.objects.filter(pk=taken.rest.pk).exists()
    assert Generation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_batches_of_several_people_at_once_stay_within_the_pool(crowd: list[Membership]) -> None:  # noqa: F811
    limit(crowd[0].team, Measure.COUNT, "10", scope=Scope.POOL)
    calls = [lambda m=m: several.accept(m, SPEECH, RAW, lines(4)) for m in crowd]
    ends = at_once(calls)
    assert sum(ends.values()) == 4
    assert Generation.objects.count() == 10
    kept = sum(len(draft.lines) for draft in Draft.objects.all())
    assert kept == 2
    assert ends["refused"] == 1


@pytest.mark.django_db(transaction=True)
def test_two_clicks_on_the_rest_at_once_send_it_once(crowd: list[Membership]) -> None:  # noqa: F811
    bob = crowd[0]
    limit(bob.team, Measure.COUNT, "1")
    taken = several.accept(bob, SPEECH, RAW, lines(5))
    limit(bob.team, Measure.COUNT, "100")
    assert taken.rest is not None
    rest: uuid.UUID = taken.rest.pk
    ends = at_once([lambda: several.accept_rest(bob, rest)] * 3)
    assert ends["accepted"] == 1
    assert Generation.objects.count() == 5
    assert set(Generation.objects.values_list("batch_place", flat=True)) == {1, 2, 3, 4, 5}


MONEY = st.decimals("0", "3", places=2)


@pytest.mark.thorough
@given(
    st.lists(st.one_of(st.none(), MONEY), max_size=12),
    st.lists(
        st.tuples(st.sampled_from(list(Measure)), MONEY, MONEY, st.sampled_from(list(Action))), max_size=4
    ),
)
@settings(max_examples=tries(1_000), deadline=None)
def test_room_is_asking_for_each_in_turn(
    costs: list[Decimal | None], given_limits: list[tuple[Measure, Decimal, Decimal, Action]]
) -> None:
    standing = [
        quota.Line(Scope.DEFAULT, measure, Period.WEEK, top, used, action, None)
        for measure, top, used, action in given_limits
    ]
    found = quota.room(standing, costs)
    spent, runs = Decimal(0), 0
    for place, cost in enumerate(costs):
        refused = False
        for line in standing:
            used = line.used + (spent if line.measure == Measure.SPEND else runs)
            if line.measure != Measure.SPEND:
                over = used + 1 > line.limit
            elif cost is None:
                over = used >= line.limit
            else:
                over = cost > 0 and used + cost > line.limit
            refused |= over and line.action == Action.BLOCK
        if refused:
            assert (found.fit, found.cost) == (place, spent)
            assert found.refusing
            return
        spent, runs = spent + (cost or 0), runs + 1
    assert (found.fit, found.cost, found.refusing) == (len(costs), spent, ())


@pytest.mark.thorough
@pytest.mark.django_db
@given(top=st.integers(0, 12), count=st.integers(1, 10), pool=st.one_of(st.none(), st.integers(0, 12)))
@settings(max_examples=tries(100), deadline=None)
def test_what_is_taken_never_passes_a_limit(top: int, count: int, pool: int | None) -> None:
    from django.db import transaction

    from accounts.models import Role
    from tests.conftest import join

    with transaction.atomic():
        team = Team.objects.create(slug=f"t{uuid.uuid4().hex[:12]}", name="T")
        member = join(team, uuid.uuid4().hex[:12], Role.MEMBER)
        each = price_of(lines(1)[0])
        limit(team, Measure.SPEND, str(each * top))
        if pool is not None:
            limit(team, Measure.COUNT, str(pool), scope=Scope.POOL)
        fits = min(count, top, count if pool is None else pool)
        try:
            taken = several.accept(member, SPEECH, RAW, lines(count)).taken
        except quota.QuotaExceeded:
            taken = 0
        kept = sum(len(draft.lines) for draft in Draft.objects.filter(team=team))
        assert taken == fits
        assert kept == (count - fits if fits else 0)
        assert all(line.used <= line.limit for line in quota.standing(member))
