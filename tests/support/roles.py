"""Service accounts that may do only so much, and kubeconfigs that use them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.world import Json, World

VIEW = {"apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get", "list", "watch"]}
SLICES = {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]}


def token(world: World, name: str, *rules: Json) -> str:
    """The token of a new service account that may do only this."""
    meta = {"metadata": {"name": name}}
    group = "rbac.authorization.k8s.io"
    world.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", **meta},
        {"apiVersion": f"{group}/v1", "kind": "Role", **meta, "rules": list(rules)},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            **meta,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": world.namespace}],
        },
    )
    return world.kubectl("create", "token", name, "--duration=1h").strip()


def may_forward(*verbs: str) -> Json:
    return {"apiGroups": [""], "resources": ["pods/portforward"], "verbs": list(verbs)}


def kubeconfig(path: Path, url: str, namespace: str, authority: str = "", bearer: str = "") -> list[str]:
    """Write one; the options that use it, with caches of its own."""
    cluster: dict[str, Any] = {"server": url}
    if authority:
        cluster["certificate-authority-data"] = authority
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "c",
                "clusters": [{"name": "c", "cluster": cluster}],
                "users": [{"name": "c", "user": {"token": bearer} if bearer else {}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c", "namespace": namespace}}],
            }
        )
    )
    return [f"--kubeconfig={path}"]
