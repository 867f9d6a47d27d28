"""Words to values, in the spellings that kubectl takes (those of pflag).

``--name value``, ``--name=value``, ``-n value``, ``-nvalue`` and ``-n=value`` are the same, before or after the
command; a bool takes a value only by ``=``, and ``-v`` without a number is ``-v 1``; what follows ``--`` is left alone.
``-`` and ``-:80`` are no options.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

TYPE_CHECKING = False  # typing itself would cost a tenth of `fairlead version`
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from fairlead.cli.options import Option

_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_SOME = ("only", "exclude")
"""Lists whose emptiness would mean all, where a variable of a script was empty."""
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


class Parsed:
    """What a command line said: option values by settings field, the other words, and what followed ``--``."""

    __slots__ = ("after", "error", "values", "words")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.words: list[str] = []
        self.after: list[str] | None = None
        """None without a ``--``."""
        self.error: Exception | None = None
        """The first thing that was wrong: a UsageError. The rest was read, since it says how errors are to be told."""


class Table:
    """Options by their spellings."""

    def __init__(self, options: Iterable[Option]) -> None:
        self.long: dict[str, Option] = {}
        self.short: dict[str, Option] = {}
        for option in options:
            self.long.setdefault(option.name, option)
            if option.short:
                self.short.setdefault(option.short, option)

    def split(self, word: str) -> list[tuple[Option, str | None]]:
        """The options in one word that starts with ``-``, each with its value if that stands in the same word."""
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            option = self.long.get(name.replace("_", "-"))  # kubectl takes either
            if option is None:
                _unknown(f"--{name}", self)
            return [(option, value if equals else None)]
        found: list[tuple[Option, str | None]] = []
        rest = word[1:]
        while rest:
            option = self.short.get(rest[0])
            if option is None:
                near = f"-{word}" if word[1:].partition("=")[0].replace("_", "-") in self.long else ""
                _unknown(f"-{rest[0]}", self, f" in {word}" if len(word) > 2 else "", near)
            rest = rest[1:]
            if rest.startswith("="):
                return [*found, (option, rest[1:])]
            if option.kind != "bool":
                return [*found, (option, rest or None)]
            found.append((option, None))
        return found


def takes_next(option: Option, word: str) -> bool:
    """Whether ``word``, the next one, is the value of an option that has none in its own word."""
    return option.kind != "bool" and (option.kind != "level" or _is_number(word))


def parse(words: Sequence[str], options: Iterable[Option]) -> Parsed:
    """Read ``words``; what is wrong with them is in ``error``."""
    table, parsed = Table(options), Parsed()
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            parsed.after = left
            break
        if not is_option(word):
            parsed.words.append(word)
        else:
            try:
                _take(word, left, table, parsed)
            except Exception as error:
                from fairlead.errors import UsageError

                if not isinstance(error, UsageError):
                    raise
                parsed.error = parsed.error or error
    return parsed


def _take(word: str, left: list[str], table: Table, parsed: Parsed) -> None:
    for option, value in table.split(word):
        if value is None and takes_next(option, left[0] if left else ""):
            if not left:
                _wrong(f"option {option} needs a value", f"for example {option}={option.value}")
            value = left.pop(0)
        _keep(parsed.values, option, value)


def is_option(word: str) -> bool:
    """Whether ``word`` starts an option; LOCAL may be ``-``, which stands for standard input and output."""
    return word.startswith("-") and word != "-" and not word.startswith("-:")


def first_word(words: Sequence[str], options: Iterable[Option]) -> int | None:
    """Where the first word stands that is neither an option nor an option's value: the command. Raises UsageError."""
    table = Table(options)
    waits: Option | None = None
    for index, word in enumerate(words):
        if waits is not None and takes_next(waits, word):
            waits = None
        elif word == "--":
            return None
        elif not is_option(word):
            return index
        else:
            option, value = table.split(word)[-1]
            waits = option if value is None else None
    return None


def _keep(values: dict[str, Any], option: Option, text: str | None) -> None:
    if option.kind in ("list", "csv"):
        more = (text or "",) if option.kind == "list" else tuple(filter(None, map(str.strip, (text or "").split(","))))
        if not more and option.field in _SOME:
            _wrong(f"option {option} needs a value", f"for example {option}={option.value}")
        values[option.field] = (*values.get(option.field, ()), *more)
    else:
        values[option.field] = _value(option, text)


def _value(option: Option, text: str | None) -> object:
    if option.kind == "bool":
        if text is None or text in _TRUE:
            return True
        if text not in _FALSE:
            _wrong(f'{option} is true or false, not "{text}"')
        return False
    if option.kind == "level" and text is None:
        return 1
    assert text is not None
    if option.kind in ("int", "level"):
        if not _is_number(text):
            _wrong(f'{option} is a number, not "{text}"')
        return int(text)
    if option.kind == "pod-running-timeout":
        from fairlead.policy.duration import parse_pod_running_timeout

        return parse_pod_running_timeout(text)
    if option.kind in ("duration", "timeout"):
        return _seconds(option, text)
    return text


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _seconds(option: Option, text: str) -> float:
    from fairlead.errors import UsageError
    from fairlead.policy.duration import parse_duration

    if option.kind == "timeout" and _is_number(text):
        return float(text)  # kubectl's --request-timeout also takes bare seconds
    try:
        seconds = parse_duration(text)
    except UsageError as error:
        _wrong(f'{option} is a time, not "{text}"', error.remedy)
    if seconds < 0:
        _wrong(f"{option} cannot be negative")
    return seconds


def _unknown(what: str, table: Table, where: str = "", near: str = "") -> NoReturn:
    from fairlead.cli.suggest import closest, from_kubefwd

    remedy = from_kubefwd(what) if "reserve" in table.long and not near else ""
    if not near and what.startswith("--"):
        near = closest(what, [f"--{known}" for known in table.long])
    if not remedy:
        remedy = f"did you mean {near}?" if near else "--help lists the options"
    _wrong(f"unknown option {what}{where}", remedy)


def _wrong(what: str, remedy: str = "") -> NoReturn:
    from fairlead.errors import UsageError

    raise UsageError(what, remedy=remedy)
