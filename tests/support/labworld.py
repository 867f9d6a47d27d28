"""A cluster of controllers alone, in virtual time, with a kubelet that only pretends."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from fairlead.lab.controllers.meta import condition_is, with_condition
from fairlead.lab.controllers.node import Facts
from fairlead.lab.controllers.runner import Runner
from fairlead.lab.controllers.steps import Controller
from fairlead.lab.registry.events import Recorder
from fairlead.lab.registry.kinds import EVENT, NAMESPACE, OF_KIND, POD, SERVICE_ACCOUNT, Kind
from fairlead.lab.registry.reading import IGNORED, Fields
from fairlead.lab.registry.rules import Registry
from fairlead.lab.registry.store import Change, Object, Store

START = datetime(2026, 1, 1, tzinfo=UTC)
FACTS = Facts(
    "n1", "10.244.0.1", "10.244.0.0/24", 2, 8 * 2**30, 50 * 2**30, "amd64", "6.1.0", "Debian GNU/Linux 12 (bookworm)",
    "machine", "boot", "v1.36.0", "fairlead://1.0",
)  # fmt: skip
TURNS = 5000
"""Turns at one moment, beyond which the controllers go round in a circle."""


class _Crashes(logging.Handler):
    """What a controller could make no sense of, which the runner only logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(record)


CRASHES = _Crashes()
logging.getLogger("fairlead.lab.controllers.runner").addHandler(CRASHES)


