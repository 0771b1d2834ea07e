"""Presets: the settings of a model under a name, a member's own or the team's."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Membership
from generations.catalogue.param import ParamSpec
from generations.catalogue.spec import InvalidParams, ModelSpec
from generations.catalogue.text import Fault, settled, within
from generations.forms.posted import PRESET
from generations.models import Draft, Preset, PresetDefault
from generations.models.draft import storable
from generations.views import access
from generations.views.drafts import LARGEST, differs, taken
from generations.views.sound import model_title

CONTENT = frozenset({"lyrics", "longtext", "speech", "new_voice"})
NAME_LENGTH = 80
MOST = 200
"""Presets of one model that a member may have."""


class NotKept(ValueError):
    """The preset is too large, or there are too many; the message says so."""


@dataclass(frozen=True)
class Offered:
    """A preset in the menu of a form. `is_default` for the one this member begins with."""

    preset: Preset
    is_default: bool
    is_own: bool


def presets_of(membership: Membership, spec: ModelSpec) -> list[Offered]:
    """The presets this member may use with the model, by name."""
    if not membership.may_generate:
        return []
    defaults = PresetDefault.objects.filter(membership=membership, model=spec.slug)
    default = defaults.values_list("preset", flat=True).first()
    rows = access.presets(membership).filter(model=spec.slug).select_related("author").defer("params")
    found = [Offered(row, row.pk == default, row.author_id == membership.user_id) for row in rows]
    return sorted(found, key=lambda one: one.preset.name.casefold())


def settings_of(spec: ModelSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """Of a filled form what is setting and not content: no main text, no lyrics, no title, no files."""
    return {
        param.key: values[param.key]
        for param in spec.params
        if is_setting(spec, param) and param.key in values
    }


def is_setting(spec: ModelSpec, param: ParamSpec) -> bool:
    content = param.type.is_media or param.widget in CONTENT or param.key in (spec.prompt_param, "title")
    return not (content or param.hidden)


@require_POST
def preset_apply(request: HttpRequest, team: str, model: str) -> HttpResponse:
    """Puts the settings of a preset into the form as it stands; text and files stay."""
    membership = access.generating_member(request, team)
    spec = access.model(model, membership)
    preset = access.preset(membership, access.id_in(request.POST.get(PRESET, "")))
    values, title = taken(request, membership, spec)
    merged = {**values, **settings_of(spec, access.unveiled(membership, preset.params))}
    Draft.keep_running(membership, spec.slug, merged, title[:200])
    messages.info(request, _("The settings of “%(name)s” are in the form.") % {"name": preset.name})
    return redirect("studio_model", team, spec.slug)


@require_POST
def preset_new(request: HttpRequest, team: str, model: str) -> HttpResponse:
    """Asks for the name of a preset of the form as it stands. The form waits as a running draft."""
    membership = access.generating_member(request, team)
    spec = access.model(model, membership)
    values, title = taken(request, membership, spec)
    if title or differs(spec, values):
        Draft.keep_running(membership, spec.slug, values, title[:200])
    found = settings_of(spec, values)
    try:
        spec.clean({**found, **_stand_ins(spec)})
    except InvalidParams as invalid:
        wrong = [param for param in spec.params if param.key in invalid.errors and is_setting(spec, param)]
        for param in wrong:
            messages.error(request, f"{param.label}: {' '.join(invalid.errors[param.key])}")
        if wrong:
            return redirect("studio_model", team, spec.slug)
    return _ask(request, membership, spec, storable(found))


@require_POST
def preset_save(request: HttpRequest, team: str, model: str) -> HttpResponse:
    """Saves a preset; one of the member's own of the same name gets the new settings.

    Where that was open to the team and is not any more, colleagues who began with it begin with none.
    """
    membership = access.generating_member(request, team)
    spec = access.model(model, membership)
    settings = settings_of(spec, _settings(request.POST.get("settings", "")))
    shared, default = request.POST.get("shared") == "on", request.POST.get("default") == "on"
    given = request.POST.get("name", "")
    try:
        name = within(" ".join(settled(given).split()), 1, NAME_LENGTH)
    except Fault as fault:
        said = _("Give it a name.") if not given.strip() else str(fault)
        return _ask(request, membership, spec, settings, given, shared, default, error=said)
    try:
        save(membership, spec, name, settings, shared=shared, default=default)
    except NotKept as fault:
        return _ask(request, membership, spec, settings, given, shared, default, error=str(fault))
    messages.info(request, _("The preset “%(name)s” is saved.") % {"name": name})
    return redirect("studio_model", team, spec.slug)


@require_safe
def presets(request: HttpRequest, team: str) -> HttpResponse:
    """The presets this member may use, by model."""
    membership = access.generating_member(request, team)
    defaults = set(PresetDefault.objects.filter(membership=membership).values_list("preset", flat=True))
    rows = access.presets(membership).select_related("author").defer("params").order_by("model", "name")
    found = [
        {
            "offered": Offered(row, row.pk in defaults, row.author_id == membership.user_id),
            "model_title": model_title(row.model),
            "may_change": membership.may_manage or row.author_id == membership.user_id,
        }
        for row in rows
    ]
    return render(request, "presets/page.html", {"presets": found, "membership": membership})


@require_POST
def preset_default(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """The form of its model begins with this preset from now on, or with none when it did already."""
    membership = access.generating_member(request, team)
    preset = access.preset(membership, pk)
    begin_with(membership, preset, on=request.POST.get("on") != "no")
    return redirect("presets", team)


@require_POST
def preset_share(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Opens a preset to the team, or takes it back; colleagues who began with it begin with none then."""
    membership = access.generating_member(request, team)
    share(access.changeable_preset(membership, pk), on=request.POST.get("on") != "no")
    return redirect("presets", team)


