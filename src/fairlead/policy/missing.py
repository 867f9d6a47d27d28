"""What to say beside "not found": the namespace, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fairlead.model.target import TargetSpec

MOST = 3
"""Names that are offered: more is a list to read, not a hint."""


def similar(name: str, names: Iterable[str]) -> list[str]:
    """The names that were probably meant: spelled much alike, or longer by what a controller puts behind."""
    from difflib import get_close_matches  # 1 ms that most runs do not need

    known = list(dict.fromkeys(names))
    longer = [each for each in known if each.startswith(f"{name}-")]
    close = get_close_matches(name, known, MOST)
    return list(dict.fromkeys([*close, *sorted(longer)]))[:MOST]


def remedy(meant: Sequence[str]) -> str:
    """The remedy for an object that is not in the namespace that was searched."""
    return f"did you mean {any_of(meant)}? -n chooses another namespace" if meant else "-n chooses another namespace"


def no_namespace(namespace: str, meant: Sequence[str]) -> str:
    """The remedy where that namespace does not even exist."""
    words = f'the namespace "{namespace}" does not exist; -n chooses another'
    return f"{words}, such as {any_of(meant)}" if meant else words


def written_apart(spec: TargetSpec) -> str:
    """What was meant where TYPE and NAME are two words: ``svc web 80`` is the pod "svc" with the port "web" too.

    To be asked only of a pod whose name is a TYPE; "" if it cannot have been meant so.
    """
    if not spec.ports or spec.ports[0].local is not None or spec.ports[0].remote.isdigit():
        return ""
    return " ".join((f"{spec.name}/{spec.ports[0]}", *(map(str, spec.ports[1:] or ("PORT",)))))


def any_of(words: Sequence[str]) -> str:
    """``a, b or c``."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
