"""A service's sessionAffinity: each client address keeps to the pod that it had."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from tests.support.commandline import LIMIT, CommandLine, echoes
from tests.support.fakecluster import FakeCluster
from tests.support.objects import SERVICES, service


def test_each_client_keeps_its_pod(line: CommandLine, cluster: FakeCluster) -> None:
    cluster.add_pod("web-2")
    ports = ({"name": "echo", "port": 80, "targetPort": "echo", "protocol": "TCP"},)
    cluster.do(lambda: cluster.api.put(SERVICES, service("web", ports=ports, sessionAffinity="ClientIP")))
    with line.forward("svc/web", ":80") as running, ExitStack() as clients:

        def connect(source: str) -> str:
            """The pod that a connection from this address reaches; the connection stays."""
            before = {name: len(each.dialled) for name, each in cluster.pods.items()}
            address = ("127.0.0.1", running.port(cluster.echo))
            sock = socket.create_connection(address, timeout=LIMIT, source_address=(source, 0))
            assert echoes(clients.enter_context(sock))
            return next(name for name, each in cluster.pods.items() if len(each.dialled) > before[name])

        first, second = connect("127.0.0.2"), connect("127.0.0.3")
        assert first != second
        assert [connect("127.0.0.2") for _ in range(3)] == [first] * 3
        assert [connect("127.0.0.3") for _ in range(3)] == [second] * 3
