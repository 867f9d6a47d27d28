"""A pod's programs in a network namespace of their own: ``with pod() as made`` gives its process and its ports.

The namespace belongs to a user namespace of its own too, so only root, or who is root in the one above, can enter it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fairlead.lab.cri.sandboxes import Sandbox

ECHO, ONLY6, LATE, ONCE, DEAF, RESET, FIRST = 7001, 7002, 7003, 7004, 7005, 7006, 7007
"""Sends back; the same on ::1 alone; answers 3 s after the end of input; answers one request and closes; reads nothing;
resets; speaks first."""
NOTHING = 7099
LATENESS = 3.0

_PROGRAM = """
import asyncio, fcntl, socket, struct, sys
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh14x", b"lo", 0x49))

async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()

async def late(reader, writer):
    data = await reader.read(-1)
    await asyncio.sleep(LATENESS)
    writer.write(b"%d" % len(data))

async def once(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.0 200 OK\\r\\n\\r\\nhello\\n")

async def deaf(reader, writer):
    writer.transport.pause_reading()
    await asyncio.sleep(3600)

async def reset(reader, writer):
    await reader.read(1)
    writer.transport.get_extra_info("socket").setsockopt(1, 13, struct.pack("ii", 1, 0))
    writer.transport.abort()

async def first(reader, writer):
    writer.write(b"220 ready\\r\\n")
    await echo(reader, writer)

def ending(handler):
    async def handle(reader, writer):
        try:
            await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        writer.close()
    return handle

async def main():
    for host, port, handler in (
        ("127.0.0.1", ECHO, echo), ("::1", ONLY6, echo), ("127.0.0.1", LATE, late), ("127.0.0.1", ONCE, once),
        ("127.0.0.1", DEAF, deaf), ("127.0.0.1", RESET, reset), ("127.0.0.1", FIRST, first),
    ):
        await asyncio.start_server(ending(handler), host, port, backlog=1024)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main())
"""
_NUMBERS = "\n".join(
    f"{name} = {value}"
    for name, value in {
        "ECHO": ECHO, "ONLY6": ONLY6, "LATE": LATE, "ONCE": ONCE, "DEAF": DEAF, "RESET": RESET, "FIRST": FIRST,
        "LATENESS": LATENESS,
    }.items()
)  # fmt: skip


def may_enter() -> bool:
    """Whether namespaces can be made, and entered from here."""
    return os.geteuid() == 0 and shutil.which("unshare") is not None and Path("/proc/self/ns/net").exists()


needs_namespaces = pytest.mark.skipif(not may_enter(), reason="enters network namespaces: needs root and unshare")


@contextmanager
def pod() -> Iterator[Sandbox]:
    """The sandbox; its programs end with the block."""
    command = ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-I", "-c", _NUMBERS + _PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield Sandbox(
                "a" * 64, process.pid, f"/proc/{process.pid}/ns/net", name="app", namespace="default", uid="u"
            )
        finally:
            process.kill()
