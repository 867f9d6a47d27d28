"""What stands in the way of a private network is named in one line, with what takes it out of the way."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from fairlead.policy.namespace_advice import NO_END, SETTINGS, advice

PYTHON = "/usr/bin/python3.12"
USUAL = {
    "user/max_user_namespaces": "63432",
    "user/max_net_namespaces": "63432",
    "user/max_mnt_namespaces": "63432",
    "kernel/unprivileged_userns_clone": "",
    "kernel/apparmor_restrict_unprivileged_userns": "",
}
DEBIAN = {**USUAL, "kernel/unprivileged_userns_clone": "0"}
UBUNTU = {**USUAL, "kernel/unprivileged_userns_clone": "1", "kernel/apparmor_restrict_unprivileged_userns": "1"}
NFT = "Error: Could not process rule: {}\nadd table inet fairlead\n^^^^^^^^^^^^^^^^^^^^^^^\n"
APPARMOR = "AppArmor takes all rights from the user namespaces"
BY_PROFILE = "in a container, its runtime has to allow them (its seccomp profile, mostly)"
IN_CONTAINER = "in a container, its runtime has to allow them"


def test_the_settings_are_those_that_are_read() -> None:
    assert set(SETTINGS) == set(USUAL)


@pytest.mark.parametrize(
    ("step", "number", "text", "settings", "what", "remedy"),
    [
        ("ip", 0, "", USUAL, "the program ip is needed", "install iproute2 (Fedora: iproute)"),
        ("nft", 0, "", UBUNTU, "the program nft is needed", "install nftables"),
        (
            "unshare", errno.ENOSPC, "No space left on device", {**USUAL, "user/max_user_namespaces": "0"},
            "this machine forbids user namespaces (user.max_user_namespaces = 0)",
            "allow them: sudo sysctl -w user.max_user_namespaces=15000",
        ),
        (
            "unshare", errno.ENOSPC, "No space left on device", {**USUAL, "user/max_net_namespaces": "0"},
            "this machine forbids network namespaces (user.max_net_namespaces = 0)",
            "allow them: sudo sysctl -w user.max_net_namespaces=15000",
        ),
        (
            "unshare", errno.ENOSPC, "No space left on device", {**USUAL, "user/max_mnt_namespaces": "0"},
            "this machine forbids mount namespaces (user.max_mnt_namespaces = 0)",
            "allow them: sudo sysctl -w user.max_mnt_namespaces=15000",
        ),
        (
            "unshare", errno.ENOSPC, "No space left on device", USUAL,
            "user, network or mount namespaces of this user are all in use (63432, 63432, 63432)",
            "allow more: sudo sysctl -w user.max_user_namespaces=126864 user.max_net_namespaces=126864 "
            "user.max_mnt_namespaces=126864",
        ),
        (
            "unshare", errno.ENOSPC, "No space left on device", dict.fromkeys(USUAL, ""),
            "the private network cannot be made: unshare: No space left on device", "without it",
        ),
        (
            "unshare", errno.EPERM, "Operation not permitted", DEBIAN,
            "this machine forbids user namespaces to ordinary users (kernel.unprivileged_userns_clone = 0)",
            "allow them: sudo sysctl -w kernel.unprivileged_userns_clone=1",
        ),
        # The default profile of Docker answers so, also on a machine with AppArmor's rule.
        ("unshare", errno.EPERM, "Operation not permitted", USUAL, "a security rule of this machine", BY_PROFILE),
        ("unshare", errno.EPERM, "Operation not permitted", UBUNTU, "a security rule of this machine", BY_PROFILE),
        ("unshare", errno.EACCES, "Permission denied", USUAL, "unshare: Permission denied", BY_PROFILE),
        ("unshare", errno.EACCES, "Permission denied", UBUNTU, APPARMOR, "allow them to this Python: "),
        ("unshare", errno.EINVAL, "Invalid argument", USUAL, "this kernel has no user namespaces", "without it"),
        ("unshare", errno.ENOSYS, "Function not implemented", USUAL, "this kernel has no user namespaces", "without"),
        ("unshare", errno.ENOMEM, "Cannot allocate memory", USUAL, "unshare: Cannot allocate memory", "without it"),
        ("map", errno.EPERM, "Operation not permitted", UBUNTU, APPARMOR, "allow them to this Python: "),
        ("map", errno.EACCES, "Permission denied", UBUNTU, APPARMOR, "allow them to this Python: "),
        ("map", errno.EPERM, "Operation not permitted", USUAL, "map: Operation not permitted", IN_CONTAINER),
        (
            "map", errno.EPERM, "Operation not permitted",
            {**UBUNTU, "kernel/apparmor_restrict_unprivileged_userns": "0"}, "map: Operation not", IN_CONTAINER,
        ),
        ("capabilities", errno.EPERM, "Operation not permitted", UBUNTU, APPARMOR, "allow them to this Python: "),
        ("mounts", errno.EACCES, "Permission denied", UBUNTU, APPARMOR, "allow them to this Python: "),
        ("mounts", errno.ENODEV, "No such device", UBUNTU, "mounts: No such device", "without it"),
        ("sockets", errno.EPERM, "Operation not permitted", USUAL, "rights from user namespaces: sock", IN_CONTAINER),
        ("sockets", errno.EADDRINUSE, "Address already in use", USUAL, "sockets: Address already", "without it"),
        ("ip", 2, "RTNETLINK answers: Operation not permitted\nCommand failed -:1", UBUNTU, APPARMOR, "allow them to"),
        ("ip", 2, "RTNETLINK answers: Operation not permitted\nCommand", USUAL, "ip: RTNETLINK", IN_CONTAINER),
        ("nft", NO_END, "it did not end within 10 s", USUAL, "cannot be made: nft: it did not end", "without it"),
        ("ip", NO_END, "it did not end within 10 s", UBUNTU, "cannot be made: ip: it did not end", "without it"),
        ("ip", 255, "ip: unrecognized option: batch", USUAL, "ip: unrecognized option: batch", "without it"),
        ("nft", 1, NFT.format("Operation not permitted"), UBUNTU, APPARMOR, "allow them to this Python: "),
        (
            "nft", 1, NFT.format("No such file or directory"), UBUNTU,
            "this kernel does not take the rules for a private network: nft: Error: Could not process rule: No such",
            "its modules may be missing: sudo modprobe -a nft_tproxy nft_socket nft_reject_inet",
        ),
        ("nft", 1, "x" * 100_000, USUAL, "...", "modprobe"),
        ("nft", -11, "", USUAL, "does not take the rules for a private network: nft", "modprobe"),
        ("map", 0, "a\nb\tc\x1b[2J", USUAL, "map: a b c", "without it"),
    ],
)  # fmt: skip
def test_one_thing_is_named(
    step: str, number: int, text: str, settings: dict[str, str], what: str, remedy: str
) -> None:
    error = advice(step, number, text, settings, PYTHON)
    assert what in error.what
    assert remedy in error.remedy
    assert error.remedy.endswith("without it, fairlead services and fairlead forward work")
    assert error.exit_code == 12
    line = str(error)
    assert "\n" not in line
    assert "Traceback" not in line
    assert len(error.what) < 500
    # What does not help is not said.
    others = [each for each in ("AppArmor", "max_user", "clone", "seccomp", "install", "modprobe") if each in line]
    assert len(others) <= 1, others


@pytest.mark.parametrize("python", [PYTHON, "/home/an ada/it's 100%/a\\b/python{3,4}*"])
def test_the_remedy_for_apparmor_is_a_command_that_works(tmp_path: Path, python: str) -> None:
    error = advice("map", errno.EPERM, "Operation not permitted", UBUNTU, python)
    start, end = (
        "allow them to this Python: ",
        "; or to all: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    )
    command = error.remedy[error.remedy.index(start) + len(start) : error.remedy.index(end)]
    sudo = tmp_path / "sudo"
    sudo.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n[ "$1" = tee ] && cat > {tmp_path}/profile\nexit 0\n')
    sudo.chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["/bin/sh", "-ec", command], env=env, check=True, stdin=subprocess.DEVNULL, timeout=10)
    assert (tmp_path / "asked").read_text().splitlines() == [
        "tee /etc/apparmor.d/fairlead",
        "apparmor_parser -r /etc/apparmor.d/fairlead",
    ]
    path = python.replace("\\", "\\\\").replace("{", "\\{").replace("}", "\\}").replace("*", "\\*")
    assert (tmp_path / "profile").read_text() == (
        f'abi <abi/4.0>,\nprofile fairlead "{path}" flags=(unconfined) {{\n  userns,\n}}\n'
    )
