"""Drafts: what the form of a model held when it was left, what was kept on purpose, and what a limit stopped."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Membership, Team
from generations import forms, uploads
from generations.catalogue import load
from generations.catalogue.spec import EXTRA, ModelSpec
from generations.forms import new_voice
from generations.forms.field import as_text
from generations.forms.posted import BY_LINE, COPIES, DRAFT, TITLE, VOICE
from generations.models import Draft, read_id
from generations.models.draft import storable
from generations.views import access
from generations.views.sound import is_offered, model_title

LARGEST = 200_000
"""Characters of a draft. A form with more cannot be sent either."""
SHOWN = 200
OPENING = 160


@require_POST
def draft_keep_running(request: HttpRequest, team: str, model: str) -> HttpResponse:
    """What is being written, saved while it is. 204 always; a form as it was at first leaves no draft."""
    membership = access.generating_member(request, team)
    spec = access.model(model, membership)
    values, title = held(spec, request)
    size = sum(len(as_text(value)) for value in values.values())
    if not (title or differs(spec, values)):
        Draft.drop_running(membership, spec.slug)
    elif size <= LARGEST:
        Draft.keep_running(membership, spec.slug, values, title[:200])
    return HttpResponse(status=204)


@require_POST
def draft_drop_running(request: HttpRequest, team: str, model: str) -> HttpResponse:
    """Begins anew with an empty form."""
    membership = access.generating_member(request, team)
    spec = access.model(model, membership)
    Draft.drop_running(membership, spec.slug)
    return redirect("studio_model", team, spec.slug)


@require_POST
def draft_keep(request: HttpRequest, team: str, model: str) -> HttpResponse:
    """Puts the form aside under the drafts, in place of the draft it came from."""
    membership = access.generating_member(request, team)
    spec = access.model(model, membership)
    keep(request, membership, spec, taken(request, membership, spec))
    messages.info(request, _("The form is kept as a draft."))
    return redirect("drafts", team)


def keep(
    request: HttpRequest, membership: Membership, spec: ModelSpec, form: tuple[dict[str, Any], str]
) -> Draft:
    """The form, values and title, as a draft: that which it came from, or a new one."""
    draft = put_aside(membership, spec, *form, came_from=read_id(request.POST.get(DRAFT, "")))
    Draft.drop_running(membership, spec.slug)
    return draft


def put_aside(
    membership: Membership,
    spec: ModelSpec,
    values: dict[str, Any],
    title: str,
    *,
    came_from: uuid.UUID | None = None,
) -> Draft:
    """These values as a draft of the member's, in place of the one they came from where that is there still."""
    if came_from is not None and (kept := put_in_place(membership, spec, values, title, came_from)):
        return kept
    fields = _fields(values, title)
    return Draft.objects.create(team=membership.team, author=membership.user, model=spec.slug, **fields)


def put_in_place(
    membership: Membership, spec: ModelSpec, values: dict[str, Any], title: str, pk: uuid.UUID
) -> Draft | None:
    """These values in place of a draft that the member put aside; None where there is no such draft of this model."""
    rows = Draft.objects.filter(team=membership.team_id, author=membership.user_id, model=spec.slug)
    if not rows.filter(pk=pk, is_running=False, batch=None).update(**_fields(values, title)):
        return None
    return rows.filter(pk=pk).first()


def _fields(values: dict[str, Any], title: str) -> dict[str, Any]:
    return {
        "params": storable(values),
        "title": storable(title)[:200],
        "updated_at": timezone.now(),
    }


@require_safe
def drafts(request: HttpRequest, team: str) -> HttpResponse:
    """The drafts of the member, newest first."""
    membership = access.generating_member(request, team)
    found = newest(membership).select_related("batch")
    context = {"drafts": [shown(draft, membership.team) for draft in found], "membership": membership}
    with timezone.override(membership.team.zone):
        return render(request, "drafts/page.html", context)


