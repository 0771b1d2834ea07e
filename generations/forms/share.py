"""The terms on which something is shared with outsiders."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from generations.models import ShareLink
from generations.sharing import Terms

DAYS = (1, 7, 30)
ALWAYS, AS_IT_IS = "always", "kept"
LEAST = 6


class ShareTerms(forms.Form):
    """Of a new link, or of `link`, whose end and password stay as they are unless others are chosen."""

    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=200,
        help_text=gettext_lazy("What outsiders read above it, and what files are called."),
    )
    lasts = forms.ChoiceField(label=gettext_lazy("Works for"), initial="7", widget=forms.RadioSelect)
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=128,
        required=False,
        strip=False,
        widget=forms.PasswordInput,
        help_text=gettext_lazy("Asked for once on each browser. Tell it by another way than the link."),
    )
    no_password = forms.BooleanField(required=False)
    may_download = forms.BooleanField(required=False)
    shows_prompt = forms.BooleanField(required=False)
    shows_author = forms.BooleanField(required=False)

    def __init__(self, title: str, *args: Any, link: ShareLink | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.link = link
        choices = [(str(n), ngettext("%(n)s day", "%(n)s days", n) % {"n": n}) for n in DAYS]
        choices.append((ALWAYS, _("No end")))
        self.fields["title"].initial = title
        if link is not None:
            choices.insert(0, (AS_IT_IS, _("As it is")))
            self.fields["lasts"].initial = AS_IT_IS
            for name in ("title", "may_download", "shows_prompt", "shows_author"):
                self.fields[name].initial = getattr(link, name)
        lasts = self.fields["lasts"]
        assert isinstance(lasts, forms.ChoiceField)  # noqa: S101 - declared above
        lasts.choices = choices

    def clean_title(self) -> str:
        return " ".join(str(self.cleaned_data["title"]).replace("\x00", "").split())

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        if password and len(password) < LEAST:
            raise forms.ValidationError(
                _("Use at least %(least)s characters, or leave it empty.") % {"least": LEAST}
            )
        return password

    @property
    def terms(self) -> Terms:
        """What was chosen, of a valid form."""
        chosen = self.cleaned_data
        password: str | None = chosen["password"]
        if self.link is not None and not password:
            password = "" if chosen["no_password"] else None
        return Terms(
            title=chosen["title"],
            expires_at=self._end(chosen["lasts"]),
            password=password,
            may_download=chosen["may_download"],
            shows_prompt=chosen["shows_prompt"],
            shows_author=chosen["shows_author"],
            keeps_end=chosen["lasts"] == AS_IT_IS,
        )

    def _end(self, chosen: str) -> datetime | None:
        if chosen == AS_IT_IS:
            return self.link.expires_at if self.link else None
        return None if chosen == ALWAYS else timezone.now() + timedelta(days=int(chosen))


class LinkPassword(forms.Form):
    """What an outsider is asked."""

    password = forms.CharField(
        label=gettext_lazy("Password"), max_length=128, strip=False, widget=forms.PasswordInput
    )
