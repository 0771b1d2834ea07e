"""Forms about people: who is in the team, with which role, and the team's own settings."""

from __future__ import annotations

import zoneinfo
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import memberships, roles
from accounts.memberships import LastOwner
from accounts.models import Membership, Role, Team, User, audit
from accounts.roles import Deed


def roles_to_give(actor: Membership) -> list[tuple[str, str]]:
    """The roles that this manager may give: only owners make owners."""
    return [(role.value, role.label) for role in roles.to_give(actor.role)]


class AddMember(forms.Form):
    """Email, name and role of somebody who joins the team of `actor`."""

    email = forms.EmailField(label=gettext_lazy("Email"), max_length=254)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80, required=False)
    role = forms.ChoiceField(label=gettext_lazy("Role"), initial=Role.MEMBER.value, widget=forms.RadioSelect)

    def __init__(self, actor: Membership, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        choices = self.fields["role"]
        assert isinstance(choices, forms.ChoiceField)  # noqa: S101 - declared above
        choices.choices = roles_to_give(actor)

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        return email.lower()

    def save(self) -> Membership:
        """The new membership; the user is made, without a password, when the email is unknown.

        Somebody who left comes back. Raises `memberships.AlreadyIn`.
        """
        try:
            return self._save()
        except IntegrityError:
            # Another team made the same user between our look and our insert; now they are found.
            return self._save()

    @transaction.atomic
    def _save(self) -> Membership:
        email, role = self.cleaned_data["email"], self.cleaned_data["role"]
        team = Team.objects.select_for_update().get(pk=self.actor.team_id)
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            user = User.objects.create_user(email, name=self.cleaned_data["name"])
        else:
            memberships.prove(user)
        return memberships.admit(team, user, role, how="added")


class ChangeRole(forms.Form):
    """The new role of a member."""

    role = forms.ChoiceField(
        choices=Role.choices, error_messages={"invalid_choice": gettext_lazy("There is no such role.")}
    )

    def save(self, actor: Membership, colleague: Membership) -> bool:
        """Gives the role; false when they had it already.

        All changes of a team wait for its row, so of two owners who demote each other one is refused. Raises
        `PermissionDenied` with a sentence and `LastOwner`.
        """
        role = self.cleaned_data["role"]
        with transaction.atomic():
            Team.objects.select_for_update().get(pk=actor.team_id)
            rows = Membership.objects.filter(team=actor.team_id, ended_at=None)
            now_actor = rows.filter(pk=actor.pk).first()
            now_colleague = rows.filter(pk=colleague.pk).first()
            if now_actor is None or not now_actor.may_manage or now_colleague is None:
                raise PermissionDenied(_("Only managers of the team may do this."))
            owners_matter = Role.OWNER in (role, now_colleague.role)
            if owners_matter and not now_actor.may(Deed.MAKE_OWNERS):
                raise PermissionDenied(roles.refusal(Deed.MAKE_OWNERS))
            if now_colleague.role == role:
                return False
            if now_colleague.role == Role.OWNER and rows.filter(role=Role.OWNER).count() == 1:
                raise LastOwner
            done = rows.filter(pk=colleague.pk).update(role=role) == 1
            audit.note(
                "role.changed",
                team=actor.team,
                by=actor.user,
                person=colleague.user,
                before={"role": now_colleague.role},
                after={"role": role},
            )
            return done


class TeamSettings(forms.ModelForm):  # type: ignore[type-arg]
    """Name, time zone, whether models without a known price may run, and how many of one member's run at once."""

    class Meta:
        model = Team
        fields = ("name", "time_zone", "unknown_price", "member_slots", "pool_draw", "needs_second_factor")
        labels: ClassVar[dict[str, Any]] = {
            "name": gettext_lazy("Name"),
            "time_zone": gettext_lazy("Time zone"),
            "unknown_price": gettext_lazy("Models whose price is unknown"),
            "member_slots": gettext_lazy("Of one member at RunningHub at once"),
        }
        help_texts: ClassVar[dict[str, Any]] = {
            "time_zone": gettext_lazy("Days, weeks and months of all limits begin on this clock."),
            "member_slots": gettext_lazy("Others of theirs wait. Empty: as many as there is room for."),
        }
        widgets: ClassVar[dict[str, Any]] = {
            "time_zone": forms.TextInput(attrs={"list": "zones"}),
            "unknown_price": forms.RadioSelect,
        }

    @transaction.atomic
    def save(self, commit: bool = True) -> Team:
        """Writes the settings and what they were into the audit trail."""
        was = Team.objects.select_for_update().get(pk=self.instance.pk)
        team: Team = super().save(commit=commit)
        before, after = (
            {name: getattr(one, name) for name in self._meta.fields or ()} for one in (was, team)
        )
        rule = "needs_second_factor"
        then, now = ({rule: one.pop(rule)} for one in (before, after))
        if before != after:
            audit.note("settings.changed", team=team, subject=team.name, before=before, after=after)
        if then != now:
            audit.note("second_factor.changed", team=team, subject=team.name, before=then, after=now)
        return team

    @staticmethod
    def zones() -> list[str]:
        """The time zones to choose from."""
        return sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone or zone == "UTC")
