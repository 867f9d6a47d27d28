"""Every error a user can see has one root, one exit code and one party to blame.

    FairleadError
    |-- UsageError             2   local    the command line or a port specification is wrong
    |-- ConfigError            3   local    kubeconfig, context, credentials or settings: unreadable, or makes no sense
    |-- UnreachableError       4   cluster  nothing answers where the API server should be
    |   `-- NoAnswerError          cluster  it took the request and closed the connection
    |-- CredentialsError       5   local    the API server does not know who we are (401, expired, plugin failed)
    |-- ForbiddenError         6   cluster  it knows us and refuses (403); names verb and resource
    |-- NotFoundError          7   cluster  no such object, or no such kind
    |-- NoSuchPortError        8   local    the object has no such port
    |-- ListenError            9   machine  a local port cannot be bound
    |-- NotRunningError       10   cluster  nothing runs behind the target, or not in time
    |-- ApiError              11   cluster  any other refusal of the API server
    |-- LostError              1   cluster  the pod or the connection to it is gone for good
    |-- MachineError          12   machine  a limit or a missing program of this machine
    `-- ProtocolError          -   remote   the peer broke a protocol; costs its connection, never the process

``docs/reference/exit-codes.md`` lists the same numbers for users; a test compares the two.
"""

from __future__ import annotations

from enum import Enum


class Blame(Enum):
    """Who has to act before it can work."""

    LOCAL = "local"
    REMOTE = "remote"
    CLUSTER = "cluster"
    MACHINE = "machine"


class FairleadError(Exception):
    """Root of all errors that are answers, not bugs.

    ``what`` names the thing and the reason in one sentence; ``remedy`` says what to do about it, or is empty.
    ``str(error)`` is both, ready for a terminal, without a prefix or a final line break.
    """

    exit_code = 1
    blame = Blame.LOCAL

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} ({self.remedy})" if self.remedy else self.what


class UsageError(FairleadError):
    """The command line or a port specification is wrong."""

    exit_code = 2


class ConfigError(FairleadError):
    """A kubeconfig, a context or a file of credentials or settings cannot be read or makes no sense."""

    exit_code = 3


class UnreachableError(FairleadError):
    """Nothing answers where the API server should be."""

    exit_code = 4
    blame = Blame.CLUSTER


class NoAnswerError(UnreachableError):
    """The server, or something before it, took a request and ended the connection without an answer."""


class CredentialsError(FairleadError):
    """The API server does not know who we are."""

    exit_code = 5


class ApiError(FairleadError):
    """A refusal of the API server, made from its Status object (meta/v1 Status).

    ``code`` is the HTTP status; ``reason`` the machine-readable reason ("" if there is none); ``retry_after`` seconds
    or None; ``message`` the server's own words.
    """

    exit_code = 11
    blame = Blame.CLUSTER

    def __init__(
        self,
        what: str,
        *,
        code: int = 0,
        reason: str = "",
        message: str = "",
        retry_after: float | None = None,
        remedy: str = "",
    ) -> None:
        super().__init__(what, remedy=remedy)
        self.code = code
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class ForbiddenError(ApiError):
    """The API server knows us and refuses; the message names the missing verb and resource."""

    exit_code = 6
    checks: tuple[str, ...] = ()
    """Commands that show what is missing, where these are several."""

    def __str__(self) -> str:
        if not self.checks:
            return super().__str__()
        return f"{self.what} ({self.remedy}; check with: {'; '.join(self.checks)})"


class NotFoundError(ApiError):
    """No such object, or the server has no such kind."""

    exit_code = 7


class GoneError(ApiError):
    """The resource version is too old to continue from (410): list again."""


class NoSuchPortError(FairleadError):
    """The object exists and has no such port."""

    exit_code = 8


class ListenError(FairleadError):
    """A local port cannot be bound."""

    exit_code = 9
    blame = Blame.MACHINE


class NotRunningError(FairleadError):
    """Nothing runs behind the target, or not within the time given."""

    exit_code = 10
    blame = Blame.CLUSTER


class LostError(FairleadError):
    """The pod or the connection to it is gone and will not come back under this name."""

    exit_code = 1
    blame = Blame.CLUSTER


class MachineError(FairleadError):
    """A limit of this machine, or a program that it lacks."""

    exit_code = 12
    blame = Blame.MACHINE


class ProtocolError(FairleadError):
    """The peer broke a protocol. Costs that connection, never the process."""

    blame = Blame.REMOTE
