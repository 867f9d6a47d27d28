"""What a context needs to be allowed, and what is said where it is not."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fairlead.errors import ForbiddenError
from fairlead.features.names.context import NamedContext
from fairlead.model.events import Note
from fairlead.policy.hostnames import Scope
from fairlead.settings import ServicesSettings
from tests.support.fakeapi import FakeApi, Object
from tests.support.objects import SERVICES, service


class Api(FakeApi):
    """Says of itself what it forbids."""

    config = SimpleNamespace(kubectl_options="")

    async def request(self, method: str, path: str, *, body: bytes | None = None) -> Object:
        asked = json.loads(body or b"")["spec"]["resourceAttributes"]
        what = asked["verb"], asked["subresource"] or asked["resource"]
        return {"status": {"allowed": what not in self.forbidden}}


def read(api: Api, namespaces: tuple[str, ...]) -> list[str]:
    """What is told."""
    told: list[Any] = []
    run = SimpleNamespace(
        settings=ServicesSettings(namespaces=namespaces),
        buffer=None,
        tasks=None,
        own=None,
        report=told.append,
        changed=lambda context, name: None,
    )
    cluster = cast("Any", SimpleNamespace(server=api))
    asyncio.run(NamedContext("c", Scope(bare="ns"), cluster, namespaces, cast("Any", run)).read())
    return [event.text for event in told if isinstance(event, Note)]


SLICES = (("list", "endpointslices"), ("list", "pods"))
FORWARD = (("create", "portforward"), ("get", "portforward"))


@pytest.mark.parametrize(
    ("forbidden", "namespaces", "words"),
    [
        ([("list", "services")], ("ns",), "may not list services"),
        ([*FORWARD], ("ns",), "this user may not create pods/portforward in namespace ns (ask"),
        (
            [("list", "services"), *SLICES, *FORWARD],
            ("ns",),
            "may not list services, list endpointslices.discovery.k8s.io (or pods) or create pods/portforward in "
            "namespace ns (ask",
        ),
        ([*SLICES, *FORWARD], ("ns",), "list endpointslices.discovery.k8s.io (or pods) or create pods/portforward in"),
        ([("list", "services")], (), "may not list services in all namespaces (ask for a cluster role"),
    ],
)
def test_what_is_not_allowed_is_said_at_once(
    forbidden: list[tuple[str, str]], namespaces: tuple[str, ...], words: str
) -> None:
    api = Api()
    api.forbidden = set(forbidden)
    with pytest.raises(ForbiddenError) as caught:
        read(api, namespaces)
    assert words in str(caught.value)
    assert ("choose namespaces with -n" in str(caught.value)) == (not namespaces)


@pytest.mark.parametrize("namespaces", [("ns",), ()])
def test_forwarding_may_be_allowed_in_a_namespace_though_not_in_all(namespaces: tuple[str, ...]) -> None:
    api = Api()
    api.put(SERVICES, service())
    if not namespaces:
        api.forbidden = set(FORWARD)
    notes = read(api, namespaces)
    assert [note.partition(" (")[0] for note in notes] == (
        [] if namespaces else ["this user may not create pods/portforward in all namespaces"]
    )
