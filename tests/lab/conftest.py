"""Those who run a node of the lab in tests: root, where the tests are root's, and an ordinary user."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.labuser import LabUser
from tests.support.run_user import RunUser


@pytest.fixture(scope="session")
def _ordinary_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunUser | None]:
    if os.getuid() != 0:
        yield None  # we are one
        return
    kubeconfig = tmp_path_factory.mktemp("lab") / "kubeconfig"
    kubeconfig.write_text("")
    with RunUser(kubeconfig) as user:
        yield user


@pytest.fixture(params=["root", "user"])
def lab_user(request: pytest.FixtureRequest) -> LabUser:
    """Runs scenarios of ``labscenarios``."""
    if request.param == "user":
        return LabUser(request.getfixturevalue("_ordinary_user"))
    if os.getuid() != 0:
        pytest.skip("needs root")
    return LabUser(None)
