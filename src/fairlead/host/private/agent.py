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
from fairlead.host.private.setup import PLACES_OF_NAMES, Names, StepError
from fairlead.host.private.shown import Shown
from fairlead.policy.capture import CaptureRules

_MOST_NAMED = 100
_NAMESPACES = ("user", "net", "mnt")


def run(link: socket.socket, rules: CaptureRules, names: Names) -> None:
    """Make the namespaces, serve until ``link`` closes, end what is left inside."""
    os.setsid()  # the terminal's keys are not for us
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _let_go(link.fileno())
    try:
        made = setup.set_up(rules, names)
    except StepError as error:
        wire.send(link, _failed(error))
        return
    descriptors = {name: sock.fileno() for name, sock in made.sockets.items()}
    for name in _NAMESPACES:
        descriptors[f"ns-{name}"] = os.open(f"/proc/self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC)
    wire.send(link, {"made": list(descriptors)}, list(descriptors.values()))
    for descriptor in descriptors.values():
        os.close(descriptor)
    for sock in made.sockets.values():
        sock.detach()
    try:
        Agent(link, made.shown).serve()
    finally:
        end_all(_here())


def _let_go(link: int) -> None:
    """Hold nothing else: whoever waits for the end of a pipe, or for a lock, must not have to wait for us."""
    os.closerange(3, link)
    os.closerange(link + 1, os.sysconf("SC_OPEN_MAX"))
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


class Agent:
    """Answers what the supervisor asks, one question at a time."""

    def __init__(self, link: socket.socket, shown: Shown) -> None:
        self._link = link
        self._shown = shown
        self._answers: dict[str, Callable[[Any, list[int]], None]] = {
            "sockets": self._sockets,
            "rules": self._rules,
            "show": self._show,
            "left": self._left,
            "end": self._end,
        }

    def serve(self) -> None:
        """Until nobody asks any more."""
        while True:
            try:
                asked, descriptors = wire.receive(self._link)
                for what, argument in asked.items():
                    self._answers[what](argument, descriptors)
            except (EOFError, OSError):
                return

    def _sockets(self, wanted: Any, _descriptors: list[int]) -> None:
        made: list[socket.socket] = []
        try:
            made.extend(map(setup.outgoing, wanted))
        except OSError:
            pass  # as many as can be had; that there are none is for who asks to tell
        wire.send(self._link, {}, [sock.fileno() for sock in made])
        for sock in made:
            sock.close()

    def _rules(self, commands: Any, _descriptors: list[int]) -> None:
        try:
            setup.change_rules(commands)
        except StepError as error:
            wire.send(self._link, _failed(error))
        else:
            wire.send(self._link, {})

    def _show(self, name: Any, descriptors: list[int]) -> None:
        try:
            with os.fdopen(descriptors[0], "rb") as file:
                file.seek(0)
                self._shown.show(PLACES_OF_NAMES[name], file.read())
        except (OSError, IndexError) as error:
            wire.send(self._link, {"failed": "mounts", "errno": getattr(error, "errno", 0) or 0, "text": str(error)})
        else:
            wire.send(self._link, {})

    def _left(self, _argument: Any, _descriptors: list[int]) -> None:
        found = processes_in(_here())[:_MOST_NAMED]
        wire.send(self._link, {"left": [name_of(process) for process in found]})

    def _end(self, _argument: Any, _descriptors: list[int]) -> None:
        end_all(_here())
        wire.send(self._link, {})


def _failed(error: StepError) -> dict[str, Any]:
    return {"failed": error.step, "errno": error.number, "text": error.text}


def _here() -> os.stat_result:
    return os.stat("/proc/self/ns/user")
