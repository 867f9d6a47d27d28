"""What stands under names of its own on this machine, and what a user may ask for it."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple


class GroupKey(NamedTuple):
    """A service, or one pod of a headless one: what has one loopback address and several names."""

    context: str
    """The kubeconfig's name of it; "" if there is none, as in a pod."""
    namespace: str
    service: str
    pod: str = ""
    """The pod's name; "" for the service itself."""


class Reservation(NamedTuple):
    """``NAME=IP``: the group that has this name, in any of its forms, stands on this address."""

    name: str
    """Lower case."""
    address: str


class PortRule(NamedTuple):
    """A local port for a service's port: where to listen, or where connections are to lead."""

    service: str
    """"" means every service."""
    namespace: str
    """"" means every namespace."""
    port: int | str
    """The service's port, 1-65535, or its name; 0 means each."""
    local: int
    """1-65535."""


class ServicePattern(NamedTuple):
    """Which services are meant; ``*`` stands for any characters and ``?`` for one."""

    service: str
    namespace: str = "*"


class OwnServer(Enum):
    """What takes connections on a port of this laptop, for the service that its user develops."""

    ABSENT = auto()
    LOCALHOST = auto()
    EVERYWHERE = auto()
    """On all addresses, so on those that services have here too; also where this cannot be told."""
