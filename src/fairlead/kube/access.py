"""What this user may do, asked before it is needed (SelfSubjectAccessReview, authorization.k8s.io/v1)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from fairlead.errors import FairleadError, ForbiddenError
from fairlead.kit import log
from fairlead.kit.tasks import together
from fairlead.kube.config import ClusterConfig
from fairlead.kube.status import Attempt, user_in

LOG = log.get(__name__)
_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class Right(NamedTuple):
    """Something that is needed, in RBAC's words; each of ``ways`` is a verb and a resource, and any one will do."""

    words: str
    ways: tuple[tuple[str, str], ...]


SEE_SERVICES = Right("list services", (("list", "services"),))
SEE_PODS = Right(
    "list endpointslices.discovery.k8s.io (or pods)", (("list", "endpointslices.discovery.k8s.io"), ("list", "pods"))
)
FORWARD = Right("create pods/portforward", (("create", "pods/portforward"), ("get", "pods/portforward")))
"""A port-forward that begins with POST needs the first; where a server lets one begin with GET, the second may do."""


class Asker(Protocol):
    """The part of the API server's client that is needed here."""

    async def request(self, method: str, path: str, *, body: bytes | None = None) -> dict[str, Any]:
        """Send one request and return the object in its answer."""


async def missing(server: Asker, rights: Sequence[Right], namespaces: Sequence[str]) -> dict[str, tuple[Right, ...]]:
    """The rights that this user has not, by namespace ("": in all of them together); none if that cannot be asked."""
    wanted = [(namespace, right) for namespace in namespaces for right in rights]
    has = await together([(_has(server, *each), "ask for a right") for each in wanted])
    found: dict[str, tuple[Right, ...]] = {}
    for (namespace, right), yes in zip(wanted, has, strict=True):
        if not yes:
            found[namespace] = (*found.get(namespace, ()), right)
    return found


async def _has(server: Asker, namespace: str, right: Right) -> bool:
    for verb, resource in right.ways:
        kind, _, subresource = resource.partition("/")
        plural, _, group = kind.partition(".")
        wanted = {"namespace": namespace, "verb": verb, "group": group, "resource": plural, "subresource": subresource}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": wanted},
        }
        try:
            answer = await server.request("POST", _PATH, body=json.dumps(review).encode())
        except FairleadError as error:
            LOG.decision("whether this user may %s is not known: %s", right.words, error.what)
            return True
        status = answer.get("status")
        if not isinstance(status, dict) or status.get("allowed") is not False:
            return True
    return False


def refusal(config: ClusterConfig, lacking: Mapping[str, Sequence[Right]], said: str = "") -> ForbiddenError:
    """What to say of rights that are missing, all at once; ``said`` are the API server's words about one of them."""
    places: dict[tuple[Right, ...], list[str]] = {}
    for namespace, rights in lacking.items():
        places.setdefault(tuple(rights), []).append(namespace)
    what = "; nor ".join(f"{_listed(rights)} {_place(where)}" for rights, where in places.items())
    attempts = [
        Attempt(*right.ways[0], where[0], "", "", config.kubectl_options)
        for rights, where in places.items()
        for right in rights
    ]
    few = len(attempts) == 1
    role = f"a {'role' if all(lacking) else 'cluster role'} with {attempts[0].verb_on if few else 'these verbs'}"
    instead = "" if all(lacking) else ", or choose namespaces with -n"
    check = f"; check with: {attempts[0].check}" if few else ""
    error = ForbiddenError(
        f"{user_in(said) or 'this user'} may not {what}",
        code=403,
        reason="Forbidden",
        remedy=f"ask for {role}{instead}{check}",
    )
    if not few:
        error.checks = tuple(attempt.check for attempt in attempts)
    return error


def _listed(rights: Sequence[Right]) -> str:
    *before, last = (right.words for right in rights)
    return f"{', '.join(before)} or {last}" if before else last


def _place(namespaces: Sequence[str]) -> str:
    if "" in namespaces:
        return "in all namespaces"
    return f"in namespace{'s' if len(namespaces) > 1 else ''} {', '.join(namespaces)}"
