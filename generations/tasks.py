"""What the worker runs: a few lines each. django-q2 finds these by name, so renaming one strands queued messages."""

from __future__ import annotations

from generations.pipeline import alert as alerts
from generations.pipeline import connect as connecting
from generations.pipeline import examine as examining
from generations.pipeline import inquire as inquiring
from generations.pipeline import sweep as sweeping
from generations.pipeline import warn as warning
from generations.pipeline import watch as watching


def watch() -> None:
    """One slice of watching; rings for the next by itself."""
    watching.watch()


def copy() -> None:
    """Copies results beside the watcher, until none is waiting."""
    watching.copy()


def sweep() -> None:
    """Once a minute."""
    watching.beat()
    sweeping.sweep()
    connecting.tend()
    alerts.results_lost()
    alerts.disk_low()
    warning.voices_if_due()
    inquiring.tend()
    alerts.undecided()


def beat() -> None:
    """A sign of life for the supervisor, every few seconds."""
    watching.beat()
    sweeping.sweep_if_late()


def try_key(key_id: int) -> None:
    """Tries a key of RunningHub that somebody entered."""
    watching.beat()
    connecting.try_key(key_id)


def examine(examination_id: int) -> None:
    """The doctor's look at what a page cannot reach."""
    watching.beat()
    examining.examine(examination_id)


def alert(connection_id: int) -> None:
    """Mails managers about a paused connection."""
    alerts.connection_paused(connection_id)


def inquire() -> None:
    """Asks RunningHub what a page, a webhook or a lost answer left open."""
    inquiring.work()
