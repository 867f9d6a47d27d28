"""Bringing a cluster up: what is prepared before the node exists, and the order in which its programs start."""

from __future__ import annotations

import shlex
import subprocess
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from testbed import build, cgroups, config, control, dns, leftovers, network, pki, plan
from testbed.api import Api
from testbed.build import Say
from testbed.config import node_name
from testbed.errors import TestbedError
from testbed.network import Network
from testbed.paths import State

__all__ = ["Api", "boot", "last_words", "node_name", "prepare"]

_LIMIT = 120  # a cold, busy machine; a warm idle one needs a tenth


def prepare(state: State, *, ca_key_usage: bool) -> Network:
    """Write all files and make the cgroups. The caller has the lock."""
    leftovers.clear(state)
    where = network.claim(state)
    pki.make(state.pki, where, node_name(state), ca_key_usage=ca_key_usage)
    config.write(state, where)
    plan.write(state, where, cgroups.create(state.name))
    return where


def boot(state: State, where: Network, archives: list[Path], say: Say, keeper: subprocess.Popen[bytes]) -> None:
    """Start the node's programs, each as soon as what it needs is there, and wait until pods can run and find names."""
    began = time.monotonic()

    def step(what: str) -> None:
        say(f"{time.monotonic() - began:5.1f} s  {what}")

    def alive() -> None:
        if keeper.poll() is not None:
            raise TestbedError(f"cluster {state.name} ended while it came up")
        if state.socket.exists() and (ended := control.order(state, "look")["ended"]):
            raise TestbedError(f"{', '.join(ended)} ended while cluster {state.name} came up")

    def until(done: control.Question, what: str) -> None:
        control.poll(done, limit=_LIMIT, what=what, still=alive)
        step(what)

    with ExitStack() as imports:
        until(lambda: _answers(state), "node made")
        control.start(state, "etcd")
        control.start(state, "containerd")
        control.poll(lambda: _listens(state, 2379), limit=_LIMIT, what="etcd", still=alive)
        control.start(state, "kube-apiserver")
        # The import needs no API server, and the API server needs a while.
        small = _import(state, archives[:-1], imports)
        api = Api(state, where)
        until(api.ready, "API server ready")
        for service in ("kube-controller-manager", "kube-scheduler"):
            control.start(state, service)
        for path, body in dns.objects(where):
            control.poll(partial(api.create, path, body), limit=_LIMIT, what=f"create {path}", still=alive)
        _finish(small)
        large = _import(state, archives[-1:], imports)
        for service in ("kubelet", "kube-proxy"):
            control.start(state, service)
        node = f"/api/v1/nodes/{node_name(state)}"
        until(lambda: api.conditions(node).get("Ready") == "True", "node ready")
        until(lambda: api.conditions(dns.DEPLOYMENT).get("Available") == "True", "DNS ready")
        _finish(large)
        step("images imported")
        state.ready.touch()


def _answers(state: State) -> bool:
    try:
        control.order(state, "look")
    except OSError:
        return False
    return True


def _listens(state: State, port: int) -> bool:
    """Whether something in the node listens on this port."""
    listening = "0A"
    first = control.first_process(state)
    lines = Path(f"/proc/{first.pid}/net/tcp").read_text().splitlines()[1:]
    return any(fields[1].endswith(f":{port:04X}") and fields[3] == listening for fields in map(str.split, lines))


def _import(state: State, archives: list[Path], imports: ExitStack) -> subprocess.Popen[bytes]:
    ctr = [str(build.binary("ctr")), f"--address={config.CONTAINERD}", "--namespace=k8s.io", "images", "import"]
    # In one shell, so that there is one thing to wait for; containerd's socket is there within a second.
    lines = ["set -e", f"for try in $(seq 300); do [ -S {config.CONTAINERD} ] && break; sleep 0.1; done"]
    lines += [shlex.join([*ctr, str(archive)]) for archive in archives]
    argv = control.command(state, ["sh", "-c", "\n".join(lines)])
    with (state.logs / "import.log").open("ab") as log:
        process = imports.enter_context(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
    imports.callback(process.kill)  # called before it is waited for, if the start fails meanwhile
    return process


def _finish(importing: subprocess.Popen[bytes]) -> None:
    if importing.wait(_LIMIT):
        raise TestbedError("the images were not imported (see import.log below)")


def last_words(state: State) -> str:
    """The end of each log: what a person needs who sees a start fail, for the folder goes with the cluster."""
    words = []
    for log in sorted(state.logs.glob("*.log")) if state.logs.exists() else []:
        lines = log.read_text(errors="replace").splitlines()[-6:]
        if lines:
            words += [f"--- {log.stem}", *(line[:400] for line in lines)]
    return "\n".join(words)
