"""What there is: groups, versions, resources and their verbs, in the older form (one document a version) and the newer
one (all in two, apidiscovery.k8s.io)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from fairlead.lab.registry.kinds import KINDS, Kind
from fairlead.lab.registry.values import Object

VERSION = "v1.36.3+fairlead-lab"
"""The Kubernetes whose fields and words these are, and what it is instead."""

SELF_SUBJECT_REVIEW = Kind("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False)
TOKEN_REVIEW = Kind("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)
LOCAL_SUBJECT_ACCESS_REVIEW = Kind(
    "authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview"
)
SELF_SUBJECT_ACCESS_REVIEW = Kind(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)
SELF_SUBJECT_RULES_REVIEW = Kind(
    "authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", namespaced=False
)
SUBJECT_ACCESS_REVIEW = Kind(
    "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False
)
REVIEWS = (
    SELF_SUBJECT_REVIEW, TOKEN_REVIEW, LOCAL_SUBJECT_ACCESS_REVIEW, SELF_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_RULES_REVIEW, SUBJECT_ACCESS_REVIEW,
)  # fmt: skip
"""Questions: answered where they are created, and kept nowhere."""


class Subresource(NamedTuple):
    """A part of an object, or something done with it."""

    verbs: tuple[str, ...]
    kind: str = ""
    """Of what is sent or answered; "" for the object's own."""
    group: str = ""
    """"" for the object's own."""
    version: str = ""


_READ_AND_CHANGED = ("get", "patch", "update")
_CONNECTED = ("create", "get")
SUBRESOURCES = {
    "status": Subresource(_READ_AND_CHANGED),
    "scale": Subresource(_READ_AND_CHANGED, "Scale", "autoscaling", "v1"),
    "ephemeralcontainers": Subresource(_READ_AND_CHANGED),
    "finalize": Subresource(("update",)),
    "log": Subresource(("get",)),
    "exec": Subresource(_CONNECTED, "PodExecOptions"),
    "attach": Subresource(_CONNECTED, "PodAttachOptions"),
    "portforward": Subresource(_CONNECTED, "PodPortForwardOptions"),
    "binding": Subresource(("create",), "Binding"),
    "eviction": Subresource(("create",), "Eviction", "policy", "v1"),
    "token": Subresource(("create",), "TokenRequest", "authentication.k8s.io", "v1"),
}
_ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_GROUPS = tuple(dict.fromkeys((kind.group, kind.version) for kind in (*KINDS, *REVIEWS)))


def group_versions() -> Sequence[tuple[str, str]]:
    """All groups, each with its only version; "" is the core."""
    return _GROUPS


def kinds_of(group: str, version: str) -> list[Kind]:
    """What a version of a group has, by name."""
    found = [kind for kind in (*KINDS, *REVIEWS) if (kind.group, kind.version) == (group, version)]
    return sorted(found, key=lambda kind: kind.plural)


def verbs(kind: Kind) -> tuple[str, ...]:
    """What can be done with the objects of a kind."""
    if kind in REVIEWS:
        return ("create",)
    # A cluster lets nobody delete all namespaces at once.
    return tuple(verb for verb in _ALL if verb != "deletecollection" or kind.plural != "namespaces")


def _group_version(group: str, version: str) -> str:
    return f"{group}/{version}" if group else version


def api_versions(server: str) -> Object:
    """``/api``; ``server`` is the address that the client reached, with its port."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": server}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def api_groups() -> Object:
    """``/apis``."""
    groups = [_group(group, version) for group, version in _GROUPS if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def api_group(group: str) -> Object | None:
    """``/apis/GROUP``; None if there is no such group."""
    for name, version in _GROUPS:
        if name == group != "":
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, version)}
    return None


def _group(group: str, version: str) -> Object:
    told = {"groupVersion": _group_version(group, version), "version": version}
    return {"name": group, "versions": [told], "preferredVersion": told}


def api_resources(group: str, version: str) -> Object | None:
    """``/api/v1`` and ``/apis/GROUP/VERSION``; None if there is no such version."""
    if (group, version) not in _GROUPS:
        return None
    resources = [entry for kind in kinds_of(group, version) for entry in _entries(kind)]
    name = _group_version(group, version)
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": resources}


def _entries(kind: Kind) -> Iterator[Object]:
    entry: dict[str, Any] = {
        "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind,
        "verbs": list(verbs(kind)),
    }  # fmt: skip
    if kind.short:
        entry["shortNames"] = list(kind.short)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    yield entry
    for name in sorted(kind.subresources):
        part = SUBRESOURCES[name]
        other = {"group": part.group, "version": part.version} if part.group else {}
        yield {
            "name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced, **other,
            "kind": part.kind or kind.kind, "verbs": list(part.verbs),
        }  # fmt: skip


def aggregated(*, core: bool, form: str) -> Object:
    """``/api`` (core) or ``/apis``, all in one document; ``form`` is the version of apidiscovery.k8s.io."""
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None},
            "versions": [
                {
                    "version": version,
                    "resources": [_aggregated_entry(kind) for kind in kinds_of(group, version)],
                    "freshness": "Current",
                }
            ],
        }
        for group, version in _GROUPS
        if (group == "") == core
    ]
    return {
        "kind": "APIGroupDiscoveryList", "apiVersion": f"apidiscovery.k8s.io/{form}", "metadata": {}, "items": items,
    }  # fmt: skip


def _aggregated_entry(kind: Kind) -> Object:
    entry: dict[str, Any] = {
        "resource": kind.plural,
        "responseKind": {"group": "", "version": "", "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(verbs(kind)),
    }
    if kind.short:
        entry["shortNames"] = list(kind.short)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    if kind.subresources:
        entry["subresources"] = [
            {
                "subresource": name,
                "responseKind": {"group": part.group, "version": part.version, "kind": part.kind or kind.kind},
                "verbs": list(part.verbs),
            }
            for name, part in ((name, SUBRESOURCES[name]) for name in sorted(kind.subresources))
        ]
    return entry


def version(machine: str) -> Object:
    """``/version``; ``machine`` is the processor as Go names it, such as amd64."""
    major, minor, _ = VERSION.removeprefix("v").split(".", 2)
    return {
        "major": major, "minor": minor, "gitVersion": VERSION, "gitCommit": "", "gitTreeState": "", "buildDate": "",
        "goVersion": "none: this is a Fairlead lab", "compiler": "", "platform": f"linux/{machine}",
    }  # fmt: skip