class Rules(Registry):
    """The registry, with the same chance each time, and refusals of a test's own."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        chance = random.Random(7)
        super().__init__(store, now, lambda digits: f"{chance.getrandbits(4 * digits):0{digits}x}")
        self.refuses: Callable[[Kind, Object], Exception | None] = lambda kind, value: None

    def create(
        self, kind: Kind, namespace: str, obj: Any, *, dry_run: bool = False, fields: Fields = IGNORED
    ) -> Object:
        error = self.refuses(kind, obj)
        if error is not None:
            raise error
        if kind == NAMESPACE:
            made = super().create(kind, namespace, obj)
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
            super().create(SERVICE_ACCOUNT, obj["metadata"]["name"], account)
            return made
        return super().create(kind, namespace, obj, dry_run=dry_run, fields=fields)


class World:
    """Controllers, and a kubelet whose pods are ready ``starts`` seconds after they came to the node."""

    def __init__(
        self,
        *controllers: Controller,
        starts: Callable[[Object], float] = lambda pod: 2.0,
        stops: Callable[[Object], float] = lambda pod: 1.0,
    ) -> None:
        self.store = Store()
        self.now = START
        self.rules = Rules(self.store, lambda: self.now)
        self.runner = Runner(self.store, self.rules, controllers, lambda: self.now, Recorder())
        self.checks: list[Callable[[], None]] = []
        self._starts, self._stops = starts, stops
        self._due: dict[tuple[str, str], datetime] = {}
        self._address = count(2)
        self.runner.start()
        self.store.follow(POD, self._pod_changed)

    def create(self, value: Object) -> Object:
        kind = OF_KIND[value["apiVersion"], value["kind"]]
        made = self.rules.create(kind, value["metadata"].get("namespace", ""), value)
        self.settle()
        return made

    def change(self, kind: Kind, name: str, change: Callable[[Any], None], namespace: str = "ns") -> None:
        """Do as a user who edits it."""
        value = copy(self.get(kind, name, namespace))
        change(value)
        self.rules.replace(kind, namespace, name, value)
        self.settle()

    def delete(self, kind: Kind, name: str, propagation: str = "Background", namespace: str = "ns") -> None:
        self.rules.delete(kind, namespace, name, {"propagationPolicy": propagation})
        self.settle()

    def get(self, kind: Kind, name: str, namespace: str = "ns") -> Object:
        found = self.store.get(kind, namespace, name)
        assert found is not None, f"no {kind.singular} {name}"
        return found

    def all(self, kind: Kind) -> list[Object]:
        return list(self.store.all(kind))

    def pods(self) -> list[Object]:
        """Those that count: not over, not on their way out."""
        gone = ("Succeeded", "Failed")
        return [
            pod
            for pod in self.all(POD)
            if "deletionTimestamp" not in pod["metadata"] and pod["status"]["phase"] not in gone
        ]

    def ready(self) -> list[Object]:
        return [pod for pod in self.pods() if condition_is(pod, "Ready")]

    def events(self, reason: str = "") -> list[str]:
        return [each["message"] for each in self.all(EVENT) if reason in ("", each["reason"])]

    def settle(self) -> None:
        """Let the controllers do what is to be done now."""
        for _ in range(TURNS):
            if not self.runner.turn():
                return
            if CRASHES.seen:
                info = CRASHES.seen.pop().exc_info
                raise AssertionError("a controller failed") from (info[1] if info else None)
            for check in self.checks:
                check()
        raise AssertionError("the controllers do not come to rest")

    def advance(self, seconds: float) -> None:
        """Let time pass, moment by moment."""
        end = self.now + timedelta(seconds=seconds)
        self.settle()
        while True:
            due = min(self._due.values(), default=None)
            moments = [when for when in (due, self.runner.next_time()) if when is not None and when <= end]
            if not moments:
                break
            self.now = max(self.now, min(moments))
            self._pretend()
            self.settle()
        self.now = end

    def set_ready(self, pod: Object, ready: bool) -> None:
        """Do as a kubelet whose probe says so."""
        self._put_status(pod, ready)
        self.settle()

    def end(self, pod: Object, phase: str) -> None:
        """Do as a kubelet of whose pod nothing runs any more."""
        self.store.put(POD, {**pod, "status": {**pod["status"], "phase": phase, "conditions": []}})
        self.settle()

    def _pod_changed(self, change: Change) -> None:
        pod = change.after
        meta = (pod or change.before or {})["metadata"]
        key = (meta["namespace"], meta["name"])
        if pod is None:
            self._due.pop(key, None)
        elif "deletionTimestamp" in meta:
            if change.before and "deletionTimestamp" not in change.before["metadata"]:
                self._due[key] = self.now + timedelta(seconds=self._stops(pod))
        elif pod["spec"].get("nodeName") and pod["status"]["phase"] == "Pending" and key not in self._due:
            self._due[key] = self.now + timedelta(seconds=self._starts(pod))

    def _pretend(self) -> None:
        for key in [key for key, when in self._due.items() if when <= self.now]:
            del self._due[key]
            pod = self.store.get(POD, *key)
            assert pod is not None
            if "deletionTimestamp" in pod["metadata"]:
                self.rules.finish(pod)
            else:
                self._put_status(pod, True)
            for check in self.checks:
                check()

    def _put_status(self, pod: Object, ready: bool) -> None:
        status = pod["status"]
        new = {"type": "Ready", "status": "True" if ready else "False"}
        conditions = with_condition(status.get("conditions", []), new, self.now)
        address = status.get("podIP") or f"10.244.0.{next(self._address)}"
        status = {**status, "phase": "Running", "conditions": conditions}
        self.store.put(POD, {**pod, "status": {**status, "podIP": address, "podIPs": [{"ip": address}]}})


def copy(value: Any) -> Any:
    """A copy that may be changed."""
    if isinstance(value, dict):
        return {key: copy(each) for key, each in value.items()}
    return [copy(each) for each in value] if isinstance(value, list) else value


def one_node(**spec: Any) -> Object:
    allocatable = {"cpu": "2", "memory": "2Gi", "pods": "110"}
    labels = {"kubernetes.io/hostname": "n1", "kubernetes.io/os": "linux"}
    meta = {"name": "n1", "labels": labels}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": spec, "status": {"allocatable": allocatable}}


def template(image: str = "a", **labels: str) -> Object:
    containers = [{"name": "main", "image": image, "ports": [{"name": "http", "containerPort": 80, "protocol": "TCP"}]}]
    return {"metadata": {"labels": {"app": "web", **labels}}, "spec": {"containers": containers}}


def workload(kind: str, name: str = "web", replicas: int = 3, **spec: Any) -> Object:
    whole = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template(), **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "ns"}, "spec": whole}


def namespace(name: str = "ns") -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def set_image(image: str) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        value["spec"]["template"]["spec"]["containers"][0]["image"] = image

    return change


def set_spec(**fields: Any) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        value["spec"].update(fields)

    return change


def names(values: Sequence[Object]) -> list[str]:
    return [value["metadata"]["name"] for value in values]
