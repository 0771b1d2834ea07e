"""How far a token reaches: its scopes, its own limits, its end, and the second factor of its team."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import ApiToken, Membership, Reach, Role, Team, User
from generations import quota
from generations.models import Connection, Generation, State
from generations.pipeline import accept
from generations.views.api import api
from generations.views.api.auth import reads
from tests.conftest import MODEL, join
from tests.effort import tries
from tests.generations.api.conftest import Program

ORDER = {"model": MODEL, "params": {"prompt": "Slow piano over rain"}}


def program(membership: Membership, **values: Any) -> Program:
    return Program(ApiToken.issue(membership, **values))


def test_a_token_does_only_what_its_scopes_reach(bob: Membership, make_generation: Any) -> None:
    waiting = make_generation(bob, status=State.QUEUED)
    reading = program(bob, scopes=["read"])
    assert reading.get("generations").status_code == 200
    for answer in (
        reading.post("generations", ORDER),
        reading.post(f"generations/{waiting.pk}/cancel"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert "generate" in answer.json()["detail"]
    assert Generation.objects.count() == 1
    generating = program(bob, scopes=["generate"])
    assert generating.get("me").json()["token"]["scopes"] == ["read", "generate"]
    assert generating.post("generations", ORDER).status_code == 201


def test_a_scope_gives_nothing_that_the_role_does_not(vera: Membership) -> None:
    answer = program(vera, scopes=["generate", "manage"]).post("generations", ORDER)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_revoked_or_expired_token_stops_at_once(bob: Membership) -> None:
    one = program(bob)
    assert one.get("me").status_code == 200
    assert ApiToken.objects.get().revoke()
    assert one.get("me").status_code == 401
    late = program(bob, expires_at=timezone.now() + timedelta(minutes=1))
    assert late.get("me").status_code == 200
    ApiToken.objects.update(expires_at=timezone.now())
    assert late.post("generations", ORDER).status_code == 401


def test_a_token_that_is_revoked_while_it_asks_is_refused_under_the_lock(bob: Membership) -> None:
    ApiToken.issue(bob)
    token = ApiToken.objects.get()
    token.revoke()
    with pytest.raises(accept.TokenOver):
        accept.accept(bob, MODEL, ORDER["params"], token=token)
    assert not Generation.objects.exists()


def test_its_own_limit_binds_besides_those_of_its_member(bob: Membership) -> None:
    tight, free = program(bob, count_limit=1, period="day"), program(bob)
    assert tight.post("generations", ORDER).status_code == 201
    refused = tight.post("generations", ORDER)
    body = refused.json()
    assert (refused.status_code, body["limit_name"], body["scope"]) == (402, "token_count_day", "token")
    assert body["detail"].startswith("This token")
    assert free.post("generations", ORDER).status_code == 201
    assert [line["name"] for line in tight.get("me").json()["limits"]] == ["token_count_day"]
    assert free.get("usage").json()["limits"] == []


def test_what_a_token_made_stays_counted_and_what_failed_at_no_cost_does_not(bob: Membership) -> None:
    one = program(bob, count_limit=1)
    made = one.post("generations", ORDER).json()["id"]
    assert one.post("generations", ORDER).status_code == 402
    assert one.post(f"generations/{made}/cancel").json()["status"] == "cancelled"
    assert one.post("generations", ORDER).status_code == 201


money = st.decimals(min_value=0, max_value=3, places=2)


@settings(max_examples=tries(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=money,
    steps=st.lists(
        st.tuples(st.sampled_from(["token", "other", "page"]), st.one_of(st.none(), money)), max_size=12
    ),
)
def test_a_token_never_spends_more_than_its_limit(bob: Membership, limit: Decimal, steps: Any) -> None:
    """Whatever else the member does; an unknown cost passes only while something is left."""
    Generation.objects.all().delete()
    ApiToken.objects.all().delete()
    ApiToken.issue(bob, "tight", spend_limit=limit)
    ApiToken.issue(bob, "other")
    tokens = {one.name: one for one in ApiToken.objects.all()}
    tokens = {"token": tokens["tight"], "other": tokens["other"], "page": None}  # type: ignore[dict-item]
    here = Connection.current()
    for through, cost in steps:
        token, now = tokens[through], timezone.now()
        spent = sum(
            (row.cost_estimated or Decimal(0) for row in Generation.objects.filter(token=tokens["token"])),
            Decimal(0),
        )
        try:
            quota.ask(bob, cost, here.currency, now, token)
        except quota.QuotaExceeded:
            assert through == "token"
            assert spent >= limit if cost is None else spent + cost > limit
            continue
        Generation.objects.create(
            team=bob.team, author=bob.user, connection=here, model=MODEL, kind="music", title="x", params={},
            status=State.QUEUED, currency=here.currency, cost_estimated=cost, token=token,
        )  # fmt: skip
        if through == "token":
            assert spent + (cost or Decimal(0)) <= limit


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_through_a_token_that_may_five_are_five() -> None:
    bob = join(Team.objects.create(slug="tide", name="Tide"), "bob", Role.MEMBER)
    text = ApiToken.issue(bob, count_limit=5)
    start, told = threading.Barrier(20), []

    def post() -> None:
        try:
            one = Program(text)
            start.wait()
            told.append(one.post("generations", ORDER).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (told.count(201), told.count(402)) == (5, 15)
    assert Generation.objects.count() == 5


def test_a_token_does_not_get_around_the_second_factor(bob: Membership) -> None:
    one = program(bob)
    Team.objects.update(needs_second_factor=True)
    answer = one.get("me")
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_missing")
    assert one.post("generations", ORDER).status_code == 403
    Authenticator.objects.create(user=bob.user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert one.get("me").status_code == 200


def test_a_service_member_has_no_second_factor_and_needs_none(bob: Membership) -> None:
    Team.objects.update(needs_second_factor=True)
    user = User.objects.create_user("build@tide.service.invalid", is_machine=True)
    machine = Membership.objects.create(team=bob.team, user=user, role=Role.MEMBER)
    assert program(machine).post("generations", ORDER).status_code == 201


def test_every_operation_but_reading_asks_for_a_scope() -> None:
    reaching = {
        (method, operation.operation_id): (operation.auth_callbacks or [reads])[0].reach
        for _prefix, router in api._routers
        for view in router.path_operations.values()
        for operation in view.operations
        for method in operation.methods
    }
    for (method, name), reach in reaching.items():
        assert method in ("GET", "HEAD") or reach != Reach.READ, name
