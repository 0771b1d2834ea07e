"""The Now rail by itself: one small request for the whole page, answered with what changed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from generations.views import access, rail


@require_safe
def now(request: HttpRequest, team: str) -> HttpResponse:
    """204 when the browser has it all (`have` names its cards), else the cards that changed, for htmx.

    Without htmx it leads to the page that shows the rail.
    """
    membership = access.member(request, team)
    if not request.headers.get("HX-Request"):
        return redirect("studio", team=team)
    current = rail.build(membership)
    have = [mark for mark in request.GET.getlist("have") if "." in mark]
    marks = [card.mark for card in current.cards]
    if have == [current.slots_mark, *marks]:
        return HttpResponse(status=204)
    known = {mark.partition(".")[0]: mark for mark in have if not mark.startswith("slots.")}
    ids = [str(card.generation.pk) for card in current.cards]
    added = [card for card in current.cards if str(card.generation.pk) not in known]
    stayed = [pk for pk in ids if pk in known]
    in_place = bool(known and ids) and ids == [str(card.generation.pk) for card in added] + stayed
    in_place = in_place and stayed == [pk for pk in known if pk in ids]
    changed = [c for c in current.cards if str(c.generation.pk) in known and c.mark not in have]
    # Of a card that only got further its bar is replaced: a link under somebody's finger must not be.
    said = {mark.rpartition(".")[0] for mark in have}
    moved = [card for card in changed if card.said in said]
    if (
        in_place
        and not added
        and len(moved) == len(changed)
        and have[:1] == [current.slots_mark]
        and len(stayed) == len(known)
    ):
        return render(request, "studio/_moved.html", {"moved": moved})
    answer = render(
        request,
        "studio/_changes.html",
        {
            "rail": current,
            "whole": not in_place,
            "added": added,
            "changed": [card for card in changed if card not in moved],
            "moved": moved,
            "gone": [pk for pk in known if pk not in ids and _is_id(pk)],
        },
    )
    answer["HX-Trigger"] = "rail-changed"  # what is left may have changed, and the cost stands beside it
    return answer


def _is_id(text: str) -> bool:
    """Whether this can stand in a selector."""
    return all(c in "0123456789abcdef-" for c in text)
