"""Rows that become objects quickly."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Self

from django.db import models
from django.db.models.base import ModelState


class Light(models.Model):
    """A model with many columns, of which a list asks for a few.

    Django walks every column of the model for every row, also those that were not asked for; here a row costs what its
    columns cost. Signals of construction are not sent, and nothing here listens to them. A column that was not
    asked for is fetched when it is looked at, as always.
    """

    class Meta:
        abstract = True

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **more: Any
    ) -> Self:
        row = cls.__new__(cls)
        row.__dict__.update(zip(field_names, values, strict=True))
        row._state = ModelState()
        row._state.adding = False
        row._state.db = db
        return row
