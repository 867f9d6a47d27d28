"""Did you mean ...?"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LIKE = 0.6
"""How much a word is like another that begins as it does, from 0 to 1."""
VERY_LIKE = 0.8
"""The same for a word with another beginning."""


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that was most likely meant, or ""."""
    names = {name.strip("-"): name for name in known if name.strip("-")}
    bare = word.strip("-")
    near = get_close_matches(bare, [name for name in names if name[0] == bare[:1]], 1, LIKE)
    near += get_close_matches(bare, names, 1, VERY_LIKE)
    near += [name for name in names if bare.endswith(f"-{name}") or (bare and name.startswith(bare))]
    return names[near[0]] if near else ""


_NOT_NEEDED = "there is no need for it: what changes is followed at once, and what fails is tried again"
_KUBEFWD = {
    "-c": "--kubeconfig",
    "-f": "--field-selector",
    "-d": "--cluster-domain",
    "--domain": "--cluster-domain",
    "-r": "--reserve NAME=IP",
    "-z": "--config, or --reserve NAME=IP",
    "--fwd-conf": "--config, or --reserve NAME=IP",
    "-t": "--wait",
    "--timeout": "--wait",
    "--hosts-path": "--hosts-file",
    "--verbose": "-v",
}
"""What some options of kubefwd are called here."""
_KUBEFWD_WITHOUT = {
    "-b": "the copy of the hosts file is made once, and never restored",
    "--refresh-backup": "the copy of the hosts file is made once, and never restored",
    "-q": "without -v only changes are told",
    "--tui": "the last line of a terminal shows how all stands",
    "--theme": "there are no colours to choose",
    "--api": "-o json tells programs what happens",
    "-p": "fairlead clean removes what a killed run left",
    "--purge-stale-ips": "fairlead clean removes what a killed run left",
    "-a": _NOT_NEEDED,
    "--auto-reconnect": _NOT_NEEDED,
    "--resync-interval": _NOT_NEEDED,
    "--retry-interval": _NOT_NEEDED,
}
"""Those that have no counterpart, and why."""


def from_kubefwd(option: str) -> str:
    """What to do instead of giving this option of kubefwd, or ""."""
    return f"here it is {_KUBEFWD[option]}" if option in _KUBEFWD else _KUBEFWD_WITHOUT.get(option, "")
