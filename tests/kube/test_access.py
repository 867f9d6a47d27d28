"""Whether forwarding is allowed, asked beforehand."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from fairlead.errors import FairleadError, ForbiddenError
from fairlead.kube.access import may_forward


class Reviews:
    """Allows these verbs; or answers with one error."""

    def __init__(self, *allowed: str, error: FairleadError | None = None) -> None:
        self.allowed = allowed
        self.error = error
        self.asked: list[dict[str, Any]] = []

    async def request(self, method: str, path: str, *, body: bytes | None = None) -> dict[str, Any]:
        assert (method, path) == ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        assert body is not None
        self.asked.append(json.loads(body)["spec"]["resourceAttributes"])
        if self.error is not None:
            raise self.error
        return {"status": {"allowed": self.asked[-1]["verb"] in self.allowed}}


@pytest.mark.parametrize(("allowed", "may"), [(("create",), True), (("get",), True), ((), False)])
def test_either_verb_will_do(allowed: tuple[str, ...], may: bool) -> None:
    reviews = Reviews(*allowed)
    assert asyncio.run(may_forward(reviews, "shop")) is may
    assert reviews.asked[0] == {
        "namespace": "shop",
        "verb": "create",
        "resource": "pods",
        "subresource": "portforward",
    }


def test_where_it_cannot_be_asked_it_is_tried() -> None:
    error = ForbiddenError("no reviews", code=403, reason="Forbidden", message="no reviews")
    assert asyncio.run(may_forward(Reviews(error=error), "shop")) is True
