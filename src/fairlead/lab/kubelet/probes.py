"""When a container is probed, and what the answers make of it (Kubernetes documentation, Configure Probes).

A startup probe holds the others back until it succeeds; liveness ends a container that fails; readiness says whether
services lead to it. What has no probe of a kind is well in that respect while it runs.
"""

from __future__ import annotations

from typing import Any

STARTUP, LIVENESS, READINESS = "startup", "liveness", "readiness"
KINDS = (STARTUP, LIVENESS, READINESS)
_DEFAULTS = {
    "initialDelaySeconds": 0,
    "periodSeconds": 10,
    "timeoutSeconds": 1,
    "successThreshold": 1,
    "failureThreshold": 3,
}


class Probe:
    """One probe of a container that was just started, at ``start`` seconds of some clock."""

    def __init__(self, kind: str, spec: dict[str, Any], start: float) -> None:
        self.kind = kind
        self.spec = spec
        self.period, self.timeout = self._number("periodSeconds"), self._number("timeoutSeconds")
        self.due = start + self._number("initialDelaySeconds")
        """When it is asked next."""
        self.holds = kind == LIVENESS
        """What it says of the container: nothing is alive or ready before it was asked, but nothing is dead either."""
        self._in_a_row = 0
        self._last: bool | None = None

    def answered(self, well: bool, now: float) -> bool:
        """Take one answer; whether ``holds`` is another now."""
        self._in_a_row = self._in_a_row + 1 if well is self._last else 1
        self._last = well
        self.due = max(self.due + self.period, now)
        enough = self._in_a_row >= self._number("successThreshold" if well else "failureThreshold")
        if not enough or well is self.holds:
            return False
        self.holds = well
        return True

    @property
    def failed(self) -> bool:
        """Whether it failed as often as it may, so that the container is to end."""
        many = self._last is False and self._in_a_row >= self._number("failureThreshold")
        return many and self.kind != READINESS

    def _number(self, name: str) -> float:
        return float(self.spec.get(name) or _DEFAULTS[name])


class Probes:
    """All probes of one start of a container."""

    def __init__(self, spec: dict[str, Any], start: float) -> None:
        self._all = {
            kind: Probe(kind, spec[f"{kind}Probe"], start) for kind in KINDS if spec.get(f"{kind}Probe") is not None
        }

    @property
    def started(self) -> bool:
        """Whether nothing says that it is still starting."""
        return self._holds(STARTUP)

    @property
    def ready(self) -> bool:
        """Whether services lead to it."""
        return self.started and self._holds(READINESS)

    @property
    def active(self) -> tuple[Probe, ...]:
        """Those that are asked at the moment."""
        if not self.started:
            return (self._all[STARTUP],)
        return tuple(probe for kind, probe in self._all.items() if kind != STARTUP)

    @property
    def failed(self) -> Probe | None:
        """The one by which the container is to end."""
        return next((probe for probe in self.active if probe.failed), None)

    def _holds(self, kind: str) -> bool:
        return kind not in self._all or self._all[kind].holds