def newest(membership: Membership) -> QuerySet[Draft]:
    """The member's last drafts."""
    rows = Draft.objects.filter(team=membership.team_id, author=membership.user_id)
    return rows.order_by("-updated_at")[:SHOWN]


@require_safe
def draft_open(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Leads to the form with what the draft holds."""
    draft = access.draft(access.generating_member(request, team), pk)
    page = reverse("studio_model", args=[team, draft.model])
    return redirect(page if draft.is_running else f"{page}?draft={draft.pk}")


@require_POST
def draft_discard(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Throws a draft away."""
    access.draft(access.generating_member(request, team), pk).delete()
    messages.info(request, _("The draft is thrown away."))
    return redirect("drafts", team)


def shown(draft: Draft, team: Team) -> dict[str, Any]:
    """A draft as the list shows it: its first words, and how many lines wait in it."""
    try:
        spec: ModelSpec | None = load.get(draft.model)
    except load.UnknownModel:
        spec = None
    text = draft.params.get(spec.prompt_param) if spec and isinstance(draft.params, dict) else ""
    if draft.lines:
        text = draft.lines[0].get("text") or text
    words = " ".join(text.split()) if isinstance(text, str) else ""
    return {
        "draft": draft,
        "kind": spec.kind.value if spec else "text",
        "model_title": model_title(draft.model),
        "is_offered": is_offered(draft.model, team),
        "words": words if len(words) <= OPENING else words[: OPENING - 1] + "…",
        "waiting": len(draft.lines),
    }


def draft_count(membership: Membership) -> int:
    """How many forms the member put aside, without those that are open."""
    if not membership.may_generate:
        return 0
    rows = Draft.objects.filter(team=membership.team_id, author=membership.user_id, is_running=False)
    return rows.count()


def drop_sent(request: HttpRequest, membership: Membership, spec: ModelSpec) -> None:
    """The form was sent: what it was a draft of is one no more."""
    Draft.drop_running(membership, spec.slug)
    came_from = read_id(request.POST.get(DRAFT, ""))
    if came_from is not None:
        rows = Draft.objects.filter(team=membership.team_id, author=membership.user_id, is_running=False)
        rows.filter(pk=came_from).delete()


def held(spec: ModelSpec, request: HttpRequest) -> tuple[dict[str, Any], str]:
    """The form as posted, files left out, and its title."""
    keys = {param.key for param in spec.params} | {EXTRA}
    values = {key: value for key, value in forms.peek(spec, request.POST).items() if key in keys}
    for name in (BY_LINE, COPIES):
        if given := request.POST.get(name):
            values[name] = given
    if said := new_voice.held(spec, request.POST):
        values[VOICE] = said
    return values, request.POST.get(TITLE, "")


def taken(request: HttpRequest, membership: Membership, spec: ModelSpec) -> tuple[dict[str, Any], str]:
    """As `held`, with chosen files kept as uploads. What is wrong with a file is said as a message."""
    posted = forms.read(
        spec, request.POST, request.FILES, lambda file, param: uploads.fit(membership, file, param)
    )
    for note in posted.notes:
        messages.info(request, note)
    return with_files(request, spec, posted)


def with_files(request: HttpRequest, spec: ModelSpec, posted: forms.Posted) -> tuple[dict[str, Any], str]:
    """As `held`, with the files of what was read already. What is wrong with a file is said as a message."""
    values, title = held(spec, request)
    for param in spec.params:
        if param.key in posted.errors:
            messages.error(request, f"{param.label}: {' '.join(posted.errors[param.key])}")
        if param.type.is_media and param.key in posted.raw:
            values[param.key] = posted.raw[param.key]
    return values, title


def differs(spec: ModelSpec, values: dict[str, Any]) -> bool:
    """Whether anything is not as an untouched form has it."""
    if any(values.get(name) for name in (VOICE, BY_LINE, EXTRA)) or values.get(COPIES, "1") != "1":
        return True
    keys = {param.key: param.default for param in spec.params if not param.hidden}
    return any(
        as_text(values[key]).strip() != as_text(default) for key, default in keys.items() if key in values
    )
