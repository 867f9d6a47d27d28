"""How many descriptors this process may have: a connection takes one, and its lane another."""

from __future__ import annotations

import resource

from fairlead.kit import process

ENOUGH = 1 << 20
"""The most that is asked for: Linux' own ceiling (fs.nr_open), and a number where the hard limit is "unlimited"."""


def raise_limit() -> int:
    """Raise the soft limit (RLIMIT_NOFILE) as far as it goes; the new one. Children get the one we had."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            return soft  # a machine with a lower ceiling of its own; what we have is what there is
        process.children_get((soft, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
