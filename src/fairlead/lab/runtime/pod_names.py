"""By which names a pod knows itself and finds others: its hosts file, hostname and resolv.conf; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fairlead.lab.node.plan import DNS, DOMAIN

LOCALHOST = b"""\
# This pod's, made by fairlead lab.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""

NSSWITCH = b"""\
passwd: files
group: files
shadow: files
hosts: files dns
networks: files
protocols: files
services: files
"""
"""Whom the machine asks besides cannot be reached from a pod (nsswitch.conf(5))."""

_MOST_HOSTNAME = 63


def hostname(pod: Mapping[str, Any]) -> str:
    """What the pod calls itself."""
    name = str(pod["spec"].get("hostname") or pod["metadata"]["name"])
    return name[:_MOST_HOSTNAME].rstrip("-.")


def hosts(pod: Mapping[str, Any]) -> bytes:
    """The lines of its hosts file after those for localhost; ``{ip}`` is its address."""
    spec, meta = pod["spec"], pod["metadata"]
    lines = []
    if not spec.get("hostNetwork"):
        name = hostname(pod)
        below = spec.get("subdomain")
        full = f"{name}.{below}.{meta['namespace']}.svc.{DOMAIN}\t{name}" if below else name
        lines.append(f"{{ip}}\t{full}")
    aliases = spec.get("hostAliases") or ()
    if aliases:
        lines += ["", "# Of hostAliases:"]
        lines += ["\t".join([alias["ip"], *alias.get("hostnames", ())]) for alias in aliases]
    return "\n".join([*lines, ""]).encode()


def resolv(pod: Mapping[str, Any]) -> bytes:
    """Its resolv.conf: dnsPolicy and dnsConfig. The node has no nameserver but the cluster's."""
    spec, namespace = pod["spec"], pod["metadata"]["namespace"]
    policy = spec.get("dnsPolicy", "ClusterFirst")
    servers, search = [DNS], list[str]()
    options: dict[str, str | None] = {}
    if policy == "None":
        servers = []
    elif policy == "ClusterFirstWithHostNet" or (policy == "ClusterFirst" and not spec.get("hostNetwork")):
        search = [f"{namespace}.svc.{DOMAIN}", f"svc.{DOMAIN}", DOMAIN]
        options = {"ndots": "5"}
    more = spec.get("dnsConfig") or {}
    servers = _once([*servers, *more.get("nameservers", ())])
    search = _once([*search, *more.get("searches", ())])
    options |= {each["name"]: each.get("value") for each in more.get("options", ())}
    lines = [f"search {' '.join(search)}"] if search else []
    lines += [f"nameserver {server}" for server in servers]
    if options:
        words = (name if value is None else f"{name}:{value}" for name, value in options.items())
        lines.append(f"options {' '.join(words)}")
    return "\n".join([*lines, ""]).encode()


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
