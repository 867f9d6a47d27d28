"""What the node's first process does: the commands that set the node up, and the programs it can start."""

from __future__ import annotations

import json
from pathlib import Path

from testbed import build, config, machine
from testbed.network import Network
from testbed.paths import State

# The kubelet insists on these values and would set them on the whole machine. In the node, files with the right
# content lie over them: it finds what it wants and writes nothing.
_KERNEL = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}

DROP = "fairlead_testbed_drop"
"""The table that makes the network silent."""


def write(state: State, network: Network, doors: list[Path]) -> None:
    """Write the plan; ``doors`` are the files by which a process enters the cluster's cgroups."""
    plan = {
        "cgroups": [str(door) for door in doors],
        "setup": [*_mounts(state), *_network(state, network)],
        "services": {
            name: {"argv": argv, "env": {"PATH": f"{build.binary('containerd').parent}:{machine.path()}"}}
            for name, argv in _services(state, network).items()
        },
    }
    state.plan.write_text(json.dumps(plan, indent=1))


def _mounts(state: State) -> list[list[str]]:
    """Folders of the node's own over those of the machine; they are in memory, and go with the node."""
    commands = [
        ["hostname", config.node_name(state)],
        # A group of our own, shared as the kubelet wants it, which the machine has no part in: unshare cut the tie.
        ["mount", "--make-rshared", "/"],
        *(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", folder] for folder in ("/run", "/var/lib", "/var/log")),
        ["mkdir", "-p", "/run/lock", "/run/kernel", "/var/lib/etcd", "/var/lib/kubelet", config.CNI],
        ["cp", str(state.etc / "10-ptp.conflist"), config.CNI],
    ]
    # As nodes have it, whatever this machine says: the container runtime asks for localhost in both families.
    commands.append(["sh", "-c", r"printf '127.0.0.1 localhost\n::1 localhost\n' > /run/hosts"])
    commands.append(["mount", "--bind", "/run/hosts", "/etc/hosts"])
    for key, value in _KERNEL.items():
        private = f"/run/kernel/{key.replace('/', '.')}"
        commands.append(["sh", "-c", f"echo {value} > {private}"])
        commands.append(["mount", "--bind", private, f"/proc/sys/{key}"])
    return commands


def _network(state: State, network: Network) -> list[list[str]]:
    return [
        ["ip", "link", "set", "lo", "up"],
        ["ip", "address", "add", f"{network.node}/30", "dev", "eth0"],
        ["ip", "link", "set", "eth0", "up"],
        # A connection needs a route before kube-proxy's rules rewrite it; there is none to the world.
        ["ip", "route", "add", network.services, "dev", "eth0", "src", network.node],
        ["ip", "route", "add", "unreachable", "default"],
        ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"],
        ["nft", "-f", str(state.etc / "node.nft")],
    ]


def _services(state: State, network: Network) -> dict[str, list[str]]:
    def at(name: str) -> str:
        return str(build.binary(name))

    def pki(name: str) -> str:
        return str(state.pki / name)

    def etc(name: str) -> str:
        return str(state.etc / name)

    return {
        "etcd": [
            at("etcd"),
            "--data-dir=/var/lib/etcd",
            "--listen-client-urls=http://127.0.0.1:2379",
            "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=http://127.0.0.1:2380",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ],
        "kube-apiserver": [
            at("kube-apiserver"),
            f"--advertise-address={network.node}",
            "--secure-port=6443",
            "--etcd-servers=http://127.0.0.1:2379",
            f"--service-cluster-ip-range={network.services}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--kubelet-preferred-address-types=InternalIP",
            f"--client-ca-file={pki('ca.crt')}",
            f"--tls-cert-file={pki('apiserver.crt')}",
            f"--tls-private-key-file={pki('apiserver.key')}",
            f"--kubelet-client-certificate={pki('apiserver-kubelet.crt')}",
            f"--kubelet-client-key={pki('apiserver-kubelet.key')}",
            f"--kubelet-certificate-authority={pki('ca.crt')}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki('service-accounts.crt')}",
            f"--service-account-signing-key-file={pki('service-accounts.key')}",
        ],
        "kube-controller-manager": [
            at("kube-controller-manager"),
            f"--kubeconfig={etc('controller-manager.kubeconfig')}",
            "--leader-elect=false",
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={pki('service-accounts.key')}",
            f"--root-ca-file={pki('ca.crt')}",
            f"--cluster-signing-cert-file={pki('ca.crt')}",
            f"--cluster-signing-key-file={pki('ca.key')}",
            "--allocate-node-cidrs=true",
            f"--cluster-cidr={network.pods}",
            "--node-cidr-mask-size=24",
            f"--service-cluster-ip-range={network.services}",
            # Each controller makes an account of its own at the start; at the default rate that takes 5 s.
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
            "--flex-volume-plugin-dir=/var/lib/kubelet/volume-plugins",  # the default is a folder of the machine
        ],
        "kube-scheduler": [
            at("kube-scheduler"),
            f"--kubeconfig={etc('scheduler.kubeconfig')}",
            "--leader-elect=false",
        ],
        "containerd": [at("containerd"), f"--config={etc('containerd.toml')}", "--log-level=warn"],
        "kubelet": [
            at("kubelet"),
            f"--config={etc('kubelet.json')}",
            f"--kubeconfig={etc('kubelet.kubeconfig')}",
            f"--hostname-override={config.node_name(state)}",
            f"--node-ip={network.node}",
        ],
        "kube-proxy": [at("kube-proxy"), f"--config={etc('proxy.json')}"],
    }
