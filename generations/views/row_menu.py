"""The menu of a row in the library, which comes when it is opened: a list of many rows does not carry it."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from generations import keeping
from generations.models import State
from generations.views import access, sound
from generations.views.sound import first, is_offered, takes


@require_safe
def generation_menu(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """What can be done with it next, as lines of a menu. The page of the generation has all of it too."""
    membership = access.member(request, team)
    found = access.generation(membership, pk)
    outputs = takes(found)
    take = first([one for one in outputs if one.is_sound]) or first(outputs)
    uses = sound.named_uses("audio", membership.team) if take and take.is_sound else ()
    context = {
        "team": membership.team,
        "membership": membership,
        "g": found,
        "starred": bool(keeping.starred(membership.user, [found.pk])),
        "here": _here(request),
        "take": take,
        "several": len(outputs) > 1,
        "uses": uses if membership.may_generate else (),
        "again": membership.may_generate and is_offered(found.model, membership.team),
        "may_share": membership.may_generate and found.status == State.SUCCEEDED and not found.is_trashed,
        "may_keep_order": membership.may_generate,
        "may_trash": access.may_change(membership, found) and found.is_over and not found.is_trashed,
    }
    return render(request, "library/_menu.html", context)


def _here(request: HttpRequest) -> str:
    """The list that the menu was opened in, which a page in between leads back to."""
    try:
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        return ""
    return f"{page.path}?{page.query}" if page.query else page.path
