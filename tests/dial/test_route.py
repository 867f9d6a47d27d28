"""What a connection is told that waited in vain."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fairlead.dial.route import Route
from fairlead.model.target import PortSpec, TargetPort
from fairlead.policy.choose import Choice
from tests.support.dialled import backend

PODS = SimpleNamespace(why_not=lambda port: "no pod of web is ready")


@pytest.mark.parametrize(
    ("up", "chosen", "words"),
    [
        (False, True, "the API server does not answer"),
        (False, False, "the API server does not answer"),
        (True, True, "the API server gave no connection to pod"),
        (True, False, "no pod of web is ready"),
    ],
)
def test_it_says_who_kept_it_waiting(up: bool, chosen: bool, words: str) -> None:
    async def main() -> None:
        route = Route(
            cast("Any", PODS),
            TargetPort(PortSpec(80, "80"), 80, 80, 80),
            local=80,
            choice=Choice(),
            in_use=Counter(),
            report=lambda event: None,
            server_up=lambda: up,
        )
        connection = SimpleNamespace(backend=backend(80) if chosen else None)
        assert route.why_waiting(cast("Any", connection)).startswith(words)

    asyncio.run(main())
