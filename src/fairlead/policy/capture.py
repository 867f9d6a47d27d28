"""Which traffic of a network namespace is carried by us: the routes and the nftables rules for it, as texts.

Nothing is translated: every address is made local by a route, and tproxy hands what goes to one of them to our sockets
with its destination as it was (Linux Documentation/networking/tproxy.rst; nft(8)). So a program sees the addresses
that it asked for, and no connection tracking is needed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

PORT = 64_913
"""Our sockets' own port in the namespace: above the kernel's range for outgoing connections (32768 to 60999), and not
one that services are known by."""
MARK = 0xFA1
"""Of what we send there ourselves, which is not to be captured again."""
TABLE = "fairlead"
_SIX = re.compile("ip6|ipv6")
_PEER = "fairlead0"
LOOPBACK = ("127.0.0.0/8", "::1")


class CaptureRules(NamedTuple):
    """What is captured in a namespace of its own."""

    own: tuple[str, ...] = ()
    """The laptop's addresses beside the loopback's: as there, a program's own listener comes first."""
    sources: tuple[str, ...] = ()
    """From which connections come by default: one of ``own`` for each family that the laptop can use, where it has
    one. Other families are not captured, so that connecting fails at once, as it does outside."""
    ipv4: bool = True
    ipv6: bool = False
    interface: str = ""
    """The name of the interface that has ``own``; "" where the loopback has them. Some programs believe that there is
    no network before they see one that is up."""
    ports: frozenset[int] = frozenset()
    """On which something listens on the laptop (TCP): these lead there, all others of ``own`` are refused."""


def ip_commands(rules: CaptureRules) -> str:
    """The lines for ``ip -batch`` (ip(8)) that make every address local."""
    lines = ["link set lo up"]
    device = rules.interface or "lo"
    if rules.interface:
        # A pair, since the kernel of many a small machine knows no other kind; nothing ever goes through it.
        lines += [
            f"link add {device} type veth peer name {_PEER}",
            *(f"link set {each} {what}" for what in ("addrgenmode none", "up") for each in (_PEER, device)),
        ]
    lines += [
        f"addr add {address}/{32 if _is_4(address) else 128} dev {device}{'' if _is_4(address) else ' nodad'}"
        for address in rules.own
    ]
    for wanted, network, four in ((rules.ipv4, "0.0.0.0/0", True), (rules.ipv6, "::/0", False)):
        source = next((f" src {address}" for address in rules.sources if _is_4(address) is four), "")
        if wanted:
            lines.append(f"route add local {network} dev lo{source}")
            if rules.interface and source:
                # Never used, as what is local comes first; for programs that look for a way out.
                lines.append(f"route add {network} dev {device}{source}")
    return "".join(f"{line}\n" for line in lines)


def nft_ruleset(rules: CaptureRules, *, ipv6: bool = True) -> str:
    """The ruleset (nft(8)) that leads what was made local to our sockets on PORT.

    What goes to the laptop's own addresses stays here if a socket takes it (the ``socket`` expression asks the kernel,
    so that there is no moment at which a listener is overlooked); elsewhere a listener on all addresses of this
    namespace must not answer for another machine. What is neither TCP nor UDP cannot be carried, and is refused: the
    kernel would answer a ping for every address there is. Where it has no IPv6 it takes no rules for that.
    """
    own4 = [LOOPBACK[0], *filter(_is_4, rules.own)]
    own6 = [LOOPBACK[1], *(address for address in rules.own if not _is_4(address))]
    to4, to6 = f"tproxy ip to :{PORT} accept", f"tproxy ip6 to :{PORT} accept"
    ruleset = f"""table inet {TABLE} {{
  set own4 {{ type ipv4_addr; flags interval; elements = {{ {", ".join(own4)} }} }}
  set own6 {{ type ipv6_addr; elements = {{ {", ".join(own6)} }} }}
  set ports {{ type inet_service; {_elements(rules.ports)}}}
  chain capture {{
    type filter hook prerouting priority mangle; policy accept;
    meta mark {MARK} accept
    ip daddr @own4 jump own
    ip6 daddr @own6 jump own
    meta nfproto ipv4 meta l4proto {{ tcp, udp }} {to4}
    meta nfproto ipv6 meta l4proto {{ tcp, udp }} {to6}
  }}
  chain own {{
    meta l4proto != {{ tcp, udp }} accept
    socket wildcard 0 accept
    socket wildcard 1 accept
    meta nfproto ipv4 meta l4proto udp {to4}
    meta nfproto ipv6 meta l4proto udp {to6}
    meta nfproto ipv4 tcp dport @ports {to4}
    meta nfproto ipv6 tcp dport @ports {to6}
    accept
  }}
  chain refuse {{
    type filter hook input priority filter; policy accept;
    meta l4proto {{ tcp, udp }} accept
    ip daddr @own4 accept
    ip6 daddr @own6 accept
    reject with icmpx admin-prohibited
  }}
}}
"""
    return "".join(line for line in ruleset.splitlines(keepends=True) if ipv6 or not _SIX.search(line))


def nft_ports(before: Collection[int], now: Collection[int]) -> str:
    """The commands that make one set of ports the other; "" if they are the same."""
    gone, new = sorted(set(before) - set(now)), sorted(set(now) - set(before))
    lines = []
    if gone:
        lines.append(f"delete element inet {TABLE} ports {{ {_listed(gone)} }}\n")
    if new:
        lines.append(f"add element inet {TABLE} ports {{ {_listed(new)} }}\n")
    return "".join(lines)


def _elements(ports: Collection[int]) -> str:
    return f"elements = {{ {_listed(sorted(ports))} }} " if ports else ""


def _listed(ports: Sequence[int]) -> str:
    return ", ".join(map(str, ports))


def _is_4(address: str) -> bool:
    return ":" not in address
