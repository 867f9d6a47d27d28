"""A namespace of a real cluster, and the objects that the real tests put there."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import podapp

Json = dict[str, Any]
APP = Path(podapp.__file__)


def within(limit: float, done: Callable[[], Any], what: str, *, pause: float = 0.05) -> Any:
    """Poll until ``done`` gives something true, and return that; a deadline, not a pause."""
    deadline = time.monotonic() + limit
    while not (value := done()):
        assert time.monotonic() < deadline, f"{what}: not within {limit:g} s"
        time.sleep(pause)
    return value


@dataclass
class World:
    """One namespace; ``kubectl`` works in it."""

    kubeconfig: Path
    kubectl_path: str
    image: str
    pull: str
    namespace: str = "default"
    labels: Json = field(default_factory=lambda: {"fairlead-test": "real"})

    def kubectl(self, *words: str, text: str | None = None, check: bool = True, limit: float = 90) -> str:
        """Run it; its standard output, and with ``check=False`` its standard error too."""
        command = [self.kubectl_path, f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}", *words]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=limit, check=False)
        assert not check or done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout if check else done.stdout + done.stderr

    def get(self, *words: str) -> Json:
        """An object, or a list of them."""
        found: Json = json.loads(self.kubectl("get", "-o", "json", *words))
        return found

    def make_namespace(self, name: str) -> None:
        """Make it, with the test program in it."""
        self.kubectl("create", "namespace", name)
        self.namespace = name
        self.kubectl("create", "configmap", "app", f"--from-file=app.py={APP}")

    def remove_namespace(self) -> None:
        """Remove it and all in it, in the background."""
        self.kubectl("delete", "namespace", self.namespace, "--wait=false", "--ignore-not-found")

    def apply(self, *objects: Json) -> None:
        """Create or change objects."""
        self.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def start(self, *objects: Json) -> None:
        """Create pods and workloads, and wait until they are ready."""
        self.apply(*objects)
        for item in objects:
            self.wait_ready(item)

    def wait_ready(self, item: Json, limit: int = 90) -> None:
        """Wait until a pod or all pods of a workload are ready."""
        kind, name = item["kind"].lower(), item["metadata"]["name"]
        if kind in ("deployment", "statefulset", "daemonset"):
            self.kubectl("rollout", "status", f"{kind}/{name}", f"--timeout={limit}s", limit=limit + 10)
        elif kind == "pod":
            self.kubectl("wait", "--for=condition=Ready", f"pod/{name}", f"--timeout={limit}s", limit=limit + 10)
        elif kind == "replicaset":
            want = item["spec"]["replicas"]
            within(limit, lambda: self.get(kind, name)["status"].get("readyReplicas", 0) == want, f"{name} ready")

    def kill(self, pod: str) -> None:
        """Delete a pod without any grace."""
        self.kubectl("delete", "pod", pod, "--force", "--grace-period=0", "--wait=false", "--ignore-not-found")

    def pods(self, label: str) -> list[Json]:
        """The pods with this ``app`` label that are not being deleted."""
        found: list[Json] = self.get("pods", "-l", f"app={label}")["items"]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    # -- objects --

    def pod_spec(
        self, *options: str, base: int = podapp.BASE, probe: bool = True, grace: int = 10, **more: Any
    ) -> Json:
        """A pod that runs the test program."""
        container: Json = {
            "name": "app",
            "image": self.image,
            "imagePullPolicy": self.pull,
            "command": ["python3", "/app/app.py", f"--base={base}", *options],
            "env": [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "volumeMounts": [{"name": "app", "mountPath": "/app"}],
            "ports": [
                {"name": "echo", "containerPort": base + podapp.ECHO},
                {"name": "http", "containerPort": base + podapp.HTTP},
            ],
        }
        if probe:
            container["readinessProbe"] = {
                "httpGet": {"path": "/ready", "port": base + podapp.HTTP},
                "periodSeconds": 1,
                "timeoutSeconds": 5,
            }
        return {
            "containers": [container],
            "volumes": [{"name": "app", "configMap": {"name": "app"}}],
            "terminationGracePeriodSeconds": grace,
            "automountServiceAccountToken": False,
            **more,
        }

    def pod(self, name: str, *options: str, spec: Json | None = None, label: str = "", **more: Any) -> Json:
        """A pod."""
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": label or name}},
            "spec": spec or self.pod_spec(*options, **more),
        }

    def workload(self, kind: str, name: str, *options: str, replicas: int = 1, more: Json | None = None) -> Json:
        """A Deployment, StatefulSet, ReplicaSet, DaemonSet, ReplicationController or Job of the test program."""
        version = {"ReplicationController": "v1", "Job": "batch/v1"}.get(kind, "apps/v1")
        template: Json = {"metadata": {"labels": {"app": name}}, "spec": self.pod_spec(*options)}
        spec: Json = {"template": template, **(more or {})}
        if kind == "Job":
            template["spec"]["restartPolicy"] = "Never"
        else:
            spec["selector"] = {"app": name} if kind == "ReplicationController" else {"matchLabels": {"app": name}}
        if kind not in ("Job", "DaemonSet"):
            spec["replicas"] = replicas
        if kind == "StatefulSet":
            spec["serviceName"] = name
        return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}

    def service(self, name: str, ports: Sequence[Json], *, app: str = "", **more: Any) -> Json:
        """A Service for the pods of one workload."""
        spec = {"selector": {"app": app or name}, "ports": list(ports), **more}
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def port(number: int, target: int | str | None = None, name: str = "", protocol: str = "TCP") -> Json:
    """One port of a Service."""
    made: Json = {"port": number, "protocol": protocol, "name": name or f"p{number}"}
    if target is not None:
        made["targetPort"] = target
    return made


def user_cluster() -> Path | None:
    """The kubeconfig of a cluster of the user's, to run the same tests there."""
    named = os.environ.get("FAIRLEAD_TEST_KUBECONFIG")
    return Path(named) if named else None
