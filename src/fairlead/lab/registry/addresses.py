"""The addresses of services, and their ports on the node: which are free, and which one gets."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Any

from fairlead.lab.registry import address_families, status
from fairlead.lab.registry.defaults.services import OUTSIDE
from fairlead.lab.registry.kinds import SERVICE
from fairlead.lab.registry.service_update import carry_over
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.registry.values import Object

SERVICE_NETWORK = IPv4Network("10.96.0.0/20")
NODE_PORTS = range(30000, 32768)
_KEPT = 16
"""Addresses at the start that are given to nobody who does not ask for one: those of the cluster's own services."""


class Addresses:
    """Gives out addresses and ports of nodes, by chance, so that none comes back soon."""

    def __init__(
        self,
        services: Callable[[], Iterator[Object]],
        chance: Callable[[int], int],
        network: IPv4Network = SERVICE_NETWORK,
    ) -> None:
        self._services = services
        self._chance = chance
        """A number below its argument."""
        self._network = network

    def give(self, service: Object, before: Object | None = None) -> None:
        """Complete ``service``, which replaces ``before``; it is changed. Raises ApiStatusError."""
        spec = service["spec"]
        if before is not None:
            carry_over(spec, before["spec"])
        if spec.get("clusterIP"):
            spec.setdefault("clusterIPs", [spec["clusterIP"]])
        if spec["type"] == "ExternalName":
            return
        causes = address_families.give(spec)
        if causes:
            raise status.invalid_object(SERVICE, service["metadata"].get("name", ""), causes)
        mine = service["metadata"].get("namespace"), service["metadata"].get("name")
        others = [
            other["spec"]
            for other in self._services()
            if (other["metadata"].get("namespace"), other["metadata"]["name"]) != mine
        ]
        self._give_address(service, {ip for other in others for ip in other.get("clusterIPs", ())})
        if spec["type"] in OUTSIDE and spec.get("allocateLoadBalancerNodePorts", True):
            taken = {(port["protocol"], port.get("nodePort")) for other in others for port in other.get("ports", ())}
            kept = {port.get("nodePort") for port in (before or {}).get("spec", {}).get("ports", ())}
            self._give_ports(service, taken, kept)

    def _give_address(self, service: Object, taken: Container[str]) -> None:
        spec = service["spec"]
        if not spec.get("clusterIP") and spec.get("clusterIPs"):
            return  # refused by validation
        if not spec.get("clusterIP"):
            spec["clusterIP"] = self._free_address(taken)
        elif spec["clusterIP"] != "None":
            why = self._refusal(spec["clusterIP"], taken)
            if why:
                told = spec.get("clusterIPs") or [spec["clusterIP"]]
                raise _refused(service, "spec.clusterIPs", told, f"failed to allocate IP {spec['clusterIP']}: {why}")
        spec.setdefault("clusterIPs", [spec["clusterIP"]])

    def _refusal(self, text: str, taken: Container[str]) -> str:
        try:
            address = ip_address(text)
        except ValueError:
            return ""  # refused by validation
        if not isinstance(address, IPv4Address) or address not in self._network:
            return f"the provided IP ({text}) is not in the valid range. The range of valid IPs is {self._network}"
        return "provided IP is already allocated" if text in taken else ""

    def _free_address(self, taken: Container[str]) -> str:
        size = self._network.num_addresses - 2 - _KEPT
        start = self._chance(size)
        for step in range(size):
            address = str(self._network[1 + _KEPT + (start + step) % size])
            if address not in taken:
                return address
        raise status.internal("failed to allocate a serviceIP: range is full")

    def _give_ports(self, service: Object, taken: set[tuple[str, Any]], kept: Container[Any]) -> None:
        given: dict[int, int] = {}
        """Ports of one number and several protocols share a node's port."""
        for index, port in enumerate(service["spec"].get("ports", ())):
            protocol, wanted = port["protocol"], port.get("nodePort")
            if wanted:
                if wanted not in kept:
                    _check_port(service, index, wanted, (protocol, wanted) in taken)
            else:
                wanted = given.get(port.get("port", 0))
                if wanted is None or (protocol, wanted) in taken:
                    wanted = self._free_port(taken)
                port["nodePort"] = wanted
            given.setdefault(port.get("port", 0), wanted)
            taken.add((protocol, wanted))

    def _free_port(self, taken: set[tuple[str, Any]]) -> int:
        numbers = {number for _, number in taken}
        start = self._chance(len(NODE_PORTS))
        for step in range(len(NODE_PORTS)):
            number = NODE_PORTS[(start + step) % len(NODE_PORTS)]
            if number not in numbers:
                return number
        raise status.internal("failed to allocate a nodePort: range is full")


def _check_port(service: Object, index: int, number: int, taken: bool) -> None:
    why = "provided port is already allocated" if taken else ""
    if number not in NODE_PORTS:
        valid = f"{NODE_PORTS[0]}-{NODE_PORTS[-1]}"
        why = f"provided port is not in the valid range. The range of valid ports is {valid}"
    if why:
        raise _refused(service, f"spec.ports[{index}].nodePort", number, why)


def _refused(service: Object, field: str, value: Any, why: str) -> ApiStatusError:
    return status.invalid_object(SERVICE, service["metadata"].get("name", ""), [status.invalid(field, value, why)])
