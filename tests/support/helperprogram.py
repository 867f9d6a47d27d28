"""A run that has a helper and nothing else: ``python helperprogram.py HOSTS [PATH...]``, told what to do line by line.

It says each answer in one line of JSON. PATHs are added to where modules come from.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

sys.path += sys.argv[2:]

import fairlead.__main__  # noqa: F401 (as a real run begins)
from fairlead.errors import FairleadError
from fairlead.host import privilege
from fairlead.host.helper import Helper
from fairlead.host.helper_start import Early, Rights
from fairlead.policy.hostsblock import Entry


def say(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)


async def answer(helper: Helper, words: dict[str, Any]) -> None:
    if "bind" in words:
        bound = await helper.bind([(address, port) for address, port in words["bind"]])
        say(bound=[[found.sock is not None, found.errno, found.holder] for found in bound])
        for found in bound:
            if found.sock:
                found.sock.close()
    else:
        reply = await helper.hosts([Entry(address, tuple(names)) for address, names in words["hosts"]])
        say(left=reply.left, clashes=reply.clashes, dead=reply.dead)


async def serve(hosts: str, early: Early | None) -> None:
    rights = Rights() if early else privilege.helper_rights(hosts)
    helper = await Helper.start(hosts, rights, os.environ, on_gone=lambda undone: None, early=early)
    say(ready=helper.pid, users=os.getresuid(), groups=[*os.getresgid(), *os.getgroups()], env=dict(os.environ))
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        await answer(helper, json.loads(line))
    await helper.close()


def main(hosts: str) -> int:
    try:
        user = privilege.invoker(os.environ)
        asyncio.run(serve(hosts, privilege.become(user, os.environ, hosts) if user else None))
    except FairleadError as error:
        say(error=str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
