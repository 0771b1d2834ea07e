"""Rules of retention: what they are, what each would let go now, and turning them on."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Membership, Team, audit
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
        rule = add(membership, form)
        if rule is not None:
            messages.success(
                request, _("The rule is made and off. See what it would let go, then turn it on.")
            )
            return redirect("retention_rule", team, rule.pk)
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
        drop(membership, rule)
        messages.success(
            request, _("The rule is gone. What it moved to the trash stays there for its 30 days.")
        )
        return redirect("retention", team)
    if deed not in ("on", "off"):
        messages.error(request, _("Choose whether the rule is on or off."))
        return redirect("retention_rule", team, pk)
    wanted = deed == "on"
    turn(membership, rule, on=wanted)
    said = (
        _("The rule is on. What it lets go moves to the trash from the next hour on.")
        if wanted
        else _("The rule is off.")
    )
    messages.success(request, said)
    return redirect("retention_rule", team, pk)


def add(membership: Membership, form: Rule) -> RetentionRule | None:
    """The rule of a valid form, off. None, with a sentence among the errors, when the team has too many."""
    with transaction.atomic():
        team = Team.objects.select_for_update().get(pk=membership.team_id)
        if RetentionRule.objects.filter(team=team).count() >= MOST:
            form.add_error(None, _("A team has at most %(most)s rules.") % {"most": MOST})
            return None
        form.instance.team, form.instance.made_by = team, membership.user
        rule: RetentionRule = form.save()
        _note(membership, before=None, after=_facts(rule))
    return rule


def turn(membership: Membership, rule: RetentionRule, *, on: bool) -> None:
    """Has a rule let go from now on, or no more. Twice is as once."""
    with transaction.atomic():
        fresh = RetentionRule.objects.filter(pk=rule.pk, is_on=not on)
        if fresh.update(is_on=on, looked_at=None, looked_id=None):
            _note(membership, before={"on": not on}, after={"on": on, "rule": rule.pk})


def drop(membership: Membership, rule: RetentionRule) -> None:
    """Forgets a rule; what it moved to the trash stays there for its time."""
    before = _facts(rule)
    with transaction.atomic():
        if RetentionRule.objects.filter(pk=rule.pk).delete()[0]:
            _note(membership, before=before, after=None)


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
    *,
    before: dict[str, object] | None,
    after: dict[str, object] | None,
) -> None:
    audit.note("retention.changed", team=membership.team, by=membership.user, before=before, after=after)
