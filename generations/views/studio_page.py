"""The page to create on: the models, the form of one with its cost, and beside it what goes on now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.models import Membership
from generations import forms, permits, price_checks, vault
from generations.catalogue import load
from generations.catalogue.spec import Kind, ModelSpec
from generations.forms.posted import DRAFT
from generations.models import Connection, Generation
from generations.views import offered, picker, quote, rail
from generations.views.beginning import Beginning
from generations.views.drafts import draft_count
from generations.views.earlier import Earlier, posted
from generations.views.presets import presets_of
from generations.views.refusal import Refusal


def show(
    request: HttpRequest,
    membership: Membership,
    spec: ModelSpec,
    values: Mapping[str, Any] | None = None,
    *,
    errors: Mapping[str, Sequence[str]] | None = None,
    title: str = "",
    refusal: Refusal | None = None,
    many: forms.Many | None = None,
    begun: Beginning | None = None,
    status: int = 200,
    voice: vault.Wish | None = None,
    twin: Earlier | None = None,
) -> HttpResponse:
    """The page with this form. `begun` tells what its values are, when nobody has posted them; `twin` is there already
    and would be the same.
    """
    everything = request.GET.get("voices") == "all"
    many = many or forms.Many.read(values or {})
    form = forms.build(
        spec,
        membership,
        values,
        errors,
        title=title,
        every_voice=everything,
        many=many,
        voice=voice or (begun.voice if begun else None),
    )
    shelf = picker.shelf_of(spec)
    every = picker.groups(membership, picker.kinds_of(shelf))
    near = picker.near(every, spec.slug)
    context = {
        "spec": spec,
        "form": form,
        "bill": quote.bill(request, spec, values or {}, many),
        "begun": begun,
        "draft_id": _draft_id(request, begun),
        "presets": presets_of(membership, spec),
        "draft_count": draft_count(membership),
        "groups": near,
        "all_of_shelf": sum(len(group.offers) for group in every) if near != every else 0,
        "shelves": picker.shelves(membership),
        "shelf": shelf,
        "rail": rail.build(membership),
        "may_ask_price": price_checks.may_ask(Connection.of(membership.team), spec),
        "refusal": refusal,
        "twin": twin,
        "earlier": _earlier(request, membership, begun),
        "is_pristine": not values and not errors,
    }
    return render(request, "studio/page.html", context, status=status)


def usual_model(membership: Membership) -> ModelSpec:
    """What this member made last, if it is still offered, else the music model of a description that asks for least."""
    mine = Generation.objects.filter(team=membership.team_id, author=membership.user_id).order_by("-id")
    choice = offered.models(membership)
    if not choice:
        words = {"who": permits.managers(membership.team)}
        raise PermissionDenied(
            _("This team lets you use no model at present. %(who)s can change that.") % words
        )
    try:
        last = load.get(mine.values_list("model", flat=True).first() or "")
    except load.UnknownModel:
        last = None
    if last is not None and last in choice:
        return last
    musical = [spec for spec in choice if spec.kind == Kind.MUSIC and _is_described(spec)] or choice
    return min(musical, key=lambda spec: sum(param.required for param in spec.params))


def _is_described(spec: ModelSpec) -> bool:
    return bool(spec.prompt_param) and spec.param(spec.prompt_param).required


def _earlier(request: HttpRequest, membership: Membership, begun: Beginning | None) -> Earlier | None:
    """What the form was filled from, also after something was wrong with it."""
    found = begun.earlier if begun is not None else posted(request, membership)
    return Earlier.of(membership, found) if found is not None else None


def _draft_id(request: HttpRequest, begun: Beginning | None) -> str:
    """The draft this form is of, also after something was wrong with it."""
    if begun is None:
        return request.POST.get(DRAFT, "")
    return str(begun.draft.pk) if begun.draft and not begun.is_resumed else ""
