"""The same kubeconfigs, read by kubectl and by fairlead, seen from the server: identity, headers, SNI, way.

What kubectl does is recorded in kubeconfig_records.json, so that fairlead is compared with it where no kubectl is at
hand. With one (FAIRLEAD_TEST_KUBECTL, the test cluster's, or PATH) kubectl is compared with the records, too.
To record anew: ``FAIRLEAD_RECORD=1 pytest -m real tests/kube/test_kubeconfigs.py``.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed import paths, versions
from tests.kube.kubeconfig_cases import CASES
from tests.kube.kubeconfig_world import Record, run_fairlead, run_kubectl, world, write
from tests.support.loop import run

RECORDS = Path(__file__).with_name("kubeconfig_records.json")
BUILT = paths.tool("kubernetes", versions.KUBERNETES) / "kubectl"

AT_API: Record = {
    "server": "api",
    "path": "/api/v1/namespaces/default/pods/x",
    "host": "127.0.0.1:API",
    "sni": None,
    "client": None,
    "identity": [],
    "proxies": [],
    "forms": [],
}

ON_PURPOSE: dict[str, tuple[Record, str]] = {
    "token-option-over-token-file": (
        AT_API | {"identity": [["authorization", "Bearer from-option"]]},
        "an option outranks a file; kubectl ignores --token where the kubeconfig has a tokenFile",
    ),
    "user-without-credentials": (
        AT_API,
        "kubectl asks for a user name and a password on stdout; we ask the server, whose answer says who is missing",
    ),
}
"""Case -> what fairlead does instead, and why."""


OLDER_REFUSE = {"client-certificate-options"}
"""Cases that kubectl refused up to 1.33: an option beside data of the kubeconfig was a contradiction then."""


def find_kubectl() -> str | None:
    """The kubectl to compare with, if there is one."""
    return os.environ.get("FAIRLEAD_TEST_KUBECTL") or (str(BUILT) if BUILT.exists() else shutil.which("kubectl"))


def recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORDS.read_text())
    return found


def by_fairlead(name: str, folder: Path) -> Record:
    async def main() -> Record:
        async with world(folder) as here:
            setup = CASES[name](here)
            write(setup, folder)
            return await run_fairlead(setup, here)

    return run(main())


def by_kubectl(kubectl: str, name: str, folder: Path) -> Record:
    async def main() -> Record:
        async with world(folder) as here:
            setup = CASES[name](here)
            write(setup, folder)
            return await run_kubectl(kubectl, setup, here)

    return run(main())


@pytest.mark.parametrize("name", CASES)
def test_fairlead_sends_what_kubectl_sent(name: str, tmp_path: Path) -> None:
    expected = ON_PURPOSE[name][0] if name in ON_PURPOSE else recorded()[name]
    assert by_fairlead(name, tmp_path) == expected


def test_differences_are_differences() -> None:
    records = recorded()
    assert set(records) == set(CASES)
    assert [name for name, (ours, _) in ON_PURPOSE.items() if records[name] == ours] == []


@pytest.mark.real
@pytest.mark.parametrize("name", CASES)
def test_kubectl_sends_what_is_recorded(name: str, tmp_path: Path, records: dict[str, Any]) -> None:
    kubectl = find_kubectl()
    assert kubectl is not None
    seen = by_kubectl(kubectl, name, tmp_path)
    if "FAIRLEAD_RECORD" in os.environ:
        records[name] = seen
    elif not (name in OLDER_REFUSE and seen == {"refused": True}):
        assert seen == records[name]


@pytest.fixture(scope="module")
def records() -> Iterator[dict[str, Any]]:
    """The records; written back when they are made anew."""
    anew = "FAIRLEAD_RECORD" in os.environ
    found = recorded() if RECORDS.exists() else {}
    yield found
    if anew:
        found = {name: seen for name, seen in found.items() if name in CASES}
        RECORDS.write_text(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
