"""The clusters of a run with names: clients of their API servers, lanes, and the contexts that its settings choose."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from fairlead.dial.cluster import Cluster
from fairlead.features.names.context import NamedContext, Run
from fairlead.features.names.domain import cluster_domain
from fairlead.kit import log
from fairlead.kit.tasks import spawn
from fairlead.kube.client import ApiServer
from fairlead.kube.config import ClusterConfig, load
from fairlead.model.events import ServerBack, ServerLost
from fairlead.policy.hostnames import Scope, bare_owner, context_labels, forbid
from fairlead.policy.no_proxy import proxy_hosts
from fairlead.policy.unwritten import named
from fairlead.settings import Chosen, ClusterOptions

LOG = log.get(__name__)


def load_all(settings: Chosen, options: ClusterOptions) -> list[ClusterConfig]:
    """What the kubeconfig says of each context, of the main one first. Raises ConfigError."""
    contexts = dict.fromkeys(settings.contexts) or (options.context,)
    return [load(options._replace(context=context), os.environ) for context in contexts]


@asynccontextmanager
async def servers_of(
    configs: Sequence[ClusterConfig], *, stdin_free: Callable[[], bool]
) -> AsyncIterator[list[ApiServer]]:
    """A client for each; their connections are given up at the end."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(ApiServer(config, stdin_free=stdin_free)) for config in configs]
        try:
            yield servers
        finally:
            for server in servers:
                server.connector.abandon()


def contexts_of(
    run: Run, servers: Sequence[ApiServer], back: Callable[[NamedContext], None], *, pods: bool = False
) -> list[NamedContext]:
    """The contexts of the run, nothing of which is read yet. Raises UsageError for a --bare that is not chosen.

    ``back`` is called when an API server answers again. With ``pods`` they know the addresses of pods too.
    """
    labels = context_labels([server.config.context for server in servers]) if len(servers) > 1 else {}
    forbidden = forbid(_names_in_use([server.config for server in servers]))
    scopes = [
        Scope(label=labels.get(server.config.context, ""), main=not at, forbidden=forbidden)
        for at, server in enumerate(servers)
    ]
    return [_context(run, server, scope, back, pods=pods) for server, scope in zip(servers, scopes, strict=True)]


async def learn_domains(contexts: Sequence[NamedContext], given: str | None) -> None:
    """From now on their names have the clusters' domains, or the given one; to be awaited once something was read."""
    for context in contexts:
        context.scope = context.scope._replace(domain=given or await cluster_domain(context.cluster.server))


def quiet(contexts: Sequence[NamedContext]) -> None:
    """Read nothing more: what busy servers still send would take the time that an end has."""
    for context in contexts:
        context.cluster.lanes.quiet()


async def close_lanes(contexts: Sequence[NamedContext], timeout: float) -> None:
    """Close all lanes politely, in ``timeout`` seconds at most."""
    async with asyncio.TaskGroup() as group:
        for context in contexts:
            spawn(group, context.cluster.lanes.close(timeout), name="close lanes")


def _context(
    run: Run, server: ApiServer, scope: Scope, back: Callable[[NamedContext], None], *, pods: bool
) -> NamedContext:
    settings, own = run.settings, server.config.namespace
    chosen = settings.namespaces or (own,)
    scope = scope._replace(
        bare=bare_owner(chosen, own, settings.bare, everywhere=settings.all_namespaces),
        everywhere=settings.all_namespaces,
        named=named(settings),
    )
    name = server.config.context

    def is_back(after: float) -> None:
        run.report(ServerBack(after, name))
        back(context)

    cluster = Cluster(
        server,
        run.tasks,
        os.environ,
        per_pod=settings.lanes,
        on_lost=lambda reason: run.report(ServerLost(reason, name)),
        on_back=is_back,
        on_lane_lost=lambda pod, reason: LOG.decision("a lane to pod %s ended: %s", pod.name, reason),
    )
    context = NamedContext(name, scope, cluster, () if settings.all_namespaces else chosen, run, pods=pods)
    return context


def _names_in_use(configs: Sequence[ClusterConfig]) -> list[str]:
    """Names that must go on to mean what they mean: this machine's, and what leads to the clusters."""
    machine = socket.gethostname()
    hosts = [config.server.host for config in configs] + [config.proxy.host for config in configs if config.proxy]
    return [machine, machine.partition(".")[0], *hosts, *proxy_hosts(os.environ)]
