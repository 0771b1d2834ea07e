"""What files are called: by a pattern such as `{index} {title}`, safe on every system, and no two alike."""

from __future__ import annotations

import string
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.media import safe_filename

DEFAULT = "{index} {title} {take}"
LONGEST, DEEPEST = 200, 4
FIELDS: Mapping[str, str | Promise] = {
    "index": gettext_lazy("its place among those taken out: 001"),
    "title": gettext_lazy("its title"),
    "take": gettext_lazy("its letter where there are several takes: B"),
    "author": gettext_lazy("who made it"),
    "date": gettext_lazy("the day it was made: 2026-05-31"),
    "model": gettext_lazy("what it was made with"),
    "kind": gettext_lazy("speech, music, …"),
    "collection": gettext_lazy("the collection it is taken out of"),
}


class BadPattern(ValueError):
    """The pattern makes no names; the message says why to the member."""


def check(pattern: str) -> str:
    """The pattern, tidied. Raises `BadPattern`."""
    tidy = " ".join(pattern.replace("\x00", "").replace("\\", "/").split()).strip("/ ")
    if not tidy or len(tidy) > LONGEST:
        raise BadPattern(_("Write a pattern of at most %(most)s characters.") % {"most": LONGEST})
    if tidy.count("/") >= DEEPEST:
        raise BadPattern(_("Use at most %(most)s folders.") % {"most": DEEPEST - 1})
    try:
        parts = list(string.Formatter().parse(tidy))
    except ValueError:
        raise BadPattern(_("A brace is left open. Write {title}, with both braces.")) from None
    for _text, field, spec, conversion in parts:
        if field is None:
            continue
        if field not in FIELDS or spec or conversion:
            known = ", ".join(f"{{{name}}}" for name in FIELDS)
            raise BadPattern(
                _("{%(field)s} is not known. Known are %(known)s.") % {"field": field[:40], "known": known}
            )
    return tidy


class Names:
    """Gives names by a pattern. A name that was given already, in whatever case, gets a number behind it."""

    def __init__(self, pattern: str, taken: tuple[str, ...] = ()) -> None:
        """`pattern` is checked already; `taken` are names that nobody gets."""
        self._folders = pattern.split("/")
        self._given = {name.casefold() for name in taken}
        self._numbers: dict[str, int] = {}

    def name(self, values: Mapping[str, str], extension: str) -> str:
        """The name with its folders for these values of `FIELDS`; what is left out is empty."""
        known = dict.fromkeys(FIELDS, "") | dict(values)
        # A slash in a title makes no folder: the pattern is cut first, and filled then.
        folders = [safe_filename(part.format(**known), "") for part in self._folders[:-1]]
        stem = " ".join(self._folders[-1].format(**known).split())
        return self.free(folders, stem, extension)

    def beside(self, name: str, extension: str) -> str:
        """A name like that one with another ending."""
        *folders, last = name.split("/")
        return self.free(folders, last.rpartition(".")[0] or last, extension)

    def free(self, folders: list[str], stem: str, extension: str) -> str:
        """A name of this folder that nobody has. The numbers go on where the same name had its last one, so that
        thousands alike take no longer than others.
        """
        alike = "/".join([*folders, safe_filename(stem, extension)]).casefold()
        while True:
            number = self._numbers[alike] = self._numbers.get(alike, 0) + 1
            found = "/".join([*folders, safe_filename(stem, extension, number)])
            if found.casefold() not in self._given:
                self._given.add(found.casefold())
                return found
