"""Whoever is sent to holds a thread of the server, and pages are made all the same."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.http import StreamingHttpResponse

from rhweb.wsgi import Turns


def test_pages_are_made_in_few_threads_however_many_ask() -> None:
    made: set[str] = set()
    at_once = threading.Barrier(2)

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        made.add(threading.current_thread().name)
        at_once.wait(10)
        return [b"page"]

    turns = Turns(application, threads=2)
    asking = [threading.Thread(target=turns, args=({}, None)) for _ in range(20)]
    for one in asking:
        one.start()
    for one in asking:
        one.join(10)
    assert len(made) == 2


def test_a_fault_of_the_application_reaches_the_server() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        Turns(application)({}, None)


@pytest.mark.django_db(transaction=True)
def test_what_a_streamed_body_asked_with_is_closed_with_it() -> None:
    def body() -> Iterable[bytes]:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
            yield str(cursor.fetchone()[0]).encode()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        response = StreamingHttpResponse(body())
        response._handler_class = WSGIHandler  # type: ignore[attr-defined]
        return response

    found: dict[str, Any] = {}

    def server() -> None:
        answer: Any = Turns(application)({}, None)
        found["body"] = b"".join(answer)
        found["open"] = [one for one in connections.all(initialized_only=True) if one.connection is not None]
        answer.close()
        found["left"] = [one for one in connections.all(initialized_only=True) if one.connection is not None]

    thread = threading.Thread(target=server)
    thread.start()
    thread.join(10)
    assert (found["body"], len(found["open"])) == (b"1", 1)
    in_memory = connections["default"].vendor == "sqlite"
    assert in_memory or found["left"] == []
