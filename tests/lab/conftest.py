"""Those who run a node of the lab in tests: root, where the tests are root's, and an ordinary user."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from fairlead.host.private.setup import PLACES
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


@pytest.fixture(scope="session", params=["root", "user"])
def lab_user(request: pytest.FixtureRequest) -> LabUser:
    """Runs scenarios of ``labscenarios``."""
    if request.param == "root" and os.getuid() != 0:
        pytest.skip("needs root")
    for program in ("nft", "ip", "curl"):
        if not shutil.which(program, path=f"{os.environ['PATH']}:{PLACES}"):
            pytest.skip(f"needs {program}")
    user = LabUser(request.getfixturevalue("_ordinary_user") if request.param == "user" else None)
    with user.run("plain_facts") as run:
        found = run.line()
    if found.get("step") in ("unshare", "map"):
        pytest.skip(f"this machine gives no user namespaces: {found['text']}")
    return user
