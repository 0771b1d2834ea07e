"""The commands that scripts call."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import (
    Action,
    Allowance,
    ApiToken,
    Measure,
    Membership,
    Mode,
    Period,
    Role,
    Scope,
    Team,
    User,
)


def run(*words: str) -> list[str]:
    """The lines that a command prints."""
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=io.StringIO())
    return out.getvalue().splitlines()


def refused(*words: str) -> str:
    """The sentence with which a command ends."""
    with pytest.raises(CommandError) as caught:
        run(*words)
    return str(caught.value)


def test_a_team_is_made_once_and_changed_by_what_is_given(db: None) -> None:
    run("create_team", "tide-tables")
    assert Team.objects.get().name == "Tide tables"
    run("create_team", "tide-tables", "--name", "Tide Tables", "--time-zone", "Asia/Shanghai")
    run("create_team", "tide-tables")
    team = Team.objects.get()
    assert (team.name, team.time_zone) == ("Tide Tables", "Asia/Shanghai")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Bad Slug"], "small letters"),
        ([""], "slug"),
        (["tide", "--name", " "], "name"),
        (["tide", "--name", "x" * 81], "name"),
        (["tide", "--time-zone", "Mars/Olympus"], "time zone"),
    ],
)
def test_a_team_that_cannot_be_is_refused_with_a_sentence(words: list[str], said: str, db: None) -> None:
    assert said in refused("create_team", *words)
    assert not Team.objects.exists()


def test_a_member_can_sign_in_with_the_password(team: Team) -> None:
    run(
        "create_member",
        "Ann@Example.com",
        "--team",
        "tide",
        "--role",
        "member",
        "--password",
        "s3 kret-words",
    )
    membership = Membership.objects.get()
    assert (membership.user.email, membership.role, membership.team) == ("ann@example.com", Role.MEMBER, team)
    answer = Client().post("/accounts/login/", {"login": "ann@example.com", "password": "s3 kret-words"})
    assert answer.status_code == 302
    assert EmailAddress.objects.get().verified


def test_running_again_changes_role_name_and_password_and_nothing_else(team: Team) -> None:
    words = ["create_member", "ann@example.com", "--team", "tide"]
    run(*words, "--role", "member", "--password", "the first password", "--name", "Ann")
    run(*words, "--role", "manager")
    membership = Membership.objects.get()
    assert (membership.role, membership.user.name) == (Role.MANAGER, "Ann")
    assert membership.user.check_password("the first password")
    run(*words, "--role", "manager", "--password", "the second password")
    assert User.objects.get().check_password("the second password")
    assert EmailAddress.objects.count() == 1


def test_somebody_who_left_is_taken_back(bob: Membership) -> None:
    Membership.objects.update(ended_at=timezone.now())
    run("create_member", "bob@example.com", "--team", "tide", "--role", "viewer")
    bob.refresh_from_db()
    assert (bob.ended_at, bob.role) == (None, Role.VIEWER)


def test_one_person_may_be_in_two_teams(bob: Membership, zoe: Membership) -> None:
    run("create_member", "bob@example.com", "--team", "zoo", "--role", "viewer")
    assert {m.team.slug: m.role for m in bob.user.memberships.all()} == {"tide": "member", "zoo": "viewer"}


def test_without_a_password_it_says_how_to_get_one(team: Team, settings: Any) -> None:
    settings.PUBLIC_URL = "https://sound.example.com"
    lines = run("create_member", "ann@example.com", "--team", "tide", "--role", "member")
    assert "https://sound.example.com/accounts/password/reset/" in lines[-1]
    assert not User.objects.get().has_usable_password()


def test_a_weak_password_is_taken_with_a_word_of_warning(team: Team) -> None:
    err = io.StringIO()
    words = ["create_member", "ann@example.com", "--team", "tide", "--role", "member", "--password", "pw"]
    call_command(*words, stdout=io.StringIO(), stderr=err)
    assert User.objects.get().check_password("pw")
    assert "too short" in err.getvalue()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ann", "--team", "tide", "--role", "member"], "no email address"),
        (["a" * 250 + "@example.com", "--team", "tide", "--role", "member"], "no email address"),
        (["ann@example.com", "--team", "nope", "--role", "member"], "no team"),
        (["ann@example.com", "--team", "tide", "--role", "boss"], "invalid choice"),
        (["ann@example.com", "--team", "tide"], "--role"),
        (["ann@example.com", "--team", "tide", "--role", "member", "--password", ""], "empty"),
        (["ann@example.com", "--team", "tide", "--role", "member", "--name", "x" * 81], "80 characters"),
    ],
)
def test_a_member_that_cannot_be_is_refused_with_a_sentence(words: list[str], said: str, team: Team) -> None:
    assert said in refused("create_member", *words)
    assert not User.objects.exists()


def test_the_last_line_is_a_token_that_works(bob: Membership) -> None:
    first = run("create_token", "BOB@example.com", "--team", "tide")[-1]
    second = run("create_token", "bob@example.com", "--team", "tide", "--name", "Nightly")[-1]
    for token in (first, second):
        answer = Client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.json()["user"]["email"] == "bob@example.com"
    assert list(ApiToken.objects.order_by("pk").values_list("name", flat=True)) == ["Command line", "Nightly"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bob@example.com", "--team", "nope"], "no team"),
        (["zoe@example.com", "--team", "tide"], "not a member"),
        (["bob@example.com", "--team", "tide", "--name", " "], "characters"),
    ],
)
def test_a_token_for_nobody_is_refused(words: list[str], said: str, bob: Membership, zoe: Membership) -> None:
    assert said in refused("create_token", *words)
    assert not ApiToken.objects.exists()


def test_no_token_for_somebody_who_left_or_may_not_sign_in(bob: Membership) -> None:
    User.objects.update(is_active=False)
    assert "may not sign in" in refused("create_token", "bob@example.com", "--team", "tide")
    Membership.objects.update(ended_at=timezone.now())
    assert "not a member" in refused("create_token", "bob@example.com", "--team", "tide")


LIMIT = ["set_allowance", "--team", "tide"]
WEEK = ["--measure", "spend", "--period", "week"]


@pytest.mark.parametrize(
    ("words", "scope", "mode", "limit", "action"),
    [
        (["--pool", *WEEK, "--limit", "12.5"], Scope.POOL, Mode.LIMITED, "12.5", Action.BLOCK),
        (["--pool", *WEEK, "--limit", "0"], Scope.POOL, Mode.LIMITED, "0", Action.BLOCK),
        (["--default", *WEEK, "--limit", "0.000001"], Scope.DEFAULT, Mode.LIMITED, "0.000001", Action.BLOCK),
        (["--default", *WEEK, "--limit", "unlimited"], Scope.DEFAULT, Mode.UNLIMITED, None, Action.BLOCK),
        (
            ["--member", "Bob@example.com", *WEEK, "--limit", "1"],
            Scope.MEMBER,
            Mode.LIMITED,
            "1",
            Action.BLOCK,
        ),
        (
            ["--member", "bob@example.com", *WEEK, "--limit", "Inherit"],
            Scope.MEMBER,
            Mode.INHERIT,
            None,
            Action.BLOCK,
        ),
        (["--pool", *WEEK, "--limit", "3", "--action", "warn"], Scope.POOL, Mode.LIMITED, "3", Action.WARN),
    ],
)
def test_a_limit_is_set_for_whom_it_is_meant(
    words: list[str], scope: Scope, mode: Mode, limit: str | None, action: Action, bob: Membership
) -> None:
    for _ in range(2):
        assert len(run(*LIMIT, *words)) == 1
        row = Allowance.objects.get()
        assert (row.scope, row.mode, row.action) == (scope, mode, action)
        assert row.limit == (None if limit is None else Decimal(limit))
        assert row.membership == (bob if scope == Scope.MEMBER else None)
        assert (row.measure, row.period) == (Measure.SPEND, Period.WEEK)


def test_a_later_limit_replaces_the_earlier(bob: Membership) -> None:
    run(*LIMIT, "--pool", *WEEK, "--limit", "5", "--action", "warn")
    run(*LIMIT, "--pool", *WEEK, "--limit", "6")
    run(*LIMIT, "--pool", "--measure", "count", "--period", "week", "--limit", "7")
    limits = {row.measure: (row.limit, row.action) for row in Allowance.objects.all()}
    assert limits == {"spend": (6, "block"), "count": (7, "block")}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*WEEK, "--limit", "5"], "--pool --default --member"),
        (["--pool", "--default", *WEEK, "--limit", "5"], "not allowed with"),
        (["--pool", "--measure", "spend", "--limit", "5"], "--period"),
        (["--pool", "--measure", "luck", "--period", "week", "--limit", "5"], "invalid choice"),
        (["--pool", "--measure", "concurrent", "--period", "day", "--limit", "5"], "no period"),
        (["--pool", "--measure", "count", "--period", "day", "--limit", "1.5"], "whole number"),
        (["--pool", *WEEK, "--limit", "inherit"], "inherit"),
        (["--default", *WEEK, "--limit", "inherit"], "inherit"),
        (["--pool", *WEEK, "--limit", "-1"], "from 0 up"),
        (["--pool", *WEEK, "--limit", "NaN"], "from 0 up"),
        (["--pool", *WEEK, "--limit", "sNaN"], "from 0 up"),
        (["--pool", *WEEK, "--limit", "Infinity"], "from 0 up"),
        (["--pool", *WEEK, "--limit", "1e999999"], "from 0 up"),
        (["--pool", *WEEK, "--limit", "0.0000001"], "six decimals"),
        (["--pool", *WEEK, "--limit", "five"], "write a number"),
        (["--pool", *WEEK, "--limit", ""], "write a number"),
        (["--pool", *WEEK, "--limit", "5", "--action", "shout"], "invalid choice"),
        (["--member", "zoe@example.com", *WEEK, "--limit", "5"], "not a member"),
        (["--member", "", *WEEK, "--limit", "5"], "not a member"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_with_a_sentence(
    words: list[str], said: str, bob: Membership, zoe: Membership
) -> None:
    assert said in refused(*LIMIT, *words)
    assert not Allowance.objects.exists()


def test_a_limit_of_an_unknown_team_is_refused(db: None) -> None:
    assert "create_team nope" in refused("set_allowance", "--team", "nope", "--pool", *WEEK, "--limit", "5")


def test_the_only_owner_stays_one(team: Team, alice: Membership) -> None:
    with pytest.raises(CommandError, match="only owner of tide"):
        call_command("create_member", alice.user.email, team="tide", role="member")
    alice.refresh_from_db()
    assert alice.role == Role.OWNER
    call_command("create_member", "second@example.com", team="tide", role="owner")
    call_command("create_member", alice.user.email, team="tide", role="member")
    alice.refresh_from_db()
    assert alice.role == Role.MEMBER


def test_only_the_command_sets_a_weight(team: Team, zoe: Membership) -> None:
    assert "tide has weight 3 of 4 in all teams" in run("set_weight", "tide", "3")[-1]
    team.refresh_from_db()
    assert team.weight == 3
    for wrong in ("0", "11", "-1", "x", "2.5", "٣", ""):
        with pytest.raises(CommandError, match="whole number from 1 to 10"):
            run("set_weight", "--", "tide", wrong)
    with pytest.raises(CommandError, match="no team called"):
        run("set_weight", "gone", "3")
