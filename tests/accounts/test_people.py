"""Users, teams and memberships."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Membership, Role, Team, User


def test_the_email_is_the_login_whatever_its_case(db: None) -> None:
    user = User.objects.create_user(" Ann@Example.COM ", "a long enough password")
    assert user.email == "ann@example.com"
    assert User.objects.get_by_natural_key("ANN@example.com") == user
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="Ann@example.com")


def test_without_a_password_nobody_can_sign_in(db: None) -> None:
    assert not User.objects.create_user("ann@example.com").has_usable_password()
    with pytest.raises(ValueError, match="email"):
        User.objects.create_user("")


def test_a_person_is_called_by_name_or_by_the_beginning_of_the_email(db: None) -> None:
    assert User(email="ann.b@example.com").display_name == "ann.b"
    assert User(email="ann.b@example.com", name="Ann").display_name == "Ann"


def test_only_a_superuser_is_staff(db: None) -> None:
    assert User.objects.create_superuser("root@example.com", "pw").is_staff
    assert not User.objects.create_user("ann@example.com", "pw").is_staff


@pytest.mark.parametrize(
    "slug", ["Tide", "tide_tables", "-tide", "tide-", "ti--de", "tide\n", "", "t" * 41, "tïde"]
)
def test_a_slug_is_plain(slug: str, db: None) -> None:
    with pytest.raises(ValidationError):
        Team(slug=slug, name="Tide").full_clean()


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc", "utc\n"])
def test_a_time_zone_exists(zone: str, db: None) -> None:
    with pytest.raises(ValidationError):
        Team(slug="tide", name="Tide", time_zone=zone).full_clean()


@pytest.mark.parametrize(
    ("role", "manages", "generates"),
    [
        (Role.OWNER, True, True),
        (Role.MANAGER, True, True),
        (Role.MEMBER, False, True),
        (Role.VIEWER, False, False),
    ],
)
def test_what_a_role_may_do_and_that_nobody_may_after_leaving(
    role: Role, manages: bool, generates: bool
) -> None:
    member = Membership(role=role)
    assert (member.may_manage, member.may_generate) == (manages, generates)
    member.ended_at = timezone.now()
    assert (member.may_manage, member.may_generate) == (False, False)


def test_one_person_is_in_a_team_once(bob: Membership) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(team=bob.team, user=bob.user)
