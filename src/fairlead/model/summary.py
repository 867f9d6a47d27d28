"""How a run of ``services`` stands."""

from __future__ import annotations

from typing import NamedTuple


class Summary(NamedTuple):
    """Names by their states (see ``service_events.ServiceState``), a service and each pod of a headless one alike."""

    ready: int = 0
    proved: int = 0
    waiting: int = 0
    failing: int = 0
    """Also those whose ports something else holds."""
    relay: int = 0
    """Services that nothing but the relay could reach, as a whole or in part."""
    open: int = 0
    """Connections."""
    lost: bool = False
    """An API server does not answer."""
