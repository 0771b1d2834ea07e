"""How allauth's flows fit the portal: who may sign up, how tries are counted, and what the audit trail tells."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts import domains, known, single_sign_on
from accounts.models import Membership, TeamDomain, User, audit, sealed

NOTED = {
    "account/email/password_changed": "password.changed",
    "account/email/password_set": "password.changed",
    "account/email/password_reset": "password.reset",
    "account/email/email_changed": "email.changed",
    "mfa/email/totp_activated": "second_factor.set",
    "mfa/email/webauthn_added": "second_factor.set",
    "mfa/email/recovery_codes_generated": "recovery_codes.made",
    "mfa/email/totp_deactivated": "second_factor.removed",
    "mfa/email/webauthn_removed": "second_factor.removed",
    "socialaccount/email/account_connected": "sign_on.connected",
    "socialaccount/email/account_disconnected": "sign_on.disconnected",
}
"""What allauth would write a mail about, and what the audit trail calls it."""


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed unless RHWEB_OPEN_SIGNUP is set or a team is open to a domain: else people come by invitation."""
        return bool(settings.OPEN_SIGNUP) or TeamDomain.objects.exists()

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """A service member never signs in, by whichever way somebody tries."""
        if user.is_machine:
            refused: HttpResponse = self.respond_user_inactive(request, user)
            return refused
        answer: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return answer

    def get_login_stages(self) -> list[str]:
        ours = f"{ConfirmedFirst.__module__}.{ConfirmedFirst.__name__}"
        theirs = f"{EmailVerificationStage.__module__}.{EmailVerificationStage.__name__}"
        return [ours if stage == theirs else stage for stage in super().get_login_stages()]

    def send_account_already_exists_mail(self, email: str) -> None:
        """Hashes a password as making the account would have, so that both take as long."""
        User().set_password(email)
        super().send_account_already_exists_mail(email)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        confirmed = bool(super().confirm_email(request, email_address))
        if confirmed:
            welcome(request, email_address.user)
        return confirmed

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """By what wrong passwords are counted; allauth has no public name for it."""
        key: str = super()._get_login_attempts_cache_key(request, **credentials)
        count = known.count_of(request, credentials.get("email", ""), self.get_client_ip(request))
        return f"{key}:{count}" if count else key

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """What was tried too often is not written down again and again: it does not come this far."""
        email = credentials.get("email", "")
        person = User.objects.filter(email__iexact=email).first()
        audit.note_of_account("sign_in.failed", person, subject=email)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        known.remember(request, response, user.email)
        single = (kwargs.get("signal_kwargs") or {}).get("sociallogin")
        if single:
            single_sign_on.confirm(user, single)
        after = {"by": single.provider.name} if single else {}
        audit.note_of_account("signed_in", user, by=user, after=after)
        return response

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, User):
            audit.note_of_account("signed_out", request.user, by=request.user)
        super().logout(request)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: Any = None, email: str | None = None
    ) -> None:
        """Allauth says here what somebody changed about how they sign in."""
        if action := NOTED.get(template_prefix):
            after = (
                {"kind": "app" if "totp" in template_prefix else "key"} if "mfa" in template_prefix else {}
            )
            audit.note_of_account(action, user, by=user, after=after)
        if template_prefix == "account/email/password_reset":
            _proven_by_mail(user)
        super().send_notification_mail(template_prefix, user, context, email)


class ConfirmedFirst(EmailVerificationStage):  # type: ignore[misc]
    """Whoever signed up by themselves confirms their address before they get in.

    Whom a manager or a command put into a team need not, because those vouch for the address.
    """

    def handle(self) -> tuple[HttpResponse | None, bool]:
        user = self.login.user
        if user is not None and Membership.objects.filter(user=user).exists():
            return None, True
        answer: tuple[HttpResponse | None, bool] = super().handle()
        return answer


class SecondFactor(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps the secrets of authenticator apps sealed, so that a copy of the database opens no account."""

    def encrypt(self, text: str) -> str:
        return sealed.seal("second factor", text)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises `sealed.Unreadable` when the secret key was replaced and the former one is not given."""
        return sealed.unseal("second factor", encrypted_text)


def _proven_by_mail(user: User) -> None:
    """Whoever opened the link to a new password has read a mail to their only address."""
    known = EmailAddress.objects.filter(user=user)
    if not known.exclude(email__iexact=user.email).exists():
        known.filter(verified=False).update(verified=True)


def welcome(request: HttpRequest, user: User) -> None:
    """Says which teams somebody whose address was just confirmed is in now."""
    for team in domains.join_automatically(user):
        messages.success(request, _("You are in the team %(name)s now.") % {"name": team.name})
