"""Files for params."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.http.response import HttpResponseBase
from ninja import Router, Status

from generations import disk, uploads
from generations.catalogue.spec import InvalidParams
from generations.models import Upload
from generations.pipeline.accept import MayNotGenerate
from generations.uploads import is_too_large
from generations.views import access
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest, generates
from generations.views.api.outputs import DOCUMENTED as FILE_DOCUMENTED
from generations.views.api.outputs import RANGE, refused
from generations.views.api.problems import answers
from generations.views.upload import upload_content

router = Router(tags=["Uploads"])

ENVELOPE_BYTES = 64 * 1024
"""What a form around the file may have."""
DOCUMENTED = schemas.form_with_file()


@router.post(
    "uploads",
    response={201: schemas.Upload, **answers(400, 403, 413, 422, 507)},
    operation_id="upload",
    auth=generates,
    summary="Upload a file",
    openapi_extra=DOCUMENTED,
)
def upload(request: ApiRequest) -> Any:
    """Keeps a sound, picture or video. What it is follows from its bytes, not from its name.

    Params take its `reference`, or the bare `id`. The same file under the same name is the same upload.
    """
    membership = request.auth.membership
    if not membership.may_generate:
        raise MayNotGenerate
    disk.refuse_when_low()
    if is_too_large(request, ENVELOPE_BYTES):
        raise RequestDataTooBig
    file = request.FILES.get("file")
    if file is None:
        raise InvalidParams({"file": ["Send the file as multipart/form-data in a part called file."]})
    kept = uploads.store(membership, file)
    return Status(201, _shown(kept))


@router.get(
    "uploads/{uuid:id}",
    response={200: schemas.Upload, **answers(404)},
    operation_id="upload_facts",
    summary="One upload",
)
def upload_one(request: ApiRequest, id: UUID) -> Any:
    """Anybody's of the team, but not a copy of what is private to somebody else."""
    return _shown(access.upload(request.auth.membership, id))


def upload_bytes(request: ApiRequest, id: UUID) -> HttpResponseBase:
    """The file as it was given: whole, or the part that `Range` asks for."""
    membership = request.auth.membership
    request.membership = membership  # type: ignore[attr-defined]
    return refused(upload_content(request, membership.team.slug, id))


CONTENT = {**FILE_DOCUMENTED, "parameters": [RANGE]}
router.get(
    "uploads/{uuid:id}/content",
    response=answers(404, 412, 416),
    operation_id="upload_content",
    summary="The bytes of an upload",
    openapi_extra=CONTENT,
)(upload_bytes)
router.api_operation(
    ["HEAD"],
    "uploads/{uuid:id}/content",
    response=answers(404, 412),
    operation_id="upload_headers",
    summary="The headers of the bytes of an upload",
    openapi_extra=CONTENT,
)(upload_bytes)


def _shown(kept: Upload) -> schemas.Upload:
    return schemas.Upload(
        id=kept.pk,
        reference=kept.reference,
        name=kept.name,
        kind=kept.kind,
        content_type=kept.content_type,
        bytes=kept.bytes,
        sha256=kept.sha256,
        duration=kept.duration,
        created_at=kept.created_at,
    )
