"""What the machine must have: Debian packages, and root."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from testbed.errors import TestbedError

CNI = Path("/usr/lib/cni")

# program or file -> the Debian package that has it
_NEEDED = {
    "runc": "runc",
    str(CNI / "ptp"): "containernetworking-plugins",
    "nft": "nftables",
    "iptables": "iptables",  # the portmap plugin calls it
    "ip": "iproute2",
    "conntrack": "conntrack",
    "socat": "socat",
    "debootstrap": "debootstrap",
    "openssl": "openssl",
    "unshare": "util-linux",
    "mount": "mount",
}

_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"  # not on every shell's PATH, yet where half of these are


def packages() -> list[str]:
    """The Debian packages to install beside Python and Go."""
    return sorted(set(_NEEDED.values()))


def path() -> str:
    """PATH with the folders of the system's own programs in it."""
    return f"{os.environ.get('PATH', '/usr/bin:/bin')}:{_SBIN}"


def check() -> None:
    """Say what is missing, before anything is started."""
    if os.geteuid() != 0:
        raise TestbedError("the test cluster needs root (namespaces, mounts, cgroups): start it with sudo")
    lacking = sorted({package for program, package in _NEEDED.items() if not shutil.which(program, path=path())})
    if lacking:
        raise TestbedError(f"missing Debian packages: apt-get install {' '.join(lacking)}")
