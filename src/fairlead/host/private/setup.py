"""The steps that make the namespaces, in the process that will hold them. Any of them may be forbidden here."""

from __future__ import annotations

import errno
import glob
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from fairlead.host.listening import NETLINK_SOCK_DIAG
from fairlead.host.private import kernel
from fairlead.host.private.shown import Shown
from fairlead.policy.capture import MARK, PORT, CaptureRules, ip_commands, nft_ruleset
from fairlead.policy.namespace_advice import NO_END

T = TypeVar("T")

PLACES = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
"""Where ip and nft are; an ordinary user's PATH often lacks the folders that end in sbin."""
BACKLOG = 4096
DATAGRAMS = 4 << 20
"""Bytes of datagrams that wait for us; the kernel cuts it to net.core.rmem_max."""

_IP_TRANSPARENT, _IP_RECVORIGDSTADDR = 19, 20
_IPV6_RECVORIGDSTADDR, _IPV6_TRANSPARENT, _IPV6_HDRINCL = 74, 75, 36
_SO_MARK = 36
"""<linux/in.h>, <linux/in6.h>, <asm-generic/socket.h>."""
LIMIT = 10.0
"""Seconds for ip, and for nft, which need a hundredth of one; the first use on a machine may load modules."""
MOST_SAID = 16_000
"""Characters that are kept of what a program says: it may say again all that it was given."""
_CACHES = ("/run/nscd/socket", "/var/run/nscd/socket")
"""Of nscd(8), which would answer from outside; without it the C library looks itself."""
_ROOTS = ("/etc/ssh/ssh_config.d/*", "/etc/crypto-policies/back-ends/openssh.config")
"""ssh reads what its configuration includes only from root or the user (ssh_config(5))."""
_MOST_OWNED, _MOST_OWNED_BYTES = 64, 64 << 10
_SYSCTLS = (
    "net/ipv4/ip_unprivileged_port_start",
    "net/ipv4/ip_local_port_range",
    "net/core/somaxconn",
    "net/ipv6/bindv6only",
)
"""What a new network namespace has at the kernel's default and not as this machine has it."""


PLACES_OF_NAMES = {"hosts": "/etc/hosts", "resolv": "/etc/resolv.conf", "nsswitch": "/etc/nsswitch.conf"}


class Names(NamedTuple):
    """The files by which names are looked up in the namespace; None leaves one as it is."""

    hosts: bytes | None = None
    resolv: bytes | None = None
    nsswitch: bytes | None = None


class StepError(Exception):
    """``step`` did not work; ``text`` is what a program said, or the kernel."""

    def __init__(self, step: str, number: int, text: str) -> None:
        super().__init__(step, number, text)
        self.step = step
        self.number = number
        self.text = text


class Made(NamedTuple):
    """The sockets that the supervisor needs, by what they are for, and the files that programs find."""

    sockets: dict[str, socket.socket]
    shown: Shown


def set_up(rules: CaptureRules, names: Names) -> Made:
    """Make the namespaces, with all of ``rules`` and ``names`` in force. Raises StepError."""
    uid, gid = os.getuid(), os.getgid()
    sysctls = _read_sysctls()
    map_all = _root_maps() if uid == 0 else lambda: False
    _step("unshare", lambda: kernel.unshare(kernel.NEWUSER | kernel.NEWNET | kernel.NEWNS))
    if not map_all():
        _step("map", lambda: _map(uid, gid))
    _step("capabilities", lambda: kernel.keep_through_exec(kernel.CAP_NET_ADMIN))
    _make_links(rules)
    _run("nft", ["-f", "-"], nft_ruleset(rules, ipv6=os.path.exists("/proc/net/if_inet6")))
    _write_sysctls(sysctls)
    shown = _step("mounts", lambda: _mount(names))
    return Made(_step("sockets", _sockets), shown)


def change_rules(commands: str) -> None:
    """Give nft these commands. Raises StepError."""
    _run("nft", ["-f", "-"], commands)


