"""Why this machine gives no private network, and what would allow it (user_namespaces(7), apparmor_parser(8)).

A kernel may refuse to make a user namespace, or make one and take every capability away in it, so that a later step is
the one that fails: it is the whole set-up that has to be tried.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from shlex import quote

from fairlead.errors import MachineError

_LIMITS = {
    "user/max_user_namespaces": "user",
    "user/max_net_namespaces": "network",
    "user/max_mnt_namespaces": "mount",
}
"""Of how many namespaces one user may have of each kind."""
_CLONE = "kernel/unprivileged_userns_clone"
_APPARMOR = "kernel/apparmor_restrict_unprivileged_userns"
SETTINGS = (*_LIMITS, _CLONE, _APPARMOR)
"""Below /proc/sys."""

NO_END = 256
"""In the place of a program's exit code: it did not end in time."""
_REFUSED = (errno.EPERM, errno.EACCES)
_INSTEAD = "without it, fairlead services and fairlead forward work"
_PACKAGES = {"ip": "iproute2 (Fedora: iproute)", "nft": "nftables"}
_PROFILE = "/etc/apparmor.d/fairlead"
_MOST_TEXT = 300
"""Characters of what a program said."""


def advice(step: str, number: int, text: str, settings: Mapping[str, str], python: str) -> MachineError:
    """What to say when ``step`` failed.

    ``step`` is ``unshare``, ``map``, ``capabilities``, ``mounts``, ``sockets``, or the program ``ip`` or ``nft``;
    ``number`` is an errno, or a program's exit code, 0 where there is no such program, NO_END where it did not end.
    ``settings`` are those of SETTINGS, "" where this machine has none; ``python`` is the interpreter's own path.
    """
    if step in _PACKAGES and not number:
        what = f"the program {step} is needed for a private network, and is not here"
        return _error(what, f"install {_PACKAGES[step]}")
    if step == "unshare":
        return _unshare(number, text, settings, python)
    words = "not permitted" in text or "ermission denied" in text
    refused = words if step in _PACKAGES else number in _REFUSED
    if refused and _confines(settings):
        return _apparmor(settings, python)
    if refused:
        what = f"a security rule of this machine takes the rights from user namespaces: {_said(step, text)}"
        return _error(what, "in a container, its runtime has to allow them")
    if step == "nft" and number != NO_END:
        what = f"this kernel does not take the rules for a private network: {_said(step, text)}"
        return _error(what, "its modules may be missing: sudo modprobe -a nft_tproxy nft_socket nft_reject_inet")
    return _error(f"the private network cannot be made: {_said(step, text)}", "")


def _unshare(number: int, text: str, settings: Mapping[str, str], python: str) -> MachineError:
    if number == errno.ENOSPC and (full := _full(settings)):
        return full
    # Where it is not AppArmor but a container's runtime, that says EPERM.
    if number == errno.EACCES and _confines(settings):
        return _apparmor(settings, python)
    if number in _REFUSED and settings.get(_CLONE, "") == "0":
        what = f"this machine forbids user namespaces to ordinary users ({_dotted(_CLONE)} = 0)"
        return _error(what, f"allow them: sudo sysctl -w {_dotted(_CLONE)}=1")
    if number in _REFUSED:
        what = f"a security rule of this machine forbids user namespaces: {_said('unshare', text)}"
        return _error(what, "in a container, its runtime has to allow them (its seccomp profile, mostly)")
    if number in (errno.EINVAL, errno.ENOSYS):
        return _error("this kernel has no user namespaces", "")
    return _error(f"the private network cannot be made: {_said('unshare', text)}", "")


def _full(settings: Mapping[str, str]) -> MachineError | None:
    """A limit was reached; None if it is none of those that are known."""
    known = {name: settings[name] for name in _LIMITS if settings.get(name, "").isdecimal()}
    for name, most in known.items():
        if most == "0":
            what = f"this machine forbids {_LIMITS[name]} namespaces ({_dotted(name)} = 0)"
            return _error(what, f"allow them: sudo sysctl -w {_dotted(name)}=15000")
    if not known:
        return None
    more = " ".join(f"{_dotted(name)}={2 * int(most)}" for name, most in known.items())
    what = f"user, network or mount namespaces of this user are all in use ({', '.join(known.values())})"
    return _error(what, f"allow more: sudo sysctl -w {more}")


def _confines(settings: Mapping[str, str]) -> bool:
    return settings.get(_APPARMOR, "") not in ("", "0")


def _apparmor(settings: Mapping[str, str], python: str) -> MachineError:
    what = (
        "AppArmor takes all rights from the user namespaces of ordinary programs here "
        f"({_dotted(_APPARMOR)} = {settings[_APPARMOR]})"
    )
    rule = r'abi <abi/4.0>,\nprofile fairlead "%s" flags=(unconfined) {\n  userns,\n}\n'
    path = quote(re.sub(r"[][\\{}*?^]", r"\\\g<0>", python))
    allow = f"printf '{rule}' {path} | sudo tee {_PROFILE} && sudo apparmor_parser -r {_PROFILE}"
    return _error(what, f"allow them to this Python: {allow}; or to all: sudo sysctl -w {_dotted(_APPARMOR)}=0")


def _error(what: str, remedy: str) -> MachineError:
    return MachineError(what, remedy=f"{remedy}; {_INSTEAD}" if remedy else _INSTEAD)


def _said(step: str, text: str) -> str:
    short = " ".join(text.split())
    return f"{step}: {short[:_MOST_TEXT]}{'...' if len(short) > _MOST_TEXT else ''}"


def _dotted(setting: str) -> str:
    return setting.replace("/", ".")
