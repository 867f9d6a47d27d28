"""TYPE words, such as ``svc``, ``deployment.apps`` or ``pods.v1.``, and where in the API their objects are.

What can be forwarded to is in a table, so that the usual start costs no discovery. Any other word is looked up as
kubectl does, only to say the same of it: that the server has no such type, or that one cannot attach to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from fairlead.errors import ApiError, FairleadError, NotFoundError, UsageError
from fairlead.kit.tasks import spawn
from fairlead.policy.url import quote


class Getter(Protocol):
    """The part of the API server's client that is needed here."""

    async def get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
        """Return the JSON object at ``path``."""


class Resource(NamedTuple):
    """One type of object; ``words`` are its plural, singular, kind and short names in lower case."""

    kind: str
    plural: str
    group: str
    version: str
    words: frozenset[str]
    namespaced: bool = True

    def path(self, namespace: str, name: str = "") -> str:
        """The path of one object, or of all; without a namespace, of all namespaces together."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{quote(namespace)}" if self.namespaced and namespace else ""
        return f"{root}{inside}/{self.plural}" + (f"/{quote(name)}" if name else "")


def _table(kind: str, group: str, *short: str) -> Resource:
    plural = f"{kind.lower()}s"
    return Resource(kind, plural, group, "v1", frozenset({kind.lower(), plural, *short}))


POD = _table("Pod", "", "po")
SERVICE = _table("Service", "", "svc")
ENDPOINT_SLICE = _table("EndpointSlice", "discovery.k8s.io")
WORKLOADS = (
    _table("Deployment", "apps", "deploy"),
    _table("ReplicaSet", "apps", "rs"),
    _table("StatefulSet", "apps", "sts"),
    _table("DaemonSet", "apps", "ds"),
    _table("ReplicationController", "", "rc"),
    _table("Job", "batch"),
)
FORWARDABLE = (POD, SERVICE, *WORKLOADS)
SHORT_WORDS = {"Service": "svc", "Deployment": "deploy", "ReplicaSet": "rs", "StatefulSet": "sts", "DaemonSet": "ds"}
"""How a kind is written in a message; the others by their lower-case kind."""


def target_word(kind: str, name: str) -> str:
    """Write a target as a user would type it: ``deploy/web``."""
    return f"{SHORT_WORDS.get(kind, kind.lower())}/{name}"


def owned_by(kind: str, api_version: str) -> Resource | None:
    """Return the workload type that an owner reference means."""
    return next(
        (each for each in WORKLOADS if each.kind == kind and api_version == f"{each.group}/v1".lstrip("/")), None
    )


def match(word: str, resources: Sequence[Resource]) -> Resource | None:
    """Find the type for a word: ``name``, ``name.group`` or ``name.version.group``, in any case.

    A group may be cut short (``deploy.app``), as kubectl allows.
    """
    for name, version, group in _readings(word.lower()):
        exact = [each for each in resources if name in each.words and version in ("", each.version)]
        if group is None:
            found = exact
        else:
            found = [each for each in exact if each.group == group] or [
                each for each in exact if group and each.group.startswith(group)
            ]
        if found:
            return found[0]
    return None


async def find(server: Getter, word: str) -> Resource:
    """Find the type for a word, asking the server about one that is not in the table.

    Raises NotFoundError, with kubectl's words, if there is none.
    """
    found = match(word, FORWARDABLE) or match(word, await _discover(server))
    if found is None:
        name = word.split(".")[0]
        raise NotFoundError(
            f'the server doesn\'t have a resource type "{name}"',
            remedy=f"{_meant(name)}forward knows pod, svc, deploy, rs, sts, ds, rc and job",
        )
    return found


def _meant(name: str) -> str:
    """The type that a mistyped word is like, as a question; "" if there is none."""
    from difflib import get_close_matches  # for an error message alone

    words = {word: each.kind for each in FORWARDABLE for word in each.words}
    near = get_close_matches(name.lower(), words, 1, 0.75)
    return f"did you mean {target_word(words[near[0]], '')}? " if near else ""


def refuse(resource: Resource) -> UsageError:
    """The error for an object that exists and has no pods behind it."""
    if "." in resource.group.removesuffix(".k8s.io"):
        words = f"cannot attach to {resource.kind} of {resource.group}: only its own controller knows its pods"
    else:
        what = f"*{resource.version}.{resource.kind}"
        words = f"cannot attach to {what}: selector for {what} not implemented"
    return UsageError(words, remedy=no_pods(resource))


def no_pods(resource: Resource) -> str:
    """Say that one cannot forward to this type, and what to do instead."""
    if resource.kind == "CronJob":
        return "forward to one of the CronJob's jobs: job/NAME"
    return "this kind leads to no pods: forward to a pod, svc, deploy, rs, sts, ds, rc or job"


def _readings(word: str) -> Iterator[tuple[str, str, str | None]]:
    """Every way to read a word as (name, version, group); a group of None is any."""
    name, dot, rest = word.partition(".")
    if not dot:
        yield name, "", None
        return
    version, dot, group = rest.partition(".")
    if dot:
        yield name, version, group
    yield name, "", rest


async def _discover(server: Getter) -> list[Resource]:
    """List every type that the server has: the core group first, then as the server orders its groups."""
    versions = ["/api/v1"]
    groups = (await server.get("/apis")).get("groups")
    for group in groups if isinstance(groups, list) else ():
        preferred = group.get("preferredVersion") if isinstance(group, dict) else None
        name = preferred.get("groupVersion") if isinstance(preferred, dict) else None
        if isinstance(name, str):
            versions.append(f"/apis/{name}")
    turns = asyncio.Semaphore(_DISCOVERY_AT_ONCE)
    async with asyncio.TaskGroup() as group_tasks:
        lists = [spawn(group_tasks, _listed(server, path, turns), name=f"discovery {path}") for path in versions]
    found: list[Resource] = []
    for task in lists:
        result = task.result()
        if isinstance(result, FairleadError):
            raise result
        found.extend(result)
    return found


_DISCOVERY_AT_ONCE = 8
"""Requests under way together; a server has some thirty groups, and the client's pool is small."""


async def _listed(server: Getter, path: str, turns: asyncio.Semaphore) -> list[Resource] | FairleadError:
    async with turns:
        try:
            entries = (await server.get(path)).get("resources")
        except ApiError:
            # One group whose own server is down hides only itself, as with kubectl.
            return []
        except FairleadError as error:
            # Returned, since a group of tasks would wrap it.
            return error
    _, _, group_version = path.removeprefix("/api/").rpartition("apis/")
    group, _, version = group_version.rpartition("/")
    found = []
    for entry in entries if isinstance(entries, list) else ():
        name, kind = (entry.get("name"), entry.get("kind")) if isinstance(entry, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(kind, str) or "/" in name:
            continue
        short = entry.get("shortNames")
        words = {name, kind.lower(), str(entry.get("singularName") or name)}
        words.update(map(str, short) if isinstance(short, list) else ())
        found.append(Resource(kind, name, group, version, frozenset(words), entry.get("namespaced") is not False))
    return found
