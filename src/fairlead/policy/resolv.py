"""resolv.conf(5): who resolves names for a machine, as resolver(5) reads it, and the one inside a private namespace."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import NamedTuple

MOST_NAMESERVERS = 3
MOST_SEARCH, MOST_SEARCH_TEXT = 32, 2048
"""Domains to write, and their characters with what is between: as many as kubelet writes."""
LOCAL = ("127.0.0.1",)
"""Who is asked where no nameserver is given."""


class ResolvConf(NamedTuple):
    """What such a file says, and its defaults where it says nothing."""

    nameservers: tuple[str, ...] = LOCAL
    """Addresses, those of a link with their interface (``fe80::1%eth0``), in the order to ask."""
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    """As they stand there."""

    @property
    def timeout(self) -> int:
        """Seconds that a nameserver has to answer."""
        return self._number("timeout", 5, 30)

    @property
    def attempts(self) -> int:
        """How often each nameserver is asked."""
        return self._number("attempts", 2, 5)

    @property
    def rotate(self) -> bool:
        """Whether they are to be asked in turn, and not the first one first."""
        return "rotate" in self.options

    @property
    def tcp(self) -> bool:
        """Whether they are to be asked over TCP only."""
        return "use-vc" in self.options

    def _number(self, option: str, default: int, most: int) -> int:
        found = default
        for each in self.options:
            name, _, value = each.partition(":")
            if name == option and value.isascii() and value.isdecimal():
                found = min(max(int(value[:4]), 1), most)
        return found


def parse(text: str, *, hostname: str = "") -> ResolvConf:
    """Read a file, of which every line may be nonsense; ``hostname`` has the domain to search where it names none."""
    nameservers: list[str] = []
    options: list[str] = []
    search: Sequence[str] = hostname.split(".", 1)[1:]
    for line in text.split("\n"):
        # A keyword stands at the beginning of its line, so that a comment has none.
        keyword, *values = line.split() if line[:1].strip() else [""]
        if keyword == "nameserver" and values and _is_address(values[0]):
            nameservers.append(values[0])
        elif keyword == "search" and values:
            search = values
        elif keyword == "domain" and values:
            search = values[:1]
        elif keyword == "options":
            options += values
    chosen = tuple(nameservers[:MOST_NAMESERVERS]) or LOCAL
    return ResolvConf(chosen, tuple(name.rstrip(".") or "." for name in search), tuple(options))


def render(laptop: ResolvConf, nameserver: str, search: Sequence[str]) -> str:
    """The file inside: our ``nameserver``, the clusters' domains before the laptop's, and the laptop's options."""
    chosen: list[str] = []
    for domain in dict.fromkeys((*search, *laptop.search)):
        if len(chosen) < MOST_SEARCH and len(" ".join([*chosen, domain])) <= MOST_SEARCH_TEXT:
            chosen.append(domain)
    lines = [f"nameserver {nameserver}"]
    if chosen:
        lines.append(f"search {' '.join(chosen)}")
    # "rotate" makes old programs count the nameservers, and with one there is no turn to take.
    if options := [option for option in dict.fromkeys(laptop.options) if option != "rotate"]:
        lines.append(f"options {' '.join(options)}")
    return "".join(f"{line}\n" for line in lines)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
