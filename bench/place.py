"""Where it is measured: a cluster, and in it a namespace with one pod, made and removed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from bench.load import SINK, SMALL, SOURCE

OWN_CLUSTER = "FAIRLEAD_TEST_KUBECONFIG"
"""Names the kubeconfig of a cluster of the user's."""
POD = "bench"
_APP = Path(__file__).parent / "pod" / "app.py"
_CLUSTER = "bench"


@dataclass(frozen=True, slots=True)
class Place:
    """The pod to forward to; a service of the same name leads to it."""

    kubeconfig: str
    kubectl: str
    namespace: str
    pod: str = POD


@contextmanager
def cluster(kubeconfig: str, say: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """(kubeconfig, kubectl) of the given cluster, of the test cluster that runs, or of a new one that ends here."""
    given = kubeconfig or os.environ.get(OWN_CLUSTER, "")
    if given:
        found = shutil.which("kubectl")
        if found is None:
            raise BenchError("there is no kubectl on PATH to compare with")
        yield given, found
        return
    from testbed.cluster import Cluster

    with Cluster.obtain(_CLUSTER, say=say) as running:
        yield str(running.kubeconfig), str(running.kubectl)


@contextmanager
def place(kubeconfig: str, kubectl: str, image: str) -> Iterator[Place]:
    """A namespace with the pod in it, ready; both are gone afterwards."""
    here = Place(kubeconfig, kubectl, f"fairlead-bench-{os.getpid()}")
    try:
        run_kubectl(here, "create", "-f", "-", text=json.dumps(_objects(here, image)))
        run_kubectl(here, "wait", "--for=condition=Ready", f"pod/{POD}", "--timeout=120s")
        yield here
    finally:
        run_kubectl(here, "delete", "namespace", here.namespace, "--ignore-not-found", "--timeout=90s")


def run_kubectl(here: Place, *words: str, text: str = "") -> None:
    inside = [f"--namespace={here.namespace}"] if here.namespace else []
    argv = [here.kubectl, f"--kubeconfig={here.kubeconfig}", *inside, *words]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=330, check=False)
    if done.returncode:
        raise BenchError(f"kubectl {words[0]}: {done.stderr.strip()}")


def _objects(here: Place, image: str) -> dict[str, object]:
    def named(name: str) -> dict[str, str]:
        return {"name": name, "namespace": here.namespace}

    container = {
        "name": "app",
        "image": image or test_image(),
        # The test image is on the test cluster's node and nowhere else.
        "imagePullPolicy": "IfNotPresent" if image else "Never",
        "command": ["python3", "/app/app.py"],
        "ports": [{"containerPort": port} for port in (SMALL, SOURCE, SINK)],
        "readinessProbe": {"tcpSocket": {"port": SMALL}, "periodSeconds": 1},
        "volumeMounts": [{"name": "app", "mountPath": "/app"}],
    }
    spec = {
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "volumes": [{"name": "app", "configMap": {"name": "app"}}],
    }
    service = {
        "selector": {"app": POD},
        "ports": [{"name": f"p{port}", "port": port} for port in (SMALL, SOURCE, SINK)],
    }
    items: list[dict[str, object]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": here.namespace}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named("app"), "data": {"app.py": _APP.read_text()}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {**named(POD), "labels": {"app": POD}}, "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": named(POD), "spec": service},
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def test_image() -> str:
    from testbed.images import TEST

    return TEST
