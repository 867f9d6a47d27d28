"""Whether what is needed is allowed, asked beforehand."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fairlead.cli import report
from fairlead.errors import FairleadError, ForbiddenError
from fairlead.kube.access import FORWARD, SEE_PODS, SEE_SERVICES, missing, refusal
from fairlead.kube.config import ClusterConfig

ALL = (SEE_SERVICES, SEE_PODS, FORWARD)
CONFIG = cast("ClusterConfig", SimpleNamespace(kubectl_options="--context=c"))


class Reviews:
    """Allows these verbs on these resources, everywhere or in one namespace; or answers with one error."""

    def __init__(self, *allowed: str, error: FairleadError | None = None) -> None:
        self.allowed = allowed
        self.error = error
        self.asked: list[dict[str, str]] = []

    async def request(self, method: str, path: str, *, body: bytes | None = None) -> dict[str, Any]:
        assert (method, path) == ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        assert body is not None
        asked = json.loads(body)["spec"]["resourceAttributes"]
        self.asked.append(asked)
        if self.error is not None:
            raise self.error
        words = f"{asked['verb']} {asked['subresource'] or asked['resource']}"
        return {"status": {"allowed": words in self.allowed or f"{words} {asked['namespace']}" in self.allowed}}


@pytest.mark.parametrize("allowed", ["create portforward", "get portforward"])
def test_either_way_will_do(allowed: str) -> None:
    reviews = Reviews(allowed)
    assert asyncio.run(missing(reviews, (FORWARD,), ("shop",))) == {}
    assert reviews.asked[0] == {
        "namespace": "shop",
        "verb": "create",
        "group": "",
        "resource": "pods",
        "subresource": "portforward",
    }
    assert asyncio.run(missing(Reviews("list pods"), (SEE_PODS,), ("shop",))) == {}
    asked = Reviews()
    asyncio.run(missing(asked, (SEE_PODS,), ("",)))
    assert (asked.asked[0]["group"], asked.asked[0]["resource"]) == ("discovery.k8s.io", "endpointslices")


def test_where_it_cannot_be_asked_it_is_tried() -> None:
    error = ForbiddenError("no reviews", code=403, reason="Forbidden", message="no reviews")
    assert asyncio.run(missing(Reviews(error=error), ALL, ("shop",))) == {}


FORBIDDEN = 'services is forbidden: User "jo" cannot list resource "services" in API group "" in the namespace "shop"'


@pytest.mark.parametrize(
    ("allowed", "namespaces", "said", "line"),
    [
        (
            (),
            ("shop",),
            FORBIDDEN,
            'user "jo" may not list services, list endpointslices.discovery.k8s.io (or pods) or create '
            "pods/portforward in namespace shop (ask for a role with these verbs; check with: "
            "kubectl auth can-i list services -n shop --context=c; "
            "kubectl auth can-i list endpointslices.discovery.k8s.io -n shop --context=c; "
            "kubectl auth can-i create pods --subresource=portforward -n shop --context=c)",
        ),
        (
            ("list services", "list pods"),
            ("shop", "pay"),
            "",
            "this user may not create pods/portforward in namespaces shop, pay (ask for a role with the verb create on "
            "pods/portforward; check with: kubectl auth can-i create pods --subresource=portforward -n shop "
            "--context=c)",
        ),
        (
            ("list services", "list pods", "create portforward pay"),
            ("",),
            "",
            "this user may not create pods/portforward in all namespaces (ask for a cluster role with the verb create "
            "on pods/portforward, or choose namespaces with -n; check with: "
            "kubectl auth can-i create pods --subresource=portforward -A --context=c)",
        ),
        (
            ("list services pay", "list pods", "create portforward"),
            ("shop", "pay"),
            "no",
            "this user may not list services in namespace shop (ask for a role with the verb list on services; "
            "check with: kubectl auth can-i list services -n shop --context=c)",
        ),
        (
            ("list services", "list pods pay"),
            ("shop", "pay"),
            "",
            "this user may not list endpointslices.discovery.k8s.io (or pods) or create pods/portforward in namespace "
            "shop; nor create pods/portforward in namespace pay (ask for a role with these verbs; check with: "
            "kubectl auth can-i list endpointslices.discovery.k8s.io -n shop --context=c; "
            "kubectl auth can-i create pods --subresource=portforward -n shop --context=c; "
            "kubectl auth can-i create pods --subresource=portforward -n pay --context=c)",
        ),
    ],
)
def test_all_that_is_missing_is_one_sentence(
    allowed: tuple[str, ...], namespaces: tuple[str, ...], said: str, line: str
) -> None:
    lacking = asyncio.run(missing(Reviews(*allowed), ALL, namespaces))
    assert str(refusal(CONFIG, lacking, said)) == line


def test_several_commands_to_check_with_are_a_line_each_for_a_person() -> None:
    lacking = asyncio.run(missing(Reviews("list services"), ALL, ("shop",)))
    error = refusal(CONFIG, lacking)
    start = "error: this user may not list endpointslices.discovery.k8s.io (or pods) or create pods/portforward in "
    assert (
        report.lines(error)
        == report.lines(ExceptionGroup("", [error]))
        == [
            f"{start}namespace shop (ask for a role with these verbs); check with:",
            "  kubectl auth can-i list endpointslices.discovery.k8s.io -n shop --context=c",
            "  kubectl auth can-i create pods --subresource=portforward -n shop --context=c",
        ]
    )
    assert "\n" not in report.failure(error)[0]
    one = refusal(CONFIG, {"shop": (FORWARD,)})
    assert report.lines(one) == [report.failure(one)[0]]
