"""Which traffic of a network namespace is carried by us: the routes and the nftables rules for it, as texts.

Nothing is translated: every address is made local by a route, and tproxy hands what goes to one of them to our sockets
with its destination as it was (Linux Documentation/networking/tproxy.rst; nft(8)). So a program sees the addresses
that it asked for, and no connection tracking is needed.
"""

from __future__ import annotations

import re
from collections.abc import Set
from typing import NamedTuple

from fairlead.policy.listeners import EVERYWHERE, Listener

PORT = 64_913
"""Our sockets' own port in the namespace: above the kernel's usual range for outgoing connections (32768 to 60999), and
not one that services are known by."""
MARK = 0xFA1
"""Of what we send there ourselves, which is not to be captured again."""
TABLE = "fairlead"
_SIX = re.compile("ip6|ipv6|all6")
_SETS = ("all4", "all6", "at4", "at6")
"""Of ports that are listened on at all addresses of a family, and of addresses with ports."""
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
    listeners: frozenset[Listener] = frozenset()
    """Where something listens on the laptop (TCP): these lead there, other ports of ``own`` are refused. By address:
    a program that finds ``::1`` refused goes on to 127.0.0.1, and one that finds itself reset does not."""


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
            lines.append(f"route replace local {network} dev lo{source}")
            if rules.interface and source:
                # Never used, as what is local comes first; for programs that look for a way out.
                lines.append(f"route replace {network} dev {device}{source}")
    return "".join(f"{line}\n" for line in lines)


def nft_ruleset(rules: CaptureRules, *, ipv6: bool = True) -> str:
    """The ruleset (nft(8)) that leads what was made local to our sockets on PORT.

    What goes to the laptop's own addresses stays here if a socket takes it that is not ours: these are transparent. The
    ``socket`` expression asks the kernel, so there is no moment at which a listener is overlooked, and ``transparent``,
    other than ``wildcard``, is known in TIME_WAIT too, whose ports a new connection may have. Elsewhere a listener on
    all addresses of this namespace must not answer for another machine. What is neither TCP nor UDP cannot be carried,
    and is refused: the kernel would answer a ping for every address there is. Without IPv6 it takes no rules for that.
    """
    own4 = [LOOPBACK[0], *filter(_is_4, rules.own)]
    own6 = [LOOPBACK[1], *(address for address in rules.own if not _is_4(address))]
    to4, to6 = f"tproxy ip to :{PORT} accept", f"tproxy ip6 to :{PORT} accept"
    listed = _listed(rules.listeners)
    elements = {name: f"elements = {{ {listed[name]} }} " if name in listed else "" for name in _SETS}
    ruleset = f"""table inet {TABLE} {{
  set own4 {{ type ipv4_addr; flags interval; elements = {{ {", ".join(own4)} }} }}
  set own6 {{ type ipv6_addr; elements = {{ {", ".join(own6)} }} }}
  set all4 {{ type inet_service; {elements["all4"]}}}
  set all6 {{ type inet_service; {elements["all6"]}}}
  set at4 {{ type ipv4_addr . inet_service; {elements["at4"]}}}
  set at6 {{ type ipv6_addr . inet_service; {elements["at6"]}}}
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
    socket transparent 0 accept
    meta nfproto ipv4 meta l4proto udp {to4}
    meta nfproto ipv6 meta l4proto udp {to6}
    meta nfproto ipv4 tcp dport @all4 {to4}
    meta nfproto ipv6 tcp dport @all6 {to6}
    ip daddr . tcp dport @at4 {to4}
    ip6 daddr . tcp dport @at6 {to6}
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


def nft_listeners(before: Set[Listener], now: Set[Listener]) -> str:
    """The commands that make one set of listeners the other; "" if they are the same."""
    changes = (("delete", before - now), ("add", now - before))
    return "".join(
        f"{verb} element inet {TABLE} {name} {{ {listed} }}\n"
        for verb, listeners in changes
        for name, listed in _listed(listeners).items()
    )


def _listed(listeners: Set[Listener]) -> dict[str, str]:
    """The elements of each set, as nft has them; without those that have none."""
    found: dict[str, list[str]] = {}
    for address, port in sorted(listeners):
        everywhere = address in EVERYWHERE
        name = f"{'all' if everywhere else 'at'}{4 if _is_4(address) else 6}"
        found.setdefault(name, []).append(str(port) if everywhere else f"{address} . {port}")
    return {name: ", ".join(elements) for name, elements in found.items()}


def _is_4(address: str) -> bool:
    return ":" not in address
