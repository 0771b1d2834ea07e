"""Connections of teams: sealed keys, keys that are tried and replaced, and a pipeline that serves all of them."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection as database
from django.utils import timezone

from accounts.models import Allowance, ApiToken, Measure, Membership, Mode, Period, Scope, Team
from generations import connections, quota, upstream
from generations.models import Connection, ConnectionKey, Generation, State, sealing
from generations.models.connection import BY_HAND, HOSTS, key_digest
from generations.pipeline import accept, alert, connect, dispatch, follow, gather, jobs, watch
from generations.runninghub.errors import ReadRefused
from tests.conftest import MODEL
from tests.upstream import Upstream

OLD, NEW = "a" * 31 + "1", "b" * 31 + "2"
PARAMS = {"prompt": "Slow piano over rain"}


@pytest.fixture
def far(settings: Any) -> Iterator[Upstream]:
    """An upstream that teams may have connections to."""
    with Upstream(slots=2) as running:
        settings.EXTRA_SITES = [running.url]
        yield running


def own(team: Team, by: Membership, address: str, key: str = OLD, *, use: bool = True) -> Connection:
    """A connection of the team whose key was tried and is in use."""
    connection = connections.add(team, by.user, base_url=address, name="Own", key=key)
    assert connect.try_key(connection.keys.get().pk)
    if use:
        connections.use(Team.objects.get(pk=team.pk), connection)
    team.__dict__.pop("_connection", None)
    team.__dict__.pop("_connections", None)
    connection.refresh_from_db()
    return connection


def order(membership: Membership) -> Generation:
    fresh = Membership.objects.select_related("team", "user").get(pk=membership.pk)
    return accept.accept(fresh, MODEL, PARAMS).generation


# Sealing


def test_a_key_is_read_only_with_the_secret_and_for_its_address(settings: Any) -> None:
    sealed = sealing.seal(HOSTS["ai"], OLD)
    assert OLD not in sealed
    assert sealing.unseal(HOSTS["ai"], sealed) == OLD
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(HOSTS["cn"], sealed)
    settings.SECRET_KEY, former = "another secret key of enough characters", settings.SECRET_KEY
    with pytest.raises(sealing.Unreadable, match="RHWEB_SECRET_KEY_FALLBACKS"):
        sealing.unseal(HOSTS["ai"], sealed)
    settings.SECRET_KEY_FALLBACKS = [former]
    assert sealing.unseal(HOSTS["ai"], sealed) == OLD
    assert not sealing.is_up_to_date(HOSTS["ai"], sealed)


def test_keys_are_sealed_anew_after_the_secret_was_replaced(
    alice: Membership, far: Upstream, settings: Any
) -> None:
    one = own(alice.team, alice, far.url)
    connections.enter_key(one, alice.user, NEW)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = (
        "another secret key of enough characters",
        [settings.SECRET_KEY],
    )
    connections.tend()
    settings.SECRET_KEY_FALLBACKS = []
    one.refresh_from_db()
    assert one.key() == OLD
    assert sealing.unseal(far.url, one.keys.get().sealed_key) == NEW


def test_a_key_that_cannot_be_read_sends_nothing_and_still_copies(
    alice: Membership, far: Upstream, settings: Any
) -> None:
    one = own(alice.team, alice, far.url)
    row = order(alice)
    settings.SECRET_KEY = "another secret key of enough characters"
    with pytest.raises(upstream.NotConfigured):
        upstream.get_client(one)
    for claimed in dispatch.claim(one, 5):
        dispatch.send(claimed)
    assert far.submits == []
    assert Generation.objects.get(pk=row.pk).status == State.QUEUED
    assert upstream.downloader(one).base_url == far.url


def test_the_same_key_is_entered_again_when_it_cannot_be_read(
    alice: Membership, far: Upstream, settings: Any
) -> None:
    one = own(alice.team, alice, far.url)
    with pytest.raises(connections.NotDone):
        connections.enter_key(one, alice.user, OLD)
    settings.SECRET_KEY = "another secret key of enough characters"
    assert "can no longer be read" in one.stopped_because
    replace_key(one, alice, OLD)
    assert (one.key(), one.stopped_because) == (OLD, "")


def test_an_account_that_pays_in_another_currency_than_its_team_counts_is_paused(
    alice: Membership, far: Upstream
) -> None:
    one = own(alice.team, alice, far.url)
    Connection.objects.filter(pk=one.pk).update(currency="USD", next_check_at=timezone.now())
    one.refresh_from_db()
    watch.refresh_connection(one)
    one.refresh_from_db()
    assert (one.currency, one.paused_code) == ("USD", "currency")


def spending(team: Team, most: int = 1) -> None:
    put = {"scope": Scope.POOL, "measure": Measure.SPEND, "period": Period.MONTH, "mode": Mode.LIMITED}
    Allowance.put(team, limit=Decimal(most), **put)  # type: ignore[arg-type]


def looked_at(currency: str, sandbox: Any) -> Connection:
    """The shared connection after its account said what it pays in."""
    sandbox.script("account", {"merge": {"data": {"remainMoney": "5", "currency": currency}}})
    Connection.objects.update(next_check_at=timezone.now())
    watch.refresh_connection(Connection.current())
    return Connection.current()


def test_the_shared_account_takes_no_other_currency_while_limits_count_in_that_of_before(
    bob: Membership, zoe: Membership, sandbox: Any, make_generation: Callable[..., Generation]
) -> None:
    make_generation(bob, cost_actual=Decimal(1), currency="CNY")
    spending(bob.team)
    with pytest.raises(quota.QuotaExceeded):
        order(bob)
    shared = looked_at("USD", sandbox)
    assert (shared.currency, shared.paused_code) == ("CNY", "currency")
    with pytest.raises(quota.QuotaExceeded):
        order(bob)
    Allowance.objects.all().delete()
    put = {"scope": Scope.OWN, "measure": Measure.SPEND, "period": Period.DAY, "mode": Mode.LIMITED}
    Allowance.put(zoe.team, membership=zoe, limit=Decimal(9), **put)  # type: ignore[arg-type]
    shared.resume()
    assert looked_at("USD", sandbox).currency == "USD"
    assert not Allowance.objects.filter(mode=Mode.LIMITED).exists(), (
        "what was meant in the other currency ended"
    )


def test_the_limit_of_a_token_is_one_in_a_currency(
    bob: Membership,
    alice: Membership,
    far: Upstream,
    make_generation: Callable[..., Generation],
    sandbox: Any,
) -> None:
    one = own(alice.team, alice, far.url, use=False)
    Connection.objects.filter(pk=one.pk).update(currency="USD")
    token = ApiToken.find(ApiToken.issue(bob, spend_limit=Decimal(5)))
    assert token
    make_generation(bob, cost_actual=Decimal(5), currency="CNY", token=token)
    with pytest.raises(connections.NotDone, match="API tokens"):
        connections.use(Team.objects.get(pk=alice.team_id), one)
    assert looked_at("USD", sandbox).paused_code == "currency"
    token.revoke()
    assert connections.use(Team.objects.get(pk=alice.team_id), one)


# Keys that are entered


def test_a_key_that_works_is_taken_and_not_used_before_somebody_says_so(
    alice: Membership, far: Upstream
) -> None:
    one = connections.add(alice.team, alice.user, base_url=far.url, name="Own", key=OLD)
    assert not one.is_configured
    assert connect.try_key(one.keys.get().pk)
    one.refresh_from_db()
    assert (one.key_hint, one.slots, one.balance, one.currency) == (OLD[-4:], 2, "100", "CNY")
    assert not one.keys.exists()
    assert not connect.try_key(1)
    assert Connection.of(Team.objects.get(pk=alice.team_id)).is_shared


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        ({"refuse": 802}, "refused", "wrong, has expired"),
        ({"http": 401}, "refused", "did not accept the key"),
        ({"http": 503}, "unreachable", "tells nothing about the key"),
        ({"body": "<html>"}, "unreachable", "tells nothing about the key"),
        ({"body": {"hello": 1}}, "unreachable", "tells nothing about the key"),
        ("lost", "unreachable", "did not answer"),
    ],
)
def test_what_a_key_that_is_not_taken_is_told(
    alice: Membership, sandbox: Any, settings: Any, answer: Any, state: str, words: str
) -> None:
    settings.EXTRA_SITES = [sandbox.url]
    sandbox.script("queue", answer)
    one = connections.add(alice.team, alice.user, base_url=sandbox.url, name="Own", key=OLD)
    assert not connect.try_key(one.keys.get().pk)
    key = one.keys.get()
    assert (key.state, words in key.sentence) == (state, True), key.sentence
    assert bool(key.sealed_key) is (state == "unreachable"), "a refused key is not kept"
    if state == "unreachable":
        assert connections.try_again(one)
        assert connect.try_key(one.keys.get().pk), "the second time it is taken"
    else:
        assert not connections.use_anyway(one)


def test_an_unreachable_key_can_be_used_anyway(alice: Membership, settings: Any) -> None:
    settings.EXTRA_SITES = ["http://127.0.0.1:9"]
    one = connections.add(alice.team, alice.user, base_url="http://127.0.0.1:9", name="Own", key=OLD)
    connect.try_key(one.keys.get().pk)
    assert connections.use_anyway(one)
    assert not connections.use_anyway(one)
    one.refresh_from_db()
    assert one.key() == OLD


def test_only_known_addresses_are_taken(alice: Membership) -> None:
    with pytest.raises(ValueError, match="internal"):
        connections.add(alice.team, alice.user, base_url="http://internal:80", name="Own", key=OLD)


def test_a_key_goes_nowhere_once_its_address_is_not_known_any_more(
    alice: Membership, far: Upstream, settings: Any
) -> None:
    one = own(alice.team, alice, far.url)
    settings.EXTRA_SITES = []
    with pytest.raises(upstream.NotConfigured):
        upstream.get_client(one)


def test_a_key_is_never_logged_nor_in_a_backup(
    alice: Membership, far: Upstream, caplog: Any, tmp_path: Any
) -> None:
    with caplog.at_level(logging.DEBUG):
        one = own(alice.team, alice, far.url)
        far.hold("submit", "nobody")
        order(alice)
        for row in dispatch.claim(one, 5):
            dispatch.send(row)
    assert far.submits[0]["key"] == f"Bearer {OLD}"
    assert OLD not in caplog.text
    call_command("dumpdata", "generations", stdout=(out := io.StringIO()))
    assert OLD not in out.getvalue()


def test_a_message_that_was_lost_is_rung_again(alice: Membership, far: Upstream) -> None:
    from django_q.models import OrmQ

    connections.add(alice.team, alice.user, base_url=far.url, name="Own", key=OLD)
    ConnectionKey.objects.update(entered_at=timezone.now() - timedelta(minutes=1))
    OrmQ.objects.all().delete()
    connections.tend()
    assert OrmQ.objects.count() == 1


# A key is replaced while work goes on


def replace_key(one: Connection, by: Membership, key: str = NEW) -> None:
    connections.enter_key(one, by.user, key)
    assert connect.try_key(one.keys.get(state="waiting").pk)
    one.refresh_from_db()


def test_running_work_is_followed_with_the_new_key(alice: Membership, far: Upstream) -> None:
    one = own(alice.team, alice, far.url)
    row = order(alice)
    for claimed in dispatch.claim(one, 5):
        dispatch.send(claimed)
    replace_key(one, alice)
    assert ConnectionKey.objects.get().state == "former"
    Generation.objects.update(next_check_at=timezone.now())
    for claimed in follow.claim(5):
        follow.look(claimed)
    for claimed in gather.claim(5):
        gather.gather(claimed)
    row.refresh_from_db()
    assert (row.status, row.key_digest) == (State.SUCCEEDED, key_digest(OLD))
    connections.tend()
    assert ConnectionKey.objects.get().sealed_key, "kept a while for a submit that may be under way"
    ConnectionKey.objects.update(replaced_at=timezone.now() - timedelta(hours=1))
    connections.tend()
    assert (ConnectionKey.objects.get().state, ConnectionKey.objects.get().sealed_key) == ("forgotten", "")


def test_the_former_key_is_asked_where_the_new_one_does_not_know_the_task(
    alice: Membership, sandbox: Any, settings: Any
) -> None:
    settings.EXTRA_SITES = [sandbox.url]
    one = own(alice.team, alice, sandbox.url)
    row = order(alice)
    for claimed in dispatch.claim(one, 5):
        dispatch.send(claimed)
    replace_key(one, alice)
    ConnectionKey.objects.update(replaced_at=timezone.now() - timedelta(hours=1))
    connections.tend()
    assert ConnectionKey.objects.get().sealed_key, "its generation runs"
    Generation.objects.update(next_check_at=timezone.now())
    for claimed in follow.claim(5):
        follow.look(claimed)
    row.refresh_from_db()
    assert row.faults == 0, "in the sandbox another key is another account, so the former one has answered"
    assert row.status in (State.RUNNING, State.GATHERING)
    ConnectionKey.objects.update(sealed_key="")
    row = Generation.objects.select_related("connection").get(pk=row.pk)
    with pytest.raises(ReadRefused):
        upstream.get_asker(row).query(row.upstream_id)


def test_a_refusal_of_the_key_before_pauses_nothing_and_is_sent_again(
    alice: Membership, sandbox: Any, settings: Any
) -> None:
    settings.EXTRA_SITES = [sandbox.url]
    one = own(alice.team, alice, sandbox.url)
    row = order(alice)
    (claimed,) = dispatch.claim(one, 5)
    replace_key(one, alice)
    sandbox.script("submit", {"refuse": 802})
    dispatch.send(claimed)
    one.refresh_from_db()
    row.refresh_from_db()
    assert (one.paused_at, row.status) == (None, State.QUEUED)
    (claimed,) = dispatch.claim(one, 5)
    dispatch.send(claimed)
    row.refresh_from_db()
    assert (row.status, row.key_digest) == (State.RUNNING, key_digest(NEW))


def test_another_key_ends_a_pause_for_the_key_but_not_one_by_hand(alice: Membership, far: Upstream) -> None:
    one = own(alice.team, alice, far.url)
    one.pause("802", "The key is wrong.")
    replace_key(one, alice)
    assert one.paused_at is None
    connections.pause(one, alice.team, alice.user, "The invoice is being looked at.")
    replace_key(one, alice, OLD)
    assert (one.paused_code, one.key()) == (BY_HAND, OLD)


def test_the_key_of_the_environment_is_replaced_likewise(
    bob: Membership, sandbox: Any, settings: Any
) -> None:
    row = order(bob)
    for claimed in dispatch.claim(Connection.current(), 5):
        dispatch.send(claimed)
    former, settings.RUNNINGHUB_API_KEY = settings.RUNNINGHUB_API_KEY, NEW
    Connection.current()
    row = Generation.objects.select_related("connection").get(pk=row.pk)
    with pytest.raises(ReadRefused):  # in the sandbox another key is another account
        upstream.get_asker(row).query(row.upstream_id)
    settings.RUNNINGHUB_FORMER_API_KEY = former
    assert upstream.get_asker(row).query(row.upstream_id).upstream_id == row.upstream_id


# Which one a team uses


def test_a_team_sends_by_its_own_and_others_by_the_shared_one(
    alice: Membership, zoe: Membership, far: Upstream, sandbox: Any
) -> None:
    mine = own(alice.team, alice, far.url)
    assert order(alice).connection_id == mine.pk
    assert order(zoe).connection_id == Connection.current().pk


def test_a_model_that_the_own_site_lacks_is_not_offered(alice: Membership) -> None:
    Connection.objects.create(team=alice.team, is_used=True, base_url=HOSTS["ai"], sealed_key="x", name="Own")
    team = Team.objects.get(pk=alice.team_id)
    assert Connection.of(team).site == "ai"


def test_limits_on_spending_keep_a_team_from_changing_its_currency(alice: Membership, far: Upstream) -> None:
    one = own(alice.team, alice, far.url, use=False)
    Connection.objects.filter(pk=one.pk).update(currency="USD")
    put = {"scope": Scope.POOL, "measure": Measure.SPEND, "period": Period.MONTH, "mode": Mode.LIMITED}
    Allowance.put(alice.team, limit=Decimal(20), **put)  # type: ignore[arg-type]
    with pytest.raises(connections.NotDone, match="pays in USD"):
        connections.use(alice.team, one)
    Allowance.objects.all().delete()
    assert connections.use(Team.objects.get(pk=alice.team_id), one)
    assert not connections.use(Team.objects.get(pk=alice.team_id), one)


def test_receipts_of_two_currencies_are_never_one_sum(
    bob: Membership, make_generation: Callable[..., Generation]
) -> None:
    put = {"scope": Scope.POOL, "measure": Measure.SPEND, "period": Period.MONTH, "mode": Mode.LIMITED}
    Allowance.put(bob.team, limit=Decimal(20), **put)  # type: ignore[arg-type]
    make_generation(bob, cost_actual=Decimal(3), currency="CNY")
    make_generation(bob, cost_actual=Decimal(5), currency="USD")
    (line,) = quota.standing(Membership.objects.get(pk=bob.pk))
    assert line.used == Decimal(3)
    Connection.objects.update(currency="USD")
    (line,) = quota.standing(Membership.objects.get(pk=bob.pk))
    assert line.used == Decimal(5)


def test_an_order_that_meets_a_switch_goes_by_the_new_connection(
    alice: Membership, far: Upstream, sandbox: Any
) -> None:
    one = own(alice.team, alice, far.url, use=False)
    stale = Membership.objects.select_related("team", "user").get(pk=alice.pk)
    assert Connection.of(stale.team).is_shared, "looked at before the switch"
    connections.use(Team.objects.get(pk=alice.team_id), one)
    assert accept.accept(stale, MODEL, PARAMS).generation.connection_id == one.pk


def test_a_connection_with_work_is_not_removed(alice: Membership, far: Upstream, sandbox: Any) -> None:
    one = own(alice.team, alice, far.url)
    row = order(alice)
    with pytest.raises(connections.NotDone, match="The team uses"):
        connections.remove(one)
    connections.use(Team.objects.get(pk=alice.team_id), Connection.current())
    with pytest.raises(connections.NotDone, match="have not ended"):
        connections.remove(one)
    Generation.objects.filter(pk=row.pk).update(status=State.FAILED)
    connections.remove(one)
    one.refresh_from_db()
    assert (one.sealed_key, str(row.connection)) == ("", "Own")


# The worker serves all


def _watch_and_close() -> None:
    try:
        watch.watch(1.0)
    finally:
        database.close()


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_a_paused_and_a_hanging_connection_keep_no_other_waiting(
    alice: Membership, zoe: Membership, far: Upstream, settings: Any
) -> None:
    """The upstream of one team answers no submit; the other team's generations are sent meanwhile."""
    with Upstream(slots=50) as slow:
        settings.EXTRA_SITES = [far.url, slow.url]
        stuck, well = own(alice.team, alice, slow.url), own(zoe.team, zoe, far.url)
        Connection.current().pause("802", "The key is wrong.")
        Connection.objects.filter(pk=Connection.current().pk).update(checked_at=timezone.now())
        stuck_at = slow.hold("submit", PARAMS["prompt"])
        for _ in range(20):
            order(alice)
        for _ in range(4):
            order(zoe)
        watching = threading.Thread(target=_watch_and_close)
        watching.start()
        try:
            assert stuck_at.wait(10)
            give_up = timezone.now() + timedelta(seconds=20)
            while len(far.submits) < 2 and timezone.now() < give_up:
                watching.join(0.02)
            assert len(far.submits) == 2, "as many as its account runs at once"
            assert len(slow.submits) <= 4, "a third of the threads, beside two others"
        finally:
            slow.let_go("submit")
            watching.join()
    assert {key["key"] for key in far.submits} == {f"Bearer {OLD}"}
    assert well.pk != stuck.pk


