"""Pages of tokens and of service members."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import notify, tokens
from accounts.models import ApiToken, AuditEntry, Membership, Notification

Clients = Callable[[Membership], Client]
OWN, TEAM = "/t/tide/tokens/", "/t/tide/team/tokens/"
NEW = {"name": "Nightly build", "scopes": ["generate"], "days": "30", "count_limit": "5", "period": "day"}


def text_in(answer: Any) -> str:
    return re.findall(r'value="(rhw_[^"]+)"', answer.content.decode())[0]


def test_a_token_is_shown_once_works_and_is_revoked(bob: Membership, client_of: Clients) -> None:
    client = client_of(bob)
    answer = client.post(OWN, NEW)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    text, row = text_in(answer), ApiToken.objects.get()
    assert text not in client.get(OWN).content.decode()
    assert (row.name, row.scopes, row.count_limit, row.made_by) == (
        "Nightly build", ["read", "generate"], 5, bob.user,
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {text}"}
    assert Client().get("/api/v1/me", headers=headers).status_code == 200
    assert "last used" in client.get(OWN).content.decode()
    for _ in range(2):
        assert client.post(f"{OWN}{row.pk}/revoke/").status_code == 302
    assert Client().get("/api/v1/me", headers=headers).status_code == 401
    noted = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert noted == ["token.made", "token.revoked"]
    assert not any(text in str(entry.after) for entry in AuditEntry.objects.all())


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "Give it a name"),
        ({"scopes": ["manage"]}, "not one of the available choices"),
        ({"days": "12345"}, "not one of the available choices"),
        ({"spend_limit": "-1"}, "greater than or equal"),
        ({"count_limit": "many"}, "whole number"),
        ({"period": "century"}, "not one of the available choices"),
    ],
)
def test_what_does_not_fit_comes_back_filled(
    wrong: Any, said: str, bob: Membership, client_of: Clients
) -> None:
    answer = client_of(bob).post(OWN, NEW | wrong)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert "rhw_" not in answer.content.decode()
    assert not ApiToken.objects.exists()


@pytest.mark.thorough
def test_nobody_sees_or_revokes_a_colleagues_token_but_managers(
    bob: Membership, carol: Membership, mona: Membership, zoe: Membership, client_of: Clients
) -> None:
    ApiToken.issue(bob, "Bob’s own")
    path = f"{OWN}{ApiToken.objects.get().pk}/revoke/"
    assert "Bob’s own" not in client_of(carol).get(OWN).content.decode()
    assert client_of(carol).get(TEAM).status_code == 403
    assert client_of(carol).post(path).status_code == 404
    assert client_of(zoe).post(path).status_code == 404
    assert "Bob’s own" in client_of(mona).get(TEAM).content.decode()
    assert client_of(mona).post(path, {"next": TEAM}).url == TEAM  # type: ignore[attr-defined]
    assert ApiToken.objects.get().state == "revoked"


def test_there_is_an_end_to_how_many(bob: Membership, client_of: Clients, monkeypatch: Any) -> None:
    monkeypatch.setattr(tokens, "MOST", 1)
    client = client_of(bob)
    assert client.post(OWN, NEW).status_code == 200
    assert "Revoke one first" in client.post(OWN, NEW).content.decode()
    assert ApiToken.objects.count() == 1


def test_a_list_of_many_takes_as_many_queries_as_one_of_few(
    mona: Membership, bob: Membership, client_of: Clients
) -> None:
    client = client_of(mona)
    client.get(TEAM)
    counts = []
    for _ in range(2):
        ApiToken.issue(bob)
        ApiToken.issue(mona)
        with CaptureQueriesContext(connection) as queries:
            client.get(TEAM)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_service_member_is_made_by_a_manager_owns_tokens_and_never_signs_in(
    mona: Membership, bob: Membership, client_of: Clients
) -> None:
    manager = client_of(mona)
    assert client_of(bob).post(TEAM, {"name": "Build", "role": "member"}).status_code == 403
    assert manager.post(TEAM, {"name": "Build", "role": "owner"}).status_code == 422
    made = manager.post(TEAM, {"name": "Build", "role": "member"})
    machine = Membership.objects.get(user__is_machine=True)
    page = f"{TEAM}{machine.pk}/"
    assert made.url == page  # type: ignore[attr-defined]
    text = text_in(manager.post(page, NEW))
    assert client_of(bob).get(page).status_code == 403
    me = Client().get("/api/v1/me", headers={"Authorization": f"Bearer {text}"}).json()
    assert (me["user"]["name"], me["role"]) == ("Build", "member")
    machine.user.set_password("a long enough password")
    machine.user.save()
    client = Client()
    client.post("/accounts/login/", {"login": machine.user.email, "password": "a long enough password"})
    assert client.get("/t/tide/library/").status_code == 302
    notify.tell(machine.user, "granted", "More")
    assert not Notification.objects.exists()
    assert not mail.outbox


def test_a_manager_makes_no_token_that_speaks_for_a_colleague(mona: Membership, bob: Membership) -> None:
    with pytest.raises(tokens.PermissionDenied):
        tokens.make(mona, bob, "Spy")
    assert not ApiToken.objects.exists()


def test_the_command_takes_scopes_days_and_limits(bob: Membership) -> None:
    out = io.StringIO()
    call_command(
        "create_token", "bob@example.com", "--team", "tide", "--scopes", "generate", "--days", "7",
        "--spend", "2.5", "--count", "9", "--period", "week", stdout=out,
    )  # fmt: skip
    row = ApiToken.find(out.getvalue().split()[-1])
    assert row is not None
    assert (row.scopes, str(row.spend_limit), row.count_limit, row.period) == (
        ["read", "generate"], "2.50", 9, "week",
    )  # fmt: skip
    assert row.expires_at is not None
    for wrong in (["--scopes", "all"], ["--days", "0"], ["--spend", "much"], ["--count", "-1"]):
        with pytest.raises(CommandError):
            call_command("create_token", "bob@example.com", "--team", "tide", *wrong, stdout=out)
