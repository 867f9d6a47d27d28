"""What a driver is: it opens one connection to a port of a sandbox."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from fairlead.lab.cri.errors import NoWayError
from fairlead.lab.cri.sandboxes import Sandbox
from fairlead.net.stream import LocalEnd, RemoteEnd


class PodEnd(LocalEnd, Protocol):
    """An open connection to the pod."""

    @property
    def failure(self) -> str:
        """Why it ended, once its remote end was told ``local_lost``; "" if it ended well, after ``send_eof``."""


class Driver(Protocol):
    """Opens connections."""

    name: str

    async def open(
        self,
        sandbox: Sandbox,
        port: int,
        accept: Callable[[PodEnd], RemoteEnd | None],
        gone: Callable[[PodEnd], None],
    ) -> None:
        """Give a new connection to ``accept``, which returns its opposite end, or None to have it reset.

        ``gone`` is told last of all of each end that was accepted. Raises ForwardError if there is none to accept.
        Whoever cancels this leaves nothing behind.
        """


def open_namespace(sandbox: Sandbox) -> int:
    """A descriptor of the sandbox's network namespace, for whoever closes it. NoWayError if it is gone."""
    try:
        return os.open(sandbox.netns, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise closed(sandbox) from error


def closed(sandbox: Sandbox) -> NoWayError:
    """What is said of a sandbox whose network namespace is gone."""
    return NoWayError(f'network namespace for sandbox "{sandbox.id}" is closed')


def reason(error: OSError) -> str:
    """The system's words, beginning small as Go has them."""
    words = os.strerror(error.errno) if error.errno else str(error)
    return words[:1].lower() + words[1:]
