"""The role table, beside what the matrix knocks at."""

from __future__ import annotations

from django.utils import timezone

from accounts import roles
from accounts.models import Membership, Role
from accounts.roles import Deed


def test_a_wider_role_may_all_that_a_narrower_one_may() -> None:
    for wider, narrower in zip(list(Role), list(Role)[1:], strict=False):
        assert {deed for deed in Deed if roles.may(narrower, deed)} <= {
            deed for deed in Deed if roles.may(wider, deed)
        }


def test_only_owners_give_owners() -> None:
    assert roles.to_give(Role.OWNER) == list(Role)
    assert roles.to_give(Role.MANAGER) == [Role.MANAGER, Role.MEMBER, Role.VIEWER]
    assert roles.to_give(Role.MEMBER) == roles.to_give("god") == []


def test_who_left_may_nothing(alice: Membership) -> None:
    assert all(alice.may(deed) for deed in Deed)
    alice.ended_at = timezone.now()
    assert not any(alice.may(deed) for deed in Deed)


def test_every_refusal_says_something() -> None:
    assert all(roles.refusal(deed).endswith(".") for deed in Deed)
