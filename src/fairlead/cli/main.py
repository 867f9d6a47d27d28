"""The entry of every console script: finds the command, runs it, and turns what it raises into words and an exit code.

Nothing heavy is imported here; ``fairlead version`` has to answer before a person notices.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from fairlead.cli import commands, parse
from fairlead.cli.codes import BROKEN_PIPE, INTERRUPTED

TYPE_CHECKING = False  # typing itself would cost a tenth of `fairlead version`
if TYPE_CHECKING:
    from typing import NoReturn


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (``sys.argv`` by default); the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(words, program_name(sys.argv[0]))
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        # A forward tells its own errors; all the others do is to print.
        return _unprinted(error)
    except Exception as error:
        return _explain(error)
    return code


def _unprinted(error: OSError) -> int:
    # The interpreter flushes once more at its end: let that find a reader.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE  # whoever read our output has seen enough
    from fairlead.errors import MachineError

    return _explain(MachineError(f"cannot write to standard output: {error.strerror}"))


def script() -> NoReturn:
    """The console scripts: ``main``, and then out at once.

    Nothing is left to do, and tearing the interpreter down takes longer than closing every connection did.
    """
    # What is imported stays for good: looking through it for garbage costs a tenth of the start.
    gc.disable()
    code = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass  # closed, or nobody reads it any more
    os._exit(code)


def program_name(path: str) -> str:
    """How the user started us: ``kubectl fairlead`` for kubectl's plugin."""
    return "kubectl fairlead" if os.path.basename(path).startswith("kubectl-") else "fairlead"


def _run(words: list[str], program: str) -> int:
    if words[:1] == ["__complete"]:
        from fairlead.cli.completion import complete

        return complete(words[1:])
    if words == ["--version"]:
        words = ["version"]
    place = parse.first_word(words, commands.every_option())
    if place is None:
        parsed = parse.parse(words, commands.every_option())
        if parsed.after or parsed.values.keys() - {"help"}:
            _refuse("a command is missing", f"{program} --help lists the commands")
        return _call("fairlead.cli.help", parsed, program)
    command = commands.named(words[place]) or _refuse_command(words[place], program)
    parsed = parse.parse(words[:place] + words[place + 1 :], commands.options_of(command))
    if parsed.values.get("help") and parsed.error is None:
        parsed.words = [command.name]
        return _call("fairlead.cli.help", parsed, program)
    return _call(command.module, parsed, program)


def _call(module: str, parsed: parse.Parsed, program: str) -> int:
    if parsed.error is not None and module not in ("fairlead.cli.forward", "fairlead.cli.services", "fairlead.cli.run"):
        raise parsed.error
    run: Callable[[parse.Parsed, str], int] = import_module(module).run
    return run(parsed, program)


def _refuse_command(word: str, program: str) -> NoReturn:
    from fairlead.cli.suggest import closest

    near = closest(word, [name for command in commands.COMMANDS for name in (command.name, *command.aliases)])
    if "/" in word:
        near = f"forward {word}"
    remedy = f"did you mean {program} {near}?" if near else f"{program} --help lists the commands"
    _refuse(f'unknown command "{word}"', remedy)


def _refuse(what: str, remedy: str) -> NoReturn:
    from fairlead.errors import UsageError

    raise UsageError(what, remedy=remedy)


def _explain(error: Exception) -> int:
    """Say what went wrong, on stderr; the exit code."""
    from fairlead.cli.report import failure

    line, code = failure(error)
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        pass  # nobody reads it; the code tells
    return code
