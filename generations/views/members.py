"""Who is in the team: adding people and giving roles."""

from __future__ import annotations

from smtplib import SMTPException

from allauth.account.forms import ResetPasswordForm
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.memberships import AlreadyIn, LastOwner
from accounts.models import User
from generations.forms.people import AddMember, ChangeRole
from generations.views import access, shell
from generations.views.team_page import team_page


@require_POST
def member_role(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Gives a role. A role that may not be given is refused with 403, the last owner's demotion with 422."""
    actor = access.manager(request, team)
    colleague = access.colleague(actor, pk)
    form = ChangeRole(request.POST)
    if not form.is_valid():
        return team_page(
            request, actor, status=422, fault=_("There is no such role. Choose one of the list.")
        )
    try:
        changed = form.save(actor, colleague)
    except LastOwner:
        words = {"name": colleague.user.display_name}
        fault = _("%(name)s is the only owner. Make somebody else an owner first.") % words
        return team_page(request, actor, status=422, fault=fault)
    if changed:
        colleague.refresh_from_db(fields=["role"])
        words = {"name": colleague.user.display_name, "role": colleague.get_role_display()}
        messages.success(request, _("%(name)s now has the role “%(role)s”.") % words)
    return redirect("team", team=team)


@require_http_methods(["GET", "HEAD", "POST"])
def member_add(request: HttpRequest, team: str) -> HttpResponse:
    """Adds somebody by email. Whoever had no account gets a mail to choose a password."""
    actor = access.manager(request, team)
    form = AddMember(actor, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            added = form.save()
        except AlreadyIn:
            form.add_error("email", _("This person is in the team already."))
        else:
            _welcome(request, added.user)
            return redirect("team", team=team)
    return shell.sheet(request, "team/add", {"form": form})


def mail_to_choose(request: HttpRequest, user: User) -> bool:
    """Mails whoever has no password where to choose one. False: the mail could not be sent."""
    form = ResetPasswordForm({"email": user.email})
    try:
        if form.is_valid():
            form.save(request)
    except (OSError, SMTPException):
        return False
    return True


def _welcome(request: HttpRequest, user: User) -> None:
    words = {"name": user.display_name, "email": user.email}
    if user.has_usable_password():
        messages.success(request, _("%(name)s is in the team now.") % words)
        return
    if not mail_to_choose(request, user):
        sentence = _(
            "%(name)s is in the team now, but the mail to %(email)s could not be sent. "
            "They can choose a password through “Forgotten?” on the sign-in page."
        )
        messages.warning(request, sentence % words)
        return
    messages.success(request, _("%(name)s is in the team now and gets a mail to choose a password.") % words)
