"""Exec and attach over WebSocket: channels 0 to 2 are the standard streams, 3 the end of it all, 4 the size (JSON).

Output has no end of its own; the connection's is after the Status. With v5 the client can end standard input.
"""

from __future__ import annotations

from collections.abc import Callable

from fairlead.kit.tasks import Background
from fairlead.lab.cri.channel_connection import ChannelConnection
from fairlead.lab.cri.command import Command, CommandClient, Status, Wanted, encoded

PROTOCOLS = (
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
    "v4.base64.channel.k8s.io",
    "channel.k8s.io",
    "base64.channel.k8s.io",
)
_STDIN, _ERROR, _RESIZE = 0, 3, 4
_OUTPUT = {"stdout": 1, "stderr": 2}


class ChannelCommand:
    """The service of one connection, and the client of one command."""

    def __init__(
        self,
        connection: ChannelConnection,
        protocol: str,
        wanted: Wanted,
        tasks: Background,
        make: Callable[[CommandClient], Command],
    ) -> None:
        self._connection = connection
        self._as_json = protocol.startswith(("v4.", "v5."))
        self._wanted = wanted
        self._tasks = tasks
        self._command = make(self)

    # -- what the connection calls --

    def begin(self) -> None:
        """Tell the client that it is connected, by an empty message on the first channel that it reads."""
        first = next((channel for name, channel in _OUTPUT.items() if getattr(self._wanted, name)), _ERROR)
        self._connection.say(first, b"")
        self._tasks.start(self._command.run(), name="command of a client")

    def on_channel(self, channel: int, data: memoryview) -> None:
        """Input, or a size."""
        if channel == _STDIN and self._wanted.stdin:
            self._command.stdin(data)
        elif channel == _RESIZE:
            self._command.resize(data)

    def on_channel_end(self, channel: int) -> None:
        """The end of standard input."""
        if channel == _STDIN:
            self._command.stdin_end()

    def on_close(self, code: int, reason: str) -> None:
        """The client closes."""
        self._connection.client_closes()

    def after_read(self) -> None:
        """Nothing waits for that."""

    def pause(self) -> None:
        """The client takes no more."""
        self._command.pause()

    def resume(self) -> None:
        """It does again."""
        self._command.resume()

    def lost(self) -> None:
        """The client is gone."""
        self._command.lost()

    # -- what the command calls --

    def output(self, name: str, buffer: memoryview, start: int, end: int) -> None:
        """See CommandClient."""
        self._connection.send(_OUTPUT[name], buffer, start, end)

    def output_end(self, name: str) -> None:
        """Cannot be said."""

    def done(self, status: Status) -> None:
        """See CommandClient."""
        words = encoded(status, as_json=self._as_json)
        if words:
            self._connection.say(_ERROR, words)
        self._connection.close()

    def read_input(self, *, wanted: bool) -> None:
        """See CommandClient."""
        self._connection.read("input", wanted=wanted)
