"""One question to the nameservers of /etc/resolv.conf (RFC 1035), with the search list as the C library has it."""

from __future__ import annotations

import os
import socket
import struct

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "ANY": 255}
_NAMES = {number: name for name, number in TYPES.items()}
_CODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")
_LIMIT = 5.0
"""Seconds to wait for an answer."""
_HEAD = struct.Struct("!6H")
_FIXED = struct.Struct("!HHIH")


def lookup(kind: str, name: str, resolv: str = "/etc/resolv.conf") -> str:
    """What is answered, in the form of dig."""
    number = TYPES.get(kind.upper())
    if number is None:
        return f"Invalid DNS type: {kind}"
    try:
        servers, search, dots = _configuration(resolv)
    except OSError as error:
        return f"Error: {error}"
    said = "Error: there is no nameserver"
    for full in candidates(name, search, dots):
        for server in servers:
            try:
                reply = _ask(server, full, number)
                said = text(reply, full, kind.upper())
            except (OSError, ValueError) as error:
                said = f"Error: {server}: {error}"
                continue
            if reply[3] & 15 == 0:
                return said
            break
    return said


def candidates(name: str, search: list[str], dots: int) -> list[str]:
    """The names to ask for, one after the other."""
    if name.endswith("."):
        return [name.rstrip(".")]
    below = [f"{name}.{domain}" for domain in search]
    return [name, *below] if name.count(".") >= dots else [*below, name]


def text(reply: bytes, name: str, kind: str) -> str:
    """An answer in words. Raises ValueError."""
    try:
        _, flags, questions, *counts = _HEAD.unpack_from(reply)
        lines = [f";; status: {_CODES[flags & 15] if flags & 15 < len(_CODES) else flags & 15}"]
        lines += ["", ";; QUESTION SECTION:", f";{name}.\tIN\t {kind}"]
        at = _HEAD.size
        for _ in range(questions):
            at = _name(reply, at)[1] + 4
        for title, count in zip(("ANSWER", "AUTHORITY", "ADDITIONAL"), counts, strict=True):
            if count:
                lines += ["", f";; {title} SECTION:"]
            for _ in range(count):
                line, at = _record(reply, at)
                lines.append(line)
    except (struct.error, IndexError) as error:
        raise ValueError("an answer that cannot be read") from error
    return "\n".join(lines)


def _configuration(path: str) -> tuple[list[str], list[str], int]:
    servers, search, dots = [], [], 1
    with open(path) as file:
        for line in file:
            word, *rest = line.split() or [""]
            if word == "nameserver":
                servers += rest[:1]
            elif word == "search":
                search = rest
            elif word == "options":
                dots = next((int(each[6:]) for each in rest if each.startswith("ndots:")), dots)
    return servers, search, dots


def _ask(server: str, name: str, kind: int) -> bytes:
    ident = os.urandom(2)
    labels = [label.encode("idna" if not label.isascii() else "ascii") for label in name.split(".") if label]
    if any(len(label) > 63 for label in labels):
        raise ValueError("a name that no message can carry")
    question = b"".join(bytes((len(label),)) + label for label in labels) + b"\0" + struct.pack("!2H", kind, 1)
    query = ident + b"\1\0\0\1\0\0\0\0\0\0" + question
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(_LIMIT)
        sock.connect((server, 53))
        sock.send(query)
        reply = sock.recv(65535)
    if reply[:2] != ident:
        raise ValueError("an answer to another question")
    return reply if not reply[2] & 2 else _ask_again(server, query)


def _ask_again(server: str, query: bytes) -> bytes:
    """Over TCP, what is too long for UDP."""
    with socket.create_connection((server, 53), _LIMIT) as sock, sock.makefile("rb") as file:
        sock.sendall(len(query).to_bytes(2, "big") + query)
        return file.read(int.from_bytes(file.read(2), "big"))


def _record(data: bytes, at: int) -> tuple[str, int]:
    name, at = _name(data, at)
    kind, _, ttl, size = _FIXED.unpack_from(data, at)
    at += _FIXED.size
    value = _value(data, at, size, kind)
    return f"{name}\t{ttl}\tIN\t{_NAMES.get(kind, kind)}\t{value}", at + size


def _value(data: bytes, at: int, size: int, kind: int) -> str:
    raw = data[at : at + size]
    name = _NAMES.get(kind)
    if name == "A" and size == 4:
        return socket.inet_ntop(socket.AF_INET, raw)
    if name == "AAAA" and size == 16:
        return socket.inet_ntop(socket.AF_INET6, raw)
    if name in ("NS", "CNAME", "PTR"):
        return _name(data, at)[0]
    if name == "SRV":
        return " ".join([*map(str, struct.unpack_from("!3H", raw)), _name(data, at + 6)[0]])
    if name == "MX":
        return f"{struct.unpack_from('!H', raw)[0]} {_name(data, at + 2)[0]}"
    if name == "SOA":
        server, after = _name(data, at)
        mailbox, after = _name(data, after)
        return " ".join([server, mailbox, *map(str, struct.unpack_from("!5I", data, after))])
    return repr(raw[1:]) if name == "TXT" else raw.hex()


def _name(data: bytes, at: int) -> tuple[str, int]:
    """A name, and where it ends; pointers lead backwards alone."""
    labels, end = [], 0
    while size := data[at]:
        if size >= 0xC0:
            to = (size & 0x3F) << 8 | data[at + 1]
            if to >= at:
                raise ValueError("a name that leads nowhere")
            end = end or at + 2
            at = to
        else:
            labels.append(data[at + 1 : at + 1 + size].decode("ascii", "replace"))
            at += 1 + size
    return ".".join(labels) + ".", end or at + 1
