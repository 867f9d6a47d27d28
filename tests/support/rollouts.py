"""``kubectl rollout restart``: a Deployment that is never without three pods that serve, and its rollouts."""

from __future__ import annotations

import asyncio

from tests.support.world import World, port

REFUSED = ("failed to connect to localhost", "connection refused", "network namespace for sandbox", "not running")
"""Words of a server that could not dial; what it says of a connection that broke off is another matter."""


def start(world: World, name: str, seconds: float) -> None:
    """3 replicas that serve for so long after SIGTERM, probed every second, never fewer than 3; and a client inside."""
    made = world.workload(
        "Deployment",
        name,
        f"--on-term={seconds}",
        replicas=3,
        more={"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}},
    )
    service = world.service(name, [port(80, "http")])
    world.start(made, service)
    address = world.get("service", name)["spec"]["clusterIP"]
    world.start(world.pod(f"{name}-client", f"--client={address}:80"))


async def kubectl(world: World, *words: str) -> str:
    options = (f"--kubeconfig={world.kubeconfig}", f"--namespace={world.namespace}")
    process = await asyncio.create_subprocess_exec(world.kubectl_path, *options, *words, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0, words
    return out.decode()


async def rollouts(world: World, name: str, times: int) -> None:
    """So many of them, until the last of the old pods is gone."""
    for _ in range(times):
        await kubectl(world, "rollout", "restart", f"deploy/{name}")
        await kubectl(world, "rollout", "status", f"deploy/{name}", "--timeout=100s")
    # Until the last of the old pods has served what it serves.
    names: list[str] = []
    for _ in range(150):
        names = (await kubectl(world, "get", "pods", "-l", f"app={name}", "-o", "name")).split()
        if len(names) == 3:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"old pods stay: {names}")
