"""``TYPE/NAME [LOCAL:]REMOTE ...``: the words of a forward command as values.

The grammar and the words of its errors are those of kubectl port-forward, with these differences: ``a:b:c`` is refused
(kubectl reads it as ``a:a``), LOCAL may be ``-`` for standard input and output, and there may be several targets.
Whether REMOTE is a number in range, or a name that exists, can only be told with the object at hand: see policy.ports.
"""

from __future__ import annotations

from collections.abc import Sequence

from fairlead.errors import UsageError
from fairlead.model.target import Local, PortSpec, TargetSpec
from fairlead.policy.names import check_name

_PORT_REMEDY = "a port is written REMOTE, LOCAL:REMOTE or :REMOTE, such as 8080:80 or :http"
_RANGE = "a port number is 1 to 65535"
_TARGET_REMEDY = "for example: pod/web 8080:80, or svc/web :http"


def parse_port(word: str) -> PortSpec:
    """Read ``[LOCAL:]REMOTE``. Raises UsageError."""
    parts = word.split(":")
    if len(parts) > 2:
        raise UsageError(f"invalid port format '{word}'", remedy=_address_remedy(word) or _PORT_REMEDY)
    remote = parts[-1]
    if not remote:
        raise UsageError("remote port cannot be empty", remedy=_PORT_REMEDY)
    # kubectl takes "http:http" for "http", which listens on the number that the name stands for.
    if parts[0] == remote:
        return PortSpec(None, remote)
    if parts[0] == "-":
        return PortSpec(Local.STDIO, remote)
    number = parse_number(parts[0] or "0", "local")
    return PortSpec(number or Local.ANY, remote)


def _address_remedy(word: str) -> str:
    """What to write instead of docker's ``ADDRESS:LOCAL:REMOTE``; "" for anything else."""
    address, *ports = word.rsplit(":", 2)
    if not (address == "localhost" or "." in address or address.startswith("[")):
        return ""
    return f"the address is an option: --address={address.strip('[]')} {':'.join(ports)}"


def parse_number(text: str, side: str) -> int:
    """Read a port number as Go's ParseUint(text, 10, 16) does; 0 is a number here. Raises UsageError."""
    number, reason = 0, "" if text else "invalid syntax"
    for char in text:
        if not "0" <= char <= "9":
            reason = "invalid syntax"
            break
        number = number * 10 + int(char)
        if number > 0xFFFF:
            reason = "value out of range"
            break
    if reason:
        words = f"error parsing {side} port '{text}': strconv.ParseUint: parsing {_quote(text)}: {reason}"
        raise UsageError(words, remedy=_RANGE if reason == "value out of range" else f"{_RANGE}; {_PORT_REMEDY}")
    return number


def parse_targets(words: Sequence[str]) -> tuple[TargetSpec, ...]:
    """Split the words of a command line into targets with their ports. Raises UsageError.

    A bare name is a pod only as the first word; every further target is written TYPE/NAME; any other word is a port of
    the target before it.
    """
    found: list[tuple[str, str, list[PortSpec]]] = []
    for word in words:
        # No TYPE begins like a port: 8080:80/udp is a port that there is none of, and is said to be so.
        if "/" in word and not (found and word[0] in "0123456789:"):
            found.append((*_parse_name(word), []))
        elif not found:
            if word:
                _check_name(word)
            found.append(("pod", word, []))
        else:
            found[-1][2].append(parse_port(word))
    if not found:
        raise _incomplete("")
    for kind, name, ports in found:
        if not name or not ports:
            raise _incomplete(f"{kind}/{name}" if name else "")
    return tuple(TargetSpec(kind, name, tuple(ports)) for kind, name, ports in found)


def _parse_name(word: str) -> tuple[str, str]:
    parts = word.split("/")
    if len(parts) > 2:
        raise UsageError("arguments in resource/name form may not have more than one slash", remedy=_TARGET_REMEDY)
    kind, name = parts
    if not kind or not name or "," in kind:
        raise UsageError("arguments in resource/name form must have a single resource and name", remedy=_TARGET_REMEDY)
    _check_name(name, kind)
    return kind, name


def _check_name(name: str, kind: str = "") -> None:
    before, colon, ports = name.partition(":")
    instead = f"{kind}/{before}" if kind else before
    check_name(name, remedy=f"a blank, not a colon: {instead} {ports or 80}" if colon and before else _TARGET_REMEDY)


def _incomplete(target: str) -> UsageError:
    words = "TYPE/NAME and list of ports are required for port-forward"
    return UsageError(words, remedy=(f"{target} has no port; " if target else "") + _TARGET_REMEDY)


def _quote(text: str) -> str:
    """Quote as Go's strconv.Quote does for what can be typed."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in escaped) + '"'
