"""The words of a lyrics result, and the models that sing them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import Membership
from generations.catalogue.spec import ModelSpec
from generations.views import offered

_HEAD = re.compile(r"\s*(title|style|tags)\s*:\s*(.*)", re.IGNORECASE)


@dataclass(frozen=True)
class Words:
    """Title and style are "" where the result does not say."""

    title: str
    style: str
    text: str

    @property
    def rows(self) -> int:
        return min(30, max(8, len(self.text.splitlines()) + 1))


def words(text: str) -> Words:
    """The parts of a lyrics result. RunningHub does not document its form: lines in front that begin with "Title:" or
    "Style:" are taken for what they say, anything else is text.
    """
    lines = text.replace("\r\n", "\n").strip().split("\n")
    found = {"title": "", "style": ""}
    while lines and (head := _HEAD.fullmatch(lines[0])):
        name = "title" if head[1].lower() == "title" else "style"
        found[name] = found[name] or head[2].strip()
        lines.pop(0)
    return Words(found["title"], found["style"], "\n".join(lines).strip())


def singers(membership: Membership) -> Sequence[ModelSpec]:
    """Every model on offer that sings a text that is given to it."""
    return [spec for spec in offered.models(membership) if _sung(spec) is not None]


def filled(spec: ModelSpec, given: Words) -> dict[str, Any]:
    """The values of its form: the text where it is sung, title and style where the model has a place for them."""
    sung = _sung(spec)
    values = {sung: given.text} if sung else {}
    keys = {param.key for param in spec.params if not param.hidden}
    if given.title and "title" in keys:
        values["title"] = given.title
    place = next((key for key in ("style", "tags", spec.prompt_param) if key in keys and key != sung), None)
    if given.style and place:
        values[place] = given.style
    return values


def _sung(spec: ModelSpec) -> str | None:
    found = (param.key for param in spec.params if param.widget == "lyrics" and not param.hidden)
    return next(found, None)