def test_a_share_is_rounded_up_and_alone_everything() -> None:
    fair = jobs.Fair(12)
    assert (fair.left(1, 1), fair.left(1, 2), fair.left(1, 5)) == (12, 6, 3)
    assert fair.full(2) == []


# Who is told


def test_the_managers_of_the_team_are_told_and_nobody_else(
    alice: Membership, mona: Membership, bob: Membership, zoe: Membership, far: Upstream
) -> None:
    one = own(alice.team, alice, far.url)
    one.pause("802", "The key is wrong.")
    assert alert.connection_paused(one.pk) == 2
    assert sorted(to for message in mail.outbox for to in message.to) == [
        "alice@example.com",
        "mona@example.com",
    ]
    mail.outbox.clear()
    Connection.current().pause("605", "No money.")
    assert alert.connection_paused(Connection.current().pk) == 1
    assert mail.outbox[0].to == ["zoe@example.com"], "only her team uses the shared one"


@pytest.mark.parametrize("begun", ["before", "while it was tried"])
def test_a_key_of_another_currency_does_not_replace_one_that_is_in_use(
    alice: Membership, bob: Membership, far: Upstream, begun: str
) -> None:
    one = own(alice.team, alice, far.url, use=begun == "before")
    spending(alice.team)
    far.currency = "USD"
    connections.enter_key(one, alice.user, NEW)
    entered = one.keys.get(state=ConnectionKey.State.WAITING)
    if begun == "before":
        assert not connect.try_key(entered.pk)
        entered.refresh_from_db()
        assert (entered.state, "pays in USD" in entered.sentence) == (ConnectionKey.State.REFUSED, True)
    else:
        connections.use(Team.objects.get(pk=alice.team_id), one)
        with pytest.raises(connections.NotDone, match="pays in USD"):
            connections.promote(entered, currency="USD")
    one.refresh_from_db()
    assert (one.currency, one.key()) == ("CNY", OLD)
