"""Which names ``fairlead services`` writes, and what it says of those that it does not."""

from __future__ import annotations

import json
from functools import partial

import pytest

from tests.support.fakecluster import FakeCluster
from tests.support.objects import SERVICES, service
from tests.support.services_user import LIMIT, User


def put(cluster: FakeCluster, name: str, namespace: str) -> None:
    """A service, for who asks for the one namespace and for who asks for all."""
    item = service(name)
    item["metadata"]["namespace"] = namespace
    for collection in (SERVICES.replace("/ns/", f"/{namespace}/"), SERVICES.replace("namespaces/ns/", "")):
        cluster.do(partial(cluster.api.put, collection, item))


def preview(user: User, *words: str) -> tuple[set[str], list[str]]:
    """The names that a run would write, and the notes of it."""
    done = user.run("svc", "-ojson", "--dry-run", f"--hosts-file={user.hosts}", *words)
    assert done.returncode == 0, done
    events = [json.loads(line) for line in done.stdout.splitlines()]
    names = {name for event in events if event["event"] == "hosts-line" for name in event["names"]}
    return names, [event["text"] for event in events if event["event"] == "note"]


@pytest.mark.parametrize("words", [["--only", "web.dev"], ["--bare", "dev"], ["-n", "dev"]])
def test_a_namespace_that_is_named_has_all_its_names(cluster: FakeCluster, user: User, words: list[str]) -> None:
    put(cluster, "web", "dev")
    put(cluster, "web", "app")
    names, _ = preview(user, "-A")
    assert "web.dev.svc" in names
    assert not {"web.dev", "web.app"} & names
    names, _ = preview(user, "-A", *words)
    assert "web.dev" in names
    assert "web.app" not in names


def test_names_that_are_not_written_are_told_once(cluster: FakeCluster, user: User) -> None:
    """Also those of a namespace that comes later."""
    put(cluster, "web", "dev")
    with user.start("-A") as running:
        put(cluster, "api", "dev")
        put(cluster, "api", "app")
        put(cluster, "last", "zzz")
        running.wait_told("service-state", LIMIT, service="last")
        notes = [event["text"] for event in running.told("note") if "such as" in event["text"]]
    assert notes == [
        "not written with -A: names such as web.dev, as dev is a top-level domain; -n dev beside -A writes them",
        "not written with -A: names such as api.app, as app is a top-level domain; -n app beside -A writes them",
    ]


def test_that_no_name_stands_alone_is_told(cluster: FakeCluster, user: User) -> None:
    put(cluster, "web", "dev")
    put(cluster, "web", "app")
    names, notes = preview(user, "-n", "dev,app")
    assert "web" not in names
    assert [note for note in notes if "alone" in note] == [
        "no name stands alone, as several namespaces were chosen and none is the context's own; --bare dev lets those "
        "of dev"
    ]
    names, notes = preview(user, "-n", "dev,app", "--bare", "dev")
    assert "web" in names
    assert not [note for note in notes if "alone" in note]
