"""The commands, as a table; the module of a command is imported when it is run."""

from __future__ import annotations

from fairlead.cli.options import CLEAN, FORWARD, GLOBAL, HELP, OUTPUT, RUN, SERVICES, Option


class Command:
    """One command; ``module`` has ``run(parsed, program) -> exit code``."""

    __slots__ = ("aliases", "module", "name", "options", "summary", "usage")

    def __init__(
        self, name: str, usage: str, summary: str, module: str, options: tuple[Option, ...], *aliases: str
    ) -> None:
        self.name = name
        self.aliases = aliases
        self.usage = usage
        self.summary = summary
        self.module = module
        self.options = options
        """Its own; kubectl's global options come on top."""


COMMANDS = (
    Command(
        "forward",
        "[TYPE/]NAME [LOCAL:]REMOTE... [TYPE/NAME [LOCAL:]REMOTE...]... [options] [-- COMMAND...]",
        "forward local ports to pods, and outlive the pods",
        "fairlead.cli.forward",
        FORWARD,
    ),
    Command(
        "services",
        "[options] [-- COMMAND...]",
        "reach every service by its own name, on an address of its own",
        "fairlead.cli.services",
        SERVICES,
        "svc",
        "svcs",
    ),
    Command(
        "run",
        "[options] -- COMMAND...",
        "run a program in the cluster's network, without root",
        "fairlead.cli.run",
        RUN,
    ),
    Command(
        "clean",
        "[--hosts-file FILE]",
        "remove from the hosts file what killed runs have left there",
        "fairlead.cli.clean",
        CLEAN,
    ),
    Command("completion", "bash|zsh|fish", "print the completion script of a shell", "fairlead.cli.completion", ()),
    Command("version", "[-o json]", "print the version", "fairlead.cli.version", (OUTPUT,)),
    Command("help", "[COMMAND]", "show the help of a command", "fairlead.cli.help", ()),
)


def named(name: str) -> Command | None:
    """The command of this name, or alias."""
    return next((command for command in COMMANDS if name in (command.name, *command.aliases)), None)


def options_of(command: Command) -> tuple[Option, ...]:
    """Every option the command takes, its own first."""
    return (*command.options, HELP, *GLOBAL)


def every_option() -> tuple[Option, ...]:
    """The options of all commands: what may stand before the command."""
    return (HELP, *GLOBAL, *(option for command in COMMANDS for option in command.options))
