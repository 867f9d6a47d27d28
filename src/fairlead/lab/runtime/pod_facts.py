"""What a pod may say of itself to its containers: the downward API, by fieldRef and resourceFieldRef; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_UP
from typing import Any, TypeAlias

from fairlead.lab.node.plan import NODE
from fairlead.lab.registry import quantity

Object: TypeAlias = Mapping[str, Any]

_KEYED = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class FieldError(Exception):
    """There is no such field."""


def field(pod: Object, path: str, ip: str) -> str:
    """The value of a field of the pod, which has the address ``ip``. Raises FieldError."""
    meta, spec = pod["metadata"], pod["spec"]
    keyed = _KEYED.fullmatch(path)
    if keyed:
        return str((meta.get(keyed[1]) or {}).get(keyed[2], ""))
    known = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta.get("uid", ""),
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.podIP": ip,
        "status.podIPs": ip,
        "status.hostIP": NODE,
        "status.hostIPs": NODE,
        "metadata.labels": _lines(meta.get("labels")),
        "metadata.annotations": _lines(meta.get("annotations")),
    }
    if path not in known:
        raise FieldError(f"unsupported fieldPath: {path}")
    return str(known[path])


def resource(pod: Object, reference: Object, container: Object | None, node: Object) -> str:
    """A limit or a request of a container; what has no limit has that of the node's capacity. Raises FieldError."""
    name = reference.get("containerName")
    if name:
        specs = (*pod["spec"]["containers"], *pod["spec"].get("initContainers", ()))
        container = next((each for each in specs if each["name"] == name), None)
    if container is None:
        raise FieldError(f"container {name} not found")
    kind, _, what = str(reference["resource"]).partition(".")
    resources = container.get("resources") or {}
    if kind not in ("limits", "requests") or not what:
        raise FieldError(f"unsupported container resource : {reference['resource']}")
    text = (resources.get(kind) or {}).get(what)
    if text is None:
        text = node.get(what, "0") if kind == "limits" else (resources.get("limits") or {}).get(what, "0")
    divisor = str(reference.get("divisor") or "1")
    amount = quantity.value(str(text)) / (quantity.value(divisor) or 1)
    return str(int(amount.to_integral_value(ROUND_UP)))


def _lines(values: Mapping[str, str] | None) -> str:
    return "\n".join(f'{key}="{_quoted(value)}"' for key, value in sorted((values or {}).items()))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
