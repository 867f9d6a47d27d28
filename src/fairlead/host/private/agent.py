"""The process that holds the namespaces: it makes them, does what only somebody inside can, and ends what is left.

It is the one thing that survives a supervisor that was killed, and it lives for just as long as that takes.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from fairlead.host.private import setup, wire
from fairlead.host.private.setup import Names, StepError
from fairlead.policy.capture import CaptureRules

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL for what is left inside."""
_LOOK = 0.02
"""Seconds between two looks whether it has ended."""
_MOST_NAMED = 100
_NAMESPACES = ("user", "net", "mnt")


def run(link: socket.socket, rules: CaptureRules, names: Names) -> None:
    """Make the namespaces, serve until ``link`` closes, end what is left inside."""
    os.setsid()  # the terminal's keys are not for us
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _let_go_of_streams()
    try:
        made = setup.set_up(rules, names)
    except StepError as error:
        wire.send(link, {"failed": error.step, "errno": error.number, "text": error.text})
        return
    descriptors = {name: sock.fileno() for name, sock in made.sockets.items()} | made.files
    for name in _NAMESPACES:
        descriptors[f"ns-{name}"] = os.open(f"/proc/self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC)
    wire.send(link, {"made": list(descriptors)}, list(descriptors.values()))
    for sock in made.sockets.values():
        sock.close()
    for name, descriptor in descriptors.items():
        if name not in made.sockets:
            os.close(descriptor)
    try:
        _serve(link)
    finally:
        end_others(GRACE)


def _let_go_of_streams() -> None:
    """Whoever waits for the end of the supervisor's output must not have to wait for us."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _serve(link: socket.socket) -> None:
    answers: dict[str, Callable[[socket.socket, Any], None]] = {
        "sockets": _sockets,
        "rules": _rules,
        "left": _left,
        "end": _end,
    }
    while True:
        try:
            asked, _ = wire.receive(link)
            for what, argument in asked.items():
                answers[what](link, argument)
        except (EOFError, OSError):
            return


def _sockets(link: socket.socket, wanted: Any) -> None:
    made = [setup.outgoing(family) for family in wanted]
    wire.send(link, {}, [sock.fileno() for sock in made])
    for sock in made:
        sock.close()


def _rules(link: socket.socket, commands: Any) -> None:
    try:
        setup.change_rules(commands)
    except StepError as error:
        wire.send(link, {"failed": error.step, "errno": error.number, "text": error.text})
    else:
        wire.send(link, {})


def _left(link: socket.socket, _argument: Any) -> None:
    found = others()[:_MOST_NAMED]
    wire.send(link, {"left": [f"{_name(process)} (pid {process})" for process in found]})


def _name(process: int) -> str:
    try:
        with open(f"/proc/{process}/comm") as file:
            return file.read().strip()
    except OSError:
        return "a process"


def _end(link: socket.socket, _argument: Any) -> None:
    end_others(GRACE)
    wire.send(link, {})


def others() -> list[int]:
    """Every other process in this network namespace."""
    here, found = os.stat("/proc/self/ns/net"), []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                theirs = os.stat(f"/proc/{name}/ns/net")
            except OSError:
                continue  # it has ended, or is none of ours
            if (theirs.st_ino, theirs.st_dev) == (here.st_ino, here.st_dev):
                found.append(int(name))
    return found


def end_others(grace: float) -> None:
    """SIGTERM to all of them, and SIGKILL after ``grace`` seconds."""
    began = time.monotonic()
    asked: set[int] = set()
    # What does not end by SIGKILL waits for a device, and is not waited for.
    while (left := others()) and (waited := time.monotonic() - began) < 2 * grace:
        for process in left:
            if waited > grace:
                _signal(process, signal.SIGKILL)
            elif process not in asked:
                asked.add(process)
                _signal(process, signal.SIGTERM)
        time.sleep(_LOOK)


def _signal(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        pass
