"""Errors from what an API server answers: a Status object (meta/v1), or whatever a proxy put in its place."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from fairlead.errors import ApiError, FairleadError, ForbiddenError, GoneError, NotFoundError, ProtocolError

MAX_PAUSE = 3600
"""Seconds: what a server asks for beyond an hour is no number to calculate with."""
MAX_WORDS = 500
"""Characters of a foreign error text that are shown; the rest is a web page."""
_NO_SUCH_API = (400, 404, 405)
"""What a web server answers to paths that are none of its own."""
_CHECK_ADDRESS = "check the cluster's server in the kubeconfig, or --server"
_RBAC = re.compile(
    r'is forbidden: User "([^"]*)" cannot \S+ resource "[^"]*" in API group "[^"]*"'
    r'(?: in the namespace "[^"]*"| at the cluster scope)?(.*)',
    re.DOTALL,
)
_NAMESPACED = ("services", "endpointslices.discovery.k8s.io", "pods")
"""What is listed in all namespaces together."""
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Attempt(NamedTuple):
    """What was asked for, in RBAC's words."""

    verb: str
    resource: str
    """With its group and subresource: ``pods/portforward``, ``deployments.apps``; "" for a path that is no resource."""
    namespace: str
    name: str
    path: str
    options: str = ""
    """kubectl's options that make it the same user of the same cluster, for the remedy."""

    @classmethod
    def of(cls, method: str, path: str, query: object = ()) -> Attempt:
        """Read verb and resource off a request (Kubernetes API conventions, resource paths)."""
        words = path.strip("/").split("/")
        # /api/v1/... or /apis/GROUP/VERSION/...
        group = words[1] if words[0] == "apis" and len(words) > 2 else ""
        rest = words[3:] if words[0] == "apis" else words[2:] if words[0] == "api" else []
        namespace = ""
        if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in ("status", "finalize"):
            namespace, rest = rest[1], rest[2:]
        kind, name, sub = [*rest[:3], *[""] * (3 - len(rest[:3]))]
        resource = "".join((kind, f".{group}" if kind and group else "", f"/{sub}" if sub else ""))
        verb = _VERBS.get(method, "get" if name else "list")
        if ("watch", "true") in _pairs(query):
            verb = "watch"
        return cls(verb, resource, namespace, name, path)

    def __str__(self) -> str:
        if not self.resource:
            return f"{self.verb} {self.path}"
        name = f' "{self.name}"' if self.name else ""
        return f"{self.verb} {self.resource}{name}" + (f' in namespace "{self.namespace}"' if self.namespace else "")

    @property
    def remedy(self) -> str:
        """How to see and get the missing right."""
        return f"ask for a role with {self.verb_on}" + (f"; check with: {self.check}" if self.resource else "")

    @property
    def verb_on(self) -> str:
        """The right, as an administrator knows it."""
        return f"the verb {self.verb} on {self.resource or self.path}"

    @property
    def check(self) -> str:
        """The command that says whether the right is there."""
        # To kubectl, a word behind a slash is an object's name, and no namespace is the context's own.
        kind, _, sub = self.resource.partition("/")
        where = f" -n {self.namespace}" if self.namespace else " -A" if kind in _NAMESPACED else ""
        more = (f" --subresource={sub}" if sub else "") + where + (f" {self.options}" if self.options else "")
        return f"kubectl auth can-i {self.verb} {kind}{more}"


def user_in(message: str) -> str:
    """Who was refused by RBAC, if it says so: ``user "jo"``."""
    rbac = _RBAC.search(message)
    return f'user "{rbac[1]}"' if rbac else ""


def _pairs(query: object) -> tuple[Any, ...]:
    return tuple(query) if isinstance(query, list | tuple) else ()


def api_error(attempt: Attempt, code: int, body: bytes, *, retry_after: float | None = None) -> FairleadError:
    """The typed error for a status of 400 and above (401 is the caller's: it knows the credentials)."""
    status = parse_status(body)
    message = str(status.get("message") or "") or plain(body)
    reason = str(status.get("reason") or "")
    if retry_after is None:
        details = status.get("details")
        seconds = details.get("retryAfterSeconds") if isinstance(details, dict) else None
        if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0:
            retry_after = float(min(seconds, MAX_PAUSE))
    kind, what, remedy = _classify(attempt, code, message, bool(status))
    if code in _NO_SUCH_API and body.lstrip()[:1] == b"<":
        what, remedy = "this is not a Kubernetes API server: it answers with a web page", _CHECK_ADDRESS
    return kind(what, code=code, reason=reason, message=message, retry_after=retry_after, remedy=remedy)


def _classify(attempt: Attempt, code: int, message: str, is_status: bool) -> tuple[type[ApiError], str, str]:
    said = f": {message}" if message else ""
    if code == 403:
        remedy = attempt.remedy
        if "system:anonymous" in message:
            remedy = "no credentials were sent: choose a user in the kubeconfig or give --token"
        return ForbiddenError, _forbidden(attempt, message), remedy
    if code == 404:
        if is_status and message and attempt.name:
            return NotFoundError, message, ""
        return NotFoundError, f"the API server has nothing at {attempt.path}{said}", ""
    if code == 410:
        return GoneError, f"the API server no longer has that version{said}", ""
    busy = "the API server is overloaded or starting" if code in (429, 503) else "the API server failed"
    if code == 429 or code >= 500:
        return ApiError, f"{busy}, asked to {attempt} it answered {code}{said}", ""
    return ApiError, f"the API server refused to {attempt} ({code}){said}", ""


def _forbidden(attempt: Attempt, message: str) -> str:
    """One sentence: RBAC's own says again what was asked for, and adds who did; what stands behind that is kept."""
    rbac = _RBAC.search(message)
    if rbac:
        return f'the API server does not let user "{rbac[1]}" {attempt}{rbac[2]}'
    return f"the API server does not let us {attempt}" + (f": {message}" if message else "")


def parse_status(body: bytes) -> dict[str, Any]:
    """The Status object in ``body``, or an empty one."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and found.get("kind") == "Status" else {}


def plain(body: bytes) -> str:
    """A foreign error text, trimmed, on one line and without control characters."""
    text = " ".join(body[: 4 * MAX_WORDS].decode("utf-8", "replace").split())
    clean = "".join(char for char in text if char.isprintable())
    return clean[:MAX_WORDS] + ("..." if len(clean) > MAX_WORDS else "")


def parse_object(body: bytes, where: str) -> dict[str, Any]:
    """A JSON object; raises ProtocolError when the answer is something else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        if body.lstrip()[:1] == b"<":
            raise ApiError(
                f"{where} is not a Kubernetes API server: it answers with a web page", remedy=_CHECK_ADDRESS
            ) from error
        raise ProtocolError(f"{where} answered with something that is not JSON: {plain(body)[:80]}") from error
    if not isinstance(found, dict):
        raise ProtocolError(f"{where} answered with JSON that is no object")
    return found


def retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header; the date form (RFC 9110) is not used by Kubernetes and counts as none."""
    if value is None or not (value.isascii() and value.isdigit()):
        return None
    return min(float(value), float(MAX_PAUSE))
