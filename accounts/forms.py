"""Forms of people who come in."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import SignupForm
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import domains
from accounts.models import User


class SignUp(SignupForm):  # type: ignore[misc]
    """As allauth's; where the portal is not open to all, only for the domains that a team is open to."""

    def clean_email(self) -> str:
        email: str = super().clean_email()
        if not settings.OPEN_SIGNUP and not domains.is_known(email):
            raise forms.ValidationError(
                _("No team here is open to this address. Ask a manager of your team to invite you.")
            )
        return email


class Newcomer(forms.Form):
    """The name and the password of somebody whose address is known to be theirs."""

    name = forms.CharField(label=gettext_lazy("Your name"), max_length=80)
    password = forms.CharField(
        label=gettext_lazy("Password"), widget=forms.PasswordInput, max_length=4096, strip=False
    )

    def __init__(self, email: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if password := cleaned.get("password"):
            person = User(email=self.email, name=cleaned.get("name", ""))
            try:
                validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned


class Address(forms.Form):
    """Where the mail with the personal link goes."""

    email = forms.EmailField(label=gettext_lazy("Email"), max_length=254)