@require_POST
def preset_delete(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Throws a preset away; generations made with it stay as they are."""
    access.changeable_preset(access.generating_member(request, team), pk).delete()
    messages.info(request, _("The preset is gone."))
    return redirect("presets", team)


def save(
    membership: Membership,
    spec: ModelSpec,
    name: str,
    settings: Mapping[str, Any],
    *,
    shared: bool,
    default: bool = False,
) -> Preset:
    """A preset of the member's; one of theirs of the same name gets the new settings. Raises `NotKept`."""
    if len(json.dumps(settings, default=str)) > LARGEST:
        raise NotKept(_("These settings are too long to be kept."))
    mine = Preset.objects.filter(team=membership.team, model=spec.slug, author=membership.user)
    if mine.exclude(name=name).count() >= MOST:
        raise NotKept(_("You have %(most)s presets of this model; throw one away first.") % {"most": MOST})
    with transaction.atomic():
        saved, _made = Preset.objects.update_or_create(
            team=membership.team,
            model=spec.slug,
            author=membership.user,
            name=name,
            defaults={"params": storable(settings), "shared": shared},
        )
        if not shared:
            _take_back(saved)
        if default:
            _begin_with(membership, saved)
    return saved


def begin_with(membership: Membership, preset: Preset, *, on: bool) -> None:
    """The member's form of its model begins with it from now on, or with none where it did."""
    if on:
        _begin_with(membership, preset)
    else:
        PresetDefault.objects.filter(membership=membership, preset=preset).delete()


def share(preset: Preset, *, on: bool) -> None:
    """Opens it to the team, or takes it back; colleagues who began with it begin with none then."""
    preset.shared = on
    with transaction.atomic():
        preset.save(update_fields=["shared"])
        if not on:
            _take_back(preset)


def _take_back(preset: Preset) -> None:
    """Nobody but its author begins with a preset that is not shared."""
    PresetDefault.objects.filter(preset=preset).exclude(membership__user=preset.author_id).delete()


def _begin_with(membership: Membership, preset: Preset) -> None:
    PresetDefault.objects.update_or_create(
        membership=membership, model=preset.model, defaults={"preset": preset}
    )


def _ask(
    request: HttpRequest,
    membership: Membership,
    spec: ModelSpec,
    settings: dict[str, Any],
    name: str = "",
    shared: bool = False,
    default: bool = False,
    *,
    error: str = "",
) -> HttpResponse:
    context = {
        "membership": membership,
        "spec": spec,
        "settings": json.dumps(settings),
        "shown": _shown(spec, settings),
        "name": name,
        "shared": shared,
        "default": default,
        "error": error,
    }
    response = render(request, "presets/new.html", context, status=422 if error else 200)
    response["HX-Push-Url"] = "false"
    return response


def _stand_ins(spec: ModelSpec) -> dict[str, Any]:
    """Content that the model would take, so that only the settings can be wrong."""
    content = {key: value for key, value in spec.example.items() if not is_setting(spec, spec.param(key))}
    file = "upload:00000000-0000-0000-0000-000000000000"
    media = {p.key: [file] if p.multiple else file for p in spec.params if p.type.is_media and p.required}
    return media | content


def _shown(spec: ModelSpec, settings: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """The settings in words; none when the model does not take them."""
    try:
        cleaned = spec.clean({**settings, **_stand_ins(spec)})
    except InvalidParams:
        return []
    kept = {key: value for key, value in cleaned.items() if key in settings}
    return spec.display(kept)


def _settings(given: str) -> dict[str, Any]:
    """What the page before had put into the form: texts, and lists of them. Anything else is no settings."""
    try:
        found = json.loads(given) if len(given) <= LARGEST else None
    except (ValueError, RecursionError):
        found = None
    return {key: one for key, one in found.items() if _is_posted(one)} if isinstance(found, dict) else {}


def _is_posted(value: object) -> bool:
    """Whether a form posts such a value. What is deeper or no JSON, as NaN, some databases do not hold."""
    return all(isinstance(one, str) for one in (value if isinstance(value, list) else [value]))
