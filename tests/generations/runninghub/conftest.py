from __future__ import annotations

from collections.abc import Iterator

import pytest

from generations.runninghub import Client

from .wire import Wire

KEY = "0123456789abcdef0123456789ABCDEF"


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.stop()


@pytest.fixture(scope="module")
def client(wire: Wire) -> Iterator[Client]:
    client = Client(base_url=wire.url, api_key=KEY, timeout=(2, 2))
    yield client
    client.close()


@pytest.fixture(autouse=True)
def nothing_kept_from_the_test_before(request: pytest.FixtureRequest) -> None:
    """A connection that the other side is just closing would be reset under the next request."""
    if "client" in request.fixturenames:
        request.getfixturevalue("client").close()
