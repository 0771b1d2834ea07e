"""The WSGI application."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rhweb.settings")


class WholeBody:
    """The body of a request, which fails when it ends before its Content-Length.

    A server hands a cut connection on as the end of the body, and half of an MP3 is an MP3: without this, half of a
    file would be taken for all of it. Raises ConnectionError.
    """

    def __init__(self, body: Any, length: int) -> None:
        self._body, self._left = body, length

    def read(self, size: int = -1) -> bytes:
        return self._counted(self._body.read(size), size)

    def readline(self, size: int = -1) -> bytes:
        return self._counted(self._body.readline(size), size)

    def _counted(self, data: bytes, size: int) -> bytes:
        self._left -= len(data)
        if not data and size and self._left > 0:
            raise ConnectionError("the connection was cut")
        return data


def whole(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The application behind a guard against cut bodies."""

    def guarded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or ""
        if length.isdigit():
            environ["wsgi.input"] = WholeBody(environ["wsgi.input"], int(length))
        return application(environ, start_response)

    return guarded


application = whole(get_wsgi_application())
