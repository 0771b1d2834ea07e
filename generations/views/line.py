"""The line in words: where a waiting generation stands, when it is expected to start, and why it waits."""

from __future__ import annotations

import math
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generations.progress import FORESEEN, Place, Slots, Why

AT_ONCE = 8.0
"""What starts within so many seconds starts in a moment."""
SECONDS_TO = 90
MINUTES_TO = 120


def where(place: Place) -> str:
    """ "Next in line", "Number 4 in line"; "" where places mean nothing because nothing is sent."""
    if place.position == 1:
        return _("Next in line")
    if place.position is not None:
        return _("Number %(n)s in line") % {"n": place.position}
    if place.why.code in {"slots", "turn"} and (place.why.slots is None or not _all_outside(place.why.slots)):
        return _("More than %(n)s before it") % {"n": FORESEEN}
    return ""


def span(place: Place) -> str:
    """How long until it starts, with a spread: "4 to 7 min"; "" when nobody knows."""
    if place.low is None or place.high is None:
        return ""
    low, high = place.low, place.high
    if high <= AT_ONCE:
        return _("in a moment")
    if high <= SECONDS_TO:
        return _between(5 * math.floor(low / 5), 5 * math.ceil(high / 5), _("s"))
    if high <= MINUTES_TO * 60:
        return _between(math.floor(low / 60), math.ceil(high / 60), _("min"))
    return _between(math.floor(low / 3600), math.ceil(high / 3600), _("h"))


def _between(low: int, high: int, unit: str) -> str:
    if low <= 0:
        return _("up to %(high)s %(unit)s") % {"high": high, "unit": unit}
    if low == high:
        return _("about %(high)s %(unit)s") % {"high": high, "unit": unit}
    return _("%(low)s to %(high)s %(unit)s") % {"low": low, "high": high, "unit": unit}


def starts(place: Place) -> str:
    """As `span`, as words that stand alone."""
    time = span(place)
    if not time or place.high is None:
        return ""
    if place.high <= AT_ONCE:
        return _("starts in a moment")
    return _("%(time)s until it starts") % {"time": time}


def short(place: Place) -> str:
    """Place and time in few words, as far as they are known."""
    words = _("next in line") if place.position == 1 else ""
    if place.position is not None and place.position > 1:
        words = _("place %(n)s in line") % {"n": place.position}
    elif place.position is None:
        words = where(place)
    time = span(place)
    if words and time:
        return _("%(place)s, %(time)s") % {"place": words, "time": time}
    return words or time


def why(place: Place) -> str:
    """What it waits for, in whole sentences."""
    reason = place.why
    if reason.code in {"paused", "funds"}:
        stopped = _("Sending is paused until a manager resumes it.")
        return f"{stopped} {reason.text}".strip()
    if reason.code == "elsewhere":
        return _("Its connection to RunningHub is not set up at the moment. It waits until it is.")
    if reason.code == "disk":
        return _("The portal has too little room for results. Sending goes on by itself when there is room.")
    if reason.code == "parked":
        return _("It was put aside after several failed attempts. A manager can let it be tried again.")
    if reason.code == "member":
        return ngettext(
            "%(n)s of this member runs at RunningHub, as many as the team lets one member run at once.",
            "%(n)s of this member run at RunningHub, as many as the team lets one member run at once.",
            reason.count,
        ) % {"n": reason.count}
    if reason.code == "slots" and reason.slots is not None:
        return slots(reason.slots)
    if reason.code == "turn":
        return _("There is room; it is sent in a moment.")
    return _later(reason)


def _later(reason: Why) -> str:
    sentences = {
        "model_full": _("This model has no room at RunningHub. It is tried again at %(time)s."),
        "rate": _("RunningHub takes no more requests for the moment. Sending goes on at %(time)s."),
        "full": _("RunningHub had no room. Sending goes on at %(time)s."),
        "unreachable": _("RunningHub could not be reached. It is tried again at %(time)s."),
    }
    words = sentences.get(reason.code, _("It is tried again at %(time)s."))
    return words % {"time": _clock(reason.until)}


def slots(taken: Slots) -> str:
    """How many slots are busy, and how many of them this portal does not hold."""
    if _all_outside(taken):
        return _("All slots at RunningHub are used outside this portal, so nobody can say when one is free.")
    busy = ngettext(
        "%(used)s of %(total)s slot is busy.", "%(used)s of %(total)s slots are busy.", taken.total
    ) % {"used": taken.used, "total": taken.total}
    words = [busy]
    if taken.outside:
        words.append(_("%(n)s of them outside this portal.") % {"n": taken.outside})
    if taken.unsure:
        words.append(_("%(n)s of them for an answer that was lost.") % {"n": taken.unsure})
    return " ".join(words)


def _all_outside(taken: Slots) -> bool:
    return taken.outside >= taken.total


def _clock(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "H:i:s") if moment else "…"
