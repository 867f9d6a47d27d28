"""Addresses, maps of user namespaces, and messages to the kernel."""

from __future__ import annotations

import struct

import pytest

from fairlead.lab.node import maps, netlink
from fairlead.lab.node.plan import GATEWAY, FullError, PodAddresses


def test_addresses_come_back_last() -> None:
    addresses = PodAddresses()
    first = addresses.take()
    assert first == "10.244.0.2"
    addresses.give_back(first)
    others = [addresses.take() for _ in range(252)]
    assert GATEWAY not in others
    assert first not in others
    assert addresses.take() == first
    with pytest.raises(FullError):
        addresses.take()


def test_a_container_s_root_maps_what_it_has() -> None:
    ours = "         0       1000          1\n         1     100000      65536\n"
    assert maps.whole(ours) == "0 0 1\n1 1 65536\n"
    assert maps.whole("         0          0 4294967295\n") == "0 0 4294967295\n"
    assert maps.single(0, 1000) == "0 1000 1\n"


def fields(message: bytes) -> tuple[int, int, int]:
    length, kind, flags, sequence, _ = struct.unpack_from("=IHHII", message)
    assert length == len(message)
    assert length % 4 == 0
    return kind, flags, sequence


def attributes(data: bytes) -> dict[int, bytes]:
    found = {}
    while data:
        length, kind = struct.unpack_from("=HH", data)
        found[kind & 0x7FFF] = data[4:length]
        data = data[(length + 3) & ~3 :]
    return found


def test_messages_say_how_long_they_are() -> None:
    messages = [
        netlink.bridge("cni0"),
        netlink.veth("eth0", "veth0af40002", 7, netlink.hardware_address("10.244.0.2")),
        netlink.up(3, master=2),
        netlink.isolate(3),
        netlink.remove("veth0"),
        netlink.address(2, "10.244.0.1", 24),
        netlink.route(2, "10.96.0.0", 12, source="10.244.0.1"),
        netlink.route(2, gateway="10.244.0.1"),
    ]
    assert [fields(message)[0] for message in messages] == [16, 16, 16, 19, 17, 20, 24, 24]
    assert fields(netlink.numbered(messages[0], 77))[2] == 77


def test_both_ends_of_a_veth() -> None:
    message = netlink.veth("eth0", "veth0af40002", 7, netlink.hardware_address("10.244.0.2"))
    outer = attributes(message[32:])
    assert outer[3] == b"eth0\0"
    assert outer[1] == b"\x0a\x58\x0a\xf4\x00\x02"
    info = attributes(outer[18])
    assert info[1] == b"veth\0"
    peer = attributes(attributes(info[2])[1][16:])
    assert peer == {3: b"veth0af40002\0", 28: struct.pack("=I", 7)}


def test_answers() -> None:
    refused = struct.pack("=IHHIIi", 36, 2, 0, 5, 0, -17) + bytes(16)
    assert netlink.decode_ack(refused) == (5, 17)
    assert netlink.decode_ack(struct.pack("=IHHIIi", 20, 16, 0, 5, 0, 0)) is None
    assert netlink.decode_ack(b"\0" * 10) is None
