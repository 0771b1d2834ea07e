"""The voice vault: the voices of the team, the built-in ones, and those that were put away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from accounts.models import Membership
from generations import forms, vault
from generations.catalogue import load
from generations.catalogue.spec import ModelSpec
from generations.forms.voices import LIGHT
from generations.models import ACTIVE, Connection, State
from generations.pipeline import accept
from generations.views import access, offered, voice_price
from generations.views.voice_card import VoiceCard, span

TABS = ("team", "built-in", "archived")


@dataclass(frozen=True)
class Wanted:
    """What a browser without scripts asks to see; with scripts the page narrows itself."""

    q: str = ""
    language: str = ""
    gender: str = ""
    consent: str = ""

    def has(self, card: VoiceCard) -> bool:
        words = f"{card.voice.name} {card.voice.language} {card.voice.owner.display_name}".casefold()
        language_fits = self.language in ("", card.language)
        return self.q.casefold() in words and language_fits and self.consent in ("", card.consent)

    def has_built_in(self, voice: forms.Voice) -> bool:
        found = self.q.casefold() in f"{voice.name} {voice.note}".casefold()
        return found and self.language in ("", voice.language) and self.gender in ("", voice.gender)


@require_safe
def voices(request: HttpRequest, team: str) -> HttpResponse:
    """The page, with the tab that `show` names; the voices a member must not know of are on none."""
    membership = access.member(request, team)
    tab = request.GET.get("show", "team")
    tab = tab if tab in TABS else "team"
    asked = Wanted(*(request.GET.get(name, "")[:80] for name in ("q", "language", "gender", "consent")))
    with timezone.override(membership.team.zone):
        context = {
            "team": membership.team,
            "membership": membership,
            "tab": tab,
            "asked": asked,
            "counts": _counts(membership),
            "makers": _makers(membership),
        }
        add = _built_in if tab == "built-in" else _of_team
        return render(request, "voices/page.html", context | add(membership, tab, asked))


def cards(membership: Membership, *, archived: bool) -> list[VoiceCard]:
    """The voices that this member may see, newest first, in a fixed number of queries."""
    states = [State.SUCCEEDED] if archived else [State.SUCCEEDED, *ACTIVE]
    rows = (
        access.voices(membership)
        .filter(archived_at__isnull=not archived, made_by__status__in=states)
        .with_use()
        .select_related("owner", "made_by", "sample")
        .prefetch_related("grants", Prefetch("made_by__outputs", LIGHT))
        .order_by("-id")
    )
    now, alive = timezone.now(), voice_price.Alive(membership.team)
    return [VoiceCard(row, membership, now, alive.of(row)) for row in rows]


def _of_team(membership: Membership, tab: str, asked: Wanted) -> dict[str, Any]:
    every = cards(membership, archived=tab == "archived")
    near = [card for card in every if card.is_made and card.is_near] if tab == "team" else []
    return {
        "cards": [card for card in every if asked.has(card)],
        "is_empty": not every,
        "languages": _named([card.voice.language for card in every if card.voice.language]),
        "near": near,
        "soonest": span(min(card.left for card in near)) if near else "",
        "first": _first(membership) if not every and tab == "team" else None,
    }


def _built_in(membership: Membership, tab: str, asked: Wanted) -> dict[str, Any]:
    groups = forms.built_in(membership)
    shown = [
        forms.VoiceGroup(group.key, group.label, [v for v in group.voices if asked.has_built_in(v)])
        for group in groups
    ]
    return {
        "voice_groups": [group for group in shown if group.voices],
        "languages": [(group.key, group.label) for group in groups if group.key != "favourites"],
        "price": voice_price.sample(membership.team),
    }


def _counts(membership: Membership) -> dict[str, int]:
    made = Q(made_by__status=State.SUCCEEDED)
    rows = access.voices(membership)
    return {
        "team": rows.filter(made | Q(made_by__status__in=ACTIVE), archived_at=None).count(),
        "built_in": len(load.voices()),
        "archived": rows.filter(made, archived_at__isnull=False).count(),
    }


def _named(languages: list[str]) -> list[tuple[str, str]]:
    return [(slugify(language), language) for language in sorted(set(languages))]


def _makers(membership: Membership) -> list[dict[str, Any]]:
    """The models that make voices and are for this member, those from a recording first."""
    found = [spec for spec in offered.models(membership) if vault.maker(spec)]
    found.sort(key=lambda spec: not vault.needs_consent(spec))
    return [{"spec": spec, "clones": vault.needs_consent(spec)} for spec in found]


def _first(membership: Membership) -> dict[str, Any] | None:
    """What the first voice costs."""
    makers = _makers(membership)
    if not makers:
        return None
    spec: ModelSpec = makers[0]["spec"]
    return {
        "spec": spec,
        "quote": accept.quote(spec, spec.example, Connection.of(membership.team), membership.team),
    }
