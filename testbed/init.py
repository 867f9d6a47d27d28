"""The first process of a node: it sets the node up, starts and signals its programs, and buries its orphans.

It runs alone (``python3 -I init.py FOLDER``) in namespaces of its own for processes, mounts and network. With its end,
however that comes, the kernel ends every process of the node and takes down its mounts, its interfaces and its rules.
It ends when its standard input does, so it never outlives its keeper.

``plan.json`` in the folder says what to do; orders come as one line of JSON on the socket beside it:
``{"verb": "look"}``, ``{"verb": "start", "service": NAME}``, ``{"verb": "signal", "service": NAME, "number": N}``.
Every answer lists what runs.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

_LINE = 4096  # an order is well below 100 bytes; whoever sends more is not one of ours


class Init:
    """The running programs of the node, by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan: dict[str, Any] = json.loads((folder / "plan.json").read_text())
        self.running: dict[str, int] = {}
        self.ended: dict[str, int] = {}

    def set_up(self) -> None:
        """Run the commands that make the node, in their order."""
        for command in self.plan["setup"]:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
            if done.returncode:
                raise SystemExit(f"{' '.join(command)}: ended with {done.returncode}")

    def serve(self) -> None:
        """Take orders until standard input ends."""
        waker, alarm = socket.socketpair()
        for end in (waker, alarm):
            end.setblocking(False)
        signal.set_wakeup_fd(alarm.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(self.folder / "init.sock"))
            door.listen()
            while True:
                ready, _, _ = select.select([door, waker, sys.stdin.fileno()], [], [])
                if waker in ready:
                    waker.recv(4096)
                    self.bury()
                if door in ready:
                    self.hear(door.accept()[0])
                if sys.stdin.fileno() in ready and not os.read(sys.stdin.fileno(), 1):
                    return

    def bury(self) -> None:
        """Collect what ended: programs of ours, and orphans, whose last parent is always process 1."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for name, other in list(self.running.items()):
                if other == pid:
                    del self.running[name]
                    self.ended[name] = os.waitstatus_to_exitcode(status)

    def hear(self, peer: socket.socket) -> None:
        """Take one order and answer it."""
        with peer:
            peer.settimeout(2)  # for the whole node waits meanwhile
            try:
                order = json.loads(peer.makefile("rb").readline(_LINE))
                self.obey(order)
                answer: dict[str, object] = {"running": self.running, "ended": self.ended}
            except (OSError, ValueError, KeyError) as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            try:
                peer.sendall(json.dumps(answer).encode() + b"\n")
            except OSError:
                pass  # it did not wait for the answer

    def obey(self, order: dict[str, Any]) -> None:
        """Do what an order says."""
        if order["verb"] == "look":
            return
        name = order["service"]
        service = self.plan["services"][name]
        if order["verb"] == "start":
            if name not in self.running:
                self.running[name] = self.start(name, service)
        elif order["verb"] == "signal":
            if name in self.running:
                os.kill(self.running[name], order["number"])
        else:
            raise ValueError(f"no such verb: {order['verb']}")

    def start(self, name: str, service: dict[str, Any]) -> int:
        """Start one program; its output goes to a log of its own."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        log = os.open(self.folder / "logs" / f"{name}.log", flags, 0o600)
        try:
            silence = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
            output = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
            argv = service["argv"]
            return os.posix_spawnp(
                argv[0], argv, {**os.environ, **service["env"]}, file_actions=silence + output, setsid=True
            )
        finally:
            os.close(log)


def main() -> None:
    """Wait for the word of the keeper that the network is there, then run the node."""
    init = Init(Path(sys.argv[1]))
    for door in init.plan["cgroups"]:
        Path(door).write_text("0")
    if sys.stdin.buffer.readline() == b"go\n":
        init.set_up()
        init.serve()


if __name__ == "__main__":
    main()
