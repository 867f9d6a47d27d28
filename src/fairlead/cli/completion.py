"""Shell completion: ``fairlead completion SHELL`` prints a script that calls ``fairlead __complete WORDS...``.

``__complete`` and ``kubectl_complete-fairlead`` speak the protocol that kubectl's own completion speaks with plugins:
one candidate a line, a tab before its description, and a last line ``:N`` with what the shell is to do.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from fairlead.cli.commands import COMMANDS, Command, every_option, named, options_of
from fairlead.cli.parse import Parsed, Table, first_word, is_option, parse

if TYPE_CHECKING:
    from fairlead.cli.options import Option

DEFAULT = 0
"""The shell may complete file names."""
NO_SPACE = 2
NO_FILES = 4
FOLDERS = 16

SHELLS = ("bash", "zsh", "fish")

_MOST_FOLDERS = 64
"""Of PATH, that are looked through."""

Candidates = list[tuple[str, str]]
"""Words and what they are."""


class Answers(Protocol):
    """What only the kubeconfig and the API server know; an empty list where they do not answer in time."""

    def of_config(self, what: str) -> Candidates:
        """The names of contexts, clusters or users."""

    def namespaces(self) -> Candidates:
        """All namespaces."""

    def names(self, kind: str) -> Candidates:
        """The objects of a kind in the chosen namespace."""

    def ports(self, kind: str, name: str) -> Candidates:
        """The declared ports of an object: numbers and names."""

    def services(self) -> Candidates:
        """The services of the chosen namespaces: NAME where there is one namespace, else NAME.NAMESPACE."""


def run(parsed: Parsed, program: str) -> int:
    """Print the script of a shell."""
    from fairlead.cli.scripts import script
    from fairlead.errors import UsageError

    if len(parsed.words) != 1 or parsed.words[0] not in SHELLS:
        raise UsageError("the shell is bash, zsh or fish", remedy=f"for example: source <({program} completion bash)")
    print(script(parsed.words[0]), end="")
    return 0


def kubectl_main() -> int:
    """``kubectl_complete-fairlead WORDS...``: kubectl asks for ``kubectl fairlead <TAB>``."""
    return complete(sys.argv[1:])


def complete(words: Sequence[str]) -> int:
    """Print the candidates for the last word; nothing, and still 0, where anything fails: nobody asked for an error."""
    try:
        candidates, directive = suggest(words, _cluster_of)
    except Exception:
        candidates, directive = [], NO_FILES
    for word, about in candidates:
        print(f"{word}\t{about}" if about else word)
    print(f":{directive}", flush=True)
    return 0


def _cluster_of(parsed: Parsed) -> Answers:
    from fairlead.cli.answers import ClusterAnswers
    from fairlead.cli.forward import cluster_options

    values = parsed.values
    options = cluster_options(values)
    if values.get("contexts"):
        options = options._replace(context=values["contexts"][0])
    namespaces = ("",) if values.get("all_namespaces") else values.get("namespaces", ())
    return ClusterAnswers(options, namespaces=namespaces)


class _Ask(Protocol):
    def __call__(self, parsed: Parsed) -> Answers: ...


def suggest(words: Sequence[str], ask: _Ask) -> tuple[Candidates, int]:
    """Candidates for the last of ``words`` (which may be empty), and the directive."""
    *done, current = words or [""]
    if "--" in done:
        # A command of the user's: its name, then what is its own affair.
        return (_programs(current) if done.index("--") == len(done) - 1 else []), DEFAULT
    place = first_word(done, every_option())
    command = named(done[place]) if place is not None else None
    if place is not None and command is None:
        return [], NO_FILES
    options = options_of(command) if command else every_option()
    waiting = _waiting(done, options)
    parsed = parse(done[:-1] if waiting else done, options)
    if waiting:
        return _values(waiting, current, parsed, ask)
    if is_option(current) and "=" in current:
        option, value = Table(options).split(current)[-1]
        return _values(option, value or "", parsed, ask)
    if current.startswith("-") and not current.startswith("-:"):
        found: dict[str, str] = {}
        for each in options:
            if each.name != each.short:
                found.setdefault(f"--{each.name}", each.help)
        return _starting(current, found.items()), NO_FILES
    if command is None:
        return _commands(current), NO_FILES
    return _words(command, parsed, current, ask)


def _programs(start: str) -> Candidates:
    """The programs that are found by a name with this start; none for no start, or for a path."""
    if not start or "/" in start:
        return []
    found: set[str] = set()
    for folder in os.get_exec_path()[:_MOST_FOLDERS]:
        try:
            found |= {name for name in os.listdir(folder) if name.startswith(start)}
        except OSError:
            continue  # a part of PATH that is not there
    return [(name, "") for name in sorted(found) if shutil.which(name)]


def _waiting(done: Sequence[str], options: Iterable[Option]) -> Option | None:
    """The option whose value is the word being completed."""
    table, waiting = Table(options), None
    for word in done:
        if waiting or not is_option(word):
            waiting = None
            continue
        option, value = table.split(word)[-1]
        waiting = option if value is None and option.kind not in ("bool", "level") else None
    return waiting


def _values(option: Option, current: str, parsed: Parsed, ask: _Ask) -> tuple[Candidates, int]:
    before = ""
    if option.kind == "csv":
        head, comma, current = current.rpartition(",")
        before = head + comma
    found, directive = _one_value(option.complete, current, parsed, ask)
    return [(before + word, about) for word, about in _starting(current, found)], directive


def _one_value(complete: str, current: str, parsed: Parsed, ask: _Ask) -> tuple[Candidates, int]:
    match complete:
        case "file":
            return [], DEFAULT
        case "folder":
            return [], FOLDERS
        case "context" | "cluster" | "user":
            return ask(parsed).of_config(complete), NO_FILES
        case "namespace":
            return ask(parsed).namespaces(), NO_FILES
        case "service":
            return ask(parsed).services(), NO_FILES
        case "service-equals":
            # What comes behind is of this machine, and known to nobody but the user.
            services = [] if "=" in current else ask(parsed).services()
            return [(f"{name}=", about) for name, about in services], NO_FILES | NO_SPACE
        case "service-port":
            return _service_ports(current, ask(parsed)), NO_FILES | NO_SPACE
        case choices:
            return [(word, "") for word in choices.split(",") if word], NO_FILES


def _service_ports(current: str, answers: Answers) -> Candidates:
    """``SERVICE:PORT:``, of which one part is offered at a time."""
    service, colon, port = current.partition(":")
    if not colon:
        return [(f"{name}:", about) for name, about in answers.services()]
    if ":" in port or service.isdigit():
        return []
    return [(f"{service}:{each}:", about) for each, about in answers.ports("service", service)]


def _commands(current: str) -> Candidates:
    """Names, and aliases for whoever has begun to type one."""
    found = _starting(current, ((each.name, each.summary) for each in COMMANDS))
    aliases = [(alias, each.summary) for each in COMMANDS for alias in each.aliases]
    return found + (_starting(current, aliases) if current else [])


def _words(command: Command, parsed: Parsed, current: str, ask: _Ask) -> tuple[Candidates, int]:
    words = parsed.words[1:]  # without the command
    if command.name == "forward":
        return _targets(words, current, ask(parsed))
    if command.name == "completion" and not words:
        return _starting(current, ((shell, "") for shell in SHELLS)), NO_FILES
    if command.name == "help" and not words:
        return [(name, about) for name, about in _commands(current) if name != "help"], NO_FILES
    return [], NO_FILES


def _targets(words: Sequence[str], current: str, answers: Answers) -> tuple[Candidates, int]:
    kind, slash, _ = current.partition("/")
    if slash:
        found: Candidates = [(f"{kind}/{name}", about) for name, about in answers.names(kind)]
        return _starting(current, found), NO_FILES
    from fairlead.cli.answers import KINDS

    kinds = _starting(current, ((f"{word}/", "") for word in KINDS))
    if not words:
        return _starting(current, answers.names("pod")) + kinds, NO_FILES | NO_SPACE
    target = next((word for word in reversed(words) if "/" in word), f"pod/{words[0]}")
    local, colon, remote = current.rpartition(":")
    ports = _starting(remote, answers.ports(*target.split("/", 1)))
    found = [(f"{local}{colon}{port}", about) for port, about in ports]
    if current and not colon and kinds:
        return found + kinds, NO_FILES | NO_SPACE
    return found, NO_FILES


def _starting(current: str, candidates: Iterable[tuple[str, str]]) -> Candidates:
    return [(word, about) for word, about in candidates if word.startswith(current)]
