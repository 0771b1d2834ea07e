"""What a browser posted, as the params, the title and the files of one request."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from generations.catalogue.param import ParamSpec
from generations.catalogue.spec import ModelSpec
from generations.catalogue.text import Fault, settled, within
from generations.models import Upload
from generations.uploads import BadUpload

TITLE, ONCE = "_title", "_once"
OWN = frozenset({TITLE, ONCE, "csrfmiddlewaretoken"})
TITLE_LENGTH = 200

Keep: TypeAlias = "Callable[[UploadedFile[Any], str], Upload]"
"""Stores a posted file of "audio", "image" or "video"; raises BadUpload."""


@dataclass(frozen=True)
class Posted:
    """`raw` goes to `ModelSpec.clean` as it is; `errors` are of files and title, which that does not see.

    `once` tells one rendered form from another, so that posting one twice asks for one thing.
    """

    raw: dict[str, Any]
    title: str = ""
    once: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)


def read(
    spec: ModelSpec, data: QueryDict, files: MultiValueDict[str, UploadedFile[Any]], keep: Keep
) -> Posted:
    """The params as texts and lists, each file replaced by the reference of its upload.

    Files are kept before anything else is checked, so that none has to be chosen again for another fault.
    """
    params = {param.key: param for param in spec.params}
    raw = peek(spec, data)
    errors: dict[str, list[str]] = {}
    for key in files:
        param = params.get(key)
        if param is None or not param.type.is_media:
            errors[key] = [_("This setting takes no file.")]
            continue
        references, errors_here = _kept(param, files.getlist(key), keep)
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
    return Posted(raw, title, _once(data.get(ONCE, "")), errors)


def peek(spec: ModelSpec, data: QueryDict) -> dict[str, Any]:
    """The params as posted while somebody still writes; files and the title do not matter to a price."""
    params = {param.key: param for param in spec.params}
    return {key: _value(params.get(key), data, key) for key in data if key not in OWN}


def _value(param: ParamSpec | None, data: QueryDict, key: str) -> Any:
    """A list for what is chosen several times, else the last value: a switch comes after its hidden "no"."""
    if param is not None and param.multiple and (param.options or param.type.is_media):
        return [value for value in data.getlist(key) if value]
    return data.get(key, "")


def _kept(param: ParamSpec, given: list[UploadedFile[Any]], keep: Keep) -> tuple[list[str], list[str]]:
    wanted = given[: param.max_count or 20] if param.multiple else given[-1:]
    references, errors = [], []
    for file in wanted:
        try:
            references.append(keep(file, param.type.value.lower()).reference)
        except BadUpload as bad:
            errors.append(bad.sentence)
    return references, errors


def _once(given: str) -> str:
    try:
        return uuid.UUID(given).hex
    except ValueError:
        return ""