def outgoing(family: int) -> socket.socket:
    """A TCP socket for a connection to what listens in the namespace, and to nothing else."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, _SO_MARK, MARK)
    sock.setblocking(False)
    return sock


def _step(name: str, work: Callable[[], T]) -> T:
    try:
        return work()
    except OSError as error:
        raise StepError(name, error.errno or 0, error.strerror or str(error)) from error


def _run(program: str, arguments: list[str], commands: str) -> None:
    found = shutil.which(program, path=":".join(filter(None, (os.environ.get("PATH"), PLACES))))
    if found is None:
        raise StepError(program, 0, "")
    try:
        done = _step(
            program,
            lambda: subprocess.run(
                [found, *arguments], input=commands.encode(), capture_output=True, check=False, timeout=LIMIT
            ),
        )
    except subprocess.TimeoutExpired:
        raise StepError(program, NO_END, f"it did not end within {LIMIT:g} s") from None
    if done.returncode:
        raise StepError(program, done.returncode, done.stderr.decode(errors="replace").strip()[:MOST_SAID])


def _make_links(rules: CaptureRules) -> None:
    try:
        _run("ip", ["-batch", "-"], ip_commands(rules))
    except StepError as error:
        if not rules.interface or error.number == NO_END:
            raise
        # A kernel without such interfaces, or a name that it does not take: the loopback does as well.
        _run("ip", ["-batch", "-"], ip_commands(rules._replace(interface="")))


def _root_maps() -> Callable[[], bool]:
    """A function to call in the new namespace: every user and group is there as it is outside; whether that is so.

    Only root may do that, from outside, so another process does; a container's root may not.
    """
    process, (told, tell) = os.getpid(), os.pipe()
    helper = os.fork()
    if not helper:
        os.close(tell)
        code = 1
        try:
            if os.read(told, 1):
                for name in ("uid_map", "gid_map"):
                    with open(f"/proc/{process}/{name}", "w") as file:
                        file.write("0 0 4294967295")
                code = 0
        finally:
            os._exit(code)
    os.close(told)

    def now() -> bool:
        os.write(tell, b"x")
        os.close(tell)
        return os.waitpid(helper, 0)[1] == 0

    return now


def _map(uid: int, gid: int) -> None:
    """One user and one group, the caller's, under their own numbers (user_namespaces(7))."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _read_sysctls() -> dict[str, str]:
    found = {}
    for name in _SYSCTLS:
        try:
            with open(f"/proc/sys/{name}") as file:
                found[name] = file.read()
        except OSError:
            pass  # an older kernel has no such setting
    return found


def _write_sysctls(values: dict[str, str]) -> None:
    for name, value in values.items():
        try:
            with open(f"/proc/sys/{name}", "w") as file:
                file.write(value)
        except OSError:
            pass  # not to be set in a namespace: programs can do without


def _mount(names: Names) -> Shown:
    """Files of our own in the place of the machine's, in this namespace alone."""
    shown = Shown()
    for name, data in names._asdict().items():
        if data is not None:
            shown.show(PLACES_OF_NAMES[name], data)
    for path in _CACHES:
        shown.hide(path)
    if os.getuid() == 0:
        return shown
    for path in sorted(path for pattern in _ROOTS for path in glob.iglob(pattern))[:_MOST_OWNED]:
        _own(shown, path)
    return shown


def _own(shown: Shown, path: str) -> None:
    """Show a copy that belongs to this user, where a program takes no others and root's seem to be nobody's."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_OWNED_BYTES + 1)
        if len(data) <= _MOST_OWNED_BYTES:
            shown.show(path, data)
    except OSError:
        pass  # one that may not be read is of no use to the program either


def _sockets() -> dict[str, socket.socket]:
    made = {"diag": socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)}
    for family, digit in ((socket.AF_INET, 4), (socket.AF_INET6, 6)):
        try:
            made |= {
                f"tcp{digit}": _capturing(family, socket.SOCK_STREAM),
                f"udp{digit}": _capturing(family, socket.SOCK_DGRAM),
                f"raw{digit}": _raw(family),
            }
        except OSError as error:
            if family == socket.AF_INET or error.errno != errno.EAFNOSUPPORT:
                raise
    return made


def _capturing(family: int, kind: int) -> socket.socket:
    """One that takes what was meant for any address."""
    sock = socket.socket(family, kind)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_TRANSPARENT, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, _IP_TRANSPARENT, 1)
    # Connections that are accepted have both too (net/core/sock.c). They hold the port that was asked for, on which a
    # program inside may want to listen.
    sock.setsockopt(socket.SOL_SOCKET, _SO_MARK, MARK)
    if kind == socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == socket.SOCK_DGRAM:
        level, option = (
            (socket.IPPROTO_IP, _IP_RECVORIGDSTADDR)
            if family == socket.AF_INET
            else (socket.IPPROTO_IPV6, _IPV6_RECVORIGDSTADDR)
        )
        sock.setsockopt(level, option, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, DATAGRAMS)
    sock.bind(("", PORT))
    if kind == socket.SOCK_STREAM:
        sock.listen(BACKLOG)
    sock.setblocking(False)
    return sock


def _raw(family: int) -> socket.socket:
    """One that sends packets as they are given, with any source (raw(7))."""
    sock = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_HDRINCL, 1)
    sock.setsockopt(socket.SOL_SOCKET, _SO_MARK, MARK)
    sock.setblocking(False)
    return sock
