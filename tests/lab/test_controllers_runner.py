"""The queue of keys, and what drives the controllers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.kit.tasks import Background
from fairlead.lab.controllers import deployment, expiry, replicaset, scheduler
from fairlead.lab.controllers.meta import own_key, with_meta
from fairlead.lab.controllers.queue import FIRST, LONGEST, Queue
from fairlead.lab.controllers.runner import Runner
from fairlead.lab.controllers.steps import Again, Controller, Create, Delete, Key, Replace, Step, Tell
from fairlead.lab.registry.events import Recorder
from fairlead.lab.registry.kinds import CONFIG_MAP, DEPLOYMENT, EVENT, NAMESPACE, NODE, POD, SECRET
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.registry.store import Object, Store
from tests.support.labworld import CRASHES, START, Rules, World, names, namespace, one_node, workload
from tests.support.loop import now as seconds
from tests.support.loop import run_virtual


def at(number: float) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)


# The queue


def test_each_key_waits_once() -> None:
    queue = Queue[str]()
    for key in "abab":
        queue.add(key)
    assert [queue.take(at(0)) for _ in range(3)] == ["a", "b", None]


def test_a_time_that_was_asked_for() -> None:
    queue = Queue[str]()
    queue.at("a", at(5))
    queue.at("a", at(3))
    queue.at("a", at(4))
    queue.at("b", at(4))
    assert queue.next_time() == at(3)
    assert queue.take(at(2)) is None
    assert queue.take(at(3)) == "a"
    assert queue.next_time() == at(4)
    assert [queue.take(at(9)), queue.take(at(9)), queue.next_time()] == ["b", None, None]


def test_failures_in_a_row_wait_longer_each_time() -> None:
    queue, now, pauses = Queue[str](), at(0), []
    for _ in range(14):
        queue.failed("a", now)
        then = queue.next_time()
        assert then is not None
        pauses.append(then - now)
        now = then
        assert queue.take(now) == "a"
    assert pauses[:3] == [FIRST, 2 * FIRST, 4 * FIRST]
    assert pauses[-1] == LONGEST
    queue.succeeded("a")
    queue.failed("a", now)
    assert queue.next_time() == now + FIRST


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20), st.booleans()), max_size=30))
def test_nothing_is_lost_and_nothing_comes_early(asked: list[tuple[str, int, bool]]) -> None:
    queue = Queue[str]()
    due: dict[str, int] = {}
    for key, when, soon in asked:
        if soon:
            queue.add(key)
        else:
            queue.at(key, at(when))
            due[key] = min(when, due.get(key, when))
    ready = {key for key, _, soon in asked if soon}
    for now in range(21):
        ready |= {key for key, when in due.items() if when == now}
        taken = set[str]()
        while (next_one := queue.take(at(now))) is not None:
            assert next_one not in taken
            taken.add(next_one)
        assert taken == ready
        ready = set()


# The runner


def config(name: str = "a", **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "ns"}, "data": data}


def mirror(store: Store, key: Key, now: datetime) -> list[Step]:
    """A controller for these tests: a Secret for each ConfigMap."""
    source, copy = store.get(CONFIG_MAP, *key), store.get(SECRET, *key)
    if source is None:
        return [Delete(SECRET, copy)] if copy else []
    if copy is None:
        meta = {"name": key[1], "namespace": key[0]}
        value = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": source["data"]}
        return [Create(SECRET, value, Tell(source, "Copied", "made {name}"))]
    return [] if copy["data"] == source["data"] else [Replace(SECRET, {**copy, "data": source["data"]})]


MIRROR = Controller("mirror", mirror, {CONFIG_MAP: own_key, SECRET: own_key})


def test_what_is_there_at_the_start_is_looked_at() -> None:
    store = Store()
    rules = Rules(store, lambda: START)
    rules.create(NAMESPACE, "", namespace())
    rules.create(CONFIG_MAP, "ns", config(x="MQ=="))
    runner = Runner(store, rules, [MIRROR], lambda: START, Recorder())
    stops = runner.start()
    while runner.turn():
        pass
    assert [each["data"] for each in store.all(SECRET)] == [{"x": "MQ=="}]
    assert [each["message"] for each in store.all(EVENT)] == ["made a"]
    for stop in stops:
        stop()
    rules.delete(SECRET, "ns", "a", {})
    assert not runner.turn()


def test_writes_meet_what_the_controller_saw() -> None:
    made = World(MIRROR)
    made.create(namespace())
    made.create(config(x="MQ=="))
    made.change(CONFIG_MAP, "a", lambda value: value["data"].update(x="Mg=="))
    assert made.get(SECRET, "a")["data"] == {"x": "Mg=="}
    made.delete(SECRET, "a")
    assert made.get(SECRET, "a")["data"] == {"x": "Mg=="}
    made.delete(CONFIG_MAP, "a")
    assert made.all(SECRET) == []


def test_a_conflict_is_tried_again_and_not_told() -> None:
    told: list[Step] = []

    def stale(store: Store, key: Key, now: datetime) -> list[Step]:
        found = store.get(CONFIG_MAP, *key)
        assert found is not None
        if "done" in found["data"]:
            return []
        version = "1" if not told else found["metadata"]["resourceVersion"]
        told.append(Replace(CONFIG_MAP, with_meta({**found, "data": {"done": ""}}, resourceVersion=version)))
        return told[-1:]

    def refused(*_: object) -> list[Step]:
        raise AssertionError("a conflict is nobody's news")

    made = World(Controller("stale", stale, {CONFIG_MAP: own_key}, refused))
    made.create(namespace())
    made.create(config())
    made.advance(1)
    assert (len(told), made.get(CONFIG_MAP, "a")["data"]) == (2, {"done": ""})


def test_a_refusal_ends_the_turn_is_told_and_tried_again_later() -> None:
    tries: list[float] = []

    def decide(store: Store, key: Key, now: datetime) -> list[Step]:
        source = store.get(CONFIG_MAP, *key)
        tries.append((now - START).total_seconds())
        value = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "ns"}}
        assert source is not None
        return [Create(SECRET, value), Tell(source, "Never", "not reached")]

    def refused(store: Store, key: Key, now: datetime, write: object, error: ApiStatusError) -> list[Step]:
        source = store.get(CONFIG_MAP, *key)
        assert source is not None
        return [Tell(source, "Refused", error.message, warning=True)]

    made = World(Controller("bold", decide, {CONFIG_MAP: own_key}, refused))
    made.create(namespace())
    made.rules.refuses = lambda kind, value: ApiStatusError(403, "Forbidden", "no") if kind == SECRET else None
    made.create(config())
    made.advance(0.4)
    assert tries == pytest.approx([0, 0.05, 0.15, 0.35])
    (event,) = made.all(EVENT)
    assert (event["message"], event["type"], event["count"]) == ("no", "Warning", 4)


def test_one_that_breaks_holds_up_nobody() -> None:
    def decide(store: Store, key: Key, now: datetime) -> list[Step]:
        if key[1] == "bad":
            raise KeyError("spec")
        return mirror(store, key, now)

    store = Store()
    rules = Rules(store, lambda: START)
    rules.create(NAMESPACE, "", namespace())
    runner = Runner(store, rules, [Controller("x", decide, {CONFIG_MAP: own_key})], lambda: START, Recorder())
    runner.start()
    rules.create(CONFIG_MAP, "ns", config("bad"))
    rules.create(CONFIG_MAP, "ns", config("good"))
    while runner.turn():
        pass
    assert names(list(store.all(SECRET))) == ["good"]
    assert len(CRASHES.seen) == 1
    CRASHES.seen.clear()
    assert runner.next_time() == START + FIRST


def test_events_are_kept_for_an_hour() -> None:
    made = World(MIRROR, expiry.CONTROLLER)
    made.create(namespace())
    made.create(config())
    made.advance(3599)
    assert len(made.all(EVENT)) == 1
    made.advance(1)
    assert made.all(EVENT) == []


# As a task


def clock() -> datetime:
    return at(seconds())


def on_the_loop(body: Callable[[Store, Rules], object], *controllers: Controller) -> Store:
    store = Store()

    async def main() -> None:
        rules = Rules(store, clock)
        rules.create(NAMESPACE, "", namespace())
        runner = Runner(store, rules, controllers, clock, Recorder())
        async with Background() as background:
            background.start(runner.run(), name="controllers")
            result = body(store, rules)
            if asyncio.iscoroutine(result):
                await result
        rules.create(CONFIG_MAP, "ns", config("late"))
        await asyncio.sleep(1)  # and nobody looks at it

    run_virtual(main())
    return store


def test_it_hears_of_changes_and_wakes_when_it_was_asked_to() -> None:
    woken: list[float] = []

    def decide(store: Store, key: Key, now: datetime) -> list[Step]:
        woken.append(seconds())
        return [Again(at(10))] if seconds() < 10 else []

    async def body(store: Store, rules: Rules) -> None:
        rules.create(CONFIG_MAP, "ns", config())
        await asyncio.sleep(3)
        rules.create(CONFIG_MAP, "ns", config("b"))
        await asyncio.sleep(20)

    on_the_loop(body, Controller("x", decide, {CONFIG_MAP: own_key}))
    assert woken == [0, 3, 10, 10]


def test_a_deployment_on_the_loop() -> None:
    async def body(store: Store, rules: Rules) -> None:
        rules.create(NODE, "", one_node())
        rules.create(DEPLOYMENT, "ns", workload("Deployment"))
        await asyncio.sleep(1)
        found = store.get(DEPLOYMENT, "ns", "web")
        assert found is not None
        rules.replace(DEPLOYMENT, "ns", "web", {**found, "spec": {**found["spec"], "replicas": 5}})
        await asyncio.sleep(1)

    store = on_the_loop(body, deployment.CONTROLLER, replicaset.CONTROLLER, scheduler.CONTROLLER)
    assert [pod["spec"]["nodeName"] for pod in store.all(POD)] == ["n1"] * 5
