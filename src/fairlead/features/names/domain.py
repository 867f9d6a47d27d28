"""The domain of a cluster, asked of the cluster."""

from __future__ import annotations

import asyncio

from fairlead.errors import FairleadError
from fairlead.kit import log
from fairlead.kube.client import ApiServer
from fairlead.policy.cluster_domain import DEFAULT, of_certificate, of_corefile

LOG = log.get(__name__)
LIMIT = 1.5
"""Seconds: nearly every answer would be the default."""
_COREDNS = "/api/v1/namespaces/kube-system/configmaps/coredns"


async def cluster_domain(server: ApiServer) -> str:
    """The domain, once a connection to the server stands; the default where the cluster does not say."""
    found = of_certificate(server.connector.certificate_names)
    if found is None:
        try:
            async with asyncio.timeout(LIMIT):
                data = (await server.get(_COREDNS)).get("data")
        except (FairleadError, TimeoutError) as error:
            LOG.decision("the cluster's domain is not known, so it is %s: %s", DEFAULT, error)
            return DEFAULT
        text = data.get("Corefile") if isinstance(data, dict) else None
        found = of_corefile(text) if isinstance(text, str) else None
    return found or DEFAULT
