"""Requests as clients send them, answered by the whole API server but for its sockets."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from fairlead.lab.apiserver.api import Api, Tokens
from fairlead.lab.apiserver.objects import Objects
from fairlead.lab.apiserver.pods import Pods
from fairlead.lab.registry import kinds
from fairlead.lab.registry.access import User
from fairlead.lab.registry.rules import Registry
from fairlead.lab.registry.store import Store
from fairlead.lab.web.messages import Reply, Request, Stream
from tests.support.loop import run_virtual

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PODS = "/api/v1/namespaces/default/pods"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io, application/json"
POD = {"metadata": {"name": "a", "labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}


def named(name: str, **labels: str) -> dict[str, Any]:
    return {**POD, "metadata": {"name": name, "labels": labels}}


class Lab:
    """An API server, and a client that has its token."""

    def __init__(self) -> None:
        count = itertools.count()
        self.registry = Registry(Store(), lambda: NOW, lambda size: f"{next(count):0{size}x}")
        self.dialled = 0
        tokens = Tokens()
        tokens.give("secret", User("admin"))
        pods = Pods(self.registry, self._no_node, self._logs)
        self.api = Api(Objects(self.registry, lambda: NOW), pods, tokens, "127.0.0.1:1", lambda text: None)
        self.registry.create(kinds.NAMESPACE, "", {"metadata": {"name": "default"}})

    async def _no_node(self, make: Callable[[], asyncio.Protocol]) -> object:
        self.dialled += 1
        raise ConnectionRefusedError("nobody listens")

    async def _logs(self, url: str) -> AsyncIterator[bytes]:
        yield url.encode()

    async def ask(
        self,
        method: str,
        url: str,
        body: object = None,
        *,
        kind: str = "application/json",
        accept: str = "",
        **more: str,
    ) -> tuple[int, Any]:
        headers = {"authorization": "Bearer secret", "content-type": kind, "accept": accept, **more}
        sent = b"" if body is None else json.dumps(body).encode()
        answer = await self.api(Request(method, url, tuple(headers.items()), sent))
        assert isinstance(answer, Reply)
        return answer.status, json.loads(answer.body) if answer.body[:1] in (b"{", b"[") else answer.body.decode()

    async def watch(self, url: str, count: int) -> list[tuple[str, str]]:
        """Type and name of so many events; fewer if the watch ends before."""
        answer = await self.api(Request("GET", url, (("authorization", "Bearer secret"),)))
        assert isinstance(answer, Stream)
        found = []
        async for line in answer.body:
            event = json.loads(line)
            found.append(
                (event["type"], event["object"].get("metadata", {}).get("name", event["object"].get("reason", "")))
            )
            if len(found) == count:
                break
        await answer.body.aclose()  # type: ignore[attr-defined]
        return found


def play(body: Callable[[Lab], Awaitable[None]]) -> None:
    async def main() -> None:
        await body(Lab())

    run_virtual(main(), limit=10_000)


def test_nobody_without_a_token_is_told_more_than_that_it_lives() -> None:
    async def body(lab: Lab) -> None:
        for url, code in (("/version", 200), ("/healthz", 200), ("/api", 401), (PODS, 401), ("/nonsense", 401)):
            for header in ((), (("authorization", "Bearer wrong"),), (("authorization", "secret"),)):
                answer = await lab.api(Request("GET", url, header))
                assert isinstance(answer, Reply)
                assert answer.status == code, url

    play(body)


def test_what_is_made_is_found_changed_and_gone() -> None:
    async def body(lab: Lab) -> None:
        code, made = await lab.ask("POST", PODS, POD)
        assert (code, made["metadata"]["name"], made["kind"]) == (201, "a", "Pod")
        assert (await lab.ask("POST", PODS, POD))[0] == 409
        assert (await lab.ask("GET", f"{PODS}/a"))[1] == made
        patch = {"metadata": {"labels": {"app": "db"}}}
        code, changed = await lab.ask("PATCH", f"{PODS}/a", patch, kind="application/merge-patch+json")
        assert (code, changed["metadata"]["labels"]) == (200, {"app": "db"})
        assert (await lab.ask("PUT", f"{PODS}/a", made))[0] == 409, "it is not as new as that"
        assert (await lab.ask("DELETE", f"{PODS}/a?gracePeriodSeconds=0"))[0] == 200
        code, gone = await lab.ask("GET", f"{PODS}/a")
        assert (code, gone["reason"]) == (404, "NotFound")

    play(body)


@pytest.mark.parametrize(
    ("method", "url", "kind", "code", "words"),
    [
        ("PUT", PODS, "", 405, "lab"),
        ("POST", f"{PODS}/a", "", 405, "lab"),
        ("PATCH", f"{PODS}/a", "application/apply-patch+yaml", 415, "--server-side"),
        ("POST", PODS, "text/html", 415, "application/yaml"),
        ("POST", PODS, "application/json", 400, "cannot be read"),
        ("GET", f"{PODS}?limit=x", "", 400, "limit"),
        ("GET", f"{PODS}?continue=x", "", 400, "continue"),
        ("GET", f"{PODS}?resourceVersion=999999", "", 504, "Too large"),
        ("GET", f"{PODS}?labelSelector=a%3D%3D%3Db", "", 400, ""),
        ("POST", f"{PODS}?dryRun=Some", "application/json", 400, "dryRun"),
        ("GET", "/apis/batch/v1/jobs", "", 404, ""),
        ("POST", "/api", "", 404, ""),
        ("GET", "http://[", "", 400, "URL"),
    ],
)
def test_what_cannot_be_done_is_a_status(method: str, url: str, kind: str, code: int, words: str) -> None:
    async def body(lab: Lab) -> None:
        headers = (("authorization", "Bearer secret"), ("content-type", kind))
        answer = await lab.api(Request(method, url, headers, b"{nonsense"))
        assert isinstance(answer, Reply)
        told = json.loads(answer.body)
        assert (answer.status, told["kind"], told["code"]) == (code, "Status", code), told
        assert words in told["message"]

    play(body)


def test_lists_come_in_pages() -> None:
    async def body(lab: Lab) -> None:
        for index in range(5):
            await lab.ask("POST", PODS, named(f"p{index}", app="web" if index % 2 else "db"))
        _, whole = await lab.ask("GET", PODS)
        assert whole["kind"] == "PodList"
        assert "kind" not in whole["items"][0]
        url, found = f"{PODS}?limit=2", []
        while True:
            _, page = await lab.ask("GET", url)
            found += [item["metadata"]["name"] for item in page["items"]]
            assert page["metadata"]["resourceVersion"] == whole["metadata"]["resourceVersion"]
            if "continue" not in page["metadata"]:
                break
            url = f"{PODS}?limit=2&continue={page['metadata']['continue']}"
        assert found == [item["metadata"]["name"] for item in whole["items"]]
        _, chosen = await lab.ask("GET", f"{PODS}?labelSelector=app%3Dweb")
        assert [item["metadata"]["name"] for item in chosen["items"]] == ["p1", "p3"]
        _, table = await lab.ask("GET", PODS, accept=TABLE)
        assert (table["kind"], len(table["rows"])) == ("Table", 5)

    play(body)


def test_a_dry_run_changes_nothing_and_warnings_are_headers() -> None:
    async def body(lab: Lab) -> None:
        before = lab.registry.store.revision
        headers = (("authorization", "Bearer secret"), ("content-type", "application/json"))
        sent = json.dumps({**POD, "nonsense": 1}).encode()
        answer = await lab.api(Request("POST", f"{PODS}?dryRun=All&fieldValidation=Warn", headers, sent))
        assert isinstance(answer, Reply)
        assert (answer.status, dict(answer.headers)) == (201, {"Warning": '299 - "unknown field \\"nonsense\\""'})
        assert lab.registry.store.revision == before
        code, told = await lab.ask("POST", f"{PODS}?fieldValidation=Strict", {**POD, "nonsense": 1})
        assert (code, "nonsense" in told["message"]) == (400, True)

    play(body)


def test_a_watch_tells_of_what_is_there_and_what_happens() -> None:
    async def body(lab: Lab) -> None:
        await lab.ask("POST", PODS, named("a", app="web"))
        watching = asyncio.get_running_loop().create_task(lab.watch(f"{PODS}?watch=true", 3))
        await asyncio.sleep(1)
        await lab.ask("POST", PODS, named("b"))
        await lab.ask("DELETE", f"{PODS}/a?gracePeriodSeconds=0")
        assert await watching == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]

    play(body)


def test_a_watch_goes_on_from_a_revision() -> None:
    async def body(lab: Lab) -> None:
        start = lab.registry.store.revision
        await lab.ask("POST", PODS, named("a"))
        since = f"{PODS}?watch=true&timeoutSeconds=5&resourceVersion="
        assert await lab.watch(f"{since}{start}", 9) == [("ADDED", "a")], "the server ends it in time"
        assert await lab.watch(f"{since}{lab.registry.store.revision}", 9) == []
        assert await lab.watch(f"{since}999999", 9) == [("ERROR", "Timeout")]
        initial = f"{PODS}?watch=true&timeoutSeconds=5&sendInitialEvents=true&allowWatchBookmarks=true"
        assert await lab.watch(f"{initial}&resourceVersionMatch=NotOlderThan", 9) == [("ADDED", "a"), ("BOOKMARK", "")]

    play(body)


def test_bookmarks_come_when_others_changed() -> None:
    async def body(lab: Lab) -> None:
        url = f"{PODS}?watch=true&timeoutSeconds=200&allowWatchBookmarks=true"
        watching = asyncio.get_running_loop().create_task(lab.watch(url, 9))
        await asyncio.sleep(1)
        await lab.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "other"}})
        assert await watching == [("BOOKMARK", "")]

    play(body)


def test_a_client_that_is_too_late_has_to_begin_anew() -> None:
    async def body(lab: Lab) -> None:
        lab.registry.store._changes.clear()
        await lab.ask("POST", PODS, POD)
        assert await lab.watch(f"{PODS}?watch=true&resourceVersion=1", 9) == [("ERROR", "Expired")]

    play(body)


def test_pods_that_no_node_has_and_nodes_that_are_not_there() -> None:
    async def body(lab: Lab) -> None:
        await lab.ask("POST", PODS, POD)
        more = {"connection": "Upgrade", "upgrade": "SPDY/3.1"}
        code, told = await lab.ask("POST", f"{PODS}/a/portforward", **more)
        assert (code, told["message"]) == (400, "pod a does not have a host assigned")
        binding = {"target": {"name": "n"}}
        assert (await lab.ask("POST", f"{PODS}/a/binding", binding))[0] == 201
        assert (await lab.ask("POST", f"{PODS}/a/portforward"))[1]["message"] == "Upgrade request required"
        assert (await lab.ask("DELETE", f"{PODS}/a/portforward"))[0] == 405
        code, told = await lab.ask("POST", f"{PODS}/a/portforward", **more)
        assert (code, lab.dialled, "error dialing backend" in told["message"]) == (500, 1, True)
        code, told = await lab.ask("POST", f"{PODS}/a/exec?container=x&command=sh", **more)
        assert (code, told["message"]) == (400, "container x is not valid for pod a")
        logs = await lab.api(
            Request("GET", f"{PODS}/a/log?follow=true&container=c", (("authorization", "Bearer secret"),))
        )
        assert isinstance(logs, Stream)
        assert [line async for line in logs.body] == [b"/containerLogs/default/a/c?follow=true"]

    play(body)


def test_reviews_and_documents() -> None:
    async def body(lab: Lab) -> None:
        review = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "spec": {}}
        code, told = await lab.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        assert (code, told["status"]["allowed"]) == (201, True)
        assert (await lab.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", [1]))[0] == 400
        assert (await lab.ask("GET", "/api"))[1]["versions"] == ["v1"]
        assert (await lab.ask("GET", "/readyz"))[1] == "ok"

    play(body)
