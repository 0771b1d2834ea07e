"""The one door under pressure: limits hold for whoever comes at once, by whichever way."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections, transaction

from accounts.models import Action, Allowance, Measure, Membership, Mode, Period, Role, Scope, Team, TopUp
from generations import quota
from generations.catalogue import load
from generations.catalogue.spec import InvalidParams
from generations.models import Connection, Generation, State, database_now
from generations.pipeline.accept import KeyReused, MayNotGenerate, accept, quote, title_of
from generations.queue import waiting
from tests.conftest import MODEL, join

PARAMS = {"prompt": "Calm piano"}
PRICE = Decimal("0.8")


def limit(team: Team, measure: Measure, amount: str, **how: Any) -> None:
    how = {"scope": Scope.DEFAULT, "period": Period.WEEK, "action": Action.BLOCK, **how}
    Allowance.put(team, measure=measure, mode=Mode.LIMITED, limit=Decimal(amount), **how)


def at_once(calls: list[Callable[[], Any]]) -> Counter[str]:
    """Runs all calls at the same moment, each in a thread with a connection of its own; counts how they end."""
    ends: Counter[str] = Counter()
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> None:
        try:
            start.wait(30)
            call()
            ends["accepted"] += 1
        except quota.QuotaExceeded:
            ends["refused"] += 1
        except Exception as error:
            ends[repr(error)] += 1
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return ends


@pytest.fixture
def crowd(transactional_db: None) -> list[Membership]:
    team = Team.objects.create(slug="crowd", name="Crowd")
    Connection.current()
    return [join(team, f"member{n}", Role.MEMBER) for n in range(4)]


@pytest.mark.parametrize(
    ("measure", "amount", "period"),
    [
        (Measure.COUNT, "5", Period.DAY),
        (Measure.COUNT, "5", Period.NONE),
        (Measure.CONCURRENT, "5", Period.NONE),
        (Measure.SPEND, "4.00", Period.WEEK),
        (Measure.SPEND, "4.79", Period.MONTH),
    ],
)
def test_twenty_at_once_against_a_limit_of_five_give_five(
    crowd: list[Membership], measure: Measure, amount: str, period: Period
) -> None:
    bob = crowd[0]
    limit(bob.team, measure, amount, period=period)
    ends = at_once([lambda: accept(bob, MODEL, PARAMS)] * 20)
    assert ends == {"accepted": 5, "refused": 15}
    assert Generation.objects.count() == 5
    assert waiting() == 5


@pytest.mark.thorough
@pytest.mark.parametrize(("measure", "amount"), [(Measure.SPEND, "4"), (Measure.COUNT, "5")])
def test_the_team_pool_holds_across_members(crowd: list[Membership], measure: Measure, amount: str) -> None:
    limit(crowd[0].team, measure, amount, scope=Scope.POOL)
    ends = at_once([lambda m=m: accept(m, MODEL, PARAMS) for m in crowd * 5])  # type: ignore[misc]
    assert ends == {"accepted": 5, "refused": 15}
    assert Generation.objects.count() == 5


def test_one_idempotency_key_at_once_gives_one_generation(crowd: list[Membership]) -> None:
    found: list[Any] = []
    call = lambda: found.append(accept(crowd[0], MODEL, PARAMS, idempotency_key="k1"))  # noqa: E731
    assert at_once([call] * 12) == {"accepted": 12}
    assert Generation.objects.count() == 1
    assert len({accepted.generation.pk for accepted in found}) == 1
    assert sum(accepted.created for accepted in found) == 1


def test_a_key_with_another_order_is_refused(bob: Membership) -> None:
    accept(bob, MODEL, PARAMS, idempotency_key="k")
    with pytest.raises(KeyReused):
        accept(bob, MODEL, {"prompt": "Something else"}, idempotency_key="k")
    assert Generation.objects.count() == 1


def test_a_refusal_leaves_no_trace(bob: Membership) -> None:
    limit(bob.team, Measure.SPEND, "0.5")
    with pytest.raises(quota.QuotaExceeded) as refusal:
        accept(bob, MODEL, PARAMS)
    line = refusal.value.line
    assert (line.name, line.left, refusal.value.cost) == ("member_spend_week", Decimal("0.5"), PRICE)
    assert line.resets_at
    assert not Generation.objects.exists()
    assert waiting() == 0


def test_a_limit_that_only_warns_lets_pass_and_says_so(bob: Membership) -> None:
    limit(bob.team, Measure.SPEND, "0.5", action=Action.WARN)
    accepted = accept(bob, MODEL, PARAMS)
    assert [line.name for line in accepted.warnings] == ["member_spend_week"]


@pytest.mark.parametrize("mode", [Mode.UNLIMITED, Mode.INHERIT, Mode.LIMITED])
def test_a_members_own_limit_replaces_the_default(bob: Membership, carol: Membership, mode: Mode) -> None:
    limit(bob.team, Measure.COUNT, "1")
    Allowance.put(
        bob.team, scope=Scope.MEMBER, membership=bob, measure=Measure.COUNT, period=Period.WEEK,
        mode=mode, limit=Decimal(3) if mode == Mode.LIMITED else None,
    )  # fmt: skip
    wanted = {Mode.UNLIMITED: 5, Mode.INHERIT: 1, Mode.LIMITED: 3}[mode]
    made = 0
    for _ in range(5):
        try:
            accept(bob, MODEL, PARAMS)
            made += 1
        except quota.QuotaExceeded:
            break
    assert made == wanted
    accept(carol, MODEL, PARAMS)
    with pytest.raises(quota.QuotaExceeded):
        accept(carol, MODEL, PARAMS)


def test_what_ended_without_cost_gives_its_place_back_and_what_cost_does_not(
    bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    limit(bob.team, Measure.SPEND, "1.60")
    limit(bob.team, Measure.COUNT, "2")
    make_generation(bob, status=State.FAILED)
    make_generation(bob, status=State.CANCELLED)
    assert {line.measure: line.used for line in quota.standing(bob)} == {Measure.SPEND: 0, Measure.COUNT: 0}
    make_generation(bob, status=State.FAILED, cost_actual=PRICE)
    assert {line.measure: line.used for line in quota.standing(bob)} == {
        Measure.SPEND: PRICE,
        Measure.COUNT: 1,
    }
    accept(bob, MODEL, PARAMS)
    with pytest.raises(quota.QuotaExceeded):
        accept(bob, MODEL, PARAMS)


def test_a_viewer_and_one_who_left_may_not_generate(vera: Membership, bob: Membership) -> None:
    with pytest.raises(MayNotGenerate):
        accept(vera, MODEL, PARAMS)
    Membership.objects.filter(pk=bob.pk).update(role=Role.VIEWER)
    with pytest.raises(MayNotGenerate):
        accept(bob, MODEL, PARAMS)  # the object in hand still says member; the row decides
    assert not Generation.objects.exists()


def test_bad_params_and_foreign_uploads_leave_no_trace(bob: Membership) -> None:
    with pytest.raises(InvalidParams):
        accept(bob, MODEL, {"prompt": ""})
    with pytest.raises(InvalidParams) as fault:
        accept(
            bob,
            "minimax/voice-clone",
            {
                "audio": "upload:00000000-0000-7000-8000-000000000000",
                "custom_voice_id": "Harbour0001",
                "text": "Hello",
            },
        )
    assert "audio" in fault.value.errors
    assert not Generation.objects.exists()


def test_the_estimate_learns_from_what_was_really_charged(
    bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    from generations.catalogue import load

    spec = load.get(MODEL)
    here = Connection.current()
    assert quote(spec, PARAMS, here, None).cost == PRICE
    for _ in range(3):
        make_generation(bob, cost_actual=Decimal("1.20"))
    assert quote(spec, PARAMS, here, None).cost == Decimal("1.2")
    assert quote(spec, PARAMS, here, None).currency == "CNY"


def test_a_price_in_another_currency_is_converted_and_says_so(bob: Membership, settings: Any) -> None:
    from generations.catalogue import load

    settings.CNY_PER_USD = 8
    Connection.objects.filter(pk=Connection.current().pk).update(currency="USD")
    found = quote(load.get(MODEL), PARAMS, Connection.current(), None)
    assert (found.cost, found.currency, found.converted_from) == (Decimal("0.1"), "USD", "CNY")


@pytest.mark.django_db(transaction=True)
def test_the_message_belongs_to_the_transaction(bob: Membership) -> None:
    """A rolled-back order rings no bell: the broker is the same database."""
    from django.db import transaction

    with transaction.atomic():
        accept(bob, MODEL, PARAMS)
        assert waiting() == 1
        transaction.set_rollback(True)
    assert waiting() == 0
    assert not Generation.objects.exists()
    assert connection.vendor in {"sqlite", "postgresql"}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("High water at noon.<#0.5#> Mind the step.", "High water at noon. Mind the step."),
        ("<#1.50#>", "Speech 2.8 HD"),
        ("Noon <# or later", "Noon <# or later"),
    ],
)
def test_a_title_out_of_the_text_holds_its_words_and_not_its_pauses(text: str, title: str) -> None:
    assert title_of(load.get("minimax/speech-2.8-hd"), {"text": text}, "") == title


@pytest.mark.thorough
@pytest.mark.parametrize("pool", [False, True])
def test_a_top_up_in_the_middle_of_twenty_lets_that_many_more_pass_and_no_more(
    crowd: list[Membership], pool: bool
) -> None:
    bob = crowd[0]
    limit(bob.team, Measure.COUNT, "5", scope=Scope.POOL if pool else Scope.DEFAULT)
    granted = threading.Event()

    def grant() -> None:
        with transaction.atomic():
            Team.objects.select_for_update().get(pk=bob.team_id)
            now = database_now()
            TopUp.grant(
                bob.team, membership=None if pool else bob, measure=Measure.COUNT, amount=Decimal(3), from_at=now,
                until_at=now + timedelta(hours=1), by=None,
            )  # fmt: skip
        granted.set()

    ends = at_once(
        [*[lambda: accept(bob, MODEL, PARAMS)] * 10, grant, *[lambda: accept(bob, MODEL, PARAMS)] * 10]
    )
    assert granted.is_set()
    made = Generation.objects.count()
    assert 5 <= made <= 8
    assert ends == {"accepted": made + 1, "refused": 20 - made}
    more = at_once([lambda: accept(bob, MODEL, PARAMS)] * 8)
    assert more["accepted"] == 8 - made
    assert Generation.objects.count() == 8


def test_after_its_end_a_top_up_gives_nothing_and_what_was_used_stays_used(bob: Membership) -> None:
    limit(bob.team, Measure.COUNT, "1")
    now = database_now()
    topup = TopUp.grant(
        bob.team, membership=bob, measure=Measure.COUNT, amount=Decimal(1), from_at=now,
        until_at=now + timedelta(hours=1), by=None,
    )  # fmt: skip
    accept(bob, MODEL, PARAMS)
    accept(bob, MODEL, PARAMS)
    topup.revoke(None)
    with pytest.raises(quota.QuotaExceeded) as refusal:
        accept(bob, MODEL, PARAMS)
    assert (refusal.value.line.limit, refusal.value.line.used, refusal.value.line.left) == (1, 2, 0)


def test_a_cap_of_ones_own_only_tightens(bob: Membership) -> None:
    limit(bob.team, Measure.COUNT, "2")
    limit(bob.team, Measure.COUNT, "9", scope=Scope.OWN, membership=bob)
    assert [line.left for line in quota.standing(bob)] == [2, 9]
    accept(bob, MODEL, PARAMS)
    limit(bob.team, Measure.COUNT, "1", scope=Scope.OWN, membership=bob)
    now = database_now()
    TopUp.grant(
        bob.team, membership=bob, measure=Measure.COUNT, amount=Decimal(5), from_at=now,
        until_at=now + timedelta(hours=1), by=None,
    )  # fmt: skip
    with pytest.raises(quota.QuotaExceeded) as refusal:
        accept(bob, MODEL, PARAMS)
    assert refusal.value.line.name == "own_count_week"
