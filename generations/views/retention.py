"""Rules of retention: what they are, what each would let go now, and turning them on."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Membership, audit
from accounts.roles import Deed
from generations.forms.keeping import MEGABYTE, Rule
from generations.keeping import retention as rules
from generations.models import RetentionRule, State
from generations.views import access

MOST = 20


@require_http_methods(["GET", "HEAD", "POST"])
def retention(request: HttpRequest, team: str) -> HttpResponse:
    """The rules of the team; a POST adds one, which is off."""
    membership = access.may(request, team, Deed.RETAIN)
    form = Rule(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if RetentionRule.objects.filter(team=membership.team).count() < MOST:
            form.instance.team, form.instance.made_by = membership.team, membership.user
            rule = form.save()
            _note(membership, rule, before=None, after=_facts(rule))
            messages.success(
                request, _("The rule is made and off. See what it would let go, then turn it on.")
            )
            return redirect("retention_rule", team, rule.pk)
        form.add_error(None, _("A team has at most %(most)s rules.") % {"most": MOST})
    found = list(RetentionRule.objects.filter(team=membership.team).order_by("pk"))
    context = {"membership": membership, "form": form, "rules": [_line(one) for one in found]}
    return render(request, "retention/page.html", context, status=422 if form.errors else 200)


@require_safe
def retention_rule(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """One rule with a preview: how many would go now, how many bytes, and some of them by name."""
    membership = access.may(request, team, Deed.RETAIN)
    rule = access.retention_rule(membership, pk)
    context = {"membership": membership, "line": _line(rule), "preview": rules.preview(rule)}
    with timezone.override(membership.team.zone):
        return render(request, "retention/rule.html", context)


@require_POST
def retention_set(request: HttpRequest, team: str, pk: int) -> HttpResponse:
    """Turns a rule `on` or `off`, or removes it with `delete`. Twice is as once."""
    membership = access.may(request, team, Deed.RETAIN)
    rule = access.retention_rule(membership, pk)
    deed = request.POST.get("deed", "")
    if deed == "delete":
        rule.delete()
        _note(membership, rule, before=_facts(rule), after=None)
        messages.success(
            request, _("The rule is gone. What it moved to the trash stays there for its 30 days.")
        )
        return redirect("retention", team)
    if deed not in ("on", "off"):
        messages.error(request, _("Choose whether the rule is on or off."))
        return redirect("retention_rule", team, pk)
    wanted = deed == "on"
    fresh = RetentionRule.objects.filter(pk=pk, is_on=not wanted)
    if fresh.update(is_on=wanted, looked_at=None, looked_id=None):
        _note(membership, rule, before={"on": not wanted}, after={"on": wanted, "rule": pk})
    said = (
        _("The rule is on. What it lets go moves to the trash from the next hour on.")
        if wanted
        else _("The rule is off.")
    )
    messages.success(request, said)
    return redirect("retention_rule", team, pk)


def _line(rule: RetentionRule) -> dict[str, object]:
    return {
        "rule": rule,
        "megabytes": rule.larger_than // MEGABYTE if rule.larger_than else None,
        "state": State(rule.status).label if rule.status else "",
    }


def _facts(rule: RetentionRule) -> dict[str, object]:
    return {
        "older_than_days": rule.older_than_days,
        "larger_than": rule.larger_than,
        "state": rule.status,
        "kind": rule.kind,
        "on": rule.is_on,
    }


def _note(
    membership: Membership,
    rule: RetentionRule,
    *,
    before: dict[str, object] | None,
    after: dict[str, object] | None,
) -> None:
    audit.note("retention.changed", team=membership.team, by=membership.user, before=before, after=after)
