"""The test cluster as an object: start one, or attach to one that runs, and do to its node what tests do.

with Cluster.start("mine") as cluster:
    subprocess.run([cluster.kubectl, "--kubeconfig", cluster.kubeconfig, "get", "pods"])
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from testbed import boot, build, control, images, leftovers, machine, network, paths, plan, processes, versions
from testbed.build import Say
from testbed.errors import TestbedError

VARIABLE = "FAIRLEAD_TESTBED"
"""Names a running cluster for tests to use instead of one of their own."""

_NAME_LENGTH = 20  # the folder's path has to leave room for a socket's name, which Linux limits to 107 bytes


def _silent(_line: str) -> None:
    pass


class Cluster:
    """A running one-node Kubernetes. As a context manager it ends at the end of the block if it was started for it."""

    def __init__(self, state: paths.State, keeper: subprocess.Popen[bytes] | None) -> None:
        where = network.of(state)
        if where is None:
            raise TestbedError(f"cluster {state.name} does not run")
        self._state = state
        self._keeper = keeper
        self._network = where

    # ---- start and end

    @classmethod
    def start(cls, name: str, *, ca_key_usage: bool = True, keep: bool = False, say: Say = _silent) -> Cluster:
        """Start a cluster, building what is not built yet, and wait until it is ready.

        It ends with this process, however that ends, unless ``keep`` is true: then it runs until ``down`` or ``stop``.
        What an earlier cluster of that name left behind is removed first.
        """
        check_name(name)
        machine.check()
        build.build(versions.PROGRAMS, say)
        archives = images.make(say)
        state = paths.state(name)
        lock = leftovers.acquire(state)
        if lock is None:
            raise TestbedError(f"cluster {name} runs already (end it with: python3 -m testbed down --name {name})")
        try:
            where = boot.prepare(state, ca_key_usage=ca_key_usage)
            keeper = _start_keeper(state, lock)
        except BaseException:
            leftovers.remove(state)
            raise
        finally:
            # From here on the lock is the keeper's alone: it is free when the keeper is gone.
            os.close(lock)
        cluster = cls(state, keeper)
        try:
            boot.boot(state, where, archives, say, keeper)
            if keep:
                cluster._release()
        except BaseException as error:
            words = boot.last_words(state)
            cluster.stop()
            if isinstance(error, TestbedError):
                raise TestbedError(f"{error}\n{words}".rstrip()) from error
            raise
        return cluster

    @classmethod
    def attach(cls, name: str) -> Cluster:
        """The cluster of that name, which somebody else started and will end."""
        check_name(name)
        state = paths.state(name)
        if not leftovers.running(state) or not state.ready.exists():
            raise TestbedError(f"cluster {name} does not run: python3 -m testbed up --name {name}")
        return cls(state, None)

    @classmethod
    def obtain(cls, name: str, *, say: Say = _silent) -> Cluster:
        """The cluster that FAIRLEAD_TESTBED names, or else a new one that ends with this process."""
        running = os.environ.get(VARIABLE)
        return cls.attach(running) if running else cls.start(name, say=say)

    def stop(self) -> None:
        """End the cluster and remove all it left, whoever started it."""
        leftovers.down(self._state)
        if self._keeper is not None:
            assert self._keeper.stdin is not None
            self._keeper.stdin.close()
            self._keeper.wait()
            self._keeper = None

    def _release(self) -> None:
        """Let it outlive this process."""
        assert self._keeper is not None
        assert self._keeper.stdin is not None
        self._keeper.stdin.write(b"keep\n")
        self._keeper.stdin.close()
        self._keeper.returncode = 0  # nobody here waits for it any more
        self._keeper = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper is not None:
            self.stop()

    # ---- what a client needs

    @property
    def name(self) -> str:
        """Its name."""
        return self._state.name

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self._state.kubeconfig

    @property
    def kubectl(self) -> Path:
        """The kubectl of the same version."""
        return build.binary("kubectl")

    @property
    def server(self) -> str:
        """The address of the API server."""
        return self._network.server

    @property
    def network(self) -> network.Network:
        """Its addresses."""
        return self._network

    @property
    def ca(self) -> Path:
        """The certificate of its authority."""
        return self._state.pki / "ca.crt"

    @property
    def logs(self) -> Path:
        """A log for each program of the node."""
        return self._state.logs

    @property
    def node(self) -> str:
        """The name of its node object."""
        return boot.node_name(self._state)

    @property
    def owned(self) -> bool:
        """Whether it ends with this object."""
        return self._keeper is not None

    def __repr__(self) -> str:
        return f"<Cluster {self.name} {self.server} {'owned' if self.owned else 'attached'}>"

    # ---- what is done to the node

    def stop_service(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End one of the node's programs (``kubelet``, ``containerd``...); what it started goes on."""
        control.stop(self._state, name, number)

    def start_service(self, name: str) -> None:
        """Start it again."""
        control.start(self._state, name)

    def stop_apiserver(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the API server; the address stays, and refuses."""
        self.stop_service("kube-apiserver", number)

    def start_apiserver(self, *, limit: float = 60) -> None:
        """Start the API server again and wait until it serves."""
        self.start_service("kube-apiserver")
        self._wait_ready(limit)

    def freeze_apiserver(self) -> None:
        """Let the API server hang: connections open, and nothing answers."""
        control.order(self._state, "signal", service="kube-apiserver", number=signal.SIGSTOP)

    def thaw_apiserver(self) -> None:
        """Let it go on where it was."""
        control.order(self._state, "signal", service="kube-apiserver", number=signal.SIGCONT)

    def _wait_ready(self, limit: float) -> None:
        control.poll(boot.Api(self._state, self._network).ready, limit=limit, what="API server ready")

    def drop_packets(self) -> None:
        """Lose all packets between laptop and node, both ways, without a word to either."""
        rules = f"add table inet {plan.DROP}\n"
        for hook, direction in (("prerouting", "iifname"), ("postrouting", "oifname")):
            rules += f"add chain inet {plan.DROP} {hook} {{ type filter hook {hook} priority -400; }}\n"
            rules += f"add rule inet {plan.DROP} {hook} {direction} eth0 drop\n"
        self.node_exec(["nft", "-f", "-"], text=f"add table inet {plan.DROP}\ndelete table inet {plan.DROP}\n{rules}")

    def restore_packets(self) -> None:
        """Let packets through again; harmless if they are not dropped."""
        self.node_exec(["nft", "-f", "-"], text=f"add table inet {plan.DROP}\ndelete table inet {plan.DROP}\n")

    def node_exec(
        self, argv: Sequence[str], *, check: bool = True, text: str | None = None, limit: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside the node's namespaces; ``text`` is its standard input."""
        return control.run(self._state, argv, check=check, text=text, limit=limit)

    def ctr(self, *words: str) -> str:
        """Run containerd's own client on the node; return what it prints."""
        argv = [str(build.binary("ctr")), "--address=/run/containerd/containerd.sock", "--namespace=k8s.io", *words]
        return self.node_exec(argv).stdout

    def kill_container(self, pod: str, *, namespace: str = "default", container: str | None = None) -> None:
        """Kill the containers of a pod (or the one named) as a crash would; the kubelet starts them again."""
        labels = {"pod.namespace": namespace, "pod.name": pod}
        if container is not None:
            labels["container.name"] = container
        wanted = [f'labels."io.kubernetes.{key}"=={value}' for key, value in labels.items()]
        wanted.append('labels."io.cri-containerd.kind"==container')
        found = self.ctr("containers", "list", "--quiet", ",".join(wanted)).split()
        live = {line.split()[0] for line in self.ctr("tasks", "list").splitlines()[1:] if "RUNNING" in line}
        victims = [identity for identity in found if identity in live]
        if not victims:
            raise TestbedError(f"no running container in pod {namespace}/{pod}")
        for identity in victims:
            self.ctr("tasks", "kill", "--signal", "SIGKILL", identity)


def check_name(name: str) -> None:
    """Say no to a name that is not fit for files, objects and addresses."""
    if len(name) > _NAME_LENGTH or not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", name):
        raise TestbedError(
            f"{name!r} is no name for a cluster: up to {_NAME_LENGTH} small letters, digits and inner hyphens"
        )


def running() -> list[Cluster]:
    """The clusters that are up."""
    folder = paths.clusters()
    names = sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []
    states = [paths.state(name) for name in names]
    return [Cluster(state, None) for state in states if leftovers.running(state) and state.ready.exists()]


def _start_keeper(state: paths.State, lock: int) -> subprocess.Popen[bytes]:
    state.logs.mkdir()
    with (state.logs / "keeper.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "testbed.keeper", str(state.folder), str(lock)],
            cwd=paths.SOURCE.parent,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,
        )


def age(cluster: Cluster) -> float:
    """Seconds since it was ready."""
    return time.time() - paths.state(cluster.name).ready.stat().st_mtime


def pids(cluster: Cluster) -> dict[str, int]:
    """The processes that keep it alive."""
    return {name: process.pid for name, process in processes.read(paths.state(cluster.name).processes).items()}
