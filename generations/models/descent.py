"""Which generation came out of which."""

from __future__ import annotations

from django.db import models

from generations.models.generation import Generation


class Way(models.TextChoices):
    """How one came out of another."""

    AGAIN = "again", "Run again"
    EDITED = "edited", "Edited and run again"
    INPUT = "input", "Made from"


class Descent(models.Model):
    """That `child` came out of `parent`; written in the transaction that accepts the child."""

    child = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="came_from", db_index=False)
    parent = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="led_to")
    way = models.CharField(max_length=6, choices=Way)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["child", "parent", "way"], name="descent_once")]

    def __str__(self) -> str:
        return f"{self.child_id} {self.way} {self.parent_id}"
