"""What is built, from which module, at which version: one table, read by everything else.

The versions stand in the ``go.mod`` files too (a test compares them); the folder in the cache carries them, so that a
new version is a new folder and an old one stays usable.
"""

from __future__ import annotations

from dataclasses import dataclass

KUBERNETES = "1.36.3"
KUBECTL_OLD = "1.30.14"  # the last line that speaks plain SPDY by default; 1.31 and later try WebSocket first
ETCD = "3.6.16"
CONTAINERD = "2.2.9"
COREDNS = "1.14.7"
PAUSE = "1"
IMAGE = "1"  # raise it when the recipe in images.py changes


@dataclass(frozen=True, slots=True)
class Program:
    """One program built from Go modules."""

    name: str
    """What ``build --only`` calls it."""
    tool: str
    """The folder below ``testbed/go`` with its go.mod, and the first half of its folder in the cache."""
    version: str
    package: str
    binary: str
    """The file's name in the cache."""
    flags: tuple[str, ...] = ()
    """Arguments of ``go build`` beside the common ones."""
    symbols: tuple[tuple[str, str], ...] = ()
    """Variables that the linker sets: a program that does not know its version makes its clients complain."""


def _kubernetes(binary: str) -> Program:
    return _of_kubernetes(binary, binary, "kubernetes", KUBERNETES)


def _of_kubernetes(name: str, binary: str, tool: str, version: str) -> Program:
    major, minor, _ = version.split(".")
    told = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    symbols = tuple((f"k8s.io/component-base/version.{variable}", value) for variable, value in told.items())
    return Program(name, tool, version, f"k8s.io/kubernetes/cmd/{binary}", binary, symbols=symbols)


def _containerd(binary: str) -> Program:
    module = "github.com/containerd/containerd/v2"
    tags = ("-tags", "no_btrfs no_zfs no_aufs no_devmapper")
    symbols = ((f"{module}/version.Version", f"v{CONTAINERD}"),)
    return Program(binary, "containerd", CONTAINERD, f"{module}/cmd/{binary}", binary, tags, symbols)


PROGRAMS = (
    # kubectl first: others can begin with it while the rest is built.
    _kubernetes("kubectl"),
    _kubernetes("kube-apiserver"),
    _kubernetes("kubelet"),
    _kubernetes("kube-controller-manager"),
    _kubernetes("kube-scheduler"),
    _kubernetes("kube-proxy"),
    Program("etcd", "etcd", ETCD, "go.etcd.io/etcd/server/v3", "etcd"),
    _containerd("containerd"),
    _containerd("containerd-shim-runc-v2"),
    _containerd("ctr"),
    Program("coredns", "coredns", COREDNS, ".", "coredns"),
    Program("pause", "pause", PAUSE, ".", "pause"),
)

OPTIONAL = (_of_kubernetes("kubectl-1.30", "kubectl", "kubectl-1.30", KUBECTL_OLD),)
"""Built only when named."""
