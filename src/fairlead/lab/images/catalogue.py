"""The images that there are, by the names of their repositories: any registry, any tag, any digest; pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from fairlead.lab.images.reference import parse

Which: TypeAlias = Callable[[str], str | None]
"""The path of a program of this machine, None if it has none of that name."""

GOST = "FAIRLEAD_LAB_GOST"
"""The variable that names the binary of gost."""
_BIN = "/usr/local/bin"
_SHELLS = ("busybox", "alpine", "debian", "ubuntu", "bash", "curl", "curlimages/curl", "dnsutils", "netshoot")


class ImageError(Exception):
    """No such image: ``reason`` is what a container's status has."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Image:
    """What a container is made of where its pod says no more."""

    name: str
    """As the catalogue has it."""
    entrypoint: Sequence[str] = ()
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    programs: Mapping[str, bytes] = field(default_factory=dict)
    """Files that can be executed, by their paths in the container."""
    folders: Sequence[str] = ()
    """Folders that it has, and may write."""
    kept: Sequence[str] = ()
    """Folders of the machine that its programs need."""
    stop_signal: str = "SIGTERM"


class Machine(NamedTuple):
    """What stands behind the catalogue here."""

    python: str
    """The interpreter that runs the stand-ins."""
    prefix: str
    """Where that is installed."""
    sources: str
    """The folder that has the package ``fairlead``."""
    which: Which
    env: Mapping[str, str]
    """Of the lab."""


class Entry(NamedTuple):
    """One line of the catalogue."""

    repositories: Sequence[str]
    """How a repository's path may end."""
    image: Image | None
    missing: str = ""
    """Why it is not here, and what to do about it."""


class Catalogue:
    """What there is on this machine."""

    def __init__(self, machine: Machine) -> None:
        self._entries = list(_entries(machine))

    def find(self, text: str) -> Image:
        """What an image's name stands for. Raises ImageError."""
        reference = parse(text)
        if reference is None:
            what = f'couldn\'t parse image name "{text}": invalid reference format'
            raise ImageError("InvalidImageName", f'Failed to apply default image tag "{text}": {what}')
        for entry in self._entries:
            if any(f"/{reference.repository}".endswith(f"/{name}") for name in entry.repositories):
                if entry.image is None:
                    raise ImageError("ErrImagePull", f'failed to pull image "{text}": {entry.missing}')
                return entry.image
        raise ImageError("ErrImagePull", f'failed to pull image "{text}": {self._unknown()}')

    def names(self) -> list[str]:
        """Those that are here, as a user may write them."""
        return [name for entry in self._entries if entry.image is not None for name in entry.repositories]

    def _unknown(self) -> str:
        known = ", ".join(self.names())
        return (
            f"fairlead lab pulls no images, it has a catalogue: {known}; any registry and tag of these will do, and a "
            "command of one that has a shell (busybox) runs what this machine has installed"
        )


def _entries(machine: Machine) -> Sequence[Entry]:
    def ours(name: str, repositories: Sequence[str], args: Sequence[str] = (), **more: object) -> Entry:
        return Entry(repositories, _stand_in(machine, name, name, args, **more))  # type: ignore[arg-type]

    return [
        ours(
            "nginx",
            ("nginx", "nginx-unprivileged"),
            ("-g", "daemon off;"),
            stop_signal="SIGQUIT",
            folders=("/usr/share/nginx/html", "/etc/nginx/conf.d", "/var/cache/nginx"),
        ),
        ours("kuard", ("kuard-amd64", "kuard-arm64", "kuard-arm", "kuard-ppc64le", "kuard")),
        ours("echo", ("echo", "echoserver", "echo-server")),
        ours("echo", ("http-echo",), env={"PORT": "5678"}),
        _python(machine),
        Entry(_SHELLS, Image("busybox", args=("sh",))),
        _redis(machine),
        _postgres(machine),
        _gost(machine),
        Entry(("pause",), Image("pause", entrypoint=("sleep", "infinity"))),
    ]


def _stand_in(
    machine: Machine,
    program: str,
    command: str,
    args: Sequence[str] = (),
    *,
    env: Mapping[str, str] | None = None,
    folders: Sequence[str] = (),
    stop_signal: str = "SIGTERM",
) -> Image:
    """One of our own programs, under the name that the image's own has."""
    text = (
        f"#!{machine.python} -IS\nimport sys\nsys.path.insert(0, {machine.sources!r})\n"
        f"from fairlead.lab.images.programs.{program} import main\nsys.exit(main())\n"
    )
    return Image(
        program,
        entrypoint=(command,),
        args=args,
        env=dict(env or {}),
        programs={f"{_BIN}/{command}": text.encode()},
        folders=folders,
        kept=(machine.prefix, machine.sources),
        stop_signal=stop_signal,
    )


def _python(machine: Machine) -> Entry:
    text = f'#!/bin/sh\nexec {shlex.quote(machine.python)} "$@"\n'.encode()
    programs = {f"{_BIN}/python": text, f"{_BIN}/python3": text}
    return Entry(("python",), Image("python", args=("python3",), programs=programs, kept=(machine.prefix,)))


def _redis(machine: Machine) -> Entry:
    names = ("redis", "valkey")
    if not any(machine.which(f"{name}-server") for name in names):
        return Entry(names, None, "redis is not installed on this machine (Debian, Fedora: install the package redis)")
    program = next(name for name in names if machine.which(f"{name}-server"))
    args = (f"{program}-server", "--protected-mode", "no", "--dir", "/data")
    return Entry(names, Image("redis", args=args, folder="/data", folders=("/data",)))


def _postgres(machine: Machine) -> Entry:
    server = machine.which("postgres")
    if not server:
        what = "postgres is not installed on this machine, or not in the PATH of the lab"
        return Entry(("postgres",), None, f"{what} (Debian: install postgresql, and add /usr/lib/postgresql/*/bin)")
    env = {"FAIRLEAD_POSTGRES": server, "PGDATA": "/var/lib/postgresql/data"}
    folders = ("/var/lib/postgresql/data", "/run/postgresql")
    made = _stand_in(machine, "postgres", "docker-entrypoint.sh", ("postgres",), env=env, folders=folders)
    return Entry(("postgres",), made)


def _gost(machine: Machine) -> Entry:
    names = ("gogost/gost", "gost")
    binary = machine.env.get(GOST) or machine.which("gost")
    if not binary:
        what = f"no gost binary is found on this machine: put one in the PATH, or name it in {GOST}"
        return Entry(names, None, f"{what}, and start the lab again")
    text = f'#!/bin/sh\nexec {shlex.quote(binary)} "$@"\n'.encode()
    kept = (binary.rpartition("/")[0],)
    return Entry(names, Image("gost", entrypoint=("gost",), programs={f"{_BIN}/gost": text}, kept=kept))
