"""Behind nginx: Django says who may and which file, over a real connection, and not a byte of the file passes it."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from django.conf import settings as used
from django.test import Client

from accounts.models import Membership
from generations.models import Generation

pytestmark = pytest.mark.django_db(transaction=True)


def ask(
    server: Any, path: str, client: Client | None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    if client:
        headers["Cookie"] = f"{used.SESSION_COOKIE_NAME}={client.cookies[used.SESSION_COOKIE_NAME].value}"
    with closing(
        http.client.HTTPConnection(server.thread.host, server.thread.port, timeout=10)
    ) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()


def test_only_who_may_hear_it_is_led_to_the_file(
    live_server: Any,
    bob: Membership,
    vera: Membership,
    zoe: Membership,
    client_of: Callable[[Membership], Client],
    make_generation: Callable[..., Generation],
    settings: Any,
) -> None:
    settings.ACCEL_PREFIX = "/protected/"
    made = make_generation(bob, outputs=1)
    path = f"/t/tide/g/{made.pk}/outputs/0/content"
    for member in (bob, vera):
        answer, body = ask(live_server, path, client_of(member), Range="bytes=5-")
        assert (answer.status, body) == (200, b"")
        assert answer.headers["X-Accel-Redirect"] == f"/protected/outputs/{made.team_id}/{made.pk}/0.wav"
        assert answer.headers["Content-Type"] == "audio/wav"
        assert answer.headers["Cache-Control"] == "private, max-age=3600"
        assert "ETag" not in answer.headers, "nginx has its own"
    for stranger, status in ((client_of(zoe), 404), (None, 302)):
        answer, body = ask(live_server, path, stranger)
        assert answer.status == status
        assert "X-Accel-Redirect" not in answer.headers
    answer, _body = ask(live_server, "/t/tide/library/", client_of(bob))
    assert (answer.status, answer.headers["X-Accel-Redirect"]) == (200, None)
