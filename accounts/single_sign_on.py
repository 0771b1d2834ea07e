"""Signing in through the organisation's own OpenID Connect provider.

What the provider says of an address counts only where it says that it verified it: then it opens the account of that
address here, or lets somebody in whom a team expects. An address it does not vouch for opens nothing.
"""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts import domains, invitations
from accounts.models import Invitation, User, audit


class SingleSignOn(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def authenticate_by_email(self, sociallogin: Any) -> tuple[User, str] | None:
        if not vouched(sociallogin):
            return None
        found: tuple[User, str] | None = super().authenticate_by_email(sociallogin)
        return found

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        if sociallogin.is_existing:
            return
        if not vouched(sociallogin):
            raise ImmediateHttpResponse(_closed(request, sociallogin, "unverified"))
        if not self.is_open_for_signup(request, sociallogin):
            raise ImmediateHttpResponse(_closed(request, sociallogin, "unexpected"))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Whether the portal or a team expects whoever owns this address, or they come with an invitation."""
        email = vouched(sociallogin)
        if not email:
            return False
        if settings.OPEN_SIGNUP or domains.is_known(email):
            return True
        waiting = Invitation.objects.open(timezone.now())
        return waiting.filter(email__iexact=email).exists() or _invited(sociallogin)

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Any:
        user = super().populate_user(request, sociallogin, data)
        user.email = user.email.lower()
        user.name = str(data.get("name") or "")[:80]
        for address in sociallogin.email_addresses:
            address.verified = address.email.lower() == vouched(sociallogin)
        return user

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        user = super().save_user(request, sociallogin, form)
        audit.note("account.made", team=None, by=user, person=user, after={"by": sociallogin.provider.name})
        domains.join_automatically(user)
        return user


def vouched(sociallogin: Any) -> str:
    """The address that the provider says it verified, else nothing. Whatever is not the word true is a no."""
    claims = _claims(sociallogin)
    sure = claims.get("email_verified") in (True, "true")
    return str(claims.get("email") or "").lower() if sure else ""


def confirm(user: User, sociallogin: Any) -> None:
    """What the provider verified needs no mail from us."""
    if vouched(sociallogin) != user.email.lower():
        return
    known = EmailAddress.objects.filter(user=user)
    if not known.exists():
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    known.filter(email__iexact=user.email, verified=False).update(verified=True)


def _invited(sociallogin: Any) -> bool:
    """Whether they were on the way to an invitation that is open."""
    page = str(sociallogin.state.get("next") or "")
    if not page.startswith("/invite/"):
        return False
    try:
        row = invitations.find(page.split("/")[2])
    except invitations.Closed:
        return False
    return not row.email or row.email == vouched(sociallogin)


def _claims(sociallogin: Any) -> dict[str, Any]:
    said = sociallogin.account.extra_data
    found: dict[str, Any] = said.get("userinfo") or said.get("id_token") or {}
    return found


def _closed(request: HttpRequest, sociallogin: Any, why: str) -> HttpResponse:
    email = str(_claims(sociallogin).get("email") or "")
    context = {"why": why, "provider": sociallogin.provider.name, "email": email}
    return render(request, "socialaccount/closed.html", context, status=403)
