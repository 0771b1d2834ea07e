"""Whether a submit can have left: what fails before the request is harmless, what fails after it is not."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from generations.runninghub import Client
from generations.runninghub.errors import NotAccepted, Unclear

from .certificates import self_signed
from .conftest import KEY
from .test_submit import MODEL, TASK, submit
from .wire import Wire, answer, closed


def test_a_refused_connection_sends_nothing() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        with pytest.raises(NotAccepted) as caught:
            submit(Client(base_url=f"http://127.0.0.1:{unheard.getsockname()[1]}", api_key=KEY))
    assert caught.value.code == "unreachable"
    assert "refused" in caught.value.detail


@pytest.mark.parametrize("host", ["nobody.invalid", "x" * 70 + ".invalid", "a..b"])
def test_a_name_without_an_address_sends_nothing(host: str) -> None:
    with pytest.raises(NotAccepted) as caught:
        submit(Client(base_url=f"http://{host}", api_key=KEY))
    assert caught.value.code == "unreachable"


def test_a_connection_that_is_not_answered_sends_nothing() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.settimeout(0)
            one.connect_ex(full.getsockname())
        with pytest.raises(NotAccepted):
            submit(
                Client(base_url=f"http://127.0.0.1:{full.getsockname()[1]}", api_key=KEY, timeout=(0.2, 2))
            )
        for one in waiting:
            one.close()


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Wire, Path]]:
    certificate, private = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    wire = Wire(context)
    yield wire, certificate
    wire.stop()


def test_a_certificate_nobody_vouches_for_sends_nothing(secure: tuple[Wire, Path]) -> None:
    with pytest.raises(NotAccepted) as caught:
        submit(Client(base_url=secure[0].url, api_key=KEY))
    assert "certificate" in caught.value.detail.lower()
    assert secure[0].seen == []


def test_a_server_without_tls_sends_nothing(wire: Wire) -> None:
    wire.script(closed)
    with pytest.raises(NotAccepted):
        submit(Client(base_url=wire.url.replace("http:", "https:"), api_key=KEY, timeout=(1, 1)))


def test_a_tls_handshake_that_never_ends_sends_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(NotAccepted):
        submit(Client(base_url=f"https://127.0.0.1:{mute.getsockname()[1]}", api_key=KEY, timeout=(0.2, 2)))


def test_tls_that_breaks_after_the_request_is_unclear(
    secure: tuple[Wire, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, certificate = secure
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    client = Client(base_url=wire.url, api_key=KEY, timeout=(2, 2), trust_env=True)

    def rubbish_on_the_wire(connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        with socket.socket(fileno=connection.detach()) as bare:
            bare.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)

    wire.script(answer({"taskId": TASK}), rubbish_on_the_wire)
    assert submit(client).upstream_id == TASK
    with pytest.raises(Unclear) as caught:
        submit(client)
    assert "SSL" in caught.value.detail
    assert len(wire.seen) == 2


def test_proxies_of_the_environment_are_used_only_when_asked(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.script(answer({"taskId": TASK}))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", wire.url)
    monkeypatch.setenv("http_proxy", wire.url)
    with pytest.raises(NotAccepted):
        submit(Client(base_url="http://runninghub.invalid", api_key=KEY))
    assert wire.seen == []
    submit(Client(base_url="http://runninghub.invalid", api_key=KEY, trust_env=True))
    assert wire.seen[0].path == f"http://runninghub.invalid/openapi/v2/{MODEL}"
