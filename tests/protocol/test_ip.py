from __future__ import annotations

from ipaddress import ip_address
from struct import pack, unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.protocol.ip import MOST_4, MOST_6, End, port_unreachable, udp

PORTS = st.integers(1, 65535)
ENDS_4 = st.tuples(st.ip_addresses(v=4).map(str), PORTS)
ENDS_6 = st.tuples(st.ip_addresses(v=6).map(str), PORTS)
PAYLOADS = st.binary(max_size=2000) | st.integers(0, 3).map(lambda n: b"\xff" * n)


def folded(data: bytes) -> int:
    """The ones' complement sum word by word, as RFC 1071 has it: 65535 over what has a right checksum."""
    total = 0
    for (word,) in (unpack("!H", data[at : at + 2].ljust(2, b"\0")) for at in range(0, len(data), 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total


def opened(packet: bytes) -> tuple[int, str, str, bytes]:
    """Protocol, source, destination and what the IP header carries, which has to be all."""
    if packet[0] >> 4 == 4:
        _first, _tos, total, _id, fragment, hops, protocol, _sum, source, destination = unpack(
            "!BBHHHBBH4s4s", packet[:20]
        )
        assert (packet[0], fragment, total, folded(packet[:20])) == (0x45, 0, len(packet), 65535)
        body = packet[20:]
    else:
        first, length, protocol, hops, source, destination = unpack("!IHBB16s16s", packet[:40])
        assert (first, length) == (6 << 28, len(packet) - 40)
        body = packet[40:]
    assert hops == 64
    return protocol, str(ip_address(source)), str(ip_address(destination)), body


def pseudo(source: str, destination: str, length: int, protocol: int) -> bytes:
    return ip_address(source).packed + ip_address(destination).packed + pack("!II", length, protocol)


def datagram(packet: bytes) -> tuple[End, End, bytes]:
    protocol, source, destination, body = opened(packet)
    here, there, length, checksum = unpack("!HHHH", body[:8])
    assert (protocol, length) == (17, len(body))
    if ":" in source:
        assert checksum
        assert folded(pseudo(source, destination, length, 17) + body) == 65535
    else:
        assert checksum == 0
    return (source, here), (destination, there), body[8:]


@given(ENDS_4, ENDS_4, PAYLOADS)
def test_a_datagram_over_ipv4_can_be_read_back(source: End, destination: End, payload: bytes) -> None:
    assert datagram(udp(source, destination, payload)) == (source, destination, payload)


@given(ENDS_6, ENDS_6, PAYLOADS)
def test_a_datagram_over_ipv6_can_be_read_back(source: End, destination: End, payload: bytes) -> None:
    assert datagram(udp(source, destination, memoryview(payload))) == (source, destination, payload)


def test_a_checksum_that_would_be_zero_is_sent_as_its_other_form() -> None:
    """RFC 8200, 8.1: 0 says that there is none."""
    plain = udp(("::1", 1), ("::2", 2), b"\0\0")
    zero = bytes(plain[46:48])  # put into the payload, what was the checksum makes the new one 0
    packet = udp(("::1", 1), ("::2", 2), zero)
    assert packet[46:48] == b"\xff\xff"
    assert datagram(packet) == (("::1", 1), ("::2", 2), zero)


@given(ENDS_4, ENDS_4, PAYLOADS)
def test_a_refusal_over_ipv4_quotes_the_datagram(source: End, destination: End, payload: bytes) -> None:
    packet = port_unreachable(source, destination, payload)
    protocol, sender, receiver, body = opened(packet)
    assert (protocol, sender, receiver) == (1, destination[0], source[0])
    assert body[:2] == b"\x03\x03"
    assert body[4:8] == bytes(4)
    assert folded(body) == 65535
    assert udp(source, destination, payload).startswith(body[8:])
    assert len(packet) == min(576, 20 + 8 + 28 + len(payload))


@given(ENDS_6, ENDS_6, PAYLOADS)
def test_a_refusal_over_ipv6_quotes_the_datagram(source: End, destination: End, payload: bytes) -> None:
    packet = port_unreachable(source, destination, payload)
    protocol, sender, receiver, body = opened(packet)
    assert (protocol, sender, receiver) == (58, destination[0], source[0])
    assert body[:2] == b"\x01\x04"
    assert body[4:8] == bytes(4)
    assert folded(pseudo(sender, receiver, len(body), 58) + body) == 65535
    assert udp(source, destination, payload).startswith(body[8:])
    assert len(packet) == min(1280, 40 + 8 + 48 + len(payload))


@pytest.mark.parametrize(("address", "most"), [("10.0.0.1", MOST_4), ("2001:db8::1", MOST_6)])
def test_a_packet_has_room_for_so_much_and_no_more(address: str, most: int) -> None:
    end = (address, 53)
    assert datagram(udp(end, end, bytes(most))) == (end, end, bytes(most))
    with pytest.raises(ValueError, match="more bytes"):
        udp(end, end, bytes(most + 1))


@pytest.mark.parametrize(("source", "destination"), [("10.0.0.1", "::1"), ("::1", "10.0.0.1")])
def test_both_ends_are_of_one_family(source: str, destination: str) -> None:
    with pytest.raises(ValueError, match="one end is IPv4"):
        udp((source, 1), (destination, 2), b"")


def test_an_address_is_a_number() -> None:
    with pytest.raises(ValueError, match="localhost"):
        udp(("localhost", 1), ("10.0.0.1", 2), b"")
