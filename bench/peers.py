"""Other forwarders, as templates of the command that starts them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from bench.errors import BenchError

RESERVED = ("kubectl", "fairlead", "floor")
FIELDS = ("kubeconfig", "namespace", "pod", "ports")


@dataclass(frozen=True, slots=True)
class Peer:
    """A forwarder: the words of its command, with fields in braces."""

    name: str
    words: tuple[str, ...]
    version: tuple[str, ...] = ()
    """The command that does nothing but tell its version; empty where there is none."""

    def command(self, *, kubeconfig: str, namespace: str, pod: str, ports: Mapping[int, int]) -> list[str]:
        """The command line. ``ports`` is local to remote.

        A word that is {ports} and nothing else becomes a word LOCAL:REMOTE for each port; inside a longer word they are
        joined by commas.
        """
        pairs = [f"{local}:{remote}" for local, remote in ports.items()]
        fields = {"kubeconfig": kubeconfig, "namespace": namespace, "pod": pod, "ports": ",".join(pairs)}
        line: list[str] = []
        for word in self.words:
            line += pairs if word == "{ports}" else [word.format(**fields)]
        return line


def parse(text: str) -> Peer:
    """NAME=COMMAND, where COMMAND is split as a shell would and has {ports} in it."""
    name, equals, command = text.partition("=")
    if not equals or not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise BenchError(f"{text!r} is not NAME=COMMAND, with a NAME of small letters, digits and hyphens")
    if name in RESERVED:
        raise BenchError(f"the name {name} is taken: {', '.join(RESERVED)} are measured anyway")
    try:
        words = tuple(shlex.split(command))
        for word in words:
            word.format(**dict.fromkeys(FIELDS, ""))
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        fields = " ".join(f"{{{field}}}" for field in FIELDS)
        raise BenchError(f"the command of {name} cannot be used ({error}); its fields are {fields}") from None
    if not any("{ports}" in word for word in words):
        raise BenchError(f"the command of {name} has no {{ports}}: it would not know what to forward")
    return Peer(name, words)
