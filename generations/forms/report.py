"""What a report is to be about, as its address says it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Period, Team
from generations import own_models, reports
from generations.catalogue import load
from generations.catalogue.spec import Kind
from generations.models import State
from generations.reports import By, Span, Wanted

LONGEST = 731
"""Days of one report: two years."""
SPANS = ("week", "month", "last-month")


def _day() -> forms.DateField:
    return forms.DateField(
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )


class Report(forms.Form):
    """Span, filters and what there is a row for. Without `from` and `to` it is the `span`, else this month."""

    def __init__(self, team: Team, data: Any = None, *, author: int | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.team, self.author = team, author
        self.fields["from"] = _day()
        self.fields["from"].label = _("First day")
        self.fields["to"] = _day()
        self.fields["to"].label = _("Last day")
        self.people = {} if author is not None else {str(one.pk): one.user for one in reports.authors(team)}
        if author is None:
            names = [(pk, user.display_name) for pk, user in self.people.items()]
            self.fields["member"] = self._choice(_("Whose"), _("everybody"), names)
        wanted = (data or {}).get("model", "")
        specs = [(spec.slug, spec.title) for spec in (*own_models.of_team(team), *load.models())]
        if wanted and "\0" not in wanted and wanted not in dict(specs):
            specs.append((wanted[:160], wanted[:160]))  # what left the catalogue still has receipts
        self.fields["model"] = self._choice(_("Which model"), _("all"), specs)
        kinds = [(kind.value, kind.value.capitalize()) for kind in Kind]
        self.fields["kind"] = self._choice(_("Kind"), _("all kinds"), kinds)
        self.fields["state"] = self._choice(_("State"), _("any"), list(State.choices))
        if tags := [(str(tag.pk), tag.name) for tag in reports.tags(team)]:
            self.fields["tag"] = self._choice(_("Tag"), _("any"), tags)
        self.fields["by"] = forms.ChoiceField(
            choices=[(by, by) for by in By if author is None or by is not By.MEMBER], required=False
        )
        self.fields["span"] = forms.ChoiceField(choices=[(span, span) for span in SPANS], required=False)

    @staticmethod
    def _choice(label: str, all_of_them: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
        return forms.ChoiceField(label=label, choices=[("", all_of_them), *choices], required=False)

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if "by" in self.errors or "span" in self.errors:
            raise forms.ValidationError(
                gettext_lazy("There is no such report. Choose what it is about below.")
            )
        if "from" in self.errors or "to" in self.errors or not (said.get("from") or said.get("to")):
            return said
        today = timezone.now().astimezone(self.team.zone).date()
        last: date = said.get("to") or max(today, said["from"])
        first: date = said.get("from") or last.replace(day=1)
        if not date(2000, 1, 1) <= first <= date(2200, 1, 1) or last > date(2200, 1, 1):
            self.add_error("from", gettext_lazy("Choose days between the years 2000 and 2200."))
        elif first > last:
            self.add_error("from", gettext_lazy("The first day is after the last one. Exchange them."))
        elif last - first >= timedelta(days=LONGEST):
            self.add_error("from", gettext_lazy("A report is of two years at most. Choose a shorter span."))
        else:
            said |= {"from": first, "to": last}
        return said

    def wanted(self) -> Wanted:
        """Of a valid form."""
        said = self.cleaned_data
        author = self.author
        if author is None and said["member"]:
            author = self.people[said["member"]].pk
        return Wanted(
            self._span(),
            author,
            said["model"],
            said["kind"],
            said["state"],
            int(said.get("tag") or 0) or None,
        )

    def _span(self) -> Span:
        said = self.cleaned_data
        if said["from"]:
            return Span(said["from"], said["to"], self.team.zone)
        if said["span"] == "last-month":
            return Span.month_before(self.team)
        return Span.of(Period.WEEK if said["span"] == "week" else Period.MONTH, self.team)

    @property
    def span(self) -> str:
        """The name of the span, "" when days were chosen."""
        said = self.cleaned_data
        return "" if said["from"] else said["span"] or "month"

    @property
    def by(self) -> By:
        return By(self.cleaned_data["by"] or By.DAY)
