"""The page of one generation, however it is reached: looked at, refreshed, or after something was refused."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.models import Membership
from accounts.roles import Deed
from generations import keeping, vault
from generations.catalogue import load
from generations.catalogue.spec import Kind
from generations.forms.keeping import Rewording
from generations.models import Bell, Connection, Generation, Inquiry, State, Voice
from generations.pipeline import accept, resolve
from generations.views import access, offered, params
from generations.views.case import bell, bell_answer, case, record
from generations.views.family import family
from generations.views.lyrics import singers
from generations.views.prompt import prompts
from generations.views.receipt import receipt
from generations.views.sound import first, model_title, takes
from generations.views.status import mark, status
from generations.views.timeline import timeline
from generations.views.waiting import progress_of


def show(
    request: HttpRequest,
    membership: Membership,
    generation: Generation,
    template: str = "generation/page.html",
    *,
    code: int = 200,
    **extra: Any,
) -> HttpResponse:
    """The whole page or one of its parts. `extra` is what a refused action has to say."""
    with timezone.override(membership.team.zone):
        return render(request, template, {**_context(membership, generation), **extra}, status=code)


def _context(membership: Membership, generation: Generation) -> dict[str, Any]:
    found = takes(generation)
    sounds = [take for take in found if take.is_sound]
    inputs = access.heard(membership, params.uploads(generation))
    texts = prompts(generation)
    changes = access.may_change(membership, generation)
    sent = generation.status in (State.QUEUED, State.DISPATCHING, State.RUNNING)
    return {
        "team": membership.team,
        "membership": membership,
        "g": generation,
        "model_title": model_title(generation.model),
        "status": status(generation),
        "seen": seen(generation),
        "takes": found,
        "doubtful": resolve.is_doubtful(generation),
        "cut_off": resolve.is_cut_off(generation),
        **_undecided(membership, generation),
        "is_reported": bool(settings.PUBLIC_URL),
        "sounds": sounds,
        "stage": first(sounds),
        "may_keep": changes and len(sounds) > 1,
        "pictures": [take for take in found if take.kind == "image"],
        "others": [take for take in found if take.kind not in ("audio", "image")],
        "singers": singers(membership) if generation.kind == Kind.LYRICS and membership.may_generate else (),
        "prompts": texts,
        "settings": params.shown(generation, inputs, [text.label for text in texts]),
        "inputs": inputs,
        "receipt": receipt(generation),
        "timeline": timeline(generation),
        "progress": progress_of(generation),
        "may_cancel": changes and sent and not generation.cancel_requested_at,
        "again": _again(membership, generation),
        "family": family(membership, generation),
        **_kept(membership, generation, changes=changes),
        "made_voice": Voice.objects.filter(made_by=generation).first() if sounds else None,
    }


def _kept(membership: Membership, generation: Generation, *, changes: bool) -> dict[str, Any]:
    """What people noted about it, and what this member may change of that."""
    collected = access.collections(membership).filter(items__generation=generation)
    keeps = membership.may(Deed.KEEP_ORDER)
    return {
        "starred": generation.pk in keeping.starred(membership.user, [generation.pk]),
        "tags": keeping.tags_of([generation.pk]).get(generation.pk, ()),
        "team_tags": keeping.team_tags(membership.team) if keeps else (),
        "shelves": list(collected.order_by("name")),
        "may_change": changes,
        "may_keep_order": keeps and not generation.is_trashed,
        "may_approve": membership.may(Deed.APPROVE),
        "words_form": Rewording.of(generation),
        "may_trash": changes and generation.is_over and not generation.is_trashed,
    }


def _undecided(membership: Membership, generation: Generation) -> dict[str, Any]:
    """For managers: what is known of a lost answer, RunningHub's record of the task, and of its webhook."""
    if not membership.may_manage:
        return {}
    found = case(generation)
    return {
        "case": found,
        "record": record(generation.connection, generation.upstream_id) if generation.upstream_id else "",
        "bell": bell(generation),
        "bell_answer": bell_answer(found.inquiry),
        "may_ask_bell": generation.status == State.RUNNING
        and generation.webhook in (Bell.ASKED, Bell.SILENT),
    }


def seen(generation: Generation) -> str:
    """Changes exactly when the page would look different apart from its progress."""
    asked = Inquiry.objects.filter(pk=generation.pk).values_list("question", "answer").first()
    return ".".join([mark(generation), generation.error_code, *(word for word in asked or () if word)])


def _again(membership: Membership, generation: Generation) -> dict[str, Any] | None:
    """What another run would cost. The key makes one run of a double click; `from_form`: the form asks more."""
    if not membership.may_generate:
        return None
    try:
        spec = load.get(generation.model)
    except load.UnknownModel:
        return None
    if spec not in offered.models(membership):
        return None
    quoted = accept.quote(spec, generation.params, Connection.of(membership.team), membership.team)
    return {"key": uuid.uuid4().hex, "quote": quoted, "from_form": vault.needs_consent(spec)}
