"""The WSGI application."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.db import connections

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


PAGES_AT_ONCE = 8


class Turns:
    """The application in a few threads of its own, while a thread of the server only waits and sends.

    Whoever listens takes as long to be sent to as the sound lasts, so the server needs a thread for every listener.
    Were pages made in those, each would keep a connection to the database, and a hundred pages would be made at once.
    Here `threads` of them are, whoever listens meanwhile. What a streamed body asks of the database while it is sent
    is asked by the server's thread, whose connections are closed with the body.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]], threads: int = PAGES_AT_ONCE) -> None:
        self._application = application
        self._threads = ThreadPoolExecutor(threads, "page")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = self._threads.submit(self._application, environ, start_response).result()
        # A file names itself to the server by its type and asks the database for nothing.
        if getattr(answer, "streaming", False):
            answer._resource_closers.append(connections.close_all)  # type: ignore[attr-defined]
        return answer


application = Turns(whole(get_wsgi_application()))

from generations.warm import warm  # noqa: E402  (Django must be set up before)

warm()
