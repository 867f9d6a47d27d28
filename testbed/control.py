"""Giving orders to the node: to its first process by its socket, and to its namespaces by entering them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

from testbed import machine, processes
from testbed.errors import TestbedError
from testbed.paths import State

Question = Callable[[], bool]


def poll(
    done: Question, *, limit: float, what: str, still: Callable[[], None] = lambda: None, pause: float = 0.05
) -> None:
    """Ask again and again until it is so; ``still`` raises when it can no longer become so."""
    deadline = time.monotonic() + limit
    while not done():
        still()
        if time.monotonic() > deadline:
            raise TestbedError(f"{what}: not within {limit:g} s")
        time.sleep(pause)


def order(state: State, verb: str, **words: object) -> dict[str, Any]:
    """Give the first process one order; return its answer."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(10)
        peer.connect(str(state.socket))
        peer.sendall(json.dumps({"verb": verb, **words}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(peer.makefile("rb").readline())
    if "error" in answer:
        raise TestbedError(f"the node refused {verb} {words}: {answer['error']}")
    return answer


def start(state: State, service: str) -> None:
    """Start one of the node's programs, unless it runs."""
    order(state, "start", service=service)


def stop(state: State, service: str, number: signal.Signals = signal.SIGKILL) -> None:
    """End one of the node's programs and wait until it ended."""
    order(state, "signal", service=service, number=number)
    poll(lambda: service not in order(state, "look")["running"], limit=30, what=f"end of {service}")


def first_process(state: State) -> processes.Process:
    """The node's first process."""
    first = processes.read(state.processes).get("init")
    if first is None or not first.alive():
        raise TestbedError(f"cluster {state.name} does not run")
    return first


def command(state: State, argv: Sequence[str]) -> list[str]:
    """The command that runs ``argv`` inside the node."""
    target = f"--target={first_process(state).pid}"
    return ["nsenter", target, "--mount", "--net", "--pid", "--uts", "--ipc", "--", *argv]


def run(
    state: State, argv: Sequence[str], *, check: bool = True, text: str | None = None, limit: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a command inside the node's namespaces; ``text`` is its standard input."""
    done = subprocess.run(
        command(state, argv),
        input=text or "",
        capture_output=True,
        text=True,
        timeout=limit,
        env={**os.environ, "PATH": machine.path()},
        check=False,
    )
    if check and done.returncode:
        raise TestbedError(f"{' '.join(argv)} ended with {done.returncode} in the node: {done.stderr.strip()}")
    return done
