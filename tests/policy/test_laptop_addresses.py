"""Lists of addresses as kernels have written them, and as none should."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.policy.laptop_addresses import default_interface, own_4, own_6

LAPTOP = """\
Main:
  +-- 0.0.0.0/0 3 0 4
     +-- 0.0.0.0/4 2 0 2
        |-- 0.0.0.0
           /0 universe UNICAST
        +-- 10.8.0.0/16 2 0 2
           |-- 10.8.0.0
              /16 universe UNICAST
           |-- 10.8.0.6
              /32 host LOCAL
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 192.168.1.0/24 2 0 2
        +-- 192.168.1.0/26 2 0 2
           |-- 192.168.1.0
              /24 link UNICAST
           |-- 192.168.1.42
              /32 host LOCAL
        |-- 192.168.1.255
           /32 link BROADCAST
Local:
  +-- 0.0.0.0/0 3 0 4
     +-- 10.8.0.0/16 2 0 2
        |-- 10.8.0.6
           /32 host LOCAL
     +-- 192.168.1.0/24 2 0 2
        |-- 192.168.1.42
           /32 host LOCAL
"""
INSIDE = """\
Main:
  +-- 0.0.0.0/0 2 0 2
     |-- 0.0.0.0
        /0 host LOCAL
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.1
           /32 host LOCAL
     |-- 192.168.1.42
        /32 host LOCAL
"""
"""Of a namespace in which every address is local, as we make them."""

SIXES = """\
fe80000000000000021122fffe334455 02 40 20 80    wlan0
20010db8000000000000000000000042 02 40 00 80    wlan0
fd000000000000000000000000000002 03 40 00 82   docker0
20010db8000000000000000000000042 04 80 00 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
20010db80000000000000000000000aa 01 80 00 80       lo
"""

ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
{}"""


def route(name: str, metric: object = 0, *, to: str = "00000000", mask: str = "00000000") -> str:
    return f"{name}\t{to}\t0101A8C0\t0003\t0\t0\t{metric}\t{mask}\t0\t0\t0\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        (LAPTOP, ("10.8.0.6", "192.168.1.42")),
        (INSIDE, ("192.168.1.42",)),
        ("     |-- 10.0.0.1\n        /32 universe UNICAST\n        /32 host LOCAL\n", ("10.0.0.1",)),
        ("     |-- 10.0.0.1\n        /31 link UNICAST\n        /32 host LOCAL\n", ("10.0.0.1",)),
        ("     |-- 10.0.0.1\n        /32 universe UNICAST\n     |-- 10.0.0.2\n        /32 host LOCAL\n", ("10.0.0.2",)),
        ("     |-- 10.0.0.1\n        /24 host LOCAL\n", ()),
        ("     |-- 10.0.0.1\n", ()),
        ("     |-- 10.0.0.999\n        /32 host LOCAL\n     |-- 1..2\n        /32 host LOCAL\n", ()),
        ("\0 nonsense /32 host LOCAL", ()),
    ],
)
def test_addresses_of_version_4(text: str, found: tuple[str, ...]) -> None:
    assert own_4(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        (SIXES, ("2001:db8::42", "fd00::2")),
        ("20010db8000000000000000000000042 02 40 00 80\n", ()),
        ("20010db800000000000000000000004 02 40 00 80 wlan0\n", ()),
        ("zz010db8000000000000000000000042 02 40 00 80 wlan0\n", ()),
        ("20010db80000000000000000000000_2 02 40 00 80 wlan0\n", ()),
    ],
)
def test_addresses_of_version_6(text: str, found: tuple[str, ...]) -> None:
    assert own_6(text) == found


@settings(deadline=None)
@given(st.text(alphabet="|-+ /32host LOCAL\n.0129abcdef:", max_size=300))
def test_junk_is_no_address_and_no_error(text: str) -> None:
    own_4(text)
    own_6(text)
    default_interface(text)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("", ""),
        (route("wlan0"), "wlan0"),
        (route("wlan0", 600) + route("eth0", 100), "eth0"),
        (route("tun0", to="00000000", mask="00000080"), ""),
        (route("wlan0", "many"), ""),
        (route("lo"), ""),
        (route("*"), ""),
        (route("-x"), ""),
        (route("wlan0;reboot"), ""),
        (route("a" * 16), ""),
        ("wlan0\t00000000\n", ""),
    ],
)
def test_the_interface_by_which_other_networks_are_reached(lines: str, found: str) -> None:
    assert default_interface(ROUTES.format(lines)) == found


def test_no_list_of_routes() -> None:
    assert default_interface("") == ""
