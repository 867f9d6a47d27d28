"""What this user may do, asked before it is needed (SelfSubjectAccessReview, authorization.k8s.io/v1)."""

from __future__ import annotations

import json
from typing import Any, Protocol

from fairlead.errors import FairleadError, ForbiddenError
from fairlead.kit import log
from fairlead.kube.config import ClusterConfig
from fairlead.kube.status import Attempt

LOG = log.get(__name__)
_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_VERBS = ("create", "get")
"""A port-forward that begins with POST needs the first; where a server lets one begin with GET, the second may do."""


class Asker(Protocol):
    """The part of the API server's client that is needed here."""

    async def request(self, method: str, path: str, *, body: bytes | None = None) -> dict[str, Any]:
        """Send one request and return the object in its answer."""


async def may_forward(server: Asker, namespace: str) -> bool:
    """Whether this user may forward to pods of a namespace ("": of every one); True where that cannot be asked."""
    for verb in _VERBS:
        wanted = {"namespace": namespace, "verb": verb, "resource": "pods", "subresource": "portforward"}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": wanted},
        }
        try:
            answer = await server.request("POST", _PATH, body=json.dumps(review).encode())
        except FairleadError as error:
            LOG.decision("whether forwarding is allowed is not known: %s", error.what)
            return True
        status = answer.get("status")
        if not isinstance(status, dict) or status.get("allowed") is not False:
            return True
    return False


def may_not_forward(config: ClusterConfig, namespace: str) -> ForbiddenError:
    """What to say where that is not allowed; ``namespace`` as above."""
    attempt = Attempt("create", "pods/portforward", namespace, "", "", config.kubectl_options)
    where = f"in namespace {namespace}" if namespace else "in every namespace"
    what = f"this user may not create pods/portforward {where}"
    return ForbiddenError(what, code=403, reason="Forbidden", remedy=attempt.remedy)
