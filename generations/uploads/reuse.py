"""An output as an input: its bytes become an upload of the team without leaving the server."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.core.files import File
from django.utils.translation import gettext as _

from accounts.models import Membership
from generations.catalogue.param import ParamSpec
from generations.models import Output, Upload
from generations.uploads.keep import BadUpload, Kept, convert, converted_to, keep, on_disk

OUTPUT = "output:"
_REFERENCE = re.compile(r"output:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([0-9]{1,4})", re.IGNORECASE)


def named_output(reference: object) -> tuple[uuid.UUID, int] | None:
    """The generation and the index inside `output:<generation>/<index>`; None when it is none."""
    found = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    return (uuid.UUID(found[1]), int(found[2])) if found else None


def described_output(output: Output, name: str) -> Upload:
    """An upload of this output, not saved, without team and author."""
    return Upload(
        name=name,
        kind=output.kind,
        content_type=output.content_type,
        extension=output.extension,
        bytes=output.bytes,
        sha256=output.sha256,
        duration=output.duration,
        source=output,
    )


def refusal(output: Output, param: ParamSpec) -> str:
    """Why the param cannot take the output, "" when it can."""
    try:
        converted_to(param, described_output(output, ""))
    except BadUpload as bad:
        return bad.sentence
    return ""


def from_output(membership: Membership, output: Output, name: str, param: ParamSpec) -> Kept:
    """The output as an upload that the param takes, converted like any file. The same output is the same upload.

    The caller has made sure that the member may use the output. Raises `BadUpload`.
    """
    upload = described_output(output, name)
    to = converted_to(param, upload)
    earlier = Upload.objects.filter(
        team=membership.team_id, source=output, extension=to or upload.extension
    ).order_by("-id")
    for known in earlier[:1]:
        if known.file.storage.exists(known.file.name or ""):
            return Kept(known)
    stored: File[Any] = output.file
    try:
        with stored.open("rb") as content:
            if not to:
                return Kept(keep(membership, upload, File(content)))
            with on_disk(File(content)) as path:
                return convert(membership, path, upload, param, to)
    except FileNotFoundError:
        raise BadUpload(_("The file of this result is not there any more.")) from None
