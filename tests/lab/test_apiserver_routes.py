"""What the paths of the API mean."""

from __future__ import annotations

import pytest

from fairlead.lab.apiserver.routes import Target, asked
from fairlead.lab.registry.kinds import DEPLOYMENT, ENDPOINT_SLICE, NAMESPACE, NODE, POD


@pytest.mark.parametrize(
    ("method", "url", "verb", "target"),
    [
        ("GET", "/api/v1/pods", "list", Target(POD)),
        ("GET", "/api/v1/pods?watch=true", "watch", Target(POD)),
        ("GET", "/api/v1/pods?watch=1&resourceVersion=5", "watch", Target(POD)),
        ("GET", "/api/v1/pods?watch=0", "list", Target(POD)),
        ("POST", "/api/v1/namespaces/ns/pods", "create", Target(POD, "ns")),
        ("DELETE", "/api/v1/namespaces/ns/pods?labelSelector=a%3Db", "deletecollection", Target(POD, "ns")),
        ("DELETE", "/api/v1/namespaces/ns/pods/a", "delete", Target(POD, "ns", "a")),
        ("PATCH", "/api/v1/namespaces/ns/pods/a/status", "patch", Target(POD, "ns", "a", "status")),
        ("GET", "/api/v1/namespaces/ns/pods/a/log?follow=true", "get", Target(POD, "ns", "a", "log")),
        ("GET", "/api/v1/namespaces", "list", Target(NAMESPACE)),
        ("GET", "/api/v1/namespaces/status", "get", Target(NAMESPACE, "", "status")),
        ("PUT", "/api/v1/namespaces/ns/finalize", "update", Target(NAMESPACE, "", "ns", "finalize")),
        ("GET", "/api/v1/nodes/n", "get", Target(NODE, "", "n")),
        ("PUT", "/apis/apps/v1/namespaces/ns/deployments/d/scale", "update", Target(DEPLOYMENT, "ns", "d", "scale")),
        ("GET", "/apis/discovery.k8s.io/v1/endpointslices", "list", Target(ENDPOINT_SLICE)),
        ("GET", "/api/v1/namespaces/ns/pods/a%2Fb", "get", Target(POD, "ns", "a/b")),
        ("GET", "/api/v1", "get", None),
        ("GET", "/api/v1/", "get", None),
        ("GET", "/", "get", None),
        ("GET", "", "get", None),
        ("GET", "/healthz", "get", None),
        ("GET", "/api/v2/pods", "get", None),
        ("GET", "/api/v1/pods/a", "get", None),
        ("GET", "/api/v1/namespaces/ns/nodes", "get", None),
        ("GET", "/api/v1/namespaces/ns/pods/a/nonsense", "get", None),
        ("GET", "/api/v1/namespaces/ns/pods/a/log/x", "get", None),
        ("GET", "/api/v1/namespaces//pods", "get", None),
        ("GET", "/apis/apps/v1/pods", "get", None),
        ("BREW", "/api/v1/pods", "brew", Target(POD)),
    ],
)
def test_what_is_asked(method: str, url: str, verb: str, target: Target | None) -> None:
    found = asked(method, url)
    assert (found.verb, found.target) == (verb, target)


def test_parameters() -> None:
    found = asked("GET", "/api/v1/namespaces/ns/pods/a/exec?command=sh&command=-c&tty=true&x=")
    assert found.all("command") == ("sh", "-c")
    assert (found.one("tty"), found.one("x"), found.one("nothing")) == ("true", "", "")
    assert (found.is_true("tty"), found.is_true("x"), found.is_true("nothing")) == (True, False, False)
