"""Signs of life of the background processes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from generations.models.prepared import Given, Rows


class Heartbeat(models.Model):
    """`watcher` beats while it follows generations, `copier` while it helps to copy, `lender` while a
    LoRA is sent, `worker` whenever the queue runs a task.
    """

    name = models.CharField(max_length=40, primary_key=True)
    beat_at = models.DateTimeField()
    holder = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.name} at {self.beat_at:%H:%M:%S}"

    @classmethod
    def beat(cls, name: str, **fields: Any) -> None:
        """Says that `name` is alive now."""
        cls.objects.update_or_create(name=name, defaults={"beat_at": timezone.now(), **fields})

    @classmethod
    def last(cls, name: str) -> datetime | None:
        return cls.objects.filter(name=name).values_list("beat_at", flat=True).first()

    @classmethod
    def is_fresh(cls, name: str, within: timedelta) -> bool:
        """Whether `name` beat lately and did not leave since."""
        now = timezone.now()
        return bool(_beating(name=name, since=now - within, until=now + within))

    @classmethod
    def take(cls, name: str, holder: str, *, stale_after: timedelta) -> bool:
        """Becomes the one who beats. False while another holder's beat is fresh; the holder itself may always.

        A beat from the future is of a clock that was set back since, and says nothing.
        """
        now = timezone.now()
        cls.objects.get_or_create(name=name, defaults={"beat_at": now - 2 * stale_after})
        fresh = models.Q(beat_at__gte=now - stale_after, beat_at__lte=now + stale_after)
        free = models.Q(holder=holder) | models.Q(holder="") | ~fresh
        return cls.objects.filter(free, name=name).update(beat_at=now, holder=holder) == 1

    @classmethod
    def leave(cls, name: str, holder: str) -> None:
        """Makes room for the next holder at once."""
        cls.objects.filter(name=name, holder=holder).update(holder="")


@Rows
def _beating() -> models.QuerySet[Heartbeat]:
    lately: Any = (Given("since"), Given("until"))
    return Heartbeat.objects.filter(name=Given("name"), beat_at__range=lately).exclude(holder="").only("name")
