"""The YAML that kubectl and its kin write: mappings and lists in blocks, and strings that fit on one line.

PyYAML takes as long to import as the API server takes to answer. Files that have more to them are left to it.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

MAX_INDENT = 40
"""Spaces; what is deeper is no kubeconfig."""

_READ = re.compile(rb"[ -~\n]*")
"""Also in comments: YAML has more line breaks than this one, and characters that make a file invalid."""
_ITEM = "- "
_KEY = re.compile(r"([A-Za-z][\w./-]{0,99}):(?: (.+))?", re.ASCII)
_PLAIN = re.compile(r"(?:--)?[A-Za-z/][\w./@=+,%()-]*(?:[ :][\w./@=+,%()-]+)*", re.ASCII)
"""Begins like no number, and holds neither ``: `` nor `` #``."""
_QUOTED = re.compile(r"""("|')[ !#-&(-\[\]-~]*\1""")
"""Printable ASCII without quotes and backslashes."""
_RESERVED = frozenset({"yes", "no", "on", "off", "true", "false", "null"})
_WORDS = {"true": True, "false": False, "null": None}


class _More(Exception):  # noqa: N818 - no error: it is for PyYAML
    pass


class _Line(NamedTuple):
    """``key`` is "" for the value of a list's item, and _ITEM where an item begins."""

    indent: int
    key: str
    value: str | None


def parse(text: bytes) -> Any:
    """What the YAML in ``text`` means, or None if there is anything in it that is not read here."""
    if _READ.fullmatch(text) is None:
        return None
    try:
        lines = _lines(text.decode("ascii"))
        value, end = _block(lines, 0)
    except _More:
        return None
    return value if end == len(lines) else None


def _lines(text: str) -> list[_Line]:
    found = []
    for line in text.split("\n"):
        content = line.lstrip(" ")
        if not content or content[0] == "#":
            continue
        indent = len(line) - len(content)
        item = content.startswith(_ITEM)
        if item:
            found.append(_Line(indent, _ITEM, None))
            content, indent = content[2:], indent + 2
        if indent > MAX_INDENT:
            raise _More
        key = _KEY.fullmatch(content)
        if key and key[1].lower() not in _RESERVED:
            found.append(_Line(indent, key[1], key[2]))
        elif item:
            found.append(_Line(indent, "", content))
        else:
            raise _More
    return found


def _block(lines: list[_Line], at: int) -> tuple[Any, int]:
    """The mapping, list or item's value that begins there, and where the next thing begins."""
    if at == len(lines):
        raise _More
    indent, key, value = lines[at]
    if not key:
        return _scalar(value or ""), at + 1
    return (_list if key == _ITEM else _mapping)(lines, at, indent)


def _list(lines: list[_Line], at: int, indent: int) -> tuple[list[Any], int]:
    found = []
    while at < len(lines) and lines[at].indent == indent and lines[at].key == _ITEM:
        value, at = _block(lines, at + 1)
        found.append(value)
    return found, _ended(lines, at, indent)


def _mapping(lines: list[_Line], at: int, indent: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while at < len(lines) and lines[at].indent == indent and lines[at].key != _ITEM:
        _, key, text = lines[at]
        at += 1
        if text is not None:
            found[key] = _scalar(text)
        elif at < len(lines) and (lines[at].indent > indent or lines[at][:2] == (indent, _ITEM)):
            found[key], at = _block(lines, at)
        else:
            found[key] = None
    return found, _ended(lines, at, indent)


def _ended(lines: list[_Line], at: int, indent: int) -> int:
    """A block ends where a line is indented less; more would go on with a string, or be an error."""
    if at < len(lines) and lines[at].indent > indent:
        raise _More
    return at


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if text in ("{}", "[]"):
        return {} if text == "{}" else []
    if _QUOTED.fullmatch(text):
        return text[1:-1]
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    raise _More
