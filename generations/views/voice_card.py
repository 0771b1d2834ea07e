"""A voice of the team as the vault shows it: whose it is, who agreed, how often it spoke, how long it is kept."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.text import slugify
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Membership
from generations import vault
from generations.forms.voices import first_sound
from generations.models import Audience, Generation, Origin, Output, Voice
from generations.models.voice import KEPT_FOR, WARNED_BEFORE
from generations.pipeline import accept
from generations.views import access
from generations.views.status import Status, status

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class VoiceCard:
    """A row that came with its use, its owner and the outputs of what made it. `keep` is what keeping it costs."""

    voice: Voice
    membership: Membership
    now: datetime
    keep: accept.Quote | None = None

    @property
    def is_made(self) -> bool:
        return self.made_by.is_over

    @property
    def made_by(self) -> Generation:
        return self.voice.made_by

    @property
    def status(self) -> Status:
        return status(self.made_by)

    @property
    def language(self) -> str:
        """One word, for the filter."""
        return slugify(self.voice.language)

    @property
    def consent(self) -> str:
        """One word, for the filter."""
        return "yes" if self.voice.is_agreed else "no"

    @property
    def note(self) -> str:
        made = _("designed") if self.voice.origin == Origin.DESIGNED else _("cloned")
        return f"{self.voice.language}, {made}" if self.voice.language else made.capitalize()

    @property
    def may_change(self) -> bool:
        return access.may_change_voice(self.membership, self.voice)

    @property
    def may_use(self) -> bool:
        return access.may_use_voice(self.membership, self.voice)

    @property
    def preview(self) -> Output | None:
        return first_sound(self.made_by) if self.is_made else None

    @property
    def audience(self) -> str:
        """Who may use it, in words."""
        if self.voice.audience == Audience.EVERYONE:
            return _("Everyone in the team")
        if self.voice.audience == Audience.OWNER:
            return _("Only its owner")
        count = len(self.voice.grants.all())
        return ngettext("%(n)s person", "%(n)s people", count) % {"n": count}

    @property
    def used(self) -> str:
        """How often, and when last."""
        times = self.voice.times_used
        if not times:
            return _("Never")
        said = ngettext("%(n)s time", "%(n)s times", times) % {"n": times}
        if self.now - self.voice.last_use < HOUR:
            return _("%(times)s, just now") % {"times": said}
        ago = timesince(self.voice.last_use, self.now, depth=1)
        return _("%(times)s, %(ago)s ago") % {"times": said, "ago": ago}

    @property
    def left(self) -> timedelta:
        """Until the provider is expected to delete it; below zero when that has passed."""
        return Voice.kept_until(self.voice.last_use) - self.now

    @property
    def is_near(self) -> bool:
        return timedelta(0) < self.left <= WARNED_BEFORE

    @property
    def is_gone(self) -> bool:
        """By the rule of the provider; nobody asked it."""
        return self.left <= timedelta(0)

    @property
    def offers_keeping(self) -> bool:
        """Not within a day of its last use, when it would change nothing."""
        return self.may_use and self.keep is not None and self.left < KEPT_FOR - timedelta(days=1)

    @property
    def key(self) -> str:
        """Fresh for each rendering, so that two clicks are one."""
        return uuid.uuid4().hex

    @property
    def percent(self) -> str:
        """How full the meter is."""
        return f"{max(0.0, min(1.0, self.left / KEPT_FOR)) * 100:.0f}"

    @property
    def left_words(self) -> str:
        if self.is_gone:
            return _("Probably deleted by the provider")
        time = {"time": span(self.left)}
        return _("Disappears in %(time)s") % time if self.is_near else _("Kept %(time)s") % time

    @property
    def speech_url(self) -> str:
        """Create, with this voice chosen."""
        models = vault.speech_models(self.made_by.model)
        if not models:
            return ""
        page = reverse("studio_model", args=[self.membership.team.slug, models[0].slug])
        return f"{page}?voice={self.voice.voice_id}"

    @property
    def uses_url(self) -> str:
        """The library with what spoke with it."""
        return f"{reverse('library', args=[self.membership.team.slug])}?voice={self.voice.pk}"


def span(left: timedelta) -> str:
    """`6 d 19 h`, `22 h`, `40 min`."""
    minutes = int(left.total_seconds() // 60)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return _("%(d)s d %(h)s h") % {"d": days, "h": hours} if hours else _("%(d)s d") % {"d": days}
    if hours:
        return _("%(h)s h") % {"h": hours}
    return _("%(m)s min") % {"m": max(1, minutes)}
