"""What a child of the main process does to become a container's process: namespaces, root, user, terminal, program."""

from __future__ import annotations

import fcntl
import os
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from fairlead.lab.node import kernel, maps
from fairlead.lab.node.enter import write_maps
from fairlead.lab.node.spawn import Step, execute
from fairlead.lab.runtime.root import Root, build


@dataclass(frozen=True)
class Identity:
    """Who a container's processes are."""

    user: int = 0
    group: int = 0
    groups: tuple[int, ...] = ()
    mapped: bool = True
    """Whether the node has these ids. Where it has one alone they are that one, in a user namespace of their own."""


@dataclass(frozen=True)
class Program:
    """What is executed, and how."""

    argv: Sequence[str]
    env: Mapping[str, str]
    folder: str = "/"
    identity: Identity = Identity()
    terminal: bool = False
    """Whether its standard streams are a terminal, which it is to control."""


def container(program: Program, sandbox: Sequence[tuple[int, int]], root: Root, step: Step) -> NoReturn:
    """A container's first process: in the sandbox's namespaces, descriptors and their kinds, and its own root."""
    os.setsid()
    _join(sandbox, step)
    step.what = "make a mount namespace"
    kernel.unshare(kernel.NEWNS)
    build(root, step)
    _identify(program.identity, step)
    _run(program, step)


def guest(program: Program, namespaces: Sequence[tuple[int, int]], step: Step) -> NoReturn:
    """One more process of a container that runs."""
    os.setsid()
    _join(namespaces, step)
    if all(kind != kernel.NEWUSER for _, kind in namespaces):
        _identify(program.identity, step)
    _run(program, step)


def _join(namespaces: Sequence[tuple[int, int]], step: Step) -> None:
    step.what = "enter the pod's namespaces"
    for descriptor, kind in namespaces:
        kernel.setns(descriptor, kind)


def _identify(identity: Identity, step: Step) -> None:
    user, group = identity.user, identity.group
    if not (user or group or identity.groups):
        return
    step.what = f"become user {user}"
    if identity.mapped:
        os.setgroups(identity.groups)
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    else:
        kernel.unshare(kernel.NEWUSER)
        write_maps(
            "self",
            [("setgroups", "deny"), ("uid_map", maps.single(user, 0)), ("gid_map", maps.single(group, 0))],
        )


def _run(program: Program, step: Step) -> NoReturn:
    if program.terminal:
        step.what = "take the terminal"
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    step.what = f"chdir to {program.folder}"
    os.chdir(program.folder)
    os.umask(0o022)
    execute(program.argv[0], program.argv, program.env, step)
