"""The page behind an invitation, for whoever has its link.

A link that lets nobody in gives the same 404 for every reason, and too many of them from one place a 429. Whether an
address has an account is only told to whoever opened the mail that went there.
"""

from __future__ import annotations

from smtplib import SMTPException

from allauth.account.utils import perform_login
from allauth.core import ratelimit
from allauth.core.internal import ratelimit as counted
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import invitations, last_team, memberships
from accounts.forms import Address, Newcomer
from accounts.invitations import AccountExists, Closed, Refused
from accounts.models import Invitation, User

TRIED = {"app": "allauth.account", "action": "invitation", "limit_get": True}


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, token: str, proof: str = "") -> HttpResponse:
    """Shows what one is invited to; the POST of whoever is signed in joins, that of a newcomer makes the account."""
    if not counted.consume(request, **TRIED, dry_run=True):
        return _throttled(request)
    try:
        row = invitations.find(token)
        email = invitations.proven(row, proof) if proof else row.email
        return _page(request, row, email) if request.method != "POST" else _join(request, row, email)
    except Closed:
        return _closed(request)


@login_not_required
@never_cache
@require_POST
def invite_mail(request: HttpRequest, token: str) -> HttpResponse:
    """Sends the personal link to a newcomer who came with a link for many. Says the same of every address."""
    if not counted.consume(request, **TRIED, dry_run=True):
        return _throttled(request)
    try:
        row = invitations.find(token)
    except Closed:
        return _closed(request)
    form = Address(request.POST)
    if row.email or not form.is_valid():
        return _page(request, row, row.email, form)
    email = form.cleaned_data["email"].lower()
    if not ratelimit.consume(request, action="invitation_mail", key=f"{row.pk}:{email}"):
        return _throttled(request)
    address = reverse("invite_proven", args=[token, invitations.proof_of(row, email)])
    try:
        send(row, email, request.build_absolute_uri(address))
    except (OSError, SMTPException):
        form.add_error(
            None, _("The mail could not be sent. Try again later, or ask for an invitation by email.")
        )
        return _page(request, row, "", form)
    return render(request, "invite/mailed.html", {"invitation": row, "email": email})


def send(row: Invitation, email: str, link: str) -> None:
    """Mails somebody the link. Raises `OSError` or `SMTPException`."""
    context = {"invitation": row, "link": link, "SITE_NAME": settings.SITE_NAME}
    subject = render_to_string("invite/mail_subject.txt", context).strip()
    EmailMessage(subject, render_to_string("invite/mail.txt", context), to=[email]).send()


def _join(request: HttpRequest, row: Invitation, email: str) -> HttpResponse:
    user = request.user
    form = None
    try:
        if isinstance(user, User):
            joined = invitations.accept(row, user)
        elif email:
            form = Newcomer(email, request.POST)
            if not form.is_valid():
                return _page(request, row, email, form)
            name, password = form.cleaned_data["name"], form.cleaned_data["password"]
            joined = invitations.accept_as_newcomer(row, email, name, password)
        else:
            return _page(request, row, email)
    except memberships.AlreadyIn:
        messages.info(request, _("You are in the team %(name)s already.") % {"name": row.team.name})
        return _home(row)
    except Refused as refused:
        return _page(request, row, email, form, fault=str(refused))
    except AccountExists:
        return _page(request, row, email, fault=_("You have an account already. Sign in, then join."))
    messages.success(request, _("Welcome to %(name)s.") % {"name": row.team.name})
    if isinstance(user, User):
        return _home(row)
    response: HttpResponse = perform_login(request, joined.user, redirect_url=settings.LOGIN_REDIRECT_URL)
    last_team.remember(response, row.team.slug)
    return response


def _home(row: Invitation) -> HttpResponse:
    response = redirect(settings.LOGIN_REDIRECT_URL)
    last_team.remember(response, row.team.slug)
    return response


def _page(
    request: HttpRequest,
    row: Invitation,
    email: str,
    form: Newcomer | Address | None = None,
    *,
    fault: str = "",
) -> HttpResponse:
    user = request.user if isinstance(request.user, User) else None
    if form is None and user is None:
        form = Newcomer(email) if email else Address()
    context = {
        "invitation": row,
        "email": email,
        "form": form,
        "fault": fault,
        "is_in": user is not None and memberships.current(row.team, user) is not None,
        "is_mine": user is None or invitations.is_for(row, user),
        "has_account": bool(email) and user is None and invitations.has_account(email),
        "here": request.path,
        "mail_url": reverse("invite_mail", args=[request.resolver_match.kwargs["token"]])
        if request.resolver_match
        else "",
        "login_url": reverse("account_login"),
        "home_url": settings.LOGIN_REDIRECT_URL,
    }
    status = 422 if fault or (form is not None and form.errors) else 200
    return render(request, "invite/page.html", context, status=status)


def _throttled(request: HttpRequest) -> HttpResponse:
    response: HttpResponse = ratelimit.respond_429(request)
    return response


def _closed(request: HttpRequest) -> HttpResponse:
    if not counted.consume(request, **TRIED):
        return _throttled(request)
    return render(request, "invite/closed.html", status=404)
