"""The command line and the environment of a container, from what the pod says and what the image has; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_REFERENCE = re.compile(r"\$\$|\$\(([^()]*)\)")


def expand(text: str, env: Mapping[str, str]) -> str:
    """Put values for ``$(NAME)``; ``$$`` is one, and an unknown name stays as it is (Kubernetes, v1 Container)."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        return "$" if name is None else env.get(name, match.group())

    return _REFERENCE.sub(value, text)


def environment(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The pod's own variables, in their order, each of which may refer to those before."""
    own: dict[str, str] = {}
    for name, text in pairs:
        own[name] = expand(text, own)
    return own


def command_line(
    command: Sequence[str],
    args: Sequence[str],
    entrypoint: Sequence[str],
    default_args: Sequence[str],
    own: Mapping[str, str],
) -> list[str]:
    """What is executed: a pod's command hides the image's own and its arguments, a pod's arguments those alone.

    References are to the pod's ``own`` variables, and only in what the pod says.
    """
    first = [expand(word, own) for word in command] or list(entrypoint)
    rest = [expand(word, own) for word in args] or ([] if command else list(default_args))
    return first + rest
