"""Errors that only the event loop sees: no word to users, a warning to those who ask for it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio
from fairlead.net.loop import run

def fail():
    raise {error}

class SSLProtocol:
    def connection_made(self):
        fail()

async def main():
    asyncio.get_running_loop().call_soon({callback})
    await asyncio.sleep(0.01)

run(main())
print("done")
"""


@pytest.mark.parametrize(
    ("callback", "error", "asked", "told"),
    [
        ("fail", "KeyError('lane')", False, False),
        ("fail", "KeyError('lane')", True, True),
        ("SSLProtocol().connection_made", "RuntimeError('the handler is closed')", True, False),
        ("fail", "OSError(113, 'No route to host')", True, False),
    ],
)
def test_an_error_in_a_callback(callback: str, error: str, asked: bool, told: bool) -> None:
    env = {**os.environ, "PYTHONWARNINGS": "default" if asked else ""}
    command = [sys.executable, "-c", PROGRAM.format(callback=callback, error=error)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "done\n"
    assert ("ResourceWarning" in done.stderr and "KeyError('lane')" in done.stderr) is told, done.stderr
    assert told or not done.stderr
