"""What a generation made: one row for each stored file or text."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from generations.models.generation import Generation


class Output(models.Model):
    """One stored result. `index` counts from 0 within its generation.

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
    peaks_row = models.TextField(blank=True)
    peaks_stage = models.TextField(blank=True)
    source_url = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["index"]
        constraints = [models.UniqueConstraint(fields=["generation", "index"], name="output_once")]

    def __str__(self) -> str:
        return f"{self.generation_id}/{self.index}"

    @staticmethod
    def file_name(generation: Generation, index: int, extension: str) -> str:
        """Where the file of this result is stored."""
        return f"outputs/{generation.team_id}/{generation.pk}/{index}.{extension}"
