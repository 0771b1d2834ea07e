"""Forms about connections: a key of RunningHub, and why sending is to be paused."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.models.connection import HOSTS, addresses

KEY = re.compile(r"[!-~]{8,200}")


class _KeyField(forms.CharField):
    """What was typed is never shown again, not even after a fault."""

    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy("Key"),
            max_length=200,
            widget=forms.PasswordInput(
                render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"}
            ),
            help_text=gettext_lazy("Copied from RunningHub’s page of API keys; 32 characters."),
            error_messages={"required": gettext_lazy("Paste the key.")},
        )

    def clean(self, value: Any) -> str:
        key = str(super().clean(value)).strip()
        if not KEY.fullmatch(key):
            raise forms.ValidationError(
                _("This cannot be a key: it is too short, or has spaces or other signs in it. Copy it again.")
            )
        return key


def site_choices() -> list[tuple[str, str]]:
    """The addresses a key may be for, as a page names them."""
    words = {HOSTS["ai"]: _("runninghub.ai, pays in dollars"), HOSTS["cn"]: _("runninghub.cn, pays in yuan")}
    return [(one, words.get(one) or urlsplit(one).netloc) for one in addresses()]


class NewConnection(forms.Form):
    """An account of the team's own. Addresses are chosen, never typed: see `models.connection`."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=60,
        help_text=gettext_lazy("What the team calls this account."),
        error_messages={"required": gettext_lazy("Give it a name.")},
    )
    base_url = forms.ChoiceField(
        label=gettext_lazy("Site"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose the site the key is of."),
            "invalid_choice": gettext_lazy("Keys can only be entered for the sites shown here."),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"] = _KeyField()
        site = self.fields["base_url"]
        assert isinstance(site, forms.ChoiceField)  # noqa: S101 - declared above
        site.choices = site_choices()


class ReplaceKey(forms.Form):
    """Another key of the same account."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"] = _KeyField()


class Pause(forms.Form):
    """Why nothing is to be sent for a while; everybody who waits reads it."""

    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=300,
        error_messages={"required": gettext_lazy("Say why, for everybody who waits.")},
    )
