"""What is in the volumes of a pod, and where its containers have them; pure."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from fairlead.lab.runtime.argv import expand
from fairlead.lab.runtime.config import NodeError
from fairlead.lab.runtime.pod_facts import FieldError, Object, field, resource
from fairlead.lab.runtime.root import Bind
from fairlead.lab.runtime.variables import Find, texts

_MODE = 0o644
_TOKEN_SECONDS = 3600


class File(NamedTuple):
    """One file of a volume."""

    data: bytes
    mode: int = _MODE


class Files(NamedTuple):
    """A volume of files that somebody else may change: by their paths in it. Read only for containers."""

    files: Mapping[str, File]


class Empty(NamedTuple):
    """A folder that lives as long as the pod."""


class Host(NamedTuple):
    """A file or folder of the machine."""

    path: str
    type: str = ""
    """As hostPath has it: "" does not look."""


Content: TypeAlias = Files | Empty | Host


class Sources(NamedTuple):
    """Where what is in volumes comes from."""

    find: Find
    token: Callable[[str, int], str]
    """A token of the pod's service account, for an audience, "" for the API server, and so many seconds."""
    ip: str = ""
    """The pod's address; "" while it has none."""
    node: Object = {}  # noqa: RUF012
    """The capacity of the node."""


def content(pod: Object, volume: Object, sources: Sources) -> Content:
    """What is in a volume. Raises NodeError (FailedMount)."""
    name = volume["name"]
    try:
        if "emptyDir" in volume or "ephemeral" in volume:
            return Empty()
        if "hostPath" in volume:
            return Host(volume["hostPath"]["path"], volume["hostPath"].get("type") or "")
        for key, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
            if key in volume:
                return Files(dict(_of_object(kind, volume[key], sources.find, _default(volume[key]))))
        if "downwardAPI" in volume:
            return Files(dict(_downward(pod, volume["downwardAPI"], sources, _default(volume["downwardAPI"]))))
        if "projected" in volume:
            return Files(dict(_projected(pod, volume["projected"], sources)))
    except (FieldError, ValueError, LookupError) as error:
        raise NodeError("FailedMount", f'MountVolume.SetUp failed for volume "{name}" : {error}') from error
    kind = next((key for key in volume if key != "name"), "nothing")
    raise NodeError("FailedMount", f'volume "{name}" is of the type {kind}, which fairlead lab does not have')


def binds(container: Object, paths: Mapping[str, str], files: Iterable[str], env: Mapping[str, str]) -> list[Bind]:
    """The mounts of a container. ``paths`` are the volumes' folders on the node, ``files`` names of those volumes that
    containers only read; ``env`` is for subPathExpr. Raises NodeError."""
    found = []
    for mount in container.get("volumeMounts") or ():
        name = mount["name"]
        if name not in paths:
            raise NodeError("CreateContainerConfigError", f'volume "{name}" is not among those of the pod')
        below = mount.get("subPath") or expand(mount.get("subPathExpr") or "", env)
        if below.startswith("/") or ".." in below.split("/"):
            raise NodeError("CreateContainerConfigError", f'the sub path "{below}" leads out of volume "{name}"')
        source = posixpath.join(paths[name], below) if below else paths[name]
        target = posixpath.normpath("/" + mount["mountPath"].lstrip("/"))
        found.append(Bind(source, target, bool(mount.get("readOnly")) or name in files))
    return found


def _default(source: Object) -> int:
    return int(source.get("defaultMode", _MODE))


def _of_object(kind: str, source: Object, find: Find, mode: int) -> Iterator[tuple[str, File]]:
    name = source.get("secretName") or source.get("name", "")
    found = find(kind, name)
    if found is None:
        if source.get("optional"):
            return
        raise FieldError(f'{kind.lower()} "{name}" not found')
    data = texts(kind, found)
    if not source.get("items"):
        for key, text in data.items():
            yield key, File(text, mode)
    for item in source.get("items") or ():
        if item["key"] in data:
            yield _inside(item["path"]), File(data[item["key"]], int(item.get("mode", mode)))
        elif not source.get("optional"):
            raise FieldError(
                f"references non-existent {'config' if kind == 'ConfigMap' else 'secret'} key: {item['key']}"
            )


def _downward(pod: Object, source: Object, sources: Sources, mode: int) -> Iterator[tuple[str, File]]:
    for item in source.get("items") or ():
        if "resourceFieldRef" in item:
            text = resource(pod, item["resourceFieldRef"], None, sources.node)
        else:
            text = field(pod, item["fieldRef"]["fieldPath"], sources.ip)
        yield _inside(item["path"]), File(text.encode(), int(item.get("mode", mode)))


def _projected(pod: Object, source: Object, sources: Sources) -> Iterator[tuple[str, File]]:
    mode = _default(source)
    for each in source.get("sources") or ():
        for key, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
            if key in each:
                yield from _of_object(kind, each[key], sources.find, mode)
        if "downwardAPI" in each:
            yield from _downward(pod, each["downwardAPI"], sources, mode)
        if "serviceAccountToken" in each:
            token = each["serviceAccountToken"]
            seconds = int(token.get("expirationSeconds") or _TOKEN_SECONDS)
            yield _inside(token["path"]), File(sources.token(token.get("audience", ""), seconds).encode(), mode)


def _inside(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/"):
        raise FieldError(f'the path "{path}" leads out of the volume')
    return posixpath.normpath(path)
