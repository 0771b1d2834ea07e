"""What a generation made: one row for each stored file or text."""

from __future__ import annotations

import uuid

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from generations.models.generation import Generation
from generations.models.loading import Light


class Output(Light):
    """One stored result. `index` counts from 0 within its generation.

    Of several takes one can be the keeper: the one that is played and used first.
    What can be seen gets a `poster`, a small still picture, in the background; `poster_due_at` is when that is tried,
    None where there is one or none can be made.
    A file's name follows from generation and index, so copying again replaces and never duplicates.
    """

    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="outputs")
    index = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10)
    content_type = models.CharField(max_length=100)
    extension = models.CharField(max_length=10)
    file = models.FileField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    duration = models.FloatField(null=True, blank=True)
    sample_rate = models.PositiveIntegerField(null=True, blank=True)
    channels = models.PositiveSmallIntegerField(null=True, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    poster = models.FileField(max_length=200, blank=True)
    poster_due_at = models.DateTimeField(null=True, blank=True, db_index=True)
    poster_tries = models.PositiveSmallIntegerField(default=0)
    peaks_row = models.TextField(blank=True)
    peaks_stage = models.TextField(blank=True)
    source_url = models.TextField(blank=True)
    is_keeper = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["index"]
        constraints = [
            models.UniqueConstraint(fields=["generation", "index"], name="output_once"),
            models.UniqueConstraint(
                fields=["generation"], condition=Q(is_keeper=True), name="one_keeper_a_generation"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.generation_id}/{self.index}"

    @staticmethod
    def file_name(generation: Generation, index: int, extension: str) -> str:
        """Where the file of this result is stored."""
        return f"{Output.folder(generation.team_id, generation.pk)}/{index}.{extension}"

    @property
    def letter(self) -> str:
        """A, B, … Z, AA, AB: which take of the generation it is."""
        name, left = "", self.index + 1
        while left:
            left, rest = divmod(left - 1, 26)
            name = chr(ord("A") + rest) + name
        return name

    @property
    def poster_name(self) -> str:
        """Where its small picture is stored, beside it."""
        return f"{Output.folder(self.generation.team_id, self.generation_id)}/{self.index}.poster.webp"

    @staticmethod
    def folder(team_id: int, pk: uuid.UUID) -> str:
        """Where the files of one generation are stored, and nothing else."""
        return f"outputs/{team_id}/{pk}"

    @classmethod
    def keep(cls, generation: Generation, index: int | None) -> bool:
        """Makes the take of this index the keeper, and no other; None takes the mark away.

        False when there is no such take. Two who choose at once leave one keeper.
        """
        with transaction.atomic():
            Generation.objects.select_for_update().only("pk").get(pk=generation.pk)
            takes = cls.objects.filter(generation=generation)
            if index is not None and not takes.filter(index=index).exists():
                return False
            takes.filter(is_keeper=True).exclude(index=index).update(is_keeper=False)
            takes.filter(index=index).update(is_keeper=True)
        return True
