"""What stands on the row itself: rating, approval, visibility, title and notes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from accounts.models import User
from generations.models import Alteration, Generation, search_text
from generations.models.generation import GenerationQuerySet

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "rate": ("rating",),
    "open": ("is_private",),
    "approve": ("approved_at", "approved_by_id"),
    "trash": ("trashed_at", "trashed_by_id", "purge_at"),
    "rename": ("title", "search_text"),
    "note": ("notes",),
}
"""The columns that each kind of deed writes, which is all that taking it back compares and writes."""


def rate(rows: GenerationQuerySet, by: User, rating: int) -> Alteration | None:
    """Gives each 1 to 5, or with 0 takes the rating away."""
    return put(rows, by, "rate", {"rating": rating})


def open_up(rows: GenerationQuerySet, by: User, *, private: bool) -> Alteration | None:
    """Keeps each to its author and the managers, or opens it to the team."""
    return put(rows, by, "open", {"is_private": private})


def approve(rows: GenerationQuerySet, by: User) -> Alteration | None:
    """Approves those that are not; of those that are, who did it first still counts."""
    values = {"approved_at": timezone.now(), "approved_by_id": by.pk}
    return put(rows.filter(approved_at=None), by, "approve", values)


def unapprove(rows: GenerationQuerySet, by: User) -> Alteration | None:
    return put(rows, by, "approve", {"approved_at": None, "approved_by_id": None})


def note(rows: GenerationQuerySet, by: User, text: str) -> Alteration | None:
    return put(rows, by, "note", {"notes": text})


def rename(row: Generation, by: User, title: str) -> Alteration | None:
    """Gives one another title, by which it is found from then on."""
    with transaction.atomic():
        was = Generation.objects.select_for_update().only("title", "search_text").get(pk=row.pk)
        lines = was.search_text.split("\n")
        kept = lines[1:] if lines and lines[0] == was.title.casefold() else lines
        values = {"title": title, "search_text": search_text(title, *kept)}
        return put(Generation.objects.filter(pk=row.pk), by, "rename", values)


class Moved(Exception):
    """Of `mine`, the columns that were to be written, somebody else wrote `theirs` meanwhile. `now`: how it stands."""

    def __init__(self, now: Generation, mine: list[str], theirs: list[str]) -> None:
        super().__init__(theirs)
        self.now, self.mine, self.theirs = now, mine, theirs


def reword(row: Generation, by: User, words: Mapping[str, str], began: Mapping[str, str]) -> list[Alteration]:
    """Writes of title and notes those that are other texts than their writer began with; where it is not known what
    that was, all of them. Raises `Moved`, and nothing is written, when one of them is somebody else's text by now.
    """
    with transaction.atomic():
        now = Generation.objects.select_for_update().only("title", "notes").get(pk=row.pk)
        mine = [name for name, text in words.items() if _is_other(name, text, began.get(name))]
        known = [(name, getattr(now, name)) for name in mine if name in began]
        moved = [name for name, text in known if _is_other(name, text, began[name])]
        if theirs := [name for name in moved if _is_other(name, getattr(now, name), words[name])]:
            raise Moved(now, mine, theirs)
        rows = Generation.objects.filter(pk=row.pk)
        done = [rename(row, by, words["title"])] if "title" in mine else []
        done += [note(rows, by, words["notes"])] if "notes" in mine else []
    return [one for one in done if one is not None]


def _is_other(name: str, text: str, than: str | None) -> bool:
    """Whether it says something else, however a browser ends lines."""
    return than is None or _read(name, text) != _read(name, than)


def _read(name: str, text: str) -> str:
    return " ".join(text.split()) if name == "title" else text.replace("\r\n", "\n").strip()


def put(rows: GenerationQuerySet, by: User, what: str, values: Mapping[str, Any]) -> Alteration | None:
    """Writes these columns of every row that has other values. None when all were so already.

    The rows are locked first, so what is remembered as the state before is what the writing replaced.
    """
    names = COLUMNS[what]
    now = tuple(values[name] for name in names)
    with transaction.atomic():
        locked = rows.select_for_update().order_by("pk").values_list("pk", "team", *names)
        changed = [(pk, team, was) for pk, team, *was in locked if tuple(was) != now]
        if not changed:
            return None
        ids = [pk for pk, _, _ in changed]
        Generation.objects.filter(pk__in=ids).update(**values, updated_at=timezone.now())
        said = [
            {"id": str(pk), "was": [_plain(one) for one in was], "now": [_plain(one) for one in now]}
            for pk, _, was in changed
        ]
        return Alteration.objects.create(team_id=changed[0][1], by=by, what=what, rows=said)


def _plain(value: Any) -> Any:
    """As JSON keeps it; times to the microsecond, because they are compared again."""
    return value.isoformat() if isinstance(value, datetime) else value


def read(name: str, value: Any) -> Any:
    """A value of this column out of JSON."""
    field = Generation._meta.get_field(name)
    assert isinstance(field, models.Field)  # noqa: S101 - one of COLUMNS
    return field.to_python(value)
