"""One generation in the Now rail: its state, place in line or progress, its sound, what went wrong."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Membership
from generations import progress
from generations.live import Live
from generations.models import Generation, Output, State
from generations.pipeline.pacing import Pace
from generations.templatetags.ui import money
from generations.views import access, line, sound, status, waiting


@dataclass(frozen=True)
class Card:
    """`is_first`: it is the next of the team to be sent, and says why it waits."""

    generation: Generation
    membership: Membership
    pace: Pace
    now: datetime
    place: progress.Place | None = None
    is_first: bool = False
    live: Live | None = None

    @cached_property
    def status(self) -> status.Status:
        return status.status(self.generation)

    @property
    def model(self) -> str:
        return sound.model_title(self.generation.model)

    @property
    def who(self) -> str:
        mine = self.generation.author_id == self.membership.user_id
        return _("You") if mine else self.generation.author.display_name

    @property
    def started(self) -> int:
        """Milliseconds since 1970 when upstream took it, 0 unless it runs there now."""
        sent = self.generation.dispatched_at if self.generation.status == State.RUNNING else None
        return int(sent.timestamp() * 1000) if sent else 0

    @property
    def elapsed(self) -> float:
        return max(0.0, self.now.timestamp() - self.started / 1000)

    @property
    def is_late(self) -> bool:
        return self.elapsed > self.pace.slow

    @property
    def width(self) -> int:
        """Percent of the meter: what it tells of itself, else 80 at the usual time, 95 at the slow time, never more."""
        if self.live is not None and self.live.percent is not None:
            return self.live.percent
        usual, slow = self.pace.usual, max(self.pace.slow, self.pace.usual + 0.1)
        if self.elapsed <= usual:
            return int(80 * self.elapsed / usual)
        return int(min(95, 80 + 15 * (self.elapsed - usual) / (slow - usual)))

    @property
    def may_cancel(self) -> bool:
        waits = self.generation.status in {State.QUEUED, State.DISPATCHING, State.RUNNING}
        asked = self.generation.cancel_requested_at is not None
        return waits and not asked and access.may_change(self.membership, self.generation)

    @cached_property
    def _outputs(self) -> list[Output]:
        return list(self.generation.outputs.all()) if self.generation.status == State.SUCCEEDED else []

    @property
    def sound(self) -> Output | None:
        sounds = [output for output in self._outputs if output.kind == "audio" and output.file]
        return next((output for output in sounds if output.is_keeper), sounds[0] if sounds else None)

    @property
    def results(self) -> int:
        return len(self._outputs)

    @property
    def cost(self) -> Decimal | None:
        actual = self.generation.cost_actual
        return self.generation.cost_estimated if actual is None else actual

    @property
    def when(self) -> str:
        """The clock today, the day before: neither grows old on the page as "4 minutes ago" would."""
        zone = self.membership.team.zone
        moment = timezone.localtime(self.generation.finished_at or self.generation.created_at, zone)
        today = timezone.localtime(self.now, zone).date()
        return date_format(moment, "H:i" if moment.date() == today else "j M")

    @property
    def place_words(self) -> str:
        return line.short(self.place) if self.place else ""

    @property
    def waits_for(self) -> str:
        """Why it is not sent yet. Said of the first of the line, and of those that wait for something of their own."""
        if self.place is None:
            return ""
        own = self.place.why.code not in {"slots", "turn", "parked", "paused", "funds"}
        return line.why(self.place) if own or self.is_first else ""

    @property
    def why(self) -> str:
        """What there is to know besides the state, in whole sentences."""
        generation = self.generation
        if generation.status == State.FAILED:
            return f"{generation.error_message} {self._charged}".strip()
        if generation.status == State.CANCELLED:
            if generation.dispatched_at is None:
                return _("It was cancelled before it was sent. Nothing was charged.")
            return f"{_('It was cancelled after it had started.')} {self._charged}"
        if generation.status == State.UNCONFIRMED:
            lost = _("The answer was lost. It may have been charged, so it was not sent again.")
            if not generation.holds:
                return lost
            held = money(generation.cost_estimated, generation.currency)
            return f"{lost} {_('%(amount)s stays on hold.') % {'amount': held}}"
        if generation.parked_at is not None:
            return _("It was put aside after several failed attempts. A manager can let it be tried again.")
        if generation.cancel_requested_at is not None:
            return _("Until RunningHub stops it, it may still finish and be charged.")
        return ""

    @property
    def _charged(self) -> str:
        if not self.generation.cost_counted:
            return _("Nothing was charged.")
        amount = money(self.generation.cost_counted, self.generation.currency)
        return _("%(amount)s was charged.") % {"amount": amount}

    @property
    def live_words(self) -> str:
        return waiting.live_words(self.live)

    @cached_property
    def said(self) -> str:
        """Names this card and all that it says, except how far a running one says it is."""
        said = (self.status, self.place_words, self.waits_for, self.why, self.may_cancel, self.when)
        more = (
            self.started,
            round(self.pace.usual),
            self.results,
            str(self.cost),
            self.generation.title,
            self.live is None,
            self.sound.index if self.sound else None,
        )
        return f"{self.generation.pk}.{_short(said, more)}"

    @property
    def mark(self) -> str:
        """Names this card and everything on it, so that a browser can tell what it has."""
        return f"{self.said}.{_short(self.live)}"


def _short(*values: object) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()[:10]
