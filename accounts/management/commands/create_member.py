from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from accounts.management import lookup
from accounts.management.audited import AuditedCommand
from accounts.models import Membership, Role, Team, User, audit


class Command(AuditedCommand):
    help = "Puts a person into a team, or changes the role or password of one who is there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the address by which they sign in")
        parser.add_argument("--team", required=True, help="the slug of the team")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument(
            "--name", help="what colleagues see; without it the part of the email before the @"
        )
        parser.add_argument("--password", help="without it a new person has to set one by email")

    def handle(
        self, *, email: str, team: str, role: str, name: str | None, password: str | None, **options: Any
    ) -> None:
        email = email.strip().lower()
        try:
            validate_email(email)
            User._meta.get_field("email").run_validators(email)
        except ValidationError:
            raise CommandError(f"{email!r} is no email address.") from None
        if password == "":
            raise CommandError("The password is empty; leave --password out to have one set by email.")
        if name is not None and len(name.strip()) > 80:
            raise CommandError("A name has at most 80 characters.")
        with transaction.atomic():
            found = lookup.team(team)
            user = User.objects.select_for_update().filter(email__iexact=email).first()
            if user is None:
                user = User.objects.create_user(email, password)
            elif password is not None:
                user.set_password(password)
                user.save(update_fields=["password"])
            if name is not None:
                User.objects.filter(pk=user.pk).update(name=name.strip())
            _vouch(user)
            _keep_an_owner(found, user, role)
            was = Membership.objects.filter(team=found, user=user, ended_at=None).first()
            Membership.objects.update_or_create(
                team=found, user=user, defaults={"role": role, "ended_at": None}
            )
            if was is None:
                audit.note("member.added", team=found, person=user, after={"role": role})
            elif was.role != role:
                audit.note(
                    "role.changed", team=found, person=user, before={"role": was.role}, after={"role": role}
                )
            if password is not None:
                audit.note("password.set", team=found, person=user)
        self.stdout.write(f"{user.email} is {role} of {found.slug}.")
        if password is not None:
            self._weigh(password, user)
        elif not user.has_usable_password():
            page = f"{settings.PUBLIC_URL}{reverse('account_reset_password')}"
            self.stdout.write(
                f"Nobody can sign in as {user.email} yet: ask for a password at {page}, "
                "or run this again with --password."
            )

    def _weigh(self, password: str, user: User) -> None:
        """Says when the pages would not have taken this password. Whoever has a shell may decide otherwise."""
        try:
            validate_password(password, user)
        except ValidationError as error:
            self.stderr.write(f"The password is weak: {' '.join(error.messages)}")


def _keep_an_owner(team: Team, user: User, role: str) -> None:
    """A team without an owner could not be managed any more."""
    owners = Membership.objects.filter(team=team, role=Role.OWNER, ended_at=None)
    if role != Role.OWNER and owners.filter(user=user).exists() and not owners.exclude(user=user).exists():
        raise CommandError(f"{user.email} is the only owner of {team.slug}. Make somebody else owner first.")


def _vouch(user: User) -> None:
    """Whoever runs this vouches for the address, so nobody is asked to confirm it at the first sign-in."""
    if not EmailAddress.objects.filter(email__iexact=user.email).exists():
        first = not EmailAddress.objects.filter(user=user, primary=True).exists()
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=first)
