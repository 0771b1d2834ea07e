"""The form that says which models are for whom: some are chosen, then who may use them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership, Role, Team, audit
from generations import own_models
from generations.catalogue import load
from generations.catalogue.spec import Kind
from generations.models import ModelRule

INHERIT = "inherit"
ALL = "all:"


class ModelRules(forms.Form):
    """`what` are places such as `all:`, `kind:music` and `model:<slug>`; the rest says for whom they are."""

    what = forms.MultipleChoiceField(
        error_messages={
            "required": gettext_lazy("Choose at least one model or kind."),
            "invalid_choice": gettext_lazy("One of the models is not there any more. Choose again."),
        }
    )
    audience = forms.ChoiceField(
        label=gettext_lazy("Who may use them"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose who may use them."),
            "invalid_choice": gettext_lazy("Choose who may use them."),
        },
    )
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Roles"),
        choices=Role.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": gettext_lazy("There is no such role.")},
    )
    people = forms.TypedMultipleChoiceField(
        label=gettext_lazy("People"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": gettext_lazy("Choose people who are in the team now.")},
    )

    def __init__(
        self, actor: Membership, colleagues: Sequence[Membership], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.names = {one.pk: one.user.display_name for one in colleagues}
        self._choices(
            "what",
            [(ALL, "")]
            + [(f"kind:{kind.value}", "") for kind in Kind]
            + [(f"model:{spec.slug}", "") for spec in (*load.models(), *own_models.of_team(actor.team))],
        )
        self._choices("audience", [*ModelRule.Audience.choices, (INHERIT, _("As the wider rule says"))])
        self._choices("people", list(self.names.items()))

    def _choices(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        audience = data.get("audience")
        if audience == ModelRule.Audience.ROLES and not data.get("roles") and "roles" not in self.errors:
            self.add_error("roles", _("Choose at least one role, or “Nobody”."))
        if audience == ModelRule.Audience.PEOPLE and not data.get("people") and "people" not in self.errors:
            self.add_error("people", _("Choose at least one person, or “Nobody”."))
        return data

    @transaction.atomic
    def save(self) -> int:
        """Sets the rule of all that were chosen and gives how many are different now. Waits for running accepts of
        the team, and the next one sees all of it.
        """
        team = Team.objects.select_for_update().get(pk=self.actor.team_id)
        rules = {(rule.scope, rule.name): rule for rule in ModelRule.objects.filter(team=team)}
        before, after = {}, {}
        for place in self.cleaned_data["what"]:
            scope, _colon, name = place.partition(":")
            was = rules.get((scope, name))
            now = self._rule(team, scope, name)
            title = title_of(scope, name)
            before[title], after[title] = self.words(was), self.words(now)
            if before[title] == after[title] and (was is None) == (now is None):
                del before[title], after[title]
                continue
            if now is None:
                ModelRule.objects.filter(team=team, scope=scope, name=name).delete()
            else:
                ModelRule.objects.update_or_create(
                    team=team,
                    scope=scope,
                    name=name,
                    defaults={
                        "audience": now.audience,
                        "roles": now.roles,
                        "people": now.people,
                        "changed_at": timezone.now(),
                        "changed_by": self.actor.user,
                    },
                )
        if after:
            subject = next(iter(after)) if len(after) == 1 else _("%(n)s rules") % {"n": len(after)}
            audit.note(
                "models.allowed",
                team=team,
                by=self.actor.user,
                subject=subject,
                before=before,
                after=after,
            )
        return len(after)

    def _rule(self, team: Team, scope: str, name: str) -> ModelRule | None:
        audience = self.cleaned_data["audience"]
        if audience == INHERIT:
            return None
        chosen = ModelRule(team=team, scope=scope, name=name, audience=audience)
        if audience == ModelRule.Audience.ROLES:
            chosen.roles = self.cleaned_data["roles"]
        if audience == ModelRule.Audience.PEOPLE:
            chosen.people = self.cleaned_data["people"]
        return chosen

    def words(self, rule: ModelRule | None) -> str:
        """For whom, in full."""
        if rule is None:
            return _("As the wider rule says")
        if rule.audience == ModelRule.Audience.ROLES:
            return ", ".join(role.label for role in Role if role in rule.roles)
        if rule.audience == ModelRule.Audience.PEOPLE:
            names = [name for pk, name in self.names.items() if pk in rule.people]
            return ", ".join(names) or str(ModelRule.Audience.NOBODY.label)
        return str(ModelRule.Audience(rule.audience).label)


def title_of(scope: str, name: str) -> str:
    """What a rule is about, in words."""
    if scope == ModelRule.Scope.MODEL:
        return load.get(name).title
    if scope == ModelRule.Scope.KIND:
        return _("All of the kind “%(kind)s”") % {"kind": name}
    return _("All models")
