"""TCP ports of this machine: who holds one, and what it takes to bind a low one (ip(7))."""

from __future__ import annotations

import os
import sys

from fairlead.helper.holders import describe_holder, describe_holders, in_the_way

__all__ = ["describe_holder", "describe_holders", "in_the_way", "low_port_remedy", "lowest_free"]


def low_port_remedy(port: int, *, proc: str = "/proc") -> str:
    """What lets this user bind ``port``, after the kernel said that it may not."""
    lowest = lowest_free(proc)
    if port >= lowest:
        return "a security rule of this machine forbids it: choose another local port"
    python = os.path.realpath(sys.executable)
    return (
        f"choose a local port from {lowest}; or allow low ports to everybody: "
        f"sudo sysctl -w net.ipv4.ip_unprivileged_port_start={port}; "
        f"or to this Python: sudo setcap cap_net_bind_service=+ep {python}"
    )


def lowest_free(proc: str = "/proc") -> int:
    """The lowest port that an ordinary user may bind."""
    try:
        with open(f"{proc}/sys/net/ipv4/ip_unprivileged_port_start") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 1024
