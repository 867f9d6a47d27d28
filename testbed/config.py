"""The configuration files of the node's programs."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

from testbed import cgroups, images, machine
from testbed.network import Network
from testbed.paths import State

CNI = "/var/lib/cni/net.d"
CONTAINERD = "/run/containerd/containerd.sock"


def node_name(state: State) -> str:
    """The name of the node object, and its host name."""
    return f"fairlead-{state.name}"


def write(state: State, network: Network) -> None:
    """Write all of them, once the certificates are there."""
    state.etc.mkdir()
    (state.etc / "containerd.toml").write_text(_containerd())
    (state.etc / "kubelet.json").write_text(json.dumps(_kubelet(state, network), indent=1))
    (state.etc / "proxy.json").write_text(json.dumps(_proxy(state, network), indent=1))
    (state.etc / "10-ptp.conflist").write_text(json.dumps(_cni(network), indent=1))
    (state.etc / "node.nft").write_text(_rules(network))
    for user in ("kubelet", "controller-manager", "scheduler", "proxy"):
        _kubeconfig(state, network, user, "node", state.etc / f"{user}.kubeconfig")
    _kubeconfig(state, network, "admin", f"fairlead-{state.name}", state.kubeconfig)


def _rules(network: Network) -> str:
    """Rules that keep laptop and cluster apart, whatever routes the laptop has.

    The laptop reaches the node's own address (and by it node ports), no pod and no cluster IP; nothing in the cluster
    opens connections to the laptop.
    """
    return f"""\
table inet fairlead_testbed {{
  chain prerouting {{
    type filter hook prerouting priority raw; policy accept;
    iifname eth0 ip daddr != {network.node} drop
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    oifname eth0 ct state new drop
  }}
  chain output {{
    type filter hook output priority filter; policy accept;
    oifname eth0 ct state new drop
  }}
}}
"""


def _containerd() -> str:
    cri = "io.containerd.cri.v1"
    return f"""\
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
# These would make folders of their own on the machine, or are of no use here.
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.erofs", "io.containerd.snapshotter.v1.native"]

[grpc]
address = "{CONTAINERD}"

[plugins."{cri}.images"]
snapshotter = "overlayfs"

[plugins."{cri}.images".pinned_images]
sandbox = "{images.PAUSE}"

[plugins."{cri}.runtime"]
# Without CAP_SYS_RESOURCE (virtual machines, containers) no process may lower its score: every pod would fail with
# "can't get final child's PID from pipe: EOF".
restrict_oom_score_adj = true
disable_apparmor = true
enable_cdi = false

[plugins."{cri}.runtime".containerd]
default_runtime_name = "runc"

[plugins."{cri}.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."{cri}.runtime".containerd.runtimes.runc.options]
BinaryName = "{shutil.which("runc", path=machine.path())}"
SystemdCgroup = false

[plugins."{cri}.runtime".cni]
bin_dirs = ["{machine.CNI}"]
conf_dir = "{CNI}"
"""


def _kubelet(state: State, network: Network) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"x509": {"clientCAFile": str(state.pki / "ca.crt")}, "webhook": {"enabled": True}},
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(state.pki / "kubelet-server.crt"),
        "tlsPrivateKeyFile": str(state.pki / "kubelet-server.key"),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
        "clusterDNS": [network.dns],
        "clusterDomain": "cluster.local",
        "resolvConf": "",  # the laptop's name servers are not the cluster's
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroups.path(state.name),
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "makeIPTablesUtilChains": False,
        "maxPods": 200,
        "oomScoreAdj": 0,  # lowering it needs CAP_SYS_RESOURCE
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",  # the default is a folder of the machine
        # A full disk of the laptop is not this node's concern.
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
    }


def _proxy(state: State, network: Network) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(state.etc / "proxy.kubeconfig")},
        "clusterCIDR": network.pods,
        "hostnameOverride": node_name(state),
        "oomScoreAdj": 0,
        # The tables' sizes are the machine's; the kernel lets no other network namespace set them.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def _cni(network: Network) -> dict[str, object]:
    """Routed pods: on a bridge, pod to service to pod would need br_netfilter, which is a module of the machine's."""
    ipam = {"type": "host-local", "ranges": [[{"subnet": network.pods}]], "routes": [{"dst": "0.0.0.0/0"}]}
    return {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {"type": "ptp", "ipMasq": False, "ipam": ipam},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def _kubeconfig(state: State, network: Network, user: str, name: str, target: Path) -> None:
    def data(file: str) -> str:
        return base64.b64encode((state.pki / file).read_bytes()).decode()

    target.touch(mode=0o600)
    target.write_text(
        f"""\
apiVersion: v1
kind: Config
current-context: {name}
contexts:
- name: {name}
  context:
    cluster: {name}
    user: {name}
clusters:
- name: {name}
  cluster:
    server: {network.server}
    certificate-authority-data: {data("ca.crt")}
users:
- name: {name}
  user:
    client-certificate-data: {data(f"{user}.crt")}
    client-key-data: {data(f"{user}.key")}
"""
    )
