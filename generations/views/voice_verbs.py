"""What can be done with a voice: keep it alive, rename it, open it, note the consent, hand it over, put it away."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TypeAlias

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import Membership, User
from generations import quota
from generations.catalogue.spec import InvalidParams
from generations.forms.new_voice import whole_numbers
from generations.models import Voice, read_id
from generations.pipeline import accept, hear
from generations.vault import changes
from generations.views import access
from generations.views.back import back
from generations.views.refusal import Refusal
from generations.views.voice import show

Verb: TypeAlias = Callable[[Voice, Membership, QueryDict], str]
"""Does it, and gives the sentence to say. Raises `changes.NotPossible`."""


@require_POST
def voice_change(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """One change, named by `action`; 422 with the page as it was sent when it cannot be made."""
    membership = access.member(request, team)
    found = access.changeable_voice(membership, pk)
    verb = VERBS.get(request.POST.get("action", ""))
    if verb is None:
        errors = {"action": _("Choose what to do with the voice.")}
        return show(request, membership, found, errors=errors, status=400)
    try:
        said = verb(found, membership, request.POST)
    except changes.NotPossible as fault:
        errors = {fault.field: str(fault)}
        return show(request, membership, found, posted=request.POST, errors=errors, status=422)
    messages.info(request, said)
    still_theirs = access.voices(membership).filter(pk=pk).exists()
    return redirect("voice", team, pk) if still_theirs else redirect("voices", team)


@require_POST
def voice_keep(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Has the voice say a word, through the one door. The key in the form makes two clicks one."""
    membership = access.generating_member(request, team)
    found = access.voice(membership, pk)
    if not access.may_use_voice(membership, found):
        raise PermissionDenied(_("Only its owner and managers may use a voice whose speaker has not agreed."))
    try:
        made = hear.keep_alive(membership, found, _key(request))
    except InvalidParams as invalid:  # it was put away or taken back between our look and the door
        errors = {"action": " ".join(" ".join(said) for said in invalid.errors.values())}
        return show(request, membership, found, errors=errors, status=422)
    except quota.QuotaExceeded as exceeded:
        said = hear.alive(found)
        refusal = Refusal(membership, said.spec, said.params, exceeded.line, exceeded.cost, exceeded.currency)
        return show(request, membership, found, refusal=refusal, status=402)
    except accept.PriceUnknown:
        said = hear.alive(found)
        return show(
            request, membership, found, refusal=Refusal(membership, said.spec, said.params), status=402
        )
    except accept.KeyReused:
        errors = {"action": _("This page was open for too long. Please try again.")}
        return show(request, membership, found, errors=errors, status=409)
    except hear.NoModel:
        errors = {"action": _("No model of the catalogue speaks with this voice.")}
        return show(request, membership, found, errors=errors, status=409)
    if made.created:
        messages.info(
            request,
            _("%(name)s says a word now. Once that is done, it is kept for 7 more days.")
            % {"name": found.name},
        )
    else:
        messages.info(request, _("This was already sent; it was not sent twice."))
    for line in made.warnings:
        messages.warning(request, Refusal(membership, hear.alive(found).spec, {}, line).warning)
    return back(request, reverse("voice", args=[team, pk]))


def _rename(voice: Voice, membership: Membership, data: QueryDict) -> str:
    changes.rename(voice, data.get("name", ""))
    return _("Renamed.")


def _open(voice: Voice, membership: Membership, data: QueryDict) -> str:
    members = whole_numbers(data.getlist("members"))
    changes.open_to(voice, membership, data.get("audience", ""), members)
    return _("Saved who may use the voice.")


def _consent(voice: Voice, membership: Membership, data: QueryDict) -> str:
    by: User = membership.user
    stated = bool(data.get("consent"))
    if changes.record_consent(voice, by, data.get("speaker", ""), stated=stated):
        return _("The consent is noted.")
    return _("The consent was noted already; nothing was changed.")


def _hand_over(voice: Voice, membership: Membership, data: QueryDict) -> str:
    chosen = whole_numbers([data.get("owner", "")])[0]
    heir = next((row for row in access.colleagues(membership) if row.pk == chosen), None)
    if changes.hand_over(voice, heir):
        return _("Handed over.")
    return _("It has another owner by now; nothing was changed.")


def _archive(voice: Voice, membership: Membership, data: QueryDict) -> str:
    if changes.archive(voice):
        return _("Archived. Nobody can speak with it until it is restored.")
    return _("It was archived already; nothing was changed.")


def _restore(voice: Voice, membership: Membership, data: QueryDict) -> str:
    if changes.restore(voice):
        return _("Restored.")
    return _("It was not archived; nothing was changed.")


VERBS: dict[str, Verb] = {
    "rename": _rename,
    "audience": _open,
    "consent": _consent,
    "hand": _hand_over,
    "archive": _archive,
    "restore": _restore,
}


def _key(request: HttpRequest) -> str:
    key = read_id(request.POST.get("key", ""))
    return f"keep-{key.hex}" if key else ""
