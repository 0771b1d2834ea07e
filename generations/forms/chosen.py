"""A file that a media param holds, as a form shows it: an upload, or a result that becomes one on sending."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from accounts.models import Membership, Team
from generations import uploads, vault
from generations.models import Generation, Output, Upload


@dataclass(frozen=True)
class Chosen:
    """`reference` is what the form sends back, `address` where it is heard or seen."""

    reference: str
    name: str
    kind: str
    bytes: int
    duration: float | None
    address: str
    is_result: bool = False
    note: str = ""


def of_upload(upload: Upload, team: Team, note: str = "") -> Chosen:
    address = reverse("upload_content", args=[team.slug, upload.pk])
    return Chosen(
        upload.reference, upload.name, upload.kind, upload.bytes, upload.duration, address, note=note
    )


def of_output(output: Output, team: Team) -> Chosen:
    """The output's generation has to be loaded."""
    place = (output.generation_id, output.index)
    address = reverse("output_content", args=[team.slug, *place])
    reference = f"{uploads.OUTPUT}{place[0]}/{place[1]}"
    name = output.generation.title
    return Chosen(reference, name, output.kind, output.bytes, output.duration, address, is_result=True)


def find(references: Iterable[str], membership: Membership) -> dict[str, Chosen]:
    """What the references name, as far as it is there for the member; a query for uploads, one for each result."""
    references = list(references)
    if not references:
        return {}
    team, hidden = membership.team, vault.hidden_from(membership)
    found: dict[str, Chosen] = {}
    ids: set[uuid.UUID] = set()
    for reference in references:
        if (place := uploads.named_output(reference)) is not None:
            rows = Output.objects.select_related("generation")
            rows = rows.filter(generation__in=Generation.objects.shown_to(membership))
            rows = rows.exclude(generation__in=hidden.generations)
            if output := rows.filter(generation=place[0], index=place[1]).first():
                found[reference] = of_output(output, team)
            continue
        try:
            ids.add(Upload.id_of(reference))
        except ValueError:
            continue
    rows_of_uploads = Upload.objects.heard_by(membership).filter(pk__in=ids - hidden.uploads) if ids else []
    return found | {upload.reference: of_upload(upload, team) for upload in rows_of_uploads}
