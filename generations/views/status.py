"""How a generation stands, in a word: what rows, pages and small refreshes agree on."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.models import Generation, State

WORDS = {
    State.QUEUED: gettext_lazy("Waiting"),
    State.DISPATCHING: gettext_lazy("Being sent"),
    State.RUNNING: gettext_lazy("Running"),
    State.GATHERING: gettext_lazy("Being copied"),
    State.SUCCEEDED: gettext_lazy("Finished"),
    State.FAILED: gettext_lazy("Failed"),
    State.UNCONFIRMED: gettext_lazy("Unconfirmed"),
    State.CANCELLED: gettext_lazy("Cancelled"),
}
LOOKS = {
    State.QUEUED: ("queued", "hourglass"),
    State.DISPATCHING: ("running", "send"),
    State.RUNNING: ("running", "clock"),
    State.GATHERING: ("running", "download"),
    State.SUCCEEDED: ("finished", "done"),
    State.FAILED: ("failed", "error"),
    State.UNCONFIRMED: ("unconfirmed", "unknown"),
    State.CANCELLED: ("cancelled", "blocked"),
}


@dataclass(frozen=True)
class Status:
    """`look` is the variant of `.status`, `icon` a symbol of the sprite."""

    look: str
    icon: str
    word: str


def status(generation: Generation) -> Status:
    """The state in a word; what a person should know first comes first: put aside, stopping, late."""
    state = State(generation.status)
    if not generation.is_over:
        if generation.parked_at:
            return Status("late", "warn", _("Put aside"))
        if generation.cancel_requested_at and state != State.UNCONFIRMED:
            return Status("late", "stop", _("Being cancelled"))
        if generation.overdue_at and state in (State.RUNNING, State.GATHERING):
            return Status("late", "clock", _("Longer than usual"))
    look, icon = LOOKS[state]
    return Status(look, icon, str(WORDS[state]))


def mark(generation: Generation) -> str:
    """Changes exactly when a page would show this generation differently; goes into addresses."""
    flags = [
        ("p", generation.parked_at),
        ("c", generation.cancel_requested_at),
        ("s", generation.cancel_sent_at),
        ("o", generation.overdue_at),
    ]
    return generation.status + "".join(letter for letter, moment in flags if moment)
