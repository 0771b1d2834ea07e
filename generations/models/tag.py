"""Words a team puts on its generations to find them again."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import Team, User
from generations.models.generation import Generation

LONGEST = 40


def folded(name: str) -> str:
    """What two spellings of one tag have in common: one space between words, no difference of case."""
    return " ".join(name.split()).casefold()


class Tag(models.Model):
    """A word of the team, written as whoever used it first wrote it."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="tags")
    name = models.CharField(max_length=LONGEST)
    folded = models.CharField(max_length=2 * LONGEST)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "folded"], name="tag_once")]

    def __str__(self) -> str:
        return self.name


class Tagging(models.Model):
    """A generation that has a tag. Ordered by generation within a tag, which is by time."""

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="taggings", db_index=False)
    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="taggings")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tag", "generation"], name="tagged_once")]

    def __str__(self) -> str:
        return f"{self.generation_id} is {self.tag_id}"


class Favourite(models.Model):
    """A generation that a person starred, for themselves."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="favourites")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "generation"], name="starred_once")]

    def __str__(self) -> str:
        return f"{self.user_id} likes {self.generation_id}"
