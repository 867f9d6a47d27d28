"""The little that the start of a cluster asks of its API server, without any client program."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any

from testbed.network import Network
from testbed.paths import State


class Api:
    """Requests as the administrator; one connection each, for there are few and they come far apart."""

    def __init__(self, state: State, network: Network) -> None:
        self._address = network.node
        self._context = ssl.create_default_context(cafile=str(state.pki / "ca.crt"))
        # An authority without a key-usage extension is one of the set-ups here; Go clients take it.
        self._context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        self._context.load_cert_chain(state.pki / "admin.crt", state.pki / "admin.key")

    def call(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        """Send one request; return the status and the text of the answer."""
        connection = http.client.HTTPSConnection(self._address, 6443, timeout=5, context=self._context)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, body=content, headers={"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def ready(self) -> bool:
        """Whether the API server serves."""
        try:
            return self.call("GET", "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def create(self, path: str, body: dict[str, Any]) -> bool:
        """Create one object; say whether it is there."""
        try:
            return self.call("POST", path, body)[0] in (201, 409)
        except (OSError, http.client.HTTPException):
            return False

    def conditions(self, path: str) -> dict[str, str]:
        """The status of each condition of an object; none while there is no such object."""
        try:
            status, text = self.call("GET", path)
        except (OSError, http.client.HTTPException):
            return {}
        if status != 200:
            return {}
        return {entry["type"]: entry["status"] for entry in json.loads(text)["status"].get("conditions", [])}
