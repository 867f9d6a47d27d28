from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from fairlead.dial.sources import Sources
from fairlead.errors import ForbiddenError, UnreachableError
from fairlead.kit.tasks import Background
from fairlead.model.objects import OwnerRef
from tests.support.fakeapi import FakeApi, names, until
from tests.support.loop import run_virtual
from tests.support.objects import (
    DEPLOYMENTS,
    PODS,
    REPLICASETS,
    SERVICES,
    SLICES,
    endpoint,
    endpoint_slice,
    pod,
    service,
    workload,
)


def slice_names(sources: Sources) -> list[str] | None:
    return None if sources.slices is None else names(sources.slices)


class Made:
    def __init__(self) -> None:
        self.api = FakeApi()
        self.changes = 0
        self.notes: list[str] = []
        self.sources = Sources(self.api, "ns", on_change=self._count, on_note=self.notes.append)

    def _count(self) -> None:
        self.changes += 1


@asynccontextmanager
async def watching_a_service() -> AsyncIterator[Made]:
    made = Made()
    made.api.put(SERVICES, service())
    await made.sources.read("svc", "web")
    async with Background() as tasks:
        made.sources.start(tasks)
        await until(lambda: len(made.api.streams) == 3)
        yield made


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (("apps/v1", "ReplicaSet", "web-1"), "deployments/web"),
        (("apps/v1", "ReplicaSet", "alone"), "replicasets/alone"),
        (("apps/v1", "ReplicaSet", "foreign"), "replicasets/foreign"),
        (("apps/v1", "ReplicaSet", "gone"), "replicasets/gone"),
        (("apps/v1", "StatefulSet", "db"), "statefulsets/db"),
        (("v1", "ReplicationController", "old"), "replicationcontrollers/old"),
        (("batch/v1", "Job", "once"), "jobs/once"),
        (("example.org/v1", "ReplicaSet", "web-1"), None),
        (("v1", "Node", "n1"), None),
    ],
)
def test_what_to_forward_to_instead_of_a_pod(owner: tuple[str, str, str], expected: str | None) -> None:
    made = Made()
    made.api.put(REPLICASETS, workload("ReplicaSet", "web-1", owner=("Deployment", "web")))
    made.api.put(REPLICASETS, workload("ReplicaSet", "alone"))
    made.api.put(REPLICASETS, workload("ReplicaSet", "foreign", owner=("Rollout", "web")))
    found = run_virtual(made.sources.top_owner(OwnerRef(*owner, uid="o")))
    assert (None if found is None else f"{found[0].plural}/{found[1]}") == expected


def test_an_owner_that_may_not_be_read_stands_for_itself() -> None:
    made, owner = Made(), OwnerRef("apps/v1", "ReplicaSet", "web-1", "o")
    made.api.failures.append(ForbiddenError("no", code=403))
    found = run_virtual(made.sources.top_owner(owner))
    assert found is not None
    assert found[1] == "web-1"
    made.api.failures.append(UnreachableError("gone"))
    with pytest.raises(UnreachableError):
        run_virtual(made.sources.top_owner(owner))


def test_slices_are_unknown_until_they_are_read() -> None:
    async def main() -> None:
        made = Made()
        made.api.put(SERVICES, service())
        made.api.put(SLICES, endpoint_slice("web-1", [endpoint("a")]))
        await made.sources.read("svc", "web")
        assert slice_names(made.sources) is None, "the start does not wait for them"
        async with Background() as tasks:
            made.sources.start(tasks)
            await until(lambda: slice_names(made.sources) == ["web-1"])

    run_virtual(main())


def test_every_change_is_told() -> None:
    async def main() -> None:
        async with watching_a_service() as made:
            for collection, item in (
                (PODS, pod("a")),
                (SERVICES, service(selector={"app": "new"})),
                (SLICES, endpoint_slice("web-1", [])),
            ):
                before = made.changes
                made.api.put(collection, item)
                await asyncio.sleep(0.1)
                assert made.changes == before + 1
            assert made.sources.reselected
            assert made.sources.selector == "app=new"

    run_virtual(main())


def test_kick_reaches_all_of_them() -> None:
    async def main() -> None:
        async with watching_a_service() as made:
            made.api.asked.clear()
            made.sources.kick()
            await asyncio.sleep(0.5)
            assert made.api.count("watch") == 3

    run_virtual(main())


def test_looking_again_survives_a_workload_that_is_gone() -> None:
    async def main() -> None:
        made = Made()
        made.api.put(DEPLOYMENTS, workload("Deployment", "web"))
        await made.sources.read("deploy", "web")
        made.api.delete(DEPLOYMENTS, "web")
        await made.sources.look_again()
        assert made.sources.selector == "app=web"

    run_virtual(main())
