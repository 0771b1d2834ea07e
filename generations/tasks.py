"""What the worker runs: a few lines each. django-q2 finds these by name, so renaming one strands queued messages."""

from __future__ import annotations

import logging

from generations.pipeline import account as accounts
from generations.pipeline import alert as alerts
from generations.pipeline import connect as connecting
from generations.pipeline import count as counting
from generations.pipeline import deliver as delivering
from generations.pipeline import describe as describing
from generations.pipeline import examine as examining
from generations.pipeline import inquire as inquiring
from generations.pipeline import lend as lending
from generations.pipeline import limits as limiting
from generations.pipeline import monthly
from generations.pipeline import posters as poster_making
from generations.pipeline import preview as previews
from generations.pipeline import purge as purging
from generations.pipeline import retire as retiring
from generations.pipeline import snapshot as snapshots
from generations.pipeline import sweep as sweeping
from generations.pipeline import tell as telling
from generations.pipeline import warn as warning
from generations.pipeline import watch as watching

logger = logging.getLogger("rhweb.tasks")


def watch() -> None:
    """One slice of watching; rings for the next by itself."""
    watching.watch()


def copy() -> None:
    """Copies results beside the watcher, until none is waiting."""
    watching.copy()


def sweep() -> None:
    """Once a minute. What fails keeps nothing else from its turn."""
    watching.beat()
    for tend in (
        sweeping.sweep,
        connecting.tend,
        describing.tend,
        lending.tend,
        alerts.results_lost,
        alerts.disk_low,
        warning.voices_if_due,
        inquiring.tend,
        alerts.undecided,
        telling.tend,
        snapshots.tend,
        accounts.tend,
        previews.tend,
        monthly.send_if_due,
        limiting.tend,
        delivering.tend,
        purging.tend,
        retiring.tend,
        counting.tend,
        poster_making.tend,
    ):
        try:
            tend()
        except Exception:
            logger.exception("%s.%s failed; the others go on", tend.__module__, tend.__name__)


def beat() -> None:
    """A sign of life for the supervisor, every few seconds."""
    watching.beat()
    sweeping.sweep_if_late()


def deliver() -> None:
    """Sends what receivers of webhooks are to hear."""
    watching.beat()
    delivering.deliver()


def try_key(key_id: int) -> None:
    """Tries a key of RunningHub that somebody entered."""
    watching.beat()
    connecting.try_key(key_id)


def describe(model_id: int) -> None:
    """Fetches what an app or a workflow asks for."""
    watching.beat()
    describing.describe(model_id)


def lend(lora_id: int) -> None:
    """Gives RunningHub a LoRA."""
    watching.beat()
    lending.lend(lora_id)


def examine(examination_id: int) -> None:
    """The doctor's look at what a page cannot reach."""
    watching.beat()
    examining.examine(examination_id)


def snapshot() -> None:
    """What the accounts hold today, for the bill."""
    watching.beat()
    snapshots.take()


def ask_account(connection_id: int) -> None:
    """What an account is, for its page."""
    watching.beat()
    accounts.ask(connection_id)


def ask_price(check_id: int) -> None:
    """What RunningHub says a generation would cost."""
    watching.beat()
    previews.ask(check_id)


def alert(connection_id: int) -> None:
    """Mails managers about a paused connection."""
    alerts.connection_paused(connection_id)


def posters() -> None:
    """Small pictures of what came in, for the library."""
    watching.beat()
    poster_making.work()


def inquire() -> None:
    """Asks RunningHub what a page, a webhook or a lost answer left open."""
    inquiring.work()
