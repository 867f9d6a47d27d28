"""Which proxy the environment asks for, by the rules of Go's golang.org/x/net/http/httpproxy (kubectl's)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fairlead.errors import ConfigError
from fairlead.policy.url import Url, parse_url

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

ENV_SCHEMES = ("http", "https", "socks5", "socks5h")


def proxy_from_environment(server: Url, env: Mapping[str, str]) -> Url | None:
    """The proxy on the way to ``server``: HTTPS_PROXY or HTTP_PROXY by its scheme, upper case first, unless excepted.

    An address that makes no sense raises ConfigError; Go would go without a proxy in silence.
    """
    names = ("HTTPS_PROXY", "https_proxy") if server.secure else ("HTTP_PROXY", "http_proxy")
    for name in names:
        if env.get(name):
            if excepted(server.host, server.port, env.get("NO_PROXY") or env.get("no_proxy") or ""):
                return None
            return parse_url(env[name], what=f"the proxy in {name}", schemes=ENV_SCHEMES, default_scheme="http")
    return None


def proxy_hosts(env: Mapping[str, str]) -> list[str]:
    """The hosts of all proxies that the environment names, for any program; what makes no sense is left out."""
    found = []
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY"):
        for each in (name, name.lower()):
            try:
                url = parse_url(env.get(each) or "", what=each, schemes=ENV_SCHEMES, default_scheme="http")
            except ConfigError:
                continue
            found.append(url.host)
    return found


def excepted(host: str, port: int, rules: str) -> bool:
    """Whether NO_PROXY (``rules``) keeps ``host:port`` off the proxy; localhost and loopback always stay off it."""
    host = host.lower().strip()
    if host == "localhost":
        return True
    ip = _address(host)
    if ip is not None and ip.is_loopback:
        return True
    return any(_matches(rule.strip().lower(), host, port, ip is not None) for rule in rules.split(","))


def _matches(rule: str, host: str, port: int, is_ip: bool) -> bool:
    if rule in ("", "*"):
        return rule == "*"
    if "/" in rule:
        return is_ip and _in_network(host, rule)
    name, rule_port = _split(rule)
    if not name or (rule_port and rule_port != str(port)):
        return False
    if _address(name) is not None:
        return is_ip and _address(name) == _address(host)
    if is_ip:
        return False
    if name.startswith("*."):
        name = name[1:]
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith("." + name)


def _split(rule: str) -> tuple[str, str]:
    """``name:port``, ``[v6]:port``, ``v6`` or ``name``; brackets without a port match nothing in Go."""
    if rule.startswith("[") and "]:" in rule:
        name, _, port = rule[1:].partition("]:")
        return name, port
    if rule.count(":") == 1:
        name, _, port = rule.partition(":")
        return name, port
    return rule, ""


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """``text`` as an address; IPv4 in IPv6 counts as IPv4, as Go compares them."""
    if not text or not (":" in text or text[-1].isdigit()):
        return None
    from ipaddress import ip_address  # 2 ms that most starts do not need

    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _in_network(host: str, rule: str) -> bool:
    from ipaddress import ip_network

    address = _address(host)
    try:
        return address is not None and address in ip_network(rule, strict=False)
    except ValueError:
        return False
