"""Building the programs from Go modules, once for each version, into the cache."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from testbed import paths
from testbed.errors import TestbedError
from testbed.versions import OPTIONAL, PROGRAMS, Program

Say = Callable[[str], None]

_NEEDED_GO = (1, 26)  # what the go.mod files ask for


def binary(name: str) -> Path:
    """Where the program with this name is, or will be."""
    return path_of(named(name))


def path_of(program: Program) -> Path:
    """Where this program is, or will be."""
    return paths.tool(program.tool, program.version) / program.binary


def named(name: str) -> Program:
    """The program that ``--only`` calls by this name."""
    for program in PROGRAMS + OPTIONAL:
        if program.name == name:
            return program
    names = ", ".join(program.name for program in PROGRAMS + OPTIONAL)
    raise TestbedError(f"nothing to build is called {name!r}: choose from {names}")


def missing() -> list[Program]:
    """The programs that a cluster needs and the cache does not have."""
    return [program for program in PROGRAMS if not path_of(program).exists()]


def build(programs: Iterable[Program], say: Say) -> None:
    """Build what is not in the cache yet, one after the other: the Go compiler uses all cores by itself."""
    for program in programs:
        if path_of(program).exists():
            continue
        _check_go()
        folder = path_of(program).parent
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # A second builder waits here and then finds the work done.
            fcntl.flock(handle, fcntl.LOCK_EX)
            if not path_of(program).exists():
                _build_one(program, say)
        finally:
            os.close(handle)


def _build_one(program: Program, say: Say) -> None:
    say(f"{program.name} {program.version}: building")
    started = time.monotonic()
    target = path_of(program)
    unfinished = target.with_name(f".{target.name}.unfinished")
    symbols = " ".join(f"-X {key}={value}" for key, value in program.symbols)
    command = ["go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", f"-s -w {symbols}".strip()]
    command += [*program.flags, "-o", str(unfinished), program.package]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    try:
        done = subprocess.run(command, cwd=paths.SOURCE / "go" / program.tool, env=environment, check=False)
        if done.returncode:
            raise TestbedError(f"{program.name} {program.version} did not build (go's words are above)")
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    say(f"{program.name} {program.version}: built in {time.monotonic() - started:.0f} s")


def _check_go() -> None:
    wanted = ".".join(map(str, _NEEDED_GO))
    if shutil.which("go") is None:
        raise TestbedError(f"no go on PATH: building needs Go {wanted} or later")
    # "auto" lets an older Go fetch the one that go.mod asks for, so only its own refusal counts then.
    asked = subprocess.run(["go", "env", "GOVERSION", "GOTOOLCHAIN"], capture_output=True, text=True, check=True)
    version, toolchain = asked.stdout.split()
    numbers = re.findall(r"\d+", version)[:2]
    if toolchain == "local" and tuple(map(int, numbers)) < _NEEDED_GO:
        raise TestbedError(f"{version} is too old: building needs Go {wanted} or later")
