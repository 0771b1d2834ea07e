"""Twins: an identical request of a model that gives the same when it is asked the same.

Which models do is a fact of the catalogue, `ModelSpec.repeats`. A request is identical when its cleaned params are, a
file being its content and not its name, and of a model of a team's own when the version of its form is, too. Nothing is
refused here: a form offers what is there, REST mentions it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from accounts.models import Membership
from generations import vault
from generations.catalogue.spec import InvalidParams, ModelSpec
from generations.models import Generation, State, Upload

MOST = 100
"""Twins that are looked at; whoever made more of the same has made it anew each time."""


def digest(spec: ModelSpec, params: Mapping[str, Any]) -> str | None:
    """What identical requests have in common; None for a model, or params, whose results differ each time."""
    if not spec.repeats or (spec.seed_param and params.get(spec.seed_param) in (None, "", -1)):
        return None
    files = _contents(spec.uploads(params))
    told = {key: _told(value, files) for key, value in params.items()}
    asked = [spec.slug, told] if spec.form is None else [spec.slug, told, spec.form]
    text = json.dumps(asked, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def twin_of(
    membership: Membership, spec: ModelSpec, raw: Mapping[str, Any], *, strict: bool = False
) -> Generation | None:
    """The newest finished generation of an identical request that this member may hear, with its author.

    None also when the params are none that the model takes: that is for the door to say.
    """
    if not spec.repeats:
        return None
    try:
        found = digest(spec, spec.clean(raw, strict=strict))
    except InvalidParams:
        return None
    return _finished(membership, found) if found else None


def _finished(membership: Membership, digest: str) -> Generation | None:
    """The ids first, by their own index: asked for the newest finished one, SQLite walks all that ever finished."""
    same = Generation.objects.filter(team=membership.team_id, twin=digest).order_by()
    ids = list(same.values_list("pk", flat=True)[:MOST])
    if not ids:
        return None
    rows = Generation.objects.shown_to(membership).filter(pk__in=ids, status=State.SUCCEEDED)
    away = vault.hidden_from(membership).generations
    return rows.exclude(pk__in=away).select_related("author").order_by("-id").first()


def _contents(references: list[str]) -> dict[str, str]:
    ids = [Upload.id_of(one) for one in references]
    rows = Upload.objects.filter(pk__in=ids) if ids else []
    return {row.reference: f"sha256:{row.sha256}" for row in rows}


def _told(value: Any, files: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_told(one, files) for one in value]
    return files.get(value, value) if isinstance(value, str) else value
