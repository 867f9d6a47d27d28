"""What a call of the Container Runtime Interface can end with, and what a forwarded connection can."""

from __future__ import annotations

from enum import IntEnum

from fairlead.errors import Blame, FairleadError


class Code(IntEnum):
    """Status codes of gRPC, as far as they are used here."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    RESOURCE_EXHAUSTED = 8
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14


class CallError(FairleadError):
    """A call was refused; ``what`` is the runtime's own words."""

    blame = Blame.CLUSTER

    def __init__(self, code: int, what: str) -> None:
        super().__init__(what)
        self.code = code
        """Of Code, or another of gRPC's."""


class ForwardError(FairleadError):
    """Why a connection to a port of a sandbox ended other than well: the cause, in the words of the original."""

    blame = Blame.CLUSTER


class NoWayError(ForwardError):
    """No connection to this sandbox can be made, now or later: the client has to hear of it."""


class BrokenError(ForwardError):
    """This one was refused or reset; the next one may not be."""
