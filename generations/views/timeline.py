"""What happened to a generation, from the moments on its row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from generations import custody
from generations.models import Generation, State
from generations.pipeline import resolve
from generations.templatetags.ui import clock, money

MINUTE = 60
LEAST = 1.5


@dataclass(frozen=True)
class Step:
    """One line. A step that took time has a bar: where it begins and how wide it is, in percent."""

    words: str
    at: str
    took: str = ""
    x: str = ""
    width: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Timeline:
    steps: list[Step]
    took: str


def timeline(generation: Generation) -> Timeline:
    """The steps in the order they happened, on the clock that is active."""
    end = generation.finished_at
    if generation.is_imported:
        return Timeline([Step(_("Imported"), _time(generation.created_at, generation))], "")
    whole = ((end or timezone.now()) - generation.created_at).total_seconds()
    found = [(generation.created_at, Step(_accepted(generation), _time(generation.created_at, generation)))]

    def span(start: datetime | None, stop: datetime | None, words: str) -> None:
        if not start or not stop or stop < start:
            return
        seconds = (stop - start).total_seconds()
        x = width = ""
        if whole > 0:
            left = min(100.0 - LEAST, max(0.0, 100 * (start - generation.created_at).total_seconds() / whole))
            x, width = f"{left:.1f}", f"{min(100 - left, max(LEAST, 100 * seconds / whole)):.1f}"
        found.append((start, Step(words, _time(start, generation), lasted(seconds), x, width)))

    def point(at: datetime | None, words: str, tone: str = "") -> None:
        if at:
            found.append((at, Step(words, _time(at, generation), tone=tone)))

    sent = generation.submitting_at or generation.dispatched_at
    span(generation.created_at, generation.claimed_at or sent, _("Waited for a slot"))
    if generation.dispatched_at:
        span(sent, generation.dispatched_at, _sent(generation))
    else:
        point(generation.submitting_at, _sent(generation))
    made = generation.status in (State.GATHERING, State.SUCCEEDED)
    span(generation.dispatched_at, generation.upstream_done_at, _("Made") if made else _("Worked on"))
    if generation.status == State.RUNNING:
        point(generation.dispatched_at, _("Being made"))
    if generation.status == State.SUCCEEDED:
        span(generation.upstream_done_at, end, _("Copied and checked"))
    point(generation.overdue_at, _("Took longer than usual"), "warn")
    point(generation.cancel_requested_at, _("Cancelling was asked for"), "warn")
    point(generation.cancel_sent_at, _("RunningHub was asked to stop"))
    point(generation.result_lost_at, _("Known that it cannot be copied"), "bad")
    point(generation.parked_at, _("Put aside after several tries"), "warn")
    steps = [step for _at, step in sorted(found, key=lambda pair: pair[0])]
    steps += _ending(generation)
    return Timeline(steps, lasted(whole) if end else "")


def lasted(seconds: float) -> str:
    """`7.2 s` below a minute, `4:05` from there."""
    if seconds >= MINUTE:
        return clock(seconds)
    return _("%(seconds)s s") % {"seconds": number_format(max(0.0, seconds), 1)}


def _accepted(generation: Generation) -> str:
    if generation.cost_estimated is None:
        return _("Accepted, price unknown")
    return _("Accepted, %(amount)s held") % {"amount": money(generation.cost_estimated, generation.currency)}


def _sent(generation: Generation) -> str:
    if generation.attempts > 1:
        return _("Sent to RunningHub at try %(number)d") % {"number": generation.attempts}
    return _("Sent to RunningHub")


def _ending(generation: Generation) -> list[Step]:
    if generation.status == State.UNCONFIRMED:
        return [Step(_("The answer was lost"), "", tone="warn")]
    if not generation.finished_at:
        return []
    at = _time(generation.finished_at, generation)
    last = {
        State.SUCCEEDED: Step(_safe(generation), at, tone="good"),
        State.FAILED: Step(_("Failed"), at, tone="bad"),
        State.CANCELLED: Step(_("Cancelled"), at, tone="warn"),
    }[State(generation.status)]
    if generation.error_code == resolve.RELEASED:
        last = Step(_("Hold released by a manager"), at, tone="warn")
    return [last]


def _safe(generation: Generation) -> str:
    """When every file was copied, compared with its hash and read, counted from upstream's own success."""
    after = custody.safe_after(generation)
    if after is None:
        return _("Settled")
    return _("Safe, %(seconds)s after RunningHub was done") % {"seconds": lasted(after.total_seconds())}


def _time(moment: datetime, generation: Generation) -> str:
    """To the second; with the day when it is another than the first."""
    local, first = timezone.localtime(moment), timezone.localtime(generation.created_at)
    return date_format(local, "H:i:s" if local.date() == first.date() else "j M H:i:s")
