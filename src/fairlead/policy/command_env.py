"""What ``forward ... -- CMD`` puts into CMD's environment."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fairlead.model.events import ReadyPort


def command_env(address: str, ports: Sequence[tuple[ReadyPort, str]]) -> dict[str, str]:
    """The variables for these ports, in the order in which they were typed; each with its REMOTE as typed.

    FAIRLEAD_ADDRESS is the address to connect to. FAIRLEAD_PORT is the first local port, FAIRLEAD_PORTS all of them,
    separated by spaces. FAIRLEAD_PORT_<REMOTE> is the local port for that REMOTE (``FAIRLEAD_PORT_80``,
    ``FAIRLEAD_PORT_HTTP``), and FAIRLEAD_<NAME>_PORT_<REMOTE> the same for one target (``FAIRLEAD_WEB_PORT_80``).
    Where two targets have the same REMOTE, the short name means the first. Of targets with the same NAME the longer one
    does, and FAIRLEAD_<TYPE>_<NAME>_PORT_<REMOTE> (``FAIRLEAD_SVC_WEB_PORT_80``) tells them apart.
    """
    env = {"FAIRLEAD_ADDRESS": address, "FAIRLEAD_PORTS": " ".join(str(port.local) for port, _ in ports)}
    if ports:
        env["FAIRLEAD_PORT"] = str(ports[0][0].local)
    for port, remote in ports:
        suffix, name = _word(remote), _name(port)
        env.setdefault(f"FAIRLEAD_PORT_{suffix}", str(port.local))
        env.setdefault(f"FAIRLEAD_{name}_PORT_{suffix}", str(port.local))
        if len({other.target for other, _ in ports if _name(other) == name}) > 1:
            env.setdefault(f"FAIRLEAD_{_word(port.target)}_PORT_{suffix}", str(port.local))
    return env


def _name(port: ReadyPort) -> str:
    return _word(port.target.rpartition("/")[2])


def _word(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", text.upper())
