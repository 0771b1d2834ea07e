"""What a browser sends, on its way in: on disk, in a folder of its own, within the limit, and gone afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

ENVELOPE_BYTES = 8 * 1024**2
"""What a form may have besides its file."""
FORGOTTEN_SECONDS = 24 * 3600
"""Nothing takes so long to arrive: an older file was left by a process that was killed."""


def is_too_large(request: HttpRequest, envelope: int = ENVELOPE_BYTES) -> bool:
    """Whether the form says of itself that it is larger than any file and its `envelope`, before a byte is read."""
    return int(request.META.get("CONTENT_LENGTH") or 0) > settings.MAX_UPLOAD_BYTES + envelope


def too_large() -> str:
    """The sentence about a file that is."""
    limit = filesizeformat(settings.MAX_UPLOAD_BYTES)
    return _("A file may have at most %(limit)s. Choose a smaller one.") % {"limit": limit}


def scratch() -> Path:
    """The folder of files on their way: on the disk of the media, so that keeping one is a rename."""
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def forget(folder: Path) -> None:
    """Removes what killed processes left in the folder."""
    before = time.time() - FORGOTTEN_SECONDS
    for path in folder.iterdir():
        try:
            if path.is_file() and path.stat().st_mtime < before:
                path.unlink()
        except FileNotFoundError:
            continue


class Incoming(TemporaryFileUploadHandler):
    """Django's handler for files on disk, which reads nothing of a body that is larger than any file may be."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        """Raises RequestDataTooBig, before the first byte."""
        if content_length > settings.MAX_UPLOAD_BYTES + ENVELOPE_BYTES:
            raise RequestDataTooBig
        forget(scratch())


class NothingLeft:
    """Middleware: when a request is answered, what came in with it and was not kept is gone.

    Django closes the files that arrived whole. One that was cut is only let go, and stays on the disk until the
    garbage collector comes by.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        finally:
            if request.method == "POST":
                for handler in request.upload_handlers:
                    file = getattr(handler, "file", None)
                    if file is not None:
                        file.close()
