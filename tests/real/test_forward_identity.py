"""Who one is to a real server: credentials that a plugin asks for in a terminal, and a pod's own service account."""

from __future__ import annotations

import importlib.util
import json
import os
import pty
import shutil
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import podapp, podclient
from tests.support.roles import SLICES, VIEW, may_forward, token
from tests.support.running import IN_TERMINAL, Forward
from tests.support.world import Json, World

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
P = podapp.BASE

PLUGIN = """#!/bin/sh
echo "$KUBERNETES_EXEC_INFO" > {folder}/info
echo "The word?" >&2
read -r word || exit 3
[ "$word" = sesame ] || exit 4
cat {folder}/credential
"""


@pytest.fixture
def asking(tmp_path: Path, app: World, raw: Json, both: str) -> Callable[..., list[str]]:
    """The options for a kubeconfig whose credentials come from a plugin that asks on standard input."""
    status = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": both}}
    (tmp_path / "credential").write_text(json.dumps(status))
    plugin = tmp_path / "plugin"
    plugin.write_text(PLUGIN.format(folder=tmp_path))
    plugin.chmod(0o755)

    def write(mode: str) -> list[str]:
        run = {"apiVersion": status["apiVersion"], "command": str(plugin), "interactiveMode": mode}
        context = {"cluster": raw["clusters"][0]["name"], "user": "asked", "namespace": app.namespace}
        config = {
            **raw,
            "users": [{"name": "asked", "user": {"exec": run}}],
            "contexts": [{"name": "c", "context": context}],
            "current-context": "c",
        }
        (tmp_path / "config").write_text(json.dumps(config))
        return [f"--kubeconfig={tmp_path / 'config'}"]

    return write


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Our end of a pseudo-terminal and the one for a program."""
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)


def in_terminal(terminal: tuple[int, int], *words: str, **more: Any) -> Forward:
    """A run whose standard input, and whose controlling terminal, is this one."""
    return Forward(words, stdin=terminal[1], wrap=[sys.executable, "-c", IN_TERMINAL], ready=False, **more)


@pytest.mark.parametrize("mode", ["IfAvailable", "Always"])
def test_a_plugin_that_asks_in_a_terminal(
    mode: str, asking: Callable[..., list[str]], terminal: tuple[int, int], tmp_path: Path
) -> None:
    before = termios.tcgetattr(terminal[1])
    with in_terminal(terminal, *asking(mode), "pod/app", f":{P}") as running:
        running.wait_said(r"^The word\?$", 20)
        os.write(terminal[0], b"sesame\n")
        running.wait_ready()
        podclient.run(podclient.echo(running.port(P), 100_000))
    assert json.loads((tmp_path / "info").read_text())["spec"]["interactive"] is True
    assert termios.tcgetattr(terminal[1]) == before


@pytest.mark.parametrize(
    ("answer", "words"), [(b"wrong\n", "failed with exit code 4"), (b"\x04", "failed with exit code 3")]
)
def test_a_wrong_answer(answer: bytes, words: str, asking: Callable[..., list[str]], terminal: tuple[int, int]) -> None:
    with in_terminal(terminal, *asking("IfAvailable"), "pod/app", f":{P}", json=False) as running:
        running.wait_said(r"^The word\?$", 20)
        os.write(terminal[0], answer)
        running.wait_end(5, 10)
    assert words in running.err[-1]


def test_an_interrupt_at_the_question(asking: Callable[..., list[str]], terminal: tuple[int, int]) -> None:
    """Ctrl-C ends plugin and run, within the second, as it does at any other moment."""
    with in_terminal(terminal, *asking("Always"), "pod/app", f":{P}", json=False) as running:
        running.wait_said(r"^The word\?$", 20)
        os.write(terminal[0], b"\x03")
        running.wait_end(0, 1)
    assert running.err == ["The word?"]


def test_never_is_not_asked(asking: Callable[..., list[str]], terminal: tuple[int, int], tmp_path: Path) -> None:
    with in_terminal(terminal, *asking("Never"), "pod/app", f":{P}", json=False) as running:
        running.wait_end(5, 20)
    assert "failed with exit code 3" in running.err[-1]
    assert json.loads((tmp_path / "info").read_text())["spec"]["interactive"] is False


@pytest.mark.parametrize(
    ("mode", "said"), [("IfAvailable", "failed with exit code 3"), ("Always", "standard input is in use")]
)
def test_standard_input_that_is_the_connection_is_not_asked(
    mode: str, said: str, asking: Callable[..., list[str]], terminal: tuple[int, int]
) -> None:
    """With ``-`` the terminal's lines are for the pod."""
    with in_terminal(terminal, *asking(mode), "pod/app", f"-:{P}", json=False) as running:
        running.wait_end(5, 20)
    assert said in running.err[-1]


@pytest.mark.parametrize(
    ("mode", "said"), [("IfAvailable", "failed with exit code 3"), ("Always", "standard input is not a terminal")]
)
def test_without_a_terminal(mode: str, said: str, asking: Callable[..., list[str]]) -> None:
    with Forward([*asking(mode), "pod/app", f":{P}"], json=False, ready=False) as running:
        running.wait_end(5, 20)
    assert said in running.err[-1]


# -- in a pod --


@pytest.fixture(scope="module")
def inside(app: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A pod with fairlead in it, whose service account may forward."""
    token(app, "inside", VIEW, SLICES, may_forward("get", "create"))
    folder = tmp_path_factory.mktemp("packages")
    for name in ("fairlead", "h11", "yaml"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        ignore = shutil.ignore_patterns("*.so", "__pycache__")
        shutil.copytree(Path(spec.origin).parent, folder / name, ignore=ignore)
    made = app.pod_spec(serviceAccountName="inside")
    made["automountServiceAccountToken"] = True
    made["volumes"].append({"name": "packages", "hostPath": {"path": str(folder)}})
    made["containers"][0]["volumeMounts"].append({"name": "packages", "mountPath": "/packages", "readOnly": True})
    app.start(app.pod("inside", spec=made))
    return app


@pytest.mark.node
@pytest.mark.parametrize("target", ["pod/app", "svc/app"])
def test_in_a_pod(target: str, inside: World) -> None:
    """No kubeconfig and no option: the pod's account, its CA, its namespace, the API server of its environment."""
    port = "echo" if target == "pod/app" else "81"
    script = f"printf hello | PYTHONPATH=/packages python3 -m fairlead forward {target} -:{port}"
    assert inside.kubectl("exec", "inside", "--", "sh", "-c", script) == "hello"


@pytest.mark.node
def test_in_a_pod_that_may_not(inside: World) -> None:
    """The account's own name is in the server's words."""
    script = "PYTHONPATH=/packages python3 -m fairlead forward deploy/app :80; echo code $?"
    said = inside.kubectl("exec", "inside", "--", "sh", "-c", script, check=False)
    assert f"system:serviceaccount:{inside.namespace}:inside" in said
    assert "code 6" in said
    assert "Traceback" not in said
