"""Results named as inputs: `output:<generation>/<index>` in a media param becomes an upload of the team."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import Membership
from generations import uploads
from generations.catalogue import file
from generations.catalogue.param import ParamSpec
from generations.catalogue.spec import ModelSpec
from generations.models import Output
from generations.views import access, sound


@dataclass(frozen=True)
class Inputs:
    """`raw` with uploads in place of results; what cannot be used stays as it was and has a sentence at its param."""

    raw: dict[str, Any]
    errors: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def settled(membership: Membership, spec: ModelSpec, raw: Mapping[str, Any]) -> Inputs:
    """The params of a form or of JSON, in which every result that is named has become an upload.

    Only results of the member's team are found. Any value that names none is left alone.
    """
    found = Inputs(dict(raw))
    for param in spec.params:
        value = raw.get(param.key)
        if not param.type.is_media:
            continue
        if isinstance(value, list) and any(uploads.named_output(one) for one in value):
            most = param.max_count or len(value)
            found.raw[param.key] = [_settled(membership, param, one, found) for one in value[: most + 1]]
        elif uploads.named_output(value):
            found.raw[param.key] = _settled(membership, param, value, found)
    return found


def named(membership: Membership, reference: object) -> tuple[Output, str] | None:
    """The output that a reference names and what its file is called; None when the member's team has none such."""
    place = uploads.named_output(reference)
    if place is None:
        return None
    try:
        output = access.output(membership, *place)
    except Http404:
        return None
    several = output.generation.outputs.count() > 1
    return output, sound.file_name(output.generation, output, several=several)


def used(membership: Membership, spec: ModelSpec, place: str) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The values to begin a form with in which the result at `<generation>/<index>` is the file, and what is wrong
    with it. Raises Http404 when the team has no such result, or the model takes none of its kind.
    """
    reference = f"{uploads.OUTPUT}{place}"
    output = access.output(membership, *(uploads.named_output(reference) or _nowhere()))
    use = file.use_in(spec, output.kind)
    if use is None:
        raise Http404
    param = use.param
    problem = uploads.refusal(output, param)
    value = [reference] if param.multiple else reference
    return {param.key: value}, {param.key: [problem]} if problem else {}


def _nowhere() -> NoReturn:
    raise Http404


def _settled(membership: Membership, param: ParamSpec, reference: object, found: Inputs) -> object:
    if not uploads.named_output(reference):
        return reference
    known = named(membership, reference)
    try:
        if known is None:
            raise uploads.BadUpload(_("This result is not there any more. Choose another file."))
        kept = uploads.from_output(membership, known[0], known[1], param)
    except uploads.BadUpload as bad:
        found.errors.setdefault(param.key, []).append(bad.sentence)
        return reference
    if kept.note:
        found.notes.append(f"{kept.upload.name}: {kept.note}")
    return kept.upload.reference
