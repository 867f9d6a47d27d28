"""The process that keeps a cluster: it makes the node's namespaces, waits for the end, and removes what is left.

It stands between the owner (who ran ``up``, or a test) and the node:

- its standard input is a pipe from the owner. If that ends before the owner said "keep", the node ends;
- the node's first process has a pipe from the keeper, so that it ends when the keeper does, even by SIGKILL;
- if the node ends by itself, the keeper removes the rest and ends too.

The kernel removes processes, mounts, interfaces and rules with the namespaces. What is left for the keeper, or for the
next ``up`` or ``down`` if the keeper was killed, is the cgroups and the folder.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from testbed import leftovers, machine, network, paths, processes


def main() -> None:
    """Keep the cluster in the folder given until its end; the second argument is the descriptor of its lock."""
    state, lock = paths.State(Path(sys.argv[1])), int(sys.argv[2])
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # from a terminal; the owner answers for those
    ended, ender = os.pipe()
    os.set_blocking(ender, False)
    signal.set_wakeup_fd(ender)
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    with _start_node(state) as node:
        try:
            _wait(node, ended)
        finally:
            # unshare takes the first process with it (--kill-child), and that one everything else.
            node.kill()
    # Somebody may have removed the folder by hand and started another cluster of that name since.
    if leftovers.holds(state, lock):
        leftovers.remove(state)


def _start_node(state: paths.State) -> subprocess.Popen[bytes]:
    space = ["--mount", "--net", "--pid", "--uts", "--ipc", "--mount-proc"]
    guard = ["setpriv", "--pdeathsig", "KILL", "unshare", *space, "--fork", "--kill-child"]
    node = subprocess.Popen(
        [*guard, sys.executable, "-I", str(paths.SOURCE / "init.py"), str(state.folder)],
        stdin=subprocess.PIPE,
        env={**os.environ, "PATH": machine.path()},
    )
    assert node.stdin is not None
    try:
        first = _first_process(node)
        mine = processes.Process.of(os.getpid())
        outer = processes.Process.of(node.pid)
        where = network.of(state)
        if mine is None or outer is None or where is None:
            raise SystemExit("the node ended before it began")
        processes.write(state.processes, {"keeper": mine, "unshare": outer, "init": first})
        network.join(where, first.pid)
        node.stdin.write(b"go\n")
        node.stdin.flush()
    except BaseException:
        node.kill()
        raise
    return node


def _first_process(node: subprocess.Popen[bytes]) -> processes.Process:
    """The node's process 1, which unshare starts once the namespaces are made."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and node.poll() is None:
        child = processes.child_of(node.pid)
        if child is not None:
            return child
        time.sleep(0.01)
    raise SystemExit("unshare started no process")


def _wait(node: subprocess.Popen[bytes], ended: int) -> None:
    """Wait for the end of the node, a signal, or an owner who goes without having said "keep"."""
    handle = os.pidfd_open(node.pid)
    owner = sys.stdin.fileno()
    watched = [handle, ended, owner]
    said = b""
    while True:
        ready, _, _ = select.select(watched, [], [])
        if handle in ready or ended in ready:
            return
        word = os.read(owner, 64)
        said += word
        if not word:
            if said != b"keep\n":
                return
            watched.remove(owner)


if __name__ == "__main__":
    main()
