"""Whose names are whose, on which address, with two namespaces that have services of the same name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.real.conftest import StartServices, fresh_namespace
from tests.support import podclient
from tests.support.world import World, port

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


def put(world: World, name: str) -> None:
    """``api`` with pod ``api-NAME``, and ``db``."""
    made = world.pod(f"api-{name}", label="api")
    world.start(made, world.service("api", [port(80, "http")]), world.service("db", [port(5432, "echo")], app="api"))


@pytest.fixture(scope="module")
def shop(world: World) -> World:
    put(world, "shop")
    return world


@pytest.fixture(scope="module")
def pay(base_world: World) -> Iterator[World]:
    made = fresh_namespace(base_world, "pay")
    try:
        put(made, "pay")
        yield made
    finally:
        made.remove_namespace()


def forms(service: str, namespace: str) -> list[str]:
    """All but the bare name, in the order of a hosts file's line."""
    return [f"{service}.{namespace}.svc.cluster.local", f"{service}.{namespace}", f"{service}.{namespace}.svc"]


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("bare", ["", "shop", "pay"])
def test_bare_names_belong_to_one_namespace(
    shop: World, pay: World, services: StartServices, swapped: bool, bare: str
) -> None:
    """To nobody, as neither is the context's own; or to the one of --bare. The order of -n means nothing."""
    named = [shop.namespace, pay.namespace]
    words = [word for namespace in (reversed(named) if swapped else named) for word in ("-n", namespace)]
    worlds = {"shop": shop, "pay": pay}
    if bare:
        words += ["--bare", worlds[bare].namespace]
    with services(*words) as running:
        own = {
            "shop": [forms("api", shop.namespace), forms("db", shop.namespace)],
            "pay": [forms("api", pay.namespace), forms("db", pay.namespace)],
        }
        if bare:
            own[bare] = [["api", *own[bare][0]], ["db", *own[bare][1]]]
        lines = list(running.entries().values())
        assert sorted(lines) == sorted([*own["shop"], *own["pay"]])
        assert len(running.entries()) == 4, "an address each"
        for name, (apis, dbs) in own.items():
            for api in apis:
                assert running.pod_of(api) == f"api-{name}"
            podclient.run(podclient.echo(5432, host=running.names()[dbs[0]]))


def test_one_namespace_alone_has_the_bare_names(shop: World, services: StartServices) -> None:
    with services("-n", shop.namespace) as running:
        assert running.pod_of("api") == "api-shop"
        assert set(running.names()) == {"api", "db", *forms("api", shop.namespace), *forms("db", shop.namespace)}


def test_addresses_stay_from_run_to_run(shop: World, pay: World, services: StartServices) -> None:
    """Also where the namespaces are others, and so the bare names."""
    with services() as running:
        first = running.names()
    with services("-n", pay.namespace, "-n", shop.namespace) as running:
        both = running.names()
    assert first["api"] == first[f"api.{shop.namespace}"] == both[f"api.{shop.namespace}"]
    assert first["db"] == both[f"db.{shop.namespace}"]
    with services() as running:
        assert running.names() == first


def test_only_some_of_them(shop: World, pay: World, services: StartServices) -> None:
    both = ["-n", shop.namespace, "-n", pay.namespace]
    with services(*both, "--only", f"api,db.{pay.namespace}", "--exclude", f"api.{pay.namespace}") as running:
        assert set(running.names()) == {*forms("api", shop.namespace), *forms("db", pay.namespace)}
    shop.kubectl("label", "service", "db", "tier=data", "--overwrite")
    with services("-l", "tier=data") as running:
        assert set(running.names()) == {"db", *forms("db", shop.namespace)}
    with services("--field-selector", "metadata.name=api") as running:
        assert set(running.names()) == {"api", *forms("api", shop.namespace)}
