"""``run``: what goes over real sockets is tested on both event loops."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.support.loop import LOOPS, run_on


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Any:
    """Run ``main()``, which has no result."""
    return partial(run_on, request.param)
