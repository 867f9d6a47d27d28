"""The process that holds the namespaces: it makes them, does what only somebody inside can, and ends what is left.

It is the one thing that survives a supervisor that was killed, and it lives for just as long as that takes.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from fairlead.host.private import setup, wire
from fairlead.host.private.rest import end_all, name_of, processes_in
from fairlead.host.private.setup import Names, StepError
from fairlead.policy.capture import CaptureRules

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
        end_all(_here())


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
    made: list[socket.socket] = []
    try:
        made.extend(map(setup.outgoing, wanted))
    except OSError:
        pass  # as many as can be had; that there are none is for who asks to tell
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
    found = processes_in(_here())[:_MOST_NAMED]
    wire.send(link, {"left": [name_of(process) for process in found]})


def _end(link: socket.socket, _argument: Any) -> None:
    end_all(_here())
    wire.send(link, {})


def _here() -> os.stat_result:
    return os.stat("/proc/self/ns/net")
