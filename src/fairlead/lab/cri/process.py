"""What a runtime gives for exec and attach, as far as streams are concerned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Process(Protocol):
    """A process that was started for a client, or one that the client is attached to.

    The descriptors are its pipes, or with ``tty`` two descriptors of the same terminal (the master's side). They belong
    to whoever got the process, who closes them; None where there is none.
    """

    tty: bool
    stdin: int | None
    """To write to."""
    stdout: int | None
    """To read from."""
    stderr: int | None

    def resize(self, columns: int, rows: int) -> None:
        """Tell its terminal; of no effect where it has none."""

    async def wait(self) -> int:
        """Wait for its end; its exit code as a shell tells it: 128 + n when signal n ended it."""

    def leave(self) -> None:
        """The client is gone: end what was started for it, detach from what was not."""


class Containers(Protocol):
    """The runtime, as far as its containers are concerned. Both raise FairleadError in words for the user."""

    async def exec(self, container_id: str, argv: Sequence[str], *, tty: bool, stdin: bool) -> Process:
        """Start a process in a container; without ``stdin`` it has none to read."""

    async def attach(self, container_id: str, *, tty: bool, stdin: bool) -> Process:
        """What the container's own process says from now on."""

    def known(self, container_id: str) -> bool:
        """Whether there is such a container, and it runs."""
