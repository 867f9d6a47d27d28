"""Many services: namespaces with pods and services, made and removed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.place import Place, run_kubectl, test_image

Object = dict[str, object]
ANSWER = """
import socket
listener = socket.create_server(("::", 80), family=socket.AF_INET6, backlog=1024, dualstack_ipv6=True)
while True:
    sock, _ = listener.accept()
    with sock:
        sock.recv(4096)
        sock.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\nConnection: close\\r\\n\\r\\nhello\\n")
"""
"""For a pod of which there are many: small, and quick to start."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """``services`` in all, over so many namespaces and pods, in turn."""

    services: int
    namespaces: int = 1
    pods: int = 1

    def namespace(self, number: int) -> str:
        """Of one namespace."""
        return f"fairlead-bench-{os.getpid()}-{number}"

    @property
    def names(self) -> list[str]:
        """Every service, as ``name.namespace``."""
        return [f"s{at}.{self.namespace(at % self.namespaces)}" for at in range(self.services)]


@contextmanager
def present(where: Place, crowd: Crowd, image: str) -> Iterator[None]:
    """Have all of it, with its pods ready."""
    namespaces = [crowd.namespace(number) for number in range(crowd.namespaces)]
    try:
        run_kubectl(where, "create", "-f", "-", text=_list(map(_namespace, namespaces)))
        run_kubectl(where, "create", "-f", "-", text=_list(_pod(crowd, at, image) for at in range(crowd.pods)))
        run_kubectl(where, "create", "-f", "-", text=_list(_service(crowd, at) for at in range(crowd.services)))
        for namespace in namespaces:
            run_kubectl(where, "wait", "--for=condition=Ready", "pod", "--all", "--timeout=300s", "-n", namespace)
        yield
    finally:
        run_kubectl(where, "delete", "namespace", *namespaces, "--ignore-not-found", "--timeout=280s")


def _list(items: Iterator[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)})


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _pod(crowd: Crowd, at: int, image: str) -> Object:
    meta = {"name": f"p{at}", "namespace": crowd.namespace(at % crowd.namespaces), "labels": {"app": f"p{at}"}}
    container = {
        "name": "app",
        "image": image or test_image(),
        "imagePullPolicy": "IfNotPresent" if image else "Never",
        "command": ["python3", "-S", "-c", ANSWER],
        "readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 1},
    }
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _service(crowd: Crowd, at: int) -> Object:
    meta = {"name": f"s{at}", "namespace": crowd.namespace(at % crowd.namespaces)}
    # As many pods as namespaces, or of one namespace: the pod of a service is in its namespace.
    spec = {"selector": {"app": f"p{at % crowd.pods}"}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}
