"""IP addresses as a cluster says them of its services and pods."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

REMEMBERED = 4096
"""Texts that need not be read again: with each change of one endpoint all of its slice come once more."""


def addresses(texts: Iterable[object]) -> tuple[str, ...]:
    """Those that are addresses, each once, and written as the kernel writes them."""
    return tuple(dict.fromkeys(address for text in texts if isinstance(text, str) and (address := _address(text))))


@lru_cache(REMEMBERED)
def _address(text: str) -> str:
    """The one way to write this address; "" if it is none.

    Nor does one count that means another machine to each who uses it, or many machines, or none: the API server refuses
    most of these too (ValidateNonSpecialIP), and this machine needs some of them for itself.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.scope_id or (address.is_reserved and not address.ipv4_mapped):
            return ""
        address = address.ipv4_mapped or address
    if address.is_unspecified or address.is_loopback or address.is_link_local or address.is_multicast:
        return ""
    return str(address)
