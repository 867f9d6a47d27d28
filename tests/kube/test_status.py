from __future__ import annotations

import json
from typing import Any

import pytest

from fairlead.errors import ApiError, ForbiddenError, GoneError, NotFoundError, ProtocolError
from fairlead.kube.status import MAX_WORDS, Attempt, api_error, parse_object, plain, retry_after


@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("GET", "/api/v1/namespaces/a/pods/x", (), 'get pods "x" in namespace "a"'),
        ("GET", "/api/v1/namespaces/a/pods", (), 'list pods in namespace "a"'),
        ("GET", "/api/v1/namespaces/a/pods", (("watch", "true"),), 'watch pods in namespace "a"'),
        ("GET", "/api/v1/pods", (), "list pods"),
        ("GET", "/api/v1/namespaces", (), "list namespaces"),
        ("GET", "/api/v1/namespaces/a", (), 'get namespaces "a"'),
        ("POST", "/api/v1/namespaces/a/pods/x/portforward", (), 'create pods/portforward "x" in namespace "a"'),
        ("GET", "/apis/apps/v1/namespaces/a/deployments/d", (), 'get deployments.apps "d" in namespace "a"'),
        (
            "GET",
            "/apis/apps/v1/namespaces/a/deployments/d/scale",
            (),
            'get deployments.apps/scale "d" in namespace "a"',
        ),
        ("PUT", "/api/v1/namespaces/a/status", (), 'update namespaces/status "a"'),
        ("PATCH", "/api/v1/nodes/n", (), 'patch nodes "n"'),
        ("DELETE", "/apis/x.test/v1/things/t", (), 'delete things.x.test "t"'),
        ("GET", "/version", (), "list /version"),
        ("GET", "/apis/apps", (), "list /apis/apps"),
        ("GET", "/", (), "list /"),
    ],
)
def test_a_request_is_named_by_verb_resource_and_namespace(method: str, path: str, query: Any, expected: str) -> None:
    assert str(Attempt.of(method, path, query)) == expected


def status(message: str, reason: str = "", **more: Any) -> bytes:
    return json.dumps({"kind": "Status", "message": message, "reason": reason, **more}).encode()


POD = Attempt.of("GET", "/api/v1/namespaces/a/pods/x")
LIST = Attempt.of("GET", "/api/v1/namespaces/a/pods")
EVERYWHERE = Attempt.of("GET", "/api/v1/pods")
FORWARD = Attempt.of("POST", "/api/v1/namespaces/a/pods/x/portforward")


@pytest.mark.parametrize(
    ("attempt", "code", "body", "kind", "what"),
    [
        (POD, 403, status("no", "Forbidden"), ForbiddenError, 'does not let us get pods "x" in namespace "a": no'),
        (LIST, 403, status("no"), ForbiddenError, "kubectl auth can-i list pods -n a"),
        (LIST, 403, status('User "system:anonymous" cannot list'), ForbiddenError, "no credentials were sent"),
        (EVERYWHERE, 403, status("no"), ForbiddenError, "kubectl auth can-i list pods -A)"),
        (FORWARD, 403, status("no"), ForbiddenError, "kubectl auth can-i create pods --subresource=portforward -n a)"),
        (LIST._replace(options="--as=x"), 403, status("no"), ForbiddenError, "auth can-i list pods -n a --as=x)"),
        (
            POD,
            403,
            status('pods "x" is forbidden: User "jo" cannot get resource "pods" in API group "" in the namespace "a"'),
            ForbiddenError,
            'the API server does not let user "jo" get pods "x" in namespace "a" (ask for a role',
        ),
        (
            POD,
            403,
            status('x is forbidden: User "jo" cannot get resource "pods" in API group "": RBAC: role "r" not found'),
            ForbiddenError,
            'does not let user "jo" get pods "x" in namespace "a": RBAC: role "r" not found (ask for a role',
        ),
        (POD, 404, b"<!DOCTYPE HTML>\n<html>", NotFoundError, "this is not a Kubernetes API server: it answers with"),
        (POD, 502, b"<html>Bad Gateway", ApiError, "it answered 502: <html>Bad Gateway"),
        (POD, 404, status('pods "x" not found', "NotFound"), NotFoundError, 'pods "x" not found'),
        (LIST, 404, b"404 page not found\n", NotFoundError, "has nothing at /api/v1/namespaces/a/pods: 404 page"),
        (LIST, 410, status("too old", "Expired"), GoneError, "no longer has that version: too old"),
        (LIST, 429, b"", ApiError, 'is overloaded or starting, asked to list pods in namespace "a" it answered 429'),
        (
            LIST,
            500,
            b"\x1b[1mboom\n\n",
            ApiError,
            'failed, asked to list pods in namespace "a" it answered 500: [1mboom',
        ),
        (LIST, 422, status("invalid", "Invalid"), ApiError, 'refused to list pods in namespace "a" (422): invalid'),
    ],
)
def test_each_status_is_the_error_of_its_kind_in_the_servers_words(
    attempt: Attempt, code: int, body: bytes, kind: type[ApiError], what: str
) -> None:
    error = api_error(attempt, code, body)
    assert type(error) is kind
    assert isinstance(error, ApiError)
    assert error.code == code
    assert what in str(error)


def test_an_error_keeps_the_servers_reason_and_when_to_come_back() -> None:
    body = status("slow down", "TooManyRequests", details={"retryAfterSeconds": 3})
    error = api_error(LIST, 429, body)
    assert isinstance(error, ApiError)
    assert (error.reason, error.message, error.retry_after) == ("TooManyRequests", "slow down", 3)
    other = api_error(LIST, 429, body, retry_after=7)
    assert isinstance(other, ApiError)
    assert other.retry_after == 7


@pytest.mark.parametrize(
    ("number", "seconds"),
    [("9" * 400, 3600), ("1e999", 3600), ("NaN", None), ("true", None), ("-1", None), ("0", None), ('"7"', None)],
)
def test_a_pause_that_is_no_number_to_calculate_with(number: str, seconds: float | None) -> None:
    body = b'{"kind": "Status", "details": {"retryAfterSeconds": %s}}' % number.encode()
    error = api_error(LIST, 429, body)
    assert isinstance(error, ApiError)
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("9" * 400, 3600), (None, None), ("7", 7), ("0", 0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)],
)
def test_retry_after_is_seconds_and_at_most_an_hour(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_foreign_words_are_trimmed() -> None:
    assert plain(b"  a\r\n\tb\x00\xff ") == "a b\ufffd"
    assert len(plain(b"x" * 100_000)) == MAX_WORDS + 3


def test_a_web_page_is_no_api() -> None:
    with pytest.raises(ApiError, match="the server is not a Kubernetes API server: it answers with a web page"):
        parse_object(b"\n<html>", "the server")


@pytest.mark.parametrize("body", [b"", b"[1]", b"[" * 100_000, b"\xff"])
def test_what_is_no_json_object_is_no_answer_and_no_obstacle_to_an_error(body: bytes) -> None:
    with pytest.raises(ProtocolError, match="the server answered with"):
        parse_object(body, "the server")
    assert 'asked to list pods in namespace "a" it answered 500' in str(api_error(LIST, 500, body))
