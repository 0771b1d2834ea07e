"""What a browser posted, as the params, the title and the files of one request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from generations.catalogue.param import ParamSpec
from generations.catalogue.spec import ModelSpec
from generations.catalogue.text import Fault, settled, within
from generations.forms import new_voice
from generations.models import read_id
from generations.uploads import BadUpload, Kept
from generations.vault import Wish

TITLE, ONCE, BY_LINE, COPIES = "_title", "_once", "_by_line", "_copies"
DRAFT, PRESET, FROM = "_draft", "_preset", "_from"
WAY, ASK_LIMIT, ASK_AMOUNT, ASK_REASON = "_way", "_ask_limit", "_ask_amount", "_ask_reason"
"""How to go on after a refusal, and what is asked for then."""
VOICE = "_voice"
"""What a draft holds about a new voice."""
OWN = (
    frozenset({TITLE, ONCE, BY_LINE, COPIES, DRAFT, PRESET, FROM, "csrfmiddlewaretoken"})
    | {WAY, ASK_LIMIT, ASK_AMOUNT, ASK_REASON}
    | new_voice.NAMES
)
TITLE_LENGTH = 200
MOST_COPIES = 20

Keep: TypeAlias = "Callable[[UploadedFile[Any], ParamSpec], Kept]"
"""Stores a posted file for a media param; raises BadUpload."""


@dataclass(frozen=True)
class Many:
    """How many generations a form asks for: one a line of its main text, and each so many times."""

    by_line: bool = False
    copies: int = 1
    given: str = ""
    fault: str = ""

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Many:
        """Takes anything; what is no number of copies has a `fault` and counts as one."""
        given = str(data.get(COPIES) or "").strip()
        by_line = data.get(BY_LINE) == "on"
        if not given:
            return cls(by_line)
        if re.fullmatch(r"[0-9]{1,3}", given, re.ASCII) and 1 <= int(given) <= MOST_COPIES:
            return cls(by_line, int(given), given)
        fault = _("Write a whole number from 1 to %(most)s.") % {"most": MOST_COPIES}
        return cls(by_line, 1, given, fault)

    @property
    def is_one(self) -> bool:
        return not self.by_line and self.copies == 1

    def texts(self, text: str) -> list[tuple[str, str]]:
        """(title, text) of each line that says something, in order. What stands before a tab is the line's title, as
        two columns of a spreadsheet are pasted.
        """
        found = []
        for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
            title, tab, rest = line.partition("\t")
            named = bool(tab and title.strip() and rest.strip())
            said = rest if named else line
            if said.strip():
                found.append((" ".join(title.split()) if named else "", said.strip()))
        return found


@dataclass(frozen=True)
class Posted:
    """`raw` goes to `ModelSpec.clean` as it is; `errors` are of files, title and voice, which that does not see.
    `notes` tell what was done to files so that the model takes them.

    `once` tells one rendered form from another, so that posting one twice asks for one thing.
    """

    raw: dict[str, Any]
    title: str = ""
    once: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)
    many: Many = field(default_factory=lambda: Many())
    notes: list[str] = field(default_factory=list)
    voice: Wish | None = None


def read(
    spec: ModelSpec, data: QueryDict, files: MultiValueDict[str, UploadedFile[Any]], keep: Keep
) -> Posted:
    """The params as texts and lists, each file replaced by the reference of its upload.

    Files are kept before anything else is checked, so that none has to be chosen again for another fault.
    """
    params = {param.key: param for param in spec.params}
    raw = peek(spec, data)
    errors: dict[str, list[str]] = {}
    notes: list[str] = []
    for key in files:
        param = params.get(key)
        if param is None or not param.type.is_media:
            errors[key] = [_("This setting takes no file.")]
            continue
        references, errors_here = _kept(param, files.getlist(key), keep, notes)
        if errors_here:
            errors[key] = errors_here
        if param.multiple:
            raw[key] = [*raw.get(key, []), *references]
        elif references:
            raw[key] = references[-1]
    title = data.get(TITLE, "")
    try:
        title = within(" ".join(settled(title).split()), None, TITLE_LENGTH)
    except Fault as fault:
        errors[TITLE] = [str(fault)]
    many = Many.read(data)
    if many.fault:
        errors[COPIES] = [many.fault]
    wish, faults = new_voice.read(spec, data)
    if wish is not None and not many.is_one:
        errors[COPIES] = [_("Voices are made one at a time; each has a name and an id of its own.")]
    return Posted(raw, title, _once(data.get(ONCE, "")), errors | faults, many, notes, wish)


def peek(spec: ModelSpec, data: QueryDict) -> dict[str, Any]:
    """The params as posted while somebody still writes; files and the title do not matter to a price."""
    params = {param.key: param for param in spec.params}
    return {key: _value(params.get(key), data, key) for key in data if key not in OWN}


def _value(param: ParamSpec | None, data: QueryDict, key: str) -> Any:
    """A list for what is chosen several times, else the last value: a switch comes after its hidden "no"."""
    if param is not None and param.multiple and (param.options or param.type.is_media):
        return [value for value in data.getlist(key) if value]
    if param is not None and (param.widget == "result" or param.type.is_media):
        # The list and the box for an id from elsewhere have one name; what was written counts more. A file that is
        # there already stands before a file input of the same name, which a browser sends empty.
        return next((value for value in reversed(data.getlist(key)) if value.strip()), "")
    return data.get(key, "")


def _kept(
    param: ParamSpec, given: list[UploadedFile[Any]], keep: Keep, notes: list[str]
) -> tuple[list[str], list[str]]:
    wanted = given[: param.max_count or 20] if param.multiple else given[-1:]
    references, errors = [], []
    for file in wanted:
        try:
            kept = keep(file, param)
        except BadUpload as bad:
            errors.append(f"{file.name}: {bad.sentence}" if len(wanted) > 1 else bad.sentence)
            continue
        references.append(kept.upload.reference)
        if kept.note:
            notes.append(f"{kept.upload.name}: {kept.note}")
    return references, errors


def _once(given: str) -> str:
    key = read_id(given)
    return key.hex if key else ""
