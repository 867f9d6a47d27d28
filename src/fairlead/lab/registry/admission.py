"""What becomes of a pod before it is looked at: the API server's admission plug-ins that every cluster has."""

from __future__ import annotations

from fairlead.lab.registry import status
from fairlead.lab.registry.kinds import POD, SERVICE_ACCOUNT
from fairlead.lab.registry.store import Store
from fairlead.lab.registry.values import Object, copied

_CLASSES = {"": 0, "system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_UNREACHABLE = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_STAYS_SECONDS = 300


def admit_pod(store: Store, pod: Object) -> None:
    """Give it an account, tolerations and a priority; it is changed. Raises ApiStatusError."""
    name = pod["metadata"].get("name", "")
    _account(store, name, pod["metadata"].get("namespace", ""), pod["spec"])
    tolerate(pod["spec"])
    _prioritise(name, pod["spec"])


def _account(store: Store, name: str, namespace: str, spec: Object) -> None:
    account = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = account
    found = store.get(SERVICE_ACCOUNT, namespace, account)
    if found is None:
        if account != "default":  # which is made a moment after its namespace
            why = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
            raise status.forbidden(POD, name, why)
    elif not spec.get("imagePullSecrets") and found.get("imagePullSecrets"):
        spec["imagePullSecrets"] = copied(found["imagePullSecrets"])


def tolerate(spec: Object) -> None:
    """Let a pod stay for a while on a node that is lost, if it says nothing else; also when it is changed."""
    given = spec.get("tolerations", [])
    for key in _UNREACHABLE:
        if not any(_is_about(each, key) for each in given):
            given = [*given, {
                "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _STAYS_SECONDS,
            }]  # fmt: skip
    spec["tolerations"] = given


def _is_about(toleration: Object, key: str) -> bool:
    return toleration.get("key") in (None, "", key) and toleration.get("effect") in (None, "", "NoExecute")


def _prioritise(name: str, spec: Object) -> None:
    wanted = spec.get("priorityClassName", "")
    if wanted not in _CLASSES:
        raise status.forbidden(POD, name, f"no PriorityClass with name {wanted} was found")
    computed = _CLASSES[wanted]
    if spec.get("priority", computed) != computed:
        why = (
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; priority admission "
            f"controller computed {computed} from the given PriorityClass name"
        )
        raise status.forbidden(POD, name, why)
    spec["priority"] = computed
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
