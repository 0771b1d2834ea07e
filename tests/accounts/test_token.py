from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import ApiToken, Membership


def test_a_token_is_found_by_its_text_and_never_kept(bob: Membership) -> None:
    token = ApiToken.issue(bob, "Nightly")
    row = ApiToken.objects.get()
    assert ApiToken.find(token) == row
    assert (row.membership, row.name) == (bob, "Nightly")
    assert token.startswith("rhw_")
    assert all(token not in str(value) for value in vars(row).values())
    assert ApiToken.find(row.digest) is None


def test_two_tokens_of_one_member_work_side_by_side(bob: Membership) -> None:
    first, second = ApiToken.issue(bob), ApiToken.issue(bob)
    assert first != second
    assert {ApiToken.find(first), ApiToken.find(second)} == set(ApiToken.objects.all())


@pytest.mark.parametrize("text", ["", "rhw_", "x" * 10_000, "\x00", "\ud800", "ä"])
def test_a_text_that_is_no_token_finds_nothing(text: str, bob: Membership) -> None:
    ApiToken.issue(bob)
    assert ApiToken.find(text) is None


def test_a_token_ends_with_its_time_its_membership_or_its_user(bob: Membership) -> None:
    token, now = ApiToken.issue(bob), timezone.now()
    rows = ApiToken.objects.all()
    rows.update(expires_at=now + timedelta(hours=1))
    assert ApiToken.find(token)
    rows.update(expires_at=now)
    assert ApiToken.find(token) is None
    rows.update(expires_at=None, revoked_at=now)
    assert ApiToken.find(token) is None
    rows.update(revoked_at=None)
    Membership.objects.update(ended_at=now)
    assert ApiToken.find(token) is None
    Membership.objects.update(ended_at=None)
    bob.user.is_active = False
    bob.user.save(update_fields=["is_active"])
    assert ApiToken.find(token) is None


def test_finding_a_token_takes_one_query_with_its_people(
    bob: Membership, django_assert_num_queries: object
) -> None:
    token = ApiToken.issue(bob)
    with django_assert_num_queries(1):  # type: ignore[operator]
        row = ApiToken.find(token)
        assert row is not None
        assert (row.membership.team, row.membership.user) == (bob.team, bob.user)


def test_a_use_is_noted_at_most_once_a_minute(bob: Membership) -> None:
    token = ApiToken.issue(bob)

    def used() -> object:
        row = ApiToken.find(token)
        assert row is not None
        row.touch()
        return ApiToken.objects.get().last_used_at

    first = used()
    assert first is not None
    assert used() == first
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    assert used() > timezone.now() - timedelta(seconds=30)  # type: ignore[operator]
