"""Where something came from, beside its file: as JSON for each generation and as a table for all."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Collection as Several
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _

from generations.catalogue import load
from generations.models import IMPORTED, Generation, Output, Upload, Voice

COLUMNS = (
    "file", "take", "title", "kind", "model", "model_title", "text", "author", "asked_at", "finished_at", "cost",
    "currency", "cost_is", "voice", "voice_speaker", "voice_consent_at", "inputs", "params", "imported_from",
    "collection", "bytes", "sha256", "generation", "upstream_id",
)  # fmt: skip
FORMULA = "=+-@\t\r\n＝＋－＠"


def title_of(slug: str) -> str:
    """What people call a model; its slug when it left the catalogue."""
    if slug == IMPORTED:
        return _("Imported")
    try:
        return load.get(slug).title
    except load.UnknownModel:
        return slug


def references(value: Any) -> Iterable[uuid.UUID]:
    """The uploads that params name."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, str) and value.startswith("upload:"):
        try:
            yield Upload.id_of(value)
        except ValueError:
            return


def facts(
    row: Generation,
    zone: ZoneInfo,
    uploads: Mapping[uuid.UUID, Upload],
    without: Several[str],
    collection: str = "",
) -> dict[str, Any]:
    """Everything that is known of it, but of its files. `without` are voices that are not for whoever asks."""
    return {
        "title": row.title,
        "generation": str(row.pk),
        "kind": row.kind,
        "model": row.model,
        "model_title": title_of(row.model),
        "text": row.prompt,
        "params": row.params,
        "inputs": [_input(uploads[pk]) for pk in references(row.params) if pk in uploads],
        "voice": _voice(row, without),
        "imported_from": row.params.get("original_name", "") if row.is_imported else "",
        "author": row.author.display_name,
        "asked_at": row.created_at.astimezone(zone).isoformat(timespec="seconds"),
        "finished_at": row.finished_at.astimezone(zone).isoformat(timespec="seconds")
        if row.finished_at
        else "",
        "cost": str(row.cost_counted)
        if row.cost_actual is not None or row.cost_estimated is not None
        else "",
        "currency": row.currency,
        "cost_is": "actual" if row.cost_actual is not None else "estimated" if row.cost_estimated else "",
        "upstream_id": row.upstream_id,
        "notes": row.notes,
        "rating": row.rating,
        "tags": sorted(one.tag.name for one in row.taggings.all()),
        "collection": collection,
    }


def file_facts(output: Output, name: str, letter: str) -> dict[str, Any]:
    return {
        "file": name,
        "take": letter,
        "content_type": output.content_type,
        "bytes": output.bytes,
        "sha256": output.sha256,
        "seconds": output.duration,
    }


def sidecar(told: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> bytes:
    """One generation as JSON. `bytes` and `sha256` are of the files as they are stored, without added tags."""
    whole = {**told, "files": files}
    return json.dumps(whole, ensure_ascii=False, indent=2, cls=DjangoJSONEncoder).encode() + b"\n"


def table(rows: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> bytes:
    """All files as CSV, for spreadsheets: a text is never a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for told, file in rows:
        voice = told["voice"] or {}
        flat = {
            **told,
            **file,
            "voice": voice.get("name", ""),
            "voice_speaker": voice.get("speaker", ""),
            "voice_consent_at": voice.get("consent_at", ""),
            "inputs": "; ".join(one["name"] for one in told["inputs"]),
            "params": json.dumps(told["params"], ensure_ascii=False, cls=DjangoJSONEncoder),
        }
        writer.writerow([_cell(flat[name]) for name in COLUMNS])
    return "\ufeff".encode() + out.getvalue().encode()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.lstrip(" ")[:1] in tuple(FORMULA) else text


def _input(upload: Upload) -> dict[str, Any]:
    return {"name": upload.name, "kind": upload.kind, "bytes": upload.bytes, "sha256": upload.sha256}


def _voice(row: Generation, without: Several[str]) -> dict[str, Any] | None:
    use = getattr(row, "voice_use", None)
    if use is None or use.voice.voice_id in without:
        return None
    voice: Voice = use.voice
    return {
        "name": voice.name,
        "origin": voice.origin,
        "speaker": voice.speaker,
        "consent_at": voice.consent_at.isoformat(timespec="seconds") if voice.consent_at else "",
        "consent_noted_by": voice.consent_by.display_name if voice.consent_by else "",
    }
