"""What an exception becomes: one line for a person, and an exit code."""

from __future__ import annotations

from fairlead.cli.codes import INTERNAL
from fairlead.errors import FairleadError, ForbiddenError
from fairlead.kit import log
from fairlead.policy.text import one_line


def failure(error: BaseException, *, like_kubectl: bool = False) -> tuple[str, int]:
    """The line for stderr and the exit code. Of several errors at once the first one that is an answer counts.

    ``like_kubectl``: 1 for every error, which is what kubectl has; a bug keeps its own.
    """
    answers = [leaf for leaf in _leaves(error) if isinstance(leaf, FairleadError)]
    others = [leaf for leaf in _leaves(error) if not isinstance(leaf, FairleadError)]
    if answers and not others:
        return f"error: {one_line(str(answers[0]))}", 1 if like_kubectl else answers[0].exit_code
    bug = others[0]
    log.get(__name__).info("the traceback of this bug:", exc_info=bug)
    what = one_line(f"{type(bug).__name__}: {bug}")
    return f"error: a bug of fairlead: {what} (with -v=4 the log shows where)", INTERNAL


def lines(error: BaseException) -> list[str]:
    """The line of ``failure`` for a person; several commands to check with are a line each."""
    line, _ = failure(error)
    for leaf in _leaves(error):
        if isinstance(leaf, FairleadError):
            if isinstance(leaf, ForbiddenError) and leaf.checks:
                line = one_line(f"error: {leaf.what} ({leaf.remedy}); check with:")
                return [line, *(f"  {one_line(each)}" for each in leaf.checks)]
            break
    return [line]


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for part in error.exceptions for leaf in _leaves(part)]
    return [error]
