"""The runtime's socket, asked by the kubelet's own client (k8s.io/cri-client). Needs Go."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fairlead.lab.cri.grpc_server import CriServer
from fairlead.lab.cri.sandboxes import Sandbox
from fairlead.protocol.portforward import Outcome
from tests.support.cri import HOST, Boxes, echo, runtime, serving, spdy
from tests.support.localprocess import LocalContainers
from tests.support.loop import run

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("go") is None, reason="needs Go"),
]
SOURCE = Path(__file__).parent / "criclient"
POD = Sandbox(
    "a" * 64, 1, "/proc/1/ns/net", name="web", namespace="default", uid="u2", attempt=1, created=2_000_000_000,
    ips=("10.0.0.1", "fd00::1"), labels={"app": "web"}, annotations={"note": "ü"},
)  # fmt: skip
ENDED = replace(POD, id="b" * 64, ready=False)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> str:
    program = tmp_path_factory.mktemp("peer") / "criclient"
    subprocess.run(["go", "build", "-o", program, "."], cwd=SOURCE, check=True)
    return str(program)


@pytest.mark.timeout(300)
def test_what_a_kubelet_asks(peer: str, tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "cri.sock"
        boxes = Boxes([replace(HOST, created=1), POD, ENDED])
        async with (
            runtime(boxes=boxes, containers=LocalContainers()) as made,
            CriServer(made.service, path, version="1.2.3"),
            serving(echo) as port,
        ):
            process = await asyncio.create_subprocess_exec(
                peer, str(path), HOST.id, POD.id, ENDED.id, "nobody",
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            out, _ = await process.communicate()
            told: dict[str, dict[str, Any]] = {}
            for line in out.splitlines():
                answer = json.loads(line)
                told[answer.pop("call")] = answer
            check(told)
            async with spdy(told[f"forward to {HOST.id}"]["value"]) as client:
                assert await client.forward(port, b"x", eof=True).end() == (Outcome.CLEAN, b"x", "")

    run(main(), limit=60)


def check(told: dict[str, dict[str, Any]]) -> None:
    """Every answer."""
    assert told["version"]["value"]["runtime_name"] == "fairlead-lab"
    assert [each["type"] for each in told["status"]["value"]["conditions"]] == ["RuntimeReady", "NetworkReady"]
    (ready,) = told["ready"]["value"]
    assert (ready["id"], ready["labels"], ready["annotations"]) == (POD.id, {"app": "web"}, {"note": "ü"})
    assert ready["metadata"] == {"name": "web", "uid": "u2", "namespace": "default", "attempt": 1}
    assert told["all"]["value"] == 3
    network = told[f"status of {POD.id}"]["value"]["network"]
    assert (network["ip"], network["additional_ips"]) == ("10.0.0.1", [{"ip": "fd00::1"}])
    assert "/portforward/" in told[f"forward to {POD.id}"]["value"]
    assert "code = Unknown desc = sandbox container is not running" in told[f"forward to {ENDED.id}"]["error"]
    assert "code = NotFound" in told["status of nobody"]["error"]
    assert "code = NotFound" in told["forward to nobody"]["error"]
    assert "/exec/" in told["exec"]["value"]
    assert "code = Unimplemented" in told["run"]["error"]
