"""Where connections to one port of one pod go, which somebody reaches by the pod's own address."""

from __future__ import annotations

from collections import Counter

from fairlead.features.names.port import Around, PortWay
from fairlead.model.named import GroupKey
from fairlead.model.target import Backend, PodRef, TargetPort
from fairlead.policy.plan import NamedPort


class PodWay(PortWay):
    """A pod is tried whatever its state, as by its address in the cluster."""

    def __init__(self, context: str, pod: PodRef, port: int, around: Around) -> None:
        super().__init__(_Pod(context, pod), NamedPort(port, port, (Backend(pod, port),)), around, Counter())

    def why_not(self, port: TargetPort) -> str:
        """It is always tried, so this is asked for the pod that was tried in vain."""
        return f"pod {self._owner.key.pod} is not reached"


class _Pod:
    """The ``Owner``: a pod is no service, so how its ports stand is nothing to tell."""

    def __init__(self, context: str, pod: PodRef) -> None:
        self.key = GroupKey(context, pod.namespace, "", pod.name)
        self.label = f"{pod.name}.{pod.namespace}"

    @property
    def whose(self) -> tuple[str, str, str, str, str]:
        """What an event says of whom it is about, ``target`` to ``context``."""
        return self.label, self.key.service, self.key.pod, self.key.namespace, self.key.context

    def judge(self) -> None:
        """Nothing is to be told."""
