"""Forms about telling people things: a notice for the team, and how one wants to be told."""

from __future__ import annotations

import zoneinfo
from datetime import timedelta
from typing import Any

from django import forms
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership, Notice, Team, Telling, User, audit
from accounts.models.telling import APP, EVENTS, MAIL

MOST = 20
"""Notices that a team may have standing or planned at a time."""
FARTHEST = timedelta(days=3653)


class NewNotice(forms.Form):
    """A sentence, how loud, and from when until when on the clock of the team."""

    text = forms.CharField(
        label=gettext_lazy("What to say"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": gettext_lazy("Write what to say.")},
    )
    level = forms.ChoiceField(
        label=gettext_lazy("It is"),
        choices=Notice.Level.choices,
        initial=Notice.Level.INFO.value,
        widget=forms.RadioSelect,
    )
    since = forms.DateTimeField(
        label=gettext_lazy("From"),
        required=False,
        help_text=gettext_lazy("Empty: from now on."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": gettext_lazy("Write a day and a time.")},
    )
    until = forms.DateTimeField(
        label=gettext_lazy("Until"),
        required=False,
        help_text=gettext_lazy("Empty: until somebody takes it down."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": gettext_lazy("Write a day and a time.")},
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        until = data.get("until")
        if until and until <= max(data.get("since") or timezone.now(), timezone.now()):
            self.add_error("until", _("This is over before it begins. Choose a later time."))
        for name in ("since", "until"):
            if data.get(name) and abs(data[name] - timezone.now()) > FARTHEST and name not in self.errors:
                self.add_error(name, _("Choose a day within ten years."))
        return data

    @transaction.atomic
    def save(self, actor: Membership) -> Notice | None:
        """Posts it. None, with a sentence among the errors, when the team has too many."""
        team = Team.objects.select_for_update().get(pk=actor.team_id)
        rows = Notice.objects.filter(team=team)
        now = timezone.now()
        if rows.filter(until=None).count() + rows.filter(until__gt=now).count() >= MOST:
            self.add_error(None, _("The team has too many notices. Take one down first."))
            return None
        data = self.cleaned_data
        notice = Notice.objects.create(
            team=team,
            text=" ".join(data["text"].split()),
            level=data["level"],
            since=data["since"] or now,
            until=data["until"],
            by=actor.user,
        )
        said = {"level": notice.level, "since": notice.since, "until": notice.until}
        audit.note("notice.posted", team=team, by=actor.user, subject=notice.text, after=said)
        return notice


class Wishes(forms.Form):
    """By which ways of each event, and the quiet hours."""

    quiet_from = forms.TimeField(
        label=gettext_lazy("Quiet from"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": gettext_lazy("Write a time such as 22:00.")},
    )
    quiet_until = forms.TimeField(
        label=gettext_lazy("Quiet until"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": gettext_lazy("Write a time such as 07:00.")},
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs={"list": "zones"}),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        self.user = user
        telling = Telling.of(user)
        names = ("quiet_from", "quiet_until", "time_zone")
        kwargs["initial"] = {name: getattr(telling, name) for name in names}
        if telling._state.adding:
            here = Membership.objects.filter(user=user, ended_at=None).order_by("pk")
            kwargs["initial"]["time_zone"] = here.values_list("team__time_zone", flat=True).first() or "UTC"
        super().__init__(*args, **kwargs)
        for event, (words, _usual) in EVENTS.items():
            self.fields[event] = forms.MultipleChoiceField(
                label=str(words),
                choices=[(APP, gettext_lazy("In the app")), (MAIL, gettext_lazy("By mail"))],
                required=False,
                initial=sorted(telling.ways(event)),
                widget=forms.CheckboxSelectMultiple,
            )

    def events(self) -> list[forms.BoundField]:
        return [self[event] for event in EVENTS]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        begins, ends = data.get("quiet_from"), data.get("quiet_until")
        if begins is None and ends is not None and "quiet_from" not in self.errors:
            self.add_error("quiet_from", _("Write both times, or neither."))
        if ends is None and begins is not None and "quiet_until" not in self.errors:
            self.add_error("quiet_until", _("Write both times, or neither."))
        data["time_zone"] = data.get("time_zone") or "UTC"
        if data["time_zone"] not in zoneinfo.available_timezones():
            self.add_error("time_zone", _("This is no time zone; write one such as Europe/Berlin."))
        return data

    def save(self) -> None:
        data = self.cleaned_data
        names = ("quiet_from", "quiet_until", "time_zone")
        Telling.objects.update_or_create(
            user=self.user,
            defaults={
                "choices": {event: sorted(data[event]) for event in EVENTS},
                **{name: data[name] for name in names},
            },
        )

    @staticmethod
    def zones() -> list[str]:
        """The time zones to choose from."""
        return sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone or zone == "UTC")
