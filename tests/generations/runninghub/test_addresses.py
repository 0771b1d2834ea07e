from __future__ import annotations

import ipaddress

import pytest

from generations.runninghub import addresses


@pytest.mark.parametrize(
    "text",
    ["8.8.8.8", "43.129.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_addresses_of_the_internet_are_public(text: str) -> None:
    assert addresses.is_public(ipaddress.ip_address(text))


PRIVATE = """
    0.0.0.0 10.1.2.3 100.64.0.1 100.100.100.200 127.0.0.1 127.9.9.9 169.254.169.254 172.16.0.1 172.31.255.255
    192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 203.0.113.9 224.0.0.1 239.1.1.1 240.0.0.1
    255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::a00:1
    64:ff9b:1::1 2002:7f00:1:: 2002:a00:1:: 2001:db8::1 2001:0:4136:e378:8000:63bf:f5ff:fffe fc00::1 fd12::1
    fe80::1 fe80::1%eth0 fec0::1 ff02::1 100::1 4000::1
"""


@pytest.mark.parametrize("text", PRIVATE.split())
def test_addresses_of_private_and_special_networks_are_not(text: str) -> None:
    assert not addresses.is_public(ipaddress.ip_address(text))
    assert not addresses.may_open(text, allow_loopback=False)


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_loopback_may_be_allowed(text: str) -> None:
    assert addresses.may_open(text, allow_loopback=True)


@pytest.mark.parametrize("text", ["10.0.0.1", "169.254.169.254", "fe80::1", "0.0.0.0"])
def test_allowing_loopback_allows_nothing_else(text: str) -> None:
    assert not addresses.may_open(text, allow_loopback=True)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "[::1]", "127.1.2.3"])
def test_this_machine_is_recognised(host: str) -> None:
    assert addresses.is_loopback_host(host)


@pytest.mark.parametrize(
    "host", ["www.runninghub.ai", "localhost.example.com", "10.0.0.1", "127.example.com", ""]
)
def test_other_hosts_are_not_this_machine(host: str) -> None:
    assert not addresses.is_loopback_host(host)


def test_a_name_resolves_only_to_addresses_that_may_be_opened() -> None:
    assert addresses.resolve("localhost", 80, allow_loopback=False) == []
    assert "127.0.0.1" in addresses.resolve("localhost", 80, allow_loopback=True)
    assert addresses.resolve("0x7f.1", 80, allow_loopback=False) == []
