"""Keeping order: what people do with what is there. Stars, ratings, tags, approval, privacy, collections, the trash.

Everything here takes rows that the caller has found for somebody who may do it, changes them in one transaction under
their locks, and returns the `Alteration` by which all of it can be taken back. Nothing of it touches state or cost.
"""

from generations.keeping.fields import Moved, approve, note, open_up, rate, rename, reword, unapprove
from generations.keeping.links import star, starred, unstar
from generations.keeping.tags import BadTag, TooManyTags, tag, tags_of, team_tags, untag
from generations.keeping.trash import LIVES, empty, restore, trash, trashable
from generations.keeping.undo import Undone, undo

MOST = 200
"""Generations that one deed changes at most."""

__all__ = [
    "LIVES",
    "MOST",
    "BadTag",
    "Moved",
    "TooManyTags",
    "Undone",
    "approve",
    "empty",
    "note",
    "open_up",
    "rate",
    "rename",
    "restore",
    "reword",
    "star",
    "starred",
    "tag",
    "tags_of",
    "team_tags",
    "trash",
    "trashable",
    "unapprove",
    "undo",
    "unstar",
    "untag",
]
