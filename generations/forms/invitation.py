"""Forms about ways into a team."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import domains, memberships
from accounts.models import Membership, Role, TeamDomain, User

MOST_USES = 500


class NewInvitation(forms.Form):
    """By mail to one address, or a link that a manager hands out. Only roles the manager may give are offered."""

    BY_MAIL, BY_LINK = "mail", "link"

    way = forms.ChoiceField(
        choices=[(BY_MAIL, gettext_lazy("By mail")), (BY_LINK, gettext_lazy("By link"))],
        initial=BY_MAIL,
        widget=forms.RadioSelect,
    )
    email = forms.EmailField(label=gettext_lazy("Send it to"), max_length=254, required=False)
    role = forms.ChoiceField(initial=Role.MEMBER.value, widget=forms.RadioSelect)
    days = forms.IntegerField(
        label=gettext_lazy("Days it works"), min_value=1, max_value=90, initial=7, widget=forms.NumberInput
    )
    max_uses = forms.IntegerField(
        label=gettext_lazy("How many people"),
        min_value=1,
        max_value=MOST_USES,
        required=False,
        initial=1,
        help_text=gettext_lazy("Of a link. Empty: any number, until it is over or revoked."),
    )

    def __init__(self, actor: Membership, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        choices = self.fields["role"]
        assert isinstance(choices, forms.ChoiceField)  # noqa: S101 - declared above
        choices.choices = [(one.value, one.label) for one in Role if memberships.may_give(actor, one)]

    @property
    def lasts(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        email = cleaned.get("email", "").lower()
        if cleaned.get("way") != self.BY_MAIL:
            return cleaned | {"email": ""}
        if not email and "email" not in self.errors:
            self.add_error("email", _("Write the address that the mail goes to, or choose a link."))
        user = User.objects.filter(email__iexact=email).first() if email else None
        if user is not None and memberships.current(self.actor.team, user):
            self.add_error("email", _("This person is in the team already."))
        return cleaned | {"email": email}


class NewDomain(forms.Form):
    """A domain whose people may join."""

    domain = forms.CharField(label=gettext_lazy("Domain of the addresses"), max_length=260)
    domain_role = forms.ChoiceField(
        label=gettext_lazy("They get the role"),
        choices=[(one.value, one.label) for one in TeamDomain.GIVEN],
        initial=Role.MEMBER.value,
        widget=forms.RadioSelect,
    )
    automatic = forms.BooleanField(required=False)

    def clean_domain(self) -> str:
        return domains.clean(self.cleaned_data["domain"])
