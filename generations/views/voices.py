"""Choosing a voice: the list for the dialog of the form, the stars, and what the built-in voices sound like."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Membership
from generations import forms, quota
from generations.models import FavouriteVoice
from generations.pipeline import accept, hear
from generations.views import access, voice_price
from generations.views.back import back
from generations.views.refusal import Refusal


@require_safe
def voices_pick(request: HttpRequest, team: str) -> HttpResponse:
    """The list as a fragment; without htmx the form itself, whose menu can hold every voice."""
    membership = access.member(request, team)
    if not request.headers.get("HX-Request"):
        return redirect("studio", team=team)
    context = {
        "voice_groups": forms.groups(membership),
        "price": voice_price.sample(membership.team),
        "team": membership.team,
        "membership": membership,
        "choosing": True,
    }
    return render(request, "voices/_pick.html", context)


@require_POST
def voice_favourite(request: HttpRequest, team: str) -> HttpResponse:
    """Marks a voice as a favourite of this member, or takes the mark off with `to=off`. Twice is as once."""
    membership = access.member(request, team)
    voice = _voice(request, membership)
    mark(membership, voice.voice_id, on=request.GET.get("to") != "off")
    return _answer(request, membership, voice.voice_id)


def mark(membership: Membership, voice_id: str, *, on: bool) -> None:
    """Makes a voice a favourite of this member, or none. Twice is as once."""
    if on:
        FavouriteVoice.objects.get_or_create(membership=membership, voice_id=voice_id)
    else:
        FavouriteVoice.objects.filter(membership=membership, voice_id=voice_id).delete()


@require_http_methods(["GET", "HEAD", "POST"])
def voice_hear(request: HttpRequest, team: str) -> HttpResponse:
    """A POST has a built-in voice say a sentence that is kept for the team; GET says how that stands.

    402 when a limit refuses. Whoever asks for what is there or under way already is given that.
    """
    membership = access.member(request, team)
    if request.method != "POST":
        return _answer(request, membership, _voice(request, membership).voice_id, played=True)
    access.generating_member(request, team)
    voice = _voice(request, membership)
    if not voice.is_system:
        raise Http404
    refusal = None
    try:
        hear.hear(membership, voice.voice_id)
    except quota.QuotaExceeded as exceeded:
        spec = hear.sample_of(voice.voice_id).spec
        refusal = Refusal(membership, spec, {}, exceeded.line, exceeded.cost, exceeded.currency)
    except accept.PriceUnknown:
        refusal = Refusal(membership, hear.sample_of(voice.voice_id).spec, {})
    return _answer(request, membership, voice.voice_id, refusal=refusal, played=True)


def _voice(request: HttpRequest, membership: Membership) -> forms.Voice:
    given = request.POST.get("voice_id") or request.GET.get("voice_id", "")
    found = forms.one(membership, given.replace("\x00", ""))
    if found is None:
        raise Http404
    return found


def _answer(
    request: HttpRequest,
    membership: Membership,
    voice_id: str,
    *,
    refusal: Refusal | None = None,
    played: bool = False,
) -> HttpResponse:
    """The row of the voice for htmx, else the page that the button was on."""
    status = 402 if refusal else 200
    if request.headers.get("HX-Request") and not request.headers.get("HX-Boosted"):
        context = {
            "voice": forms.one(membership, voice_id),
            "price": voice_price.sample(membership.team),
            "team": membership.team,
            "membership": membership,
            "choosing": "choosing" in request.GET,
            "chosen": request.POST.get("voice-choice") or request.GET.get("voice-choice", ""),
            "refusal": refusal,
            "played": played,
            "row_id": uuid.uuid4().hex[:8],
        }
        return render(request, "voices/_pick_row.html", context, status=status)
    if refusal:
        messages.error(request, _("%(title)s. Nothing was sent.") % {"title": refusal.title})
    return back(request, f"{reverse('voices', args=[membership.team.slug])}?show=built-in")
