"""All controllers of a lab."""

from __future__ import annotations

from fairlead.lab.controllers import (
    deployment,
    endpoints,
    expiry,
    garbage,
    mirroring,
    namespaces,
    node,
    replicaset,
    scheduler,
    slices,
    statefulset,
)
from fairlead.lab.controllers.steps import Controller


def every(ca: str, facts: node.Facts) -> tuple[Controller, ...]:
    """Make them; ``ca`` is the certificate of the API server's authority (PEM), ``facts`` are the node's."""
    return (
        namespaces.controller(ca),
        node.controller(facts),
        scheduler.CONTROLLER,
        deployment.CONTROLLER,
        replicaset.CONTROLLER,
        statefulset.CONTROLLER,
        endpoints.CONTROLLER,
        slices.CONTROLLER,
        mirroring.CONTROLLER,
        garbage.CONTROLLER,
        expiry.CONTROLLER,
    )
