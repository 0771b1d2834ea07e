"""What running apps and workflows tell of themselves: read tolerantly, bounded in every direction, no verdict."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest

from generations.runninghub.telling import BOUNDS, Bounds, NotHeard, Told, listen, read
from tests.generations import wires
from tests.generations.wires import Behaviour, Wires

QUICK = Bounds(greeting=0.6, silence=1.5, altogether=6.0, most=512 * 1024, message=64 * 1024, breath=0.0)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ('{"type":"progress","data":{"node":"3","value":7,"max":20}}', Told("3", 0.35)),
        ('{"type":"progress","data":{"node":3,"value":20,"max":20,"prompt_id":"x"}}', Told("3", 1.0)),
        ('{"type":"progress","data":{"node":"3","value":-5,"max":20}}', Told("3", 0.0)),
        ('{"type":"progress","data":{"node":"3","value":1e308,"max":1}}', Told("3", 1.0)),
        ('{"type":"progress","data":{"node":"3","value":1,"max":0}}', Told("3", None)),
        ('{"type":"progress","data":{"node":"3","value":true,"max":2}}', Told("3", None)),
        ('{"type":"progress","data":{"node":"3","value":"7","max":"20"}}', Told("3", None)),
        ('{"type":"progress","data":{"node":"3","value":NaN,"max":Infinity}}', Told("3", None)),
        ('{"type":"progress","data":{"value":1,"max":2}}', Told("", 0.5)),
        ('{"type":"executing","data":{"node":"6"}}', Told("6", None)),
        ('{"type":"executing","data":{"node":null}}', Told("", 1.0)),
        ('{"type":"execution_success","data":{}}', Told("", 1.0)),
        ('{"type":"execution_success","data":{"node":"9"}}', None),
        ('{"type":"execution_cached","data":{"nodes":["4"]}}', None),
        ('{"type":"status","data":{"status":{"exec_info":{"queue_remaining":1}}}}', None),
        ('{"type":"progress"}', None),
        ('{"type":["progress"],"data":{}}', None),
        ("[]", None),
        ("", None),
        ("nonsense", None),
        ("[" * 100_000, None),
    ],
)
def test_a_message_is_read_for_what_it_says_of_progress(message: str, told: Told | None) -> None:
    assert read(message) == told


def test_a_name_or_a_number_without_measure_is_cut() -> None:
    told = read('{"type":"executing","data":{"node":"%s"}}' % ("n" * 5000))
    assert told is not None
    assert len(told.node) == 80
    assert read('{"type":"progress","data":{"node":"3","value":1,"max":%s}}' % ("9" * 400)) == Told("3", None)


def heard(
    behaviour: Behaviour, bounds: Bounds = QUICK, *, enough: int = 10**6
) -> tuple[list[Told], str, Wires]:
    """What was told, and the error it ended with; it stops by itself, or after `enough` were told."""
    told: list[Told] = []
    error = ""
    with Wires(behaviour) as server:
        try:
            listen(
                server.url,
                told.append,
                allow_loopback=True,
                is_wanted=lambda: len(told) < enough,
                bounds=bounds,
            )
        except NotHeard as fault:
            error = str(fault)
    assert "very-secret" not in error
    return told, error, server


def test_it_tells_node_and_share() -> None:
    told, error, server = heard(wires.tells, enough=2)
    assert (told, error) == ([Told("3", None), Told("3", 0.35)], "")
    assert server.lines[0].path == "/ws/c_instance?Rh-Comfy-Auth=very-secret"


def test_what_says_nothing_is_passed_over_and_fragments_are_put_together() -> None:
    told, error, _server = heard(wires.nonsense, enough=2)
    assert (told, error) == ([Told("3", 0.25), Told("6", 0.75)], "")


def test_a_ping_is_answered() -> None:
    assert heard(wires.pings, enough=1)[0] == [Told("3", 1.0)]


@pytest.mark.parametrize(
    ("behaviour", "fails"),
    [
        (wires.never_greets, True),
        (wires.no_websocket, True),
        (wires.drips, True),
        (wires.silent, False),
        (wires.noise, False),
        (wires.too_long, False),
        (wires.closes, False),
        (wires.breaks, False),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_a_wire_that_is_of_no_use_is_left_soon(behaviour: Behaviour, fails: Any) -> None:
    began = time.monotonic()
    _told, error, _server = heard(behaviour)
    assert bool(error) is fails, error
    assert time.monotonic() - began < 5.5


def test_of_bytes_without_end_only_so_many_are_read() -> None:
    told, error, _server = heard(wires.endless)
    assert error == ""
    assert 0 < len(told) < 20_000


def test_a_flood_leaves_the_processor_to_others() -> None:
    """After each block it breathes, however much is waiting."""
    told, _error, _server = heard(wires.flood, Bounds(altogether=2.0, breath=0.5))
    assert 0 < len(told) <= 5 * 64 * 1024 // wires.FLOOD_FRAME


def test_frames_of_nothing_end_the_wire_before_they_cost_anything() -> None:
    began, spent = time.monotonic(), time.thread_time()
    told, error, _server = heard(wires.hollow, BOUNDS)
    assert (told, error) == ([], "")
    assert time.thread_time() - spent < 0.25
    assert time.monotonic() - began < 5


def test_what_is_costly_to_read_is_followed_by_a_rest_as_long() -> None:
    """Of the time it takes, the reading has a tenth at most."""
    began, spent = time.monotonic(), time.thread_time()
    heard(wires.gulp, Bounds(frames=10**6, breath=0.0))
    assert time.thread_time() - spent < (time.monotonic() - began) / 5


def test_the_log_never_has_the_address(caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG the library tells the request line."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("anybody").debug("is heard")
    assert heard(wires.tells, enough=2)[0]
    assert "is heard" in caplog.text
    assert "very-secret" not in caplog.text


def test_nothing_is_heard_after_it_is_not_wanted() -> None:
    began = time.monotonic()
    assert heard(wires.silent, BOUNDS, enough=0)[0] == []
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "http://127.0.0.1/ws",
        "ws://",
        "ws://127.0.0.1:0/ws",
        "ws://127.0.0.1:99999/ws",
        "ws://name:word@127.0.0.1/ws",
        "ws://127.0.0.1/ws\r\nX-More: 1",
        "ws://127.0.0.1/é",
        "ws://[::1",
        "ws://127.0.0.1/" + "x" * 5000,
        "wss://10.0.0.1/ws",
        "wss://169.254.169.254/ws",
        "wss://[fe80::1]/ws",
        "ws://127.0.0.1:1/ws",
    ],
)
def test_an_address_that_may_not_be_opened_is_none(url: str) -> None:
    with pytest.raises(NotHeard):
        listen(url, print, allow_loopback=True, is_wanted=lambda: True, bounds=QUICK)


def test_a_site_elsewhere_leads_neither_here_nor_over_an_open_line() -> None:
    with Wires(wires.tells) as server:
        for url in (server.url, server.url.replace("ws://", "wss://")):
            with pytest.raises(NotHeard):
                listen(url, print, allow_loopback=False, is_wanted=lambda: True, bounds=QUICK)
        assert server.lines == []
