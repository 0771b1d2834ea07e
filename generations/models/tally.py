"""How many generations of a team there are of each sort, counted in the background."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import Team


class Tally(models.Model):
    """The counts of one slice of a library: the generations from `first` on, up to the next slice.

    Nothing that lies in the trash is counted, and what is private only as `private`, by author. `counts` is
    {facet: {value: how many}}; `counted_at` says how old they are.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="tallies", db_index=False)
    first = models.UUIDField()
    counts = models.JSONField(default=dict)
    rows = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "first"], name="tally_of_slice")]
        indexes = [models.Index(fields=["counted_at"], name="tally_by_age")]

    def __str__(self) -> str:
        return f"{self.rows} from {self.first}"


class LibraryCounts(models.Model):
    """The sum over all slices of a team, which is what a page reads."""

    team = models.OneToOneField(
        Team, on_delete=models.CASCADE, primary_key=True, related_name="library_counts"
    )
    counts = models.JSONField(default=dict)
    rows = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"about {self.rows}"
