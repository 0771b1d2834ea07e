"""Permits: may this member use this model? One query for a team, however many models are asked about.

`pipeline.accept` asks under the lock of the team, for which whoever changes the rules waits too; pages ask in order
to show only what would be taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Membership, Team
from accounts.roles import Role
from generations.catalogue.spec import ModelSpec
from generations.models import ModelRule

NAMED = 3


class ModelRefused(PermissionDenied):
    """The team does not let this member use this model; the message says who may and who can change it."""


def rules(team: Team) -> Sequence[ModelRule]:
    """The rules of the team, asked once for this object of it."""
    known: Sequence[ModelRule] | None = team.__dict__.get("_model_rules")
    if known is None:
        known = team.__dict__["_model_rules"] = list(ModelRule.objects.filter(team=team))
    return known


def lets(membership: Membership, spec: ModelSpec) -> bool:
    """Whether the team lets this member use the model."""
    rule = ModelRule.narrowest(rules(membership.team), spec.slug, spec.kind.value)
    return rule is None or rule.lets(membership)


def permitted(membership: Membership, specs: Iterable[ModelSpec]) -> list[ModelSpec]:
    """Those of the models that the team lets this member use, in their order."""
    return [spec for spec in specs if lets(membership, spec)]


def refuse(membership: Membership, spec: ModelSpec) -> None:
    """Raises `ModelRefused` when the team does not let this member use the model."""
    rule = ModelRule.narrowest(rules(membership.team), spec.slug, spec.kind.value)
    if rule is None or rule.lets(membership):
        return
    words = {"model": spec.title, "whom": audience(rule), "who": managers(membership.team)}
    raise ModelRefused(
        _("“%(model)s” is not for you in this team. Who may use it: %(whom)s. %(who)s can change that.")
        % words
    )


def audience(rule: ModelRule) -> str:
    """Who may, in words: "Everyone", "Owner, Manager", "Bob, Carol", "Nobody"."""
    if rule.audience == ModelRule.Audience.ROLES:
        return ", ".join(role.label for role in Role if role in rule.roles)
    if rule.audience == ModelRule.Audience.PEOPLE:
        rows = Membership.objects.filter(team=rule.team_id, pk__in=rule.people, ended_at=None)
        return _named([row.user.display_name for row in rows.select_related("user").order_by("pk")])
    return str(ModelRule.Audience(rule.audience).label)


def managers(team: Team) -> str:
    """The names of those who can change it."""
    rows = Membership.objects.filter(
        team=team, role__in=Membership.MANAGING, ended_at=None, user__is_active=True
    )
    return _named([row.user.display_name for row in rows.select_related("user").order_by("user__name", "pk")])


def _named(names: Sequence[str]) -> str:
    if not names:
        return str(ModelRule.Audience.NOBODY.label)
    shown = ", ".join(names[:NAMED])
    more = len(names) - NAMED
    if more <= 0:
        return shown
    return ngettext("%(names)s and %(n)s more", "%(names)s and %(n)s more", more) % {
        "names": shown,
        "n": more,
    }
