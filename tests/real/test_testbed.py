"""The test cluster itself: it comes up, works as a cluster does, and leaves nothing behind after any end."""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed import cluster as clusters
from testbed import images, network, paths, plan, processes
from testbed.cluster import Cluster
from testbed.errors import TestbedError

pytestmark = [pytest.mark.real, pytest.mark.node, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
NAME = f"t{os.getpid()}"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster.start(f"{NAME}-a", say=print) as started:
        yield started


def kubectl(cluster: Cluster, *words: str, text: str = "", check: bool = True) -> str:
    command = [str(cluster.kubectl), f"--kubeconfig={cluster.kubeconfig}", *words]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=90, check=False)
    assert not check or done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout + done.stderr


def run_pod(cluster: Cluster, name: str, *argv: str) -> None:
    """Start a pod and wait until it is ready."""
    image = [f"--image={images.TEST}", "--image-pull-policy=Never", f"--labels=app={name}"]
    kubectl(cluster, "run", name, *image, "--", *argv)
    kubectl(cluster, "wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")


def within(limit: float, done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + limit
    while not done():
        assert time.monotonic() < deadline, f"{what}: not within {limit} s"
        time.sleep(0.1)


def connects(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


# ---- it is a cluster


def test_versions(cluster: Cluster) -> None:
    said = json.loads(kubectl(cluster, "version", "-o", "json"))
    assert said["serverVersion"]["gitVersion"] == said["clientVersion"]["gitVersion"] == "v1.36.3"
    assert said["serverVersion"]["minor"] == "36"


def test_the_kubeconfig_is_for_its_owner_alone(cluster: Cluster) -> None:
    assert cluster.kubeconfig.stat().st_mode & 0o077 == 0
    assert cluster.server in cluster.kubeconfig.read_text()


def test_services_have_names_inside(cluster: Cluster) -> None:
    run_pod(cluster, "web", "python3", "-m", "http.server", "--directory", "/etc", "8000")
    kubectl(cluster, "expose", "pod", "web", "--port=80", "--target-port=8000")
    fetch = (
        "import urllib.request, sys; sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())"
    )

    def answers() -> bool:
        url = "http://web.default.svc.cluster.local/hostname"
        return kubectl(cluster, "exec", "web", "--", "python3", "-c", fetch, url, check=False) == "web\n"

    within(20, answers, "the service answers under its name, to its own pod too")
    resolve = "import socket, sys; print(socket.gethostbyname(sys.argv[1]))"
    address = kubectl(cluster, "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
    for name in ("web.default", "web.default.svc", "web.default.svc.cluster.local"):
        assert kubectl(cluster, "exec", "web", "--", "python3", "-c", resolve, name).strip() == address
    assert "not known" in kubectl(cluster, "exec", "web", "--", "python3", "-c", resolve, "example.com", check=False)


def test_the_laptop_reaches_the_node_and_nothing_behind_it(cluster: Cluster) -> None:
    run_pod(cluster, "inner", "python3", "-m", "http.server", "8000")
    pod = kubectl(cluster, "get", "pod", "inner", "-o", "jsonpath={.status.podIP}")
    assert pod.startswith(cluster.network.pods.rpartition(".")[0])
    assert connects(cluster.network.node, 6443)
    for address, port in ((pod, 8000), (cluster.network.api_service, 443)):
        assert cluster.network.link not in _ip("route", "get", address)
        # Not even with a route, which is no more than a laptop's own opinion.
        _ip("route", "add", address, "via", cluster.network.node, "dev", cluster.network.link)
        try:
            assert not connects(address, port)
        finally:
            _ip("route", "delete", address, "dev", cluster.network.link)
    with socket.create_server((cluster.network.laptop, 0)) as listener:
        dial = f"import socket; socket.create_connection(('{cluster.network.laptop}', {listener.getsockname()[1]}), 2)"
        said = kubectl(cluster, "exec", "inner", "--", "python3", "-c", dial, check=False)
        assert "Error" in said


def test_rbac_is_on(cluster: Cluster) -> None:
    assert kubectl(cluster, "auth", "can-i", "get", "pods", "--as=nobody", check=False).strip() == "no"


def test_port_forward(cluster: Cluster) -> None:
    run_pod(cluster, "forwarded", "python3", "-m", "http.server", "--directory", "/etc", "8000")
    command = [str(cluster.kubectl), f"--kubeconfig={cluster.kubeconfig}", "port-forward", "pod/forwarded", ":8000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forward:
        assert forward.stdout is not None
        port = int(forward.stdout.readline().split(" -> ")[0].rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/hostname")
        assert connection.getresponse().read() == b"forwarded\n"
        connection.close()
        forward.terminate()


def test_nginx_is_in_the_image(cluster: Cluster) -> None:
    run_pod(cluster, "nginx", "nginx", "-g", "daemon off;")
    fetch = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1/', timeout=5).headers['Server'])"
    within(20, lambda: "nginx" in kubectl(cluster, "exec", "nginx", "--", "python3", "-c", fetch, check=False), "nginx")
    assert "LISTEN" in kubectl(cluster, "exec", "nginx", "--", "ss", "-ltn")


# ---- what is done to its node


def test_the_api_server_stops_and_starts(cluster: Cluster) -> None:
    cluster.stop_apiserver()
    assert not connects(cluster.network.node, 6443)
    cluster.start_apiserver()
    assert "fairlead-" in kubectl(cluster, "get", "nodes")


def test_packets_are_lost_in_silence(cluster: Cluster) -> None:
    rules = _machine_rules()
    cluster.drop_packets()
    try:
        with pytest.raises(TimeoutError):
            socket.create_connection((cluster.network.node, 6443), timeout=1)
        assert _machine_rules() == rules
    finally:
        cluster.restore_packets()
    assert connects(cluster.network.node, 6443)


def test_a_container_is_killed(cluster: Cluster) -> None:
    run_pod(cluster, "victim", "sleep", "600")
    cluster.kill_container("victim")
    count = ("get", "pod", "victim", "-o", "jsonpath={.status.containerStatuses[0].restartCount}")
    within(30, lambda: kubectl(cluster, *count) == "1", "the container runs again")
    with pytest.raises(TestbedError, match="no running container"):
        cluster.kill_container("nobody")


def test_commands_run_in_the_node(cluster: Cluster) -> None:
    assert cluster.node_exec(["hostname"]).stdout.strip() == cluster.node
    assert cluster.network.node in cluster.node_exec(["ip", "address", "show", "eth0"]).stdout
    with pytest.raises(TestbedError, match="ended with 1"):
        cluster.node_exec(["false"])


# ---- several, and their ends


def test_side_by_side_with_another_authority(cluster: Cluster) -> None:
    with Cluster.start(f"{NAME}-b", ca_key_usage=False) as other:
        assert other.network != cluster.network
        assert {cluster.name, other.name} <= {up.name for up in clusters.running()}
        text = {up.name: _openssl(up.ca) for up in (cluster, other)}
        assert "Certificate Sign" in text[cluster.name]
        assert "Certificate Sign" not in text[other.name]
        run_pod(other, "only-here", "sleep", "600")
        assert "only-here" not in kubectl(cluster, "get", "pods", "-A")
        attached = Cluster.attach(other.name)
        assert attached.server == other.server
        assert not attached.owned
        with pytest.raises(TestbedError, match="runs already"):
            Cluster.start(other.name)
    assert "only-here" not in kubectl(cluster, "get", "pods", "-A")
    with pytest.raises(TestbedError, match="does not run"):
        Cluster.attach(f"{NAME}-b")


def test_up_and_down_as_commands(tmp_path: Path) -> None:
    name = f"{NAME}-c"
    before = Leftovers(name)
    copy = tmp_path / "kubeconfig"
    up = _testbed("up", "--name", name, "--kubeconfig", str(copy))
    assert up.stdout.strip() == str(copy)
    again = _testbed("up", "--name", name)
    assert again.stdout.strip() == str(paths.state(name).kubeconfig)
    assert f"{name}  https://" in _testbed("status").stdout
    said = _testbed("shell", "--name", name, "--", "kubectl", "get", "nodes", "-o", "name").stdout
    assert said.strip() == f"node/fairlead-{name}"
    assert _testbed("down", "--name", name).returncode == 0
    before.compare()
    assert "no cluster" in _testbed("down", "--name", name).stderr


@pytest.mark.parametrize("victim", ["keeper", "unshare", "init"])
def test_a_killed_part_of_a_running_cluster(victim: str) -> None:
    name = f"{NAME}-d"
    before = Leftovers(name)
    owner = Cluster.start(name)
    run_pod(owner, "some", "sleep", "600")
    processes.read(paths.state(name).processes)[victim].end(signal.SIGKILL, wait=5)
    if victim == "keeper":
        owner.stop()
    else:
        # Its keeper is there to clean up without being told.
        within(15, lambda: not paths.state(name).folder.exists(), "the keeper cleans up")
        owner.stop()
    before.compare()


@pytest.mark.parametrize("seed", range(8))
def test_killed_at_a_random_moment(seed: int) -> None:
    """SIGKILL of the owner, of any part, or of all at once, at any moment: ``down`` leaves nothing."""
    name = f"{NAME}-e"
    chance = random.Random(seed)
    before = Leftovers(name)
    owner = subprocess.Popen(
        [sys.executable, "-m", "testbed", "up", "--name", name, "--foreground"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(chance.uniform(0.1, 12))
        parts = list(processes.read(paths.state(name).processes).values())
        mine = processes.Process.of(owner.pid)
        assert mine is not None
        choices = [[mine], parts[:1], parts[1:2], parts[2:3], [*parts, mine], [mine, *parts]]
        for process in chance.choice(choices) or [mine]:
            process.end(signal.SIGKILL, wait=0)
    finally:
        owner.kill()
        owner.wait()
    _testbed("down", "--name", name)
    before.compare()


def test_killed_while_it_starts_again_and_again() -> None:
    """SIGKILL at ten random moments of a start: each next one cleans, at once, and the last one comes up."""
    name = f"{NAME}-i"
    chance = random.Random(4)
    before = Leftovers(name)
    ended: list[processes.Process] = []
    for _ in range(10):
        owner = subprocess.Popen(
            [sys.executable, "-m", "testbed", "up", "--name", name],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with owner:
            time.sleep(chance.uniform(0.1, 9))
            ended += processes.read(paths.state(name).processes).values()
            assert owner.poll() in (None, 0), owner.stderr.read() if owner.stderr else ""
            owner.kill()
    up = _testbed("up", "--name", name)
    assert up.returncode == 0, up.stderr
    now = set(processes.read(paths.state(name).processes).values())
    assert not [process for process in ended if process.alive() and process not in now]
    assert _testbed("down", "--name", name).returncode == 0
    before.compare()


def test_the_next_up_cleans(cluster: Cluster) -> None:
    name = f"{NAME}-f"
    before = Leftovers(name)
    first = Cluster.start(name)
    processes.read(paths.state(name).processes)["keeper"].end(signal.SIGKILL, wait=5)
    with Cluster.start(name) as second:
        assert kubectl(second, "get", "nodes", "-o", "name").strip() == f"node/fairlead-{name}"
        first.stop()
    before.compare()


def test_a_folder_removed_by_hand() -> None:
    name = f"{NAME}-g"
    before = Leftovers(name)
    first = Cluster.start(name)
    shutil.rmtree(paths.state(name).folder)
    with Cluster.start(name) as second:
        # What the first one left was ended by its cgroup; its keeper goes without touching the second.
        assert first._keeper is not None
        assert first._keeper.wait(10) == 0
        assert kubectl(second, "get", "nodes", "-o", "name").strip() == f"node/fairlead-{name}"
    first.stop()
    before.compare()


def test_a_start_that_fails_says_why_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{NAME}-h"
    before = Leftovers(name)
    services = plan._services

    def broken(state: paths.State, where: network.Network) -> dict[str, list[str]]:
        return services(state, where) | {"kube-scheduler": ["sh", "-c", "echo out of order >&2; exit 3"]}

    monkeypatch.setattr(plan, "_services", broken)
    with pytest.raises(TestbedError, match=r"(?s)kube-scheduler ended while .* came up.*out of order"):
        Cluster.start(name)
    before.compare()


class Leftovers:
    """What a cluster could leave on the machine, taken before; other clusters may come and go meanwhile."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = paths.state(name)
        self.before = self.look()

    def look(self) -> dict[str, object]:
        ours = (f"clusters/{self.name}", f"fairlead-testbed/{self.name}")
        commands = {entry: _cmdline(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
        return {
            "rules": _machine_rules(),
            "mounts": sorted(Path("/proc/self/mounts").read_text().splitlines()),
            "named namespaces": sorted(os.listdir("/run/netns")) if Path("/run/netns").exists() else [],
            "links": sorted(link for link in os.listdir("/sys/class/net") if not link.startswith(network.LINK)),
            "links of nobody": self.links_of_nobody(),
            "processes": [command for command in commands.values() if any(mark in command for mark in ours)],
            "cgroups": [str(home) for home in Path("/sys/fs/cgroup").glob(f"**/fairlead-testbed/{self.name}")],
            "files": sorted(name for folder in _FOLDERS for name in _list(folder)),
            "state": self.state.folder.exists(),
            "kernel": {key: Path(f"/proc/sys/{key}").read_text() for key in _KERNEL},
        }

    @staticmethod
    def links_of_nobody() -> list[str]:
        """Links of clusters that have no folder."""
        folders = paths.clusters().iterdir() if paths.clusters().exists() else []
        slots = {(folder / "slot").read_text().strip() for folder in folders if (folder / "slot").exists()}
        return [
            link
            for link in os.listdir("/sys/class/net")
            if link.startswith(network.LINK) and link.removeprefix(network.LINK) not in slots
        ]

    def compare(self) -> None:
        deadline = time.monotonic() + 5  # for a cluster of somebody else's that is just starting or ending
        while self.look() != self.before and time.monotonic() < deadline:
            time.sleep(0.2)
        assert self.look() == self.before


_FOLDERS = ("/etc", "/opt", "/run", "/run/lock", "/usr/libexec", "/var/lib", "/var/log", "/var/run")
_KERNEL = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "net/ipv4/ip_forward",
    "net/netfilter/nf_conntrack_max",
)


def _list(folder: str) -> list[str]:
    return [f"{folder}/{name}" for name in os.listdir(folder)] if Path(folder).exists() else []


def _cmdline(entry: Path) -> str:
    try:
        return (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _machine_rules() -> str:
    return subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout


def _ip(*words: str) -> str:
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout


def _openssl(certificate: Path) -> str:
    command = ["openssl", "x509", "-noout", "-text", "-in", str(certificate)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _testbed(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "testbed", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
