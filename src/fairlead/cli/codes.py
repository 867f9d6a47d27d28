"""Exit codes that belong to no error; those of errors are in ``fairlead.errors``."""

from __future__ import annotations

INTERNAL = 70
"""A bug of ours (EX_SOFTWARE of sysexits.h)."""
INTERRUPTED = 130
"""128 + SIGINT, before or outside a forward: a forward ends with 0."""
BROKEN_PIPE = 141
"""128 + SIGPIPE: whoever read our output has gone."""
