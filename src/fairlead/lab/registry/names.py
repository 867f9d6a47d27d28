"""Names: what they may be, in the words of the API server. Each function answers with what is wrong, or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

Rule: TypeAlias = Callable[[str], list[str]]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_KEY})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_HEADER = "[-A-Za-z0-9]+"
_PERCENT = "[0-9]+%"

_ENDS = "and must start and end with an alphanumeric character"
_LABEL_WORDS = f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', {_ENDS}"
_SUBDOMAIN_WORDS = (
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', {_ENDS}"
)
_KEY_WORDS = f"must consist of alphanumeric characters, '-', '_' or '.', {_ENDS}"
_VALUE_WORDS = f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {_ENDS}"
_CONFIG_KEY_WORDS = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
_HEADER_WORDS = "a valid HTTP header must consist of alphanumeric characters or '-'"
_PERCENT_WORDS = "a valid percent string must be a numeric string followed by an ending '%'"


def _matches(form: str, text: str) -> bool:
    return re.fullmatch(form, text, re.ASCII) is not None


def _wrong(words: str, form: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{words} (e.g. {shown}regex used for validation is '{form}')"


def _long(limit: int, what: str = "characters") -> str:
    return f"must be no more than {limit} {what}"


def between(low: int, high: int) -> str:
    """The words for a number that is not."""
    return f"must be between {low} and {high}, inclusive"


def label(name: str) -> list[str]:
    """RFC 1123, one label: namespaces, containers, services."""
    found = [_long(63)] if len(name) > 63 else []
    if _matches(_LABEL, name):
        return found
    if _matches(_SUBDOMAIN, name):
        return [*found, "must not contain dots"]
    return [*found, _wrong(_LABEL_WORDS, _LABEL, "my-name", "123-abc")]


def subdomain(name: str) -> list[str]:
    """RFC 1123, labels with dots between: most objects."""
    found = [_long(253)] if len(name) > 253 else []
    return found if _matches(_SUBDOMAIN, name) else [*found, _wrong(_SUBDOMAIN_WORDS, _SUBDOMAIN, "example.com")]


def key(text: str) -> list[str]:
    """Of a label or an annotation, with or without a domain before it."""
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        told = _wrong(_KEY_WORDS, _KEY, "MyName", "my.name", "123-abc")
        return [f"a valid label key {told} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    found = []
    if slash:
        found += [f"prefix part {word}" for word in (subdomain(prefix) if prefix else ["must be non-empty"])]
    if not name:
        found.append("name part must be non-empty")
    elif len(name) > 63:
        found.append(f"name part {_long(63, 'bytes')}")
    if not _matches(_KEY, name):
        found.append(f"name part {_wrong(_KEY_WORDS, _KEY, 'MyName', 'my.name', '123-abc')}")
    return found


def label_value(text: str) -> list[str]:
    """What a label may say."""
    found = [_long(63, "bytes")] if len(text) > 63 else []
    return found if _matches(_VALUE, text) else [*found, _wrong(_VALUE_WORDS, _VALUE, "MyValue", "my_value", "12345")]


def config_key(text: str) -> list[str]:
    """A name in a ConfigMap or Secret: the name of a file."""
    found = [_long(253)] if len(text) > 253 else []
    if not _matches(_CONFIG_KEY, text):
        found.append(_wrong(_CONFIG_KEY_WORDS, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    if text in (".", ".."):
        found.append(f"must not be '{text}'")
    elif text.startswith(".."):
        found.append("must not start with '..'")
    return found


def variable(name: str) -> list[str]:
    """Of the environment."""
    if all(32 <= ord(char) < 127 and char != "=" for char in name):
        return []
    return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]


def port(number: int) -> list[str]:
    """A port's number."""
    return [] if 1 <= number <= 65535 else [between(1, 65535)]


def port_name(name: str) -> list[str]:
    """RFC 6335, as containers and targetPort have it."""
    found = [_long(15)] if len(name) > 15 else []
    if not _matches("[-a-z0-9]+", name):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", name):
        found.append("must contain at least one letter (a-z)")
    if "--" in name:
        found.append("must not contain consecutive hyphens")
    if name[:1] == "-" or name[-1:] == "-":
        found.append("must not begin or end with a hyphen")
    return found


def percent(text: str) -> list[str]:
    """``25%``."""
    return [] if _matches(_PERCENT, text) else [_wrong(_PERCENT_WORDS, _PERCENT, "1%", "93%")]


def header(name: str) -> list[str]:
    """Of HTTP."""
    return [] if _matches(_HEADER, name) else [_wrong(_HEADER_WORDS, _HEADER, "X-Header-Name")]
