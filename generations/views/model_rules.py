"""Which models are for whom: managers choose some and say who may use them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.models import Membership
from accounts.roles import Deed
from generations import own_models, permits
from generations.catalogue.spec import Kind, ModelSpec
from generations.forms.model_rules import ALL, ModelRules
from generations.models import ModelRule
from generations.views import access, offered, picker


@dataclass(frozen=True)
class Line:
    """One thing a rule can be about. `words` say for whom it is; `own` whether by a rule of its own."""

    place: str
    title: str
    words: str
    own: bool
    vendor: str = ""


@dataclass(frozen=True)
class Group:
    kind: Kind
    line: Line
    lines: Sequence[Line]


@require_http_methods(["GET", "HEAD", "POST"])
def model_rules(request: HttpRequest, team: str) -> HttpResponse:
    """The models of the team's site by kind, each with who may use it. What is set counts from the next order on."""
    actor = access.may(request, team, Deed.ALLOW_MODELS)
    form = ModelRules(actor, access.colleagues(actor), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        changed = form.save()
        said = ngettext("%(n)s rule is changed.", "%(n)s rules are changed.", changed) % {"n": changed}
        if changed:
            messages.success(request, said)
        else:
            messages.info(request, _("It was so already; nothing was changed."))
        return redirect("model_rules", team=team)
    asked = request.GET.get("q", "").strip()[:80]
    context = {
        "form": form,
        "everything": _line(form, _rule(actor, ModelRule.Scope.ALL, ""), ALL, _("All models"), own=None),
        "groups": _groups(actor, form, asked),
        "chosen": request.POST.getlist("what") if request.method == "POST" else [],
        "asked": asked,
    }
    return render(request, "team/models.html", context, status=422 if form.errors else 200)


def _groups(actor: Membership, form: ModelRules, asked: str) -> list[Group]:
    labels = picker.kind_labels()
    found = []
    for kind, specs in groupby(
        own_models.offered(actor.team, offered.site(actor.team)), key=lambda spec: spec.kind
    ):
        label = labels[kind]
        shown = [
            spec for spec in specs if asked.casefold() in f"{spec.title} {spec.vendor} {label}".casefold()
        ]
        if not shown:
            continue
        rule = _rule(actor, ModelRule.Scope.KIND, kind.value)
        wider = rule or _rule(actor, ModelRule.Scope.ALL, "")
        title = _("All of %(kind)s") % {"kind": label}
        own = _line(form, wider, f"kind:{kind.value}", title, own=rule)
        found.append(Group(kind, own, [_of_model(actor, form, spec) for spec in shown]))
    return found


def _of_model(actor: Membership, form: ModelRules, spec: ModelSpec) -> Line:
    rule = ModelRule.narrowest(permits.rules(actor.team), spec.slug, spec.kind.value)
    own = rule if rule is not None and rule.scope == ModelRule.Scope.MODEL else None
    return _line(form, rule, f"model:{spec.slug}", spec.title, own=own, vendor=spec.vendor)


def _line(
    form: ModelRules,
    rule: ModelRule | None,
    place: str,
    title: str,
    *,
    own: ModelRule | None,
    vendor: str = "",
) -> Line:
    words = form.words(rule) if rule is not None else str(ModelRule.Audience.EVERYONE.label)
    return Line(place, title, words, own is not None, vendor)


def _rule(actor: Membership, scope: str, name: str) -> ModelRule | None:
    rules = permits.rules(actor.team)
    return next((rule for rule in rules if (rule.scope, rule.name) == (scope, name)), None)
