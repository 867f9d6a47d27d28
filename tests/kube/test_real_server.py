"""The client against the real API server: what a scripted one only imitates."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from fairlead.errors import CredentialsError, ForbiddenError, NotFoundError
from fairlead.kube.client import ApiServer
from fairlead.kube.config import load
from fairlead.settings import ClusterOptions
from testbed.cluster import Cluster
from tests.support.clusters import Collector
from tests.support.loop import run

pytestmark = pytest.mark.real

NAME = "fairlead-kube-client"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster.obtain("kube-client") as found:
        yield found


def api_of(cluster: Cluster, **options: str) -> ApiServer:
    return ApiServer(load(ClusterOptions(kubeconfig=str(cluster.kubeconfig), **options), {}))  # type: ignore[arg-type]


def test_client_certificate_and_kept_connection(cluster: Cluster) -> None:
    async def main() -> None:
        async with api_of(cluster) as api:
            version = await api.get("/version")
            assert version["major"] == "1"
            assert (await api.get("/api/v1/namespaces/default"))["metadata"]["name"] == "default"
            with pytest.raises(NotFoundError, match=r'^pods "none" not found$'):
                await api.get("/api/v1/namespaces/default/pods/none")
            with pytest.raises(NotFoundError, match="nothing at /api/v1/nothing"):
                await api.get("/api/v1/nothing")

    run(main())


def test_unknown_token(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> None:
    async def main() -> None:
        ca = tmp_path_factory.mktemp("ca") / "ca.crt"
        ca.write_bytes(cluster.ca.read_bytes())
        options = ClusterOptions(server=cluster.server, token="nobody", certificate_authority=str(ca))
        async with ApiServer(load(options, {"HOME": "/nowhere"})) as api:
            with pytest.raises(CredentialsError, match=r"does not accept our credentials .*get a new one"):
                await api.get("/api/v1/namespaces/default")

    run(main())


def test_forbidden_names_verb_and_resource(cluster: Cluster) -> None:
    async def main() -> None:
        async with api_of(cluster, as_user="system:serviceaccount:default:default") as api:
            with pytest.raises(ForbiddenError, match='list pods in namespace "default": pods is forbidden') as caught:
                await api.get("/api/v1/namespaces/default/pods")
            assert caught.value.remedy.endswith("kubectl auth can-i list pods -n default")
            with pytest.raises(ForbiddenError, match='create pods/portforward "x" in namespace "default"'):
                await api.upgrade(
                    "POST",
                    "/api/v1/namespaces/default/pods/x/portforward",
                    [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1")],
                    lambda _: Collector(),
                )

    run(main())


def test_objects_and_a_watch(cluster: Cluster) -> None:
    """Create, watch, patch, delete; the watch is seen live and ends at the server's word."""
    path = "/api/v1/namespaces/default/configmaps"
    body = json.dumps({"metadata": {"name": NAME}}).encode()

    async def main() -> None:
        async with AsyncExitStack() as stack:
            api = await stack.enter_async_context(api_of(cluster))
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


def test_many_requests_at_once(cluster: Cluster) -> None:
    async def main() -> None:
        async with api_of(cluster) as api:
            answers = await asyncio.gather(*(api.get("/api/v1/namespaces") for _ in range(20)))
            assert all(answer["kind"] == "NamespaceList" for answer in answers)

    run(main())
