"""The client against the real API server: what a scripted one only imitates."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from fairlead.errors import CredentialsError, ForbiddenError, NotFoundError
from fairlead.kube.client import ApiServer
from fairlead.kube.config import load
from fairlead.settings import ClusterOptions
from tests.support.clusters import Collector
from tests.support.loop import run
from tests.support.roles import kubeconfig, token
from tests.support.world import Json, World

pytestmark = pytest.mark.real

NAME = "fairlead-kube-client"


def api_of(world: World) -> ApiServer:
    """As whoever runs the tests."""
    return ApiServer(load(ClusterOptions(kubeconfig=str(world.kubeconfig)), {}))


def with_token(world: World, raw: Json, folder: Path, bearer: str) -> ApiServer:
    """As whose token this is."""
    cluster = raw["clusters"][0]["cluster"]
    authority = cluster.get("certificate-authority-data", "")
    kubeconfig(folder / "config", cluster["server"], world.namespace, authority, bearer)
    return ApiServer(load(ClusterOptions(kubeconfig=str(folder / "config")), {}))


def test_objects_and_none(world: World) -> None:
    async def main() -> None:
        async with api_of(world) as api:
            version = await api.get("/version")
            assert version["major"] == "1"
            path = f"/api/v1/namespaces/{world.namespace}"
            assert (await api.get(path))["metadata"]["name"] == world.namespace
            with pytest.raises(NotFoundError, match=r'^pods "none" not found$'):
                await api.get(f"{path}/pods/none")
            with pytest.raises(NotFoundError, match="nothing at /api/v1/nothing"):
                await api.get("/api/v1/nothing")

    run(main())


def test_unknown_token(world: World, raw: Json, tmp_path: Path) -> None:
    async def main() -> None:
        async with with_token(world, raw, tmp_path, "nobody") as api:
            with pytest.raises(CredentialsError, match=r"does not accept our credentials .*get a new one"):
                await api.get(f"/api/v1/namespaces/{world.namespace}")

    run(main())


def test_forbidden_names_verb_and_resource(world: World, raw: Json, tmp_path: Path) -> None:
    bearer, name = token(world, "may-nothing"), world.namespace

    async def main() -> None:
        async with with_token(world, raw, tmp_path, bearer) as api:
            with pytest.raises(ForbiddenError, match=rf'may-nothing" list pods in namespace "{name}" \(') as caught:
                await api.get(f"/api/v1/namespaces/{name}/pods")
            assert f"kubectl auth can-i list pods -n {name}" in caught.value.remedy
            with pytest.raises(ForbiddenError, match=f'create pods/portforward "x" in namespace "{name}"'):
                await api.upgrade(
                    "POST",
                    f"/api/v1/namespaces/{name}/pods/x/portforward",
                    [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1")],
                    lambda _: Collector(),
                )

    run(main())


def test_objects_and_a_watch(world: World) -> None:
    """Create, watch, patch, delete; the watch is seen live and ends at the server's word."""
    path = f"/api/v1/namespaces/{world.namespace}/configmaps"
    body = json.dumps({"metadata": {"name": NAME}}).encode()

    async def main() -> None:
        async with AsyncExitStack() as stack:
            api = await stack.enter_async_context(api_of(world))
            made = await api.request("POST", path, body=body)
            try:
                version = made["metadata"]["resourceVersion"]
                query = [("watch", "true"), ("fieldSelector", f"metadata.name={NAME}"), ("resourceVersion", version)]
                lines = await stack.enter_async_context(api.lines(path, [*query, ("timeoutSeconds", "2")]))
                patch = b'{"data":{"a":"b"}}'
                await api.request("PATCH", f"{path}/{NAME}", body=patch, content_type="application/merge-patch+json")
                event = json.loads(await anext(lines))
                assert (event["type"], event["object"]["data"]) == ("MODIFIED", {"a": "b"})
            finally:
                await api.request("DELETE", f"{path}/{NAME}")
            assert json.loads(await anext(lines))["type"] == "DELETED"
            assert [line async for line in lines] == []

    run(main())


def test_many_requests_at_once(world: World) -> None:
    async def main() -> None:
        async with api_of(world) as api:
            answers = await asyncio.gather(*(api.get("/api/v1/namespaces") for _ in range(20)))
            assert all(answer["kind"] == "NamespaceList" for answer in answers)

    run(main())
