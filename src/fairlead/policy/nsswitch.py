"""nsswitch.conf(5): where programs look hosts up, so that they come to the files and the nameserver of their namespace.

``resolve`` asks systemd's resolver over a socket, which knows nothing of any namespace.
"""

from __future__ import annotations

import re

_HOSTS = re.compile(r"(?P<head>[ \t]*hosts[ \t]*:)(?P<sources>[^#\n]*)(?P<rest>[^\n]*)")
_SOURCE = re.compile(r"(?P<name>[^\s\[\]]+)\s*(?P<actions>(?:\[[^\]]*\]\s*)*)")
_AROUND = "resolve"


def rewrite(text: str | None) -> str | None:
    """The file inside; None where the laptop's will do, or there is none and the default is ``files dns``."""
    if text is None:
        return None
    changed = "".join(map(_line, text.splitlines(keepends=True)))
    return changed if changed != text else None


def _line(line: str) -> str:
    found = _HOSTS.match(line)
    if found is None:
        return line
    sources = [(each["name"], each["actions"].strip()) for each in _SOURCE.finditer(found["sources"])]
    names = [name for name, _ in sources]
    if _AROUND not in names and {"files", "dns"} <= set(names):
        return line
    chosen = [] if "files" in names else [("files", "")]
    there, due = "dns" in names, False
    for name, actions in sources:
        if name != _AROUND:
            chosen.append((name, actions))
        due |= name == _AROUND
        # In its place, but behind the files, which have the last word on the laptop's own names.
        if due and not there and any(source == "files" for source, _ in chosen):
            chosen.append(("dns", ""))
            there = True
    if not there:
        chosen.append(("dns", ""))
    words = " ".join(word for source in chosen for word in source if word)
    rest = f" {found['rest']}" if found["rest"].startswith("#") else ""
    return f"{found['head']} {words}{rest}{line[found.end() :]}"
