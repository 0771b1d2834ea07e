"""Bringing into the library what was made elsewhere."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from ninja import Router, Status

from generations import disk
from generations.catalogue.spec import InvalidParams
from generations.pipeline.accept import MayNotGenerate
from generations.pipeline.adopt import SOUNDS, adopt
from generations.uploads import is_too_large
from generations.views import access
from generations.views.api import schemas
from generations.views.api.auth import ApiRequest, generates
from generations.views.api.problems import answers
from generations.views.api.receipt import shown
from generations.views.api.uploads import ENVELOPE_BYTES

router = Router(tags=["Generations"])

LONGEST = 200
DOCUMENTED = schemas.form_with_file(
    title={"type": "string", "maxLength": LONGEST, "description": "Else the file's name."},
    kind={"enum": list(SOUNDS), "description": "Of a sound; of others it is seen."},
)


@router.post(
    "imports",
    auth=generates,
    response={201: schemas.Generation, **answers(400, 403, 413, 422, 507)},
    operation_id="import",
    summary="Import a file into the library",
    openapi_extra=DOCUMENTED,
)
def import_file(request: ApiRequest) -> Any:
    """Keeps a sound, picture or film that was made elsewhere as a finished generation whose model is `import`.

    It costs nothing, uses no limit and is sent nowhere. What it is follows from its bytes.
    """
    membership = request.auth.membership
    if not membership.may_generate:
        raise MayNotGenerate
    disk.refuse_when_low()
    if is_too_large(request, ENVELOPE_BYTES):
        raise RequestDataTooBig
    file = request.FILES.get("file")
    title, kind = request.POST.get("title", ""), request.POST.get("kind", SOUNDS[0])
    faults: dict[str, list[str]] = {}
    if file is None:
        faults["file"] = ["Send the file as multipart/form-data in a part called file."]
    if len(title) > LONGEST:
        faults["title"] = [f"A title may have at most {LONGEST} characters."]
    if kind not in SOUNDS:
        faults["kind"] = [f"Choose one of {', '.join(SOUNDS)}."]
    if file is None or faults:
        raise InvalidParams(faults)
    made = adopt(membership, file, kind=kind, title=title)
    return Status(201, shown(request, access.generation(membership, made.pk)))
