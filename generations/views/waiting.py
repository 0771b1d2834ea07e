"""How far a generation is that is not over yet: its place in line, or its time so far against the usual."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from django.utils import timezone
from django.utils.translation import gettext as _

from generations import live, progress
from generations.live import Live
from generations.models import Generation, State
from generations.pipeline.pacing import Pace
from generations.views import line, picker


@dataclass(frozen=True)
class Progress:
    """How far a waiting or running generation is. `started` is in milliseconds, as scripts count."""

    started: int | None = None
    elapsed: float = 0.0
    pace: Pace | None = None
    place: progress.Place | None = None
    slots: progress.Slots | None = None
    live: Live | None = None

    @property
    def where(self) -> str:
        return line.where(self.place) if self.place else ""

    @property
    def starts(self) -> str:
        return line.starts(self.place) if self.place else ""

    @property
    def why(self) -> str:
        return line.why(self.place) if self.place else ""

    @property
    def is_stopped(self) -> bool:
        """Whether it waits for a person and not for its turn."""
        return self.place is not None and self.place.why.code in {"paused", "funds", "elsewhere"}

    @property
    def is_late(self) -> bool:
        return self.pace is not None and self.elapsed > self.pace.slow

    @property
    def width(self) -> str:
        """Percent: what it tells of itself, else 80 at the usual time, 95 at the slow time, never more."""
        if self.live is not None and self.live.percent is not None:
            return str(self.live.percent)
        if self.pace is None:
            return "0"
        usual, slow = self.pace.usual, self.pace.slow
        if self.elapsed <= usual:
            return f"{80 * self.elapsed / usual:.0f}"
        return f"{min(95.0, 80 + 15 * (self.elapsed - usual) / max(slow - usual, 0.1)):.0f}"

    @property
    def live_words(self) -> str:
        return live_words(self.live)

    @property
    def mark(self) -> str:
        """Changes when the words change, or what it tells of itself; an estimated bar moves by itself."""
        parts = (self.where, self.starts, self.why, self.slots, self.live)
        return sha256(repr(parts).encode()).hexdigest()[:12]


def progress_of(generation: Generation) -> Progress | None:
    """None when it is over, or when nothing is known of how far it is."""
    if generation.status == State.RUNNING and generation.dispatched_at:
        elapsed = max(0.0, (timezone.now() - generation.dispatched_at).total_seconds())
        started = int(generation.dispatched_at.timestamp() * 1000)
        pace = progress.usual(generation.model, generation.connection)
        return Progress(started, elapsed, pace, live=live.of([generation]).get(generation.pk))
    if generation.status == State.QUEUED:
        connection = generation.connection
        place = progress.places(connection, [generation], picker.paces(connection)).get(generation.pk)
        return Progress(place=place, slots=progress.slots(connection))
    return None if generation.is_over else Progress()


def live_words(told: Live | None) -> str:
    """What a running app or workflow tells of itself: `Sampler · 35 %`."""
    if told is None:
        return ""
    share = "" if told.percent is None else _("%(percent)s %%") % {"percent": told.percent}
    return " · ".join(word for word in (told.node, share) if word)
