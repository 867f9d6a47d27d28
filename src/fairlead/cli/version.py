"""``fairlead version``: offline, and quick."""

from __future__ import annotations

import os
import sys

from fairlead import __version__

TYPE_CHECKING = False  # typing itself would cost a tenth of `fairlead version`
if TYPE_CHECKING:
    from fairlead.cli.parse import Parsed


def run(parsed: Parsed, program: str) -> int:
    """Print the version as text or as JSON."""
    output = parsed.values.get("output", "text")
    if parsed.words or output not in ("text", "json"):
        from fairlead.errors import UsageError

        if parsed.words:
            raise UsageError(f'unexpected word "{parsed.words[0]}"', remedy=f"{program} version takes none")
        raise UsageError(f'-o is text or json, not "{output}"')
    python = ".".join(map(str, sys.version_info[:3]))
    platform = f"{sys.platform}-{os.uname().machine}"
    if output == "json":
        import json

        print(json.dumps({"v": 1, "version": __version__, "python": python, "platform": platform}))
    else:
        print(f"fairlead {__version__} (Python {python}, {platform})")
    return 0
