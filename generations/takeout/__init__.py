"""Taking out: many files as one zip that is sent while it is read, with names people choose and where all came from."""

from __future__ import annotations

from generations.takeout.gate import Full, Slot, enter, enter_outside
from generations.takeout.names import DEFAULT, FIELDS, BadPattern, Names, check
from generations.takeout.parcel import MOST, Item, Parcel, Wish, parcel_of
from generations.takeout.source import STORAGE_ERRORS, open_output
from generations.takeout.zipped import Entry, length, stream

__all__ = [
    "DEFAULT",
    "FIELDS",
    "MOST",
    "STORAGE_ERRORS",
    "BadPattern",
    "Entry",
    "Full",
    "Item",
    "Names",
    "Parcel",
    "Slot",
    "Wish",
    "check",
    "enter",
    "enter_outside",
    "length",
    "open_output",
    "parcel_of",
    "stream",
]
