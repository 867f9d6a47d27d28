"""The helper from its words to its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from fairlead.errors import FairleadError, MachineError
from fairlead.helper.connect import check_user, connection
from fairlead.helper.detach import detach, ignore_terminal
from fairlead.helper.names import Names
from fairlead.helper.processes import boot_id
from fairlead.helper.serve import Server
from fairlead.policy.hostsblock import Owner

WORDS = ("user", "process", "start", "hosts-file", "state-folder")
"""The user id, the process id and the start time of the main process, which the socket on standard input leads to; the
hosts file; a folder of that user for what has to outlive a killed helper."""


def main(words: Sequence[str]) -> int:
    """Serve the main process that ``words`` describe; what is wrong is said in one sentence, with an exit code."""
    ignore_terminal()
    try:
        _serve(words)
    except FairleadError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _serve(words: Sequence[str]) -> None:
    if len(words) != len(WORDS) or not all(word.isdecimal() and len(word) < 20 for word in words[:3]):
        raise MachineError(f"the helper is started by fairlead, with {' '.join(WORDS)}")
    (uid, pid, start), hosts, state = map(int, words[:3]), words[3], words[4]
    if not os.path.isabs(hosts) or not os.path.isabs(state):
        raise MachineError("the helper takes absolute paths only")
    check_user(uid, os.environ)
    owner = Owner(pid, start, boot_id())
    sock = connection(0, uid, owner)
    detach()
    Server(sock, Names(hosts, state, owner, uid, os.environ), uid).run()
