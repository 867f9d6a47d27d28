"""What tests do on a node of the lab, from within it; each returns what JSON can say."""
# ruff: noqa: ASYNC220, ASYNC240 - nobody else waits for this event loop

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from fairlead.lab.node.plan import GATEWAY, NODE
from fairlead.lab.runtime.config import ContainerConfig, ContainerStatus, NodeError, Sandbox, State
from fairlead.lab.runtime.root import Bind
from fairlead.lab.runtime.volume_store import VolumeStore
from fairlead.lab.runtime.volumes import Empty, File, Files, Host
from tests.support.labinside import LIMIT, Node, say

# -- the node itself --


def plain_facts(link: socket.socket, folder: str) -> int:
    addresses = subprocess.run(["ip", "-o", "-4", "addr"], capture_output=True, text=True, check=True).stdout
    processes = [name for name in os.listdir("/proc") if name.isdigit()]
    scratch = os.statvfs(folder)
    say(
        {
            "pid": os.getpid(),
            "processes": len(processes),
            "hostname": socket.gethostname(),
            "user": os.getuid(),
            "addresses": sorted(line.split()[3] for line in addresses.splitlines()),
            "forward": Path("/proc/sys/net/ipv4/ip_forward").read_text().strip(),
            "scratch": scratch.f_blocks * scratch.f_frsize,
            "descriptors": [
                each
                for each in os.listdir("/proc/self/fd")
                if int(each) > 2 and os.path.exists(f"/proc/self/fd/{each}")
            ],
            "link": str(link.fileno()),
        }
    )
    return 7


def plain_crash(link: socket.socket, folder: str) -> int:
    raise LookupError("a bug")


def plain_orphans(link: socket.socket, folder: str) -> int:
    """Processes whose parent is gone are reaped by init."""
    for _ in range(20):
        subprocess.run(["sh", "-c", "true & true &"], check=True)
    until = time.monotonic() + LIMIT
    while (
        left := [name for name in os.listdir("/proc") if name.isdigit() and name not in ("1", "2")]
    ) and time.monotonic() < until:
        time.sleep(0.01)
    say({"left": left})
    return 0


def plain_wait_for_the_end(link: socket.socket, folder: str) -> int:
    """Tells what it sees of the end of the outer process, in a file: nobody reads its output any more."""
    say({"folder": folder})
    link.recv(1)
    return 0


def plain_deaf(link: socket.socket, folder: str) -> int:
    """One that does not notice the end of the outer process."""
    say({"folder": folder})
    time.sleep(3600)
    return 0


async def busy(node: Node) -> Any:
    """Two pods, until the end."""
    sandbox, _ = await node.pod("web", "nginx")
    await node.pod("client", "busybox", "sh", "-c", "sleep 3600 & sleep 3600")
    await node.until_listening(sandbox.ip, 80)
    say({"folder": node.machine.scratch})
    link = asyncio.get_running_loop().create_future()
    await link


# -- services --


def service(name: str, address: str, port: int = 80, **spec: Any) -> dict[str, Any]:
    ports = [{"port": port, "protocol": spec.pop("protocol", "TCP"), **spec.pop("more", {})}]
    return {"metadata": {"namespace": "default", "name": name}, "spec": {"clusterIP": address, "ports": ports, **spec}}


def slice_of(name: str, port: int, *addresses: str, protocol: str = "TCP") -> dict[str, Any]:
    return {
        "metadata": {"namespace": "default", "name": f"{name}-x", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [{"name": "", "protocol": protocol, "port": port}],
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address in addresses],
    }


_CURL = ("curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}")


async def services(node: Node) -> Any:
    """One server, a client, and the ways between them."""
    web_box, web = await node.pod("web", "nginx")
    client_box, client = await node.pod("client", "busybox", "sleep", "3600")
    await node.until_listening(web_box.ip, 80)
    list_ = [
        service("nginx", "10.96.1.1", more={"nodePort": 30080}),
        service("none", "10.96.1.2"),
        service("pods", "None"),
    ]
    await node.network.apply(list_, [slice_of("nginx", 80, web_box.ip), slice_of("pods", 80, web_box.ip)])
    urls = {
        "pod": f"http://{web_box.ip}/",
        "service": "http://10.96.1.1/",
        "name": "http://nginx/",
        "full": "http://nginx.default.svc.cluster.local/",
        "headless": "http://pods.default/",
        "node port": f"http://{NODE}:30080/",
        "no endpoints": "http://none/",
        "unknown address": "http://10.96.77.77/",
        "unknown name": "http://nobody/",
        "outside": "http://example.com/",
        "way out": "http://192.0.2.200/",
    }
    found: dict[str, Any] = {name: await node.run(client, *_CURL, url) for name, url in urls.items()}
    found["itself"] = await node.run(web, *_CURL, "http://nginx/")
    found["from the node"] = _status("10.96.1.1", 80)
    async with asyncio.timeout(LIMIT):
        while len(node.log(web).splitlines()) < 8:
            await asyncio.sleep(0.01)
    found["log"] = [line.split()[0] for line in node.log(web).splitlines()]
    found["addresses"] = {"client": client_box.ip, "gateway": GATEWAY}
    await node.network.apply([], [])
    found["gone"] = await node.run(client, *_CURL, "http://10.96.1.1/")
    return found


def _status(address: str, port: int) -> str:
    try:
        with socket.create_connection((address, port), 5) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return sock.recv(100).split()[1].decode()
    except OSError as error:
        return str(error)


_UDP = """
import os, socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("", 5353))
while True:
    data, sender = sock.recvfrom(100)
    sock.sendto(os.environ["HOSTNAME"].encode() + b" " + sender[0].encode(), sender)
"""
_ASK = """
import socket, sys
for _ in range(int(sys.argv[3])):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(5)
    sock.connect((sys.argv[1], int(sys.argv[2])))
    sock.send(b"x")
    try:
        print(sock.recv(100).decode())
    except OSError as error:
        print(error)
"""


_SAME = _ASK.replace("int(sys.argv[3])", "1").replace("sock.connect", "sock.bind(('', 4444)); sock.connect")
"""From a port that it had before."""


async def balance(node: Node) -> Any:
    """Two UDP servers behind a service, with and without affinity."""
    boxes = [await node.pod(f"udp-{n}", "python", "python", "-c", _UDP) for n in range(2)]
    _, client = await node.pod("client", "python", "sleep", "3600")
    ends = slice_of("udp", 5353, *(box.ip for box, _ in boxes), protocol="UDP")
    await asyncio.gather(*(_answers(box.ip) for box, _ in boxes))

    async def ask(address: str, times: int) -> list[str]:
        _, said = await node.run(client, "python", "-c", _ASK, address, "53", str(times))
        return [line.split()[0] for line in said.splitlines()]

    found: dict[str, Any] = {}
    await node.network.apply([service("udp", "10.96.1.5", 53, protocol="UDP")], [ends])
    found["spread"] = sorted(set(await ask("10.96.1.5", 40)))
    # At another address: what was sent to the old one is led as it was for a while.
    sticky = service("udp", "10.96.1.7", 53, protocol="UDP", sessionAffinity="ClientIP")
    await node.network.apply([sticky], [ends])
    found["sticky"] = sorted(set(await ask("10.96.1.7", 20)))
    # Another service comes: who had an endpoint keeps it.
    await node.network.apply([sticky, service("other", "10.96.1.6")], [ends])
    found["kept"] = sorted(set(await ask("10.96.1.7", 20)))
    gone = int(found["kept"][0][-1])
    left = slice_of("udp", 5353, boxes[1 - gone][0].ip, protocol="UDP")
    await node.network.apply([sticky], [left])
    found["moved"] = sorted(set(await ask("10.96.1.7", 20)))
    found["expected"] = f"udp-{1 - gone}"
    _, said = await node.run(client, "python", "-c", _SAME, "10.96.1.7", "53")
    found["before"] = said.split()[0]
    await node.network.apply([sticky], [slice_of("udp", 5353, boxes[gone][0].ip, protocol="UDP")])
    _, said = await node.run(client, "python", "-c", _SAME, "10.96.1.7", "53")
    found["after"] = said.split()[0]
    await node.network.apply([service("udp", "10.96.1.7", 53, protocol="UDP")], [])
    _, said = await node.run(client, "python", "-c", _ASK, "10.96.1.7", "53", "1")
    found["refused"] = said.strip()
    return found


async def _answers(address: str) -> None:
    async with asyncio.timeout(LIMIT):
        while True:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.settimeout(0.05)
                sock.connect((address, 5353))
                try:
                    sock.send(b"x")
                    sock.recv(100)
                    return
                except OSError:
                    await asyncio.sleep(0.01)


# -- containers --


async def containers(node: Node) -> Any:
    """What a container's process is and sees."""
    sandbox = await node.sandbox("pod")

    async def ran(*command: str, **more: Any) -> dict[str, Any]:
        config = ContainerConfig("c", more.pop("image", "busybox"), command=command, **more)
        ident = await node.runtime.start_container(sandbox.id, config)
        status = await node.end_of(ident)
        found = {"code": status.code, "signal": status.signal, "reason": status.reason, "log": node.log(ident)}
        node.runtime.remove_container(ident)
        return found

    def failed(error: NodeError) -> list[str]:
        return [error.reason, error.what]

    found: dict[str, Any] = {
        "well": await ran("sh", "-c", "echo out; echo err >&2"),
        "badly": await ran("sh", "-c", "exit 3"),
        "killed": await ran("sh", "-c", "sh -c 'kill -9 $$$$'; echo $?"),
        "env": await ran("sh", "-c", "echo $A $B; echo '$(B)'", env=(("A", "1"), ("B", "$(A)2"))),
        "folder": await ran("pwd", folder="/data/deep"),
        "who": await ran("sh", "-c", "id -u; hostname; echo $HOME $HOSTNAME; cat /etc/hostname"),
        "first": await ran("sh", "-c", "echo $$$$"),
        "writes": await ran("sh", "-c", "touch /made /etc/made /usr/share/made /var/lib/made /tmp/made && echo all"),
        "again": await ran("ls", "/made", "/tmp"),
        "read only": await ran("sh", "-c", "touch /made || touch /etc/made || echo none", read_only=True),
        "terminal": await ran("sh", "-c", "tty; stty size; echo $TERM", tty=True),
        "user": await ran("sh", "-c", "id -u; id -g; touch /tmp/x && stat -c %u /tmp/x", user=1234, group=77),
        "devices": await ran("sh", "-c", "echo x > /dev/null && head -c 3 /dev/zero | wc -c; ls /dev/shm /run"),
        "links": await ran("sh", "-c", "ls /sys/class/net"),
        "late": await ran("sh", "-c", "(sleep 0.2; echo late) & exec sleep 0.1"),
    }
    for name, more in (
        ("no such program", {"command": ("/no/such",)}),
        ("not in the path", {"command": ("no-such-program",)}),
        ("not a program", {"command": ("/etc/passwd",)}),
        ("no image", {"image": "mysql"}),
        ("no name", {"image": "Bad Name"}),
    ):
        try:
            await node.runtime.start_container(sandbox.id, ContainerConfig(**{"name": "c", "image": "busybox", **more}))  # type: ignore[arg-type]
        except NodeError as error:
            found[name] = failed(error)
    found["outside"] = [
        path for path in ("/made", "/etc/made", "/tmp/made", "/var/lib/made", "/data") if os.path.exists(path)
    ]
    found["known"] = [each.id for each in node.runtime.containers()]
    return found


async def streams(node: Node) -> Any:
    """exec and attach."""
    _, ident = await node.pod(
        "pod", "busybox", "sh", "-c", "while read line; do echo got $line; done; echo end", stdin=True
    )
    found: dict[str, Any] = {
        "exec": await node.run(ident, "sh", "-c", "echo hello; exit 4"),
        "input": await node.run(ident, "cat", stdin=b"some words"),
        "terminal": await node.run(
            ident, "sh", "-c", "tty && read x && echo read $x; stty size", stdin=b"abc\n", tty=True
        ),
        "killed": (await node.run(ident, "sh", "-c", "kill -9 $$"))[0],
        "processes": await node.run(ident, "sh", "-c", "ps -e -o pid= | wc -l"),
    }
    try:
        await node.run(ident, "no-such-program")
    except NodeError as error:
        found["none"] = error.what
    found["sync"] = [
        part if isinstance(part, int) else part.decode()
        for part in await node.runtime.exec_sync(ident, ["sh", "-c", "echo a; echo b >&2"], 5)
    ]
    try:
        await node.runtime.exec_sync(ident, ["sleep", "60"], 0.1)
    except TimeoutError:
        found["late"] = True
    sized = await node.runtime.exec(ident, ["sh", "-c", "sleep 0.2; stty size"], tty=True)
    sized.resize(101, 33)
    found["size"] = (await node.read(sized))[1].decode()
    left = await node.runtime.exec(ident, ["sleep", "3600"])
    left.leave()
    found["left"] = await node.read(left)
    first = await node.runtime.attach(ident, stdin=True)
    second = await node.runtime.attach(ident)
    os.write(first.stdin or -1, b"one\n")
    os.close(first.stdin or -1)
    reads = [asyncio.ensure_future(node.read(each)) for each in (first, second)]  # noqa: TID251
    third = await node.runtime.attach(ident, stdin=True)
    os.write(third.stdin or -1, b"two\n")
    third.leave()
    for descriptor in (third.stdin, third.stdout, third.stderr):
        os.close(descriptor or -1)
    async with asyncio.timeout(LIMIT):
        while "two" not in node.log(ident):
            await asyncio.sleep(0.01)
    await node.runtime.stop_container(ident, 0)
    found["attached"] = [[code, said.decode()] for code, said in await asyncio.gather(*reads)]
    found["log"] = node.log(ident)
    try:
        await node.run(ident, "true")
    except NodeError as error:
        found["over"] = error.what.replace(ident, "ID")
    found["left"] = [found["left"][0], found["left"][1].decode()]
    once = ContainerConfig("once", "busybox", command=("cat",), stdin=True, stdin_once=True)
    again = await node.runtime.start_container(node.runtime.sandboxes()[0].id, once)
    only = await node.runtime.attach(again, stdin=True)
    os.write(only.stdin or -1, b"the only input")
    os.close(only.stdin or -1)
    found["once"] = [part if isinstance(part, int) else part.decode() for part in await node.read(only)]
    found["nobody"] = sorted(_open_pipes())
    return found


def _open_pipes() -> set[str]:
    """Those of this process; none of a process that ended must be open."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if target.startswith("pipe:") and int(name) > 2:
            found.add(target)
    return found


async def flood(node: Node) -> Any:
    """A client that does not read holds the container back, and one that reads gets all."""
    _, ident = await node.pod(
        "pod", "busybox", "sh", "-c", "read x; head -c 3000000 /dev/zero | tr '\\0' x; echo; sleep 3600", stdin=True
    )
    slow = await node.runtime.attach(ident, stdin=True)
    os.write(slow.stdin or -1, b"\n")
    os.close(slow.stdin or -1)
    await asyncio.sleep(0.5)
    status = node.runtime.status(ident)
    assert status is not None
    before = os.stat(status.log).st_size
    assert slow.stdout is not None
    seen, loop = 0, asyncio.get_running_loop()
    os.set_blocking(slow.stdout, False)
    until = loop.time() + LIMIT
    while seen < 3_000_001 and loop.time() < until:
        try:
            seen += len(os.read(slow.stdout, 65536))
        except BlockingIOError:
            await asyncio.sleep(0.005)
    slow.leave()
    os.close(slow.stdout)
    os.close(slow.stderr or -1)
    log = Path(status.log).read_text().splitlines()
    return {
        "before": before,
        "seen": seen,
        "parts": len(log),
        "last": log[-1].split()[2],
        "written": sum(len(line.split(" ", 3)[3]) for line in log),
    }


async def volumes(node: Node) -> Any:
    """Volumes of all kinds, at places that there are not on the machine."""
    store = VolumeStore(os.path.join(node.machine.scratch, "pods"))
    files = {"app.conf": File(b"one"), "deep/key": File(b"k", 0o400)}
    conf = store.make("uid-1", "conf", Files(files))
    data = store.make("uid-1", "data", Empty())
    made = store.make("uid-1", "made", Host("/no/such/place", "DirectoryOrCreate"))
    machine = store.make("uid-1", "machine", Host("/usr/share"))
    binds = (
        Bind(conf, "/etc/app", read_only=True),
        Bind(f"{conf}/app.conf", "/usr/share/nginx/only.conf", read_only=True),
        Bind(data, "/data/deep/down"),
        Bind(data, "/var/run/data"),
        Bind(made, "/made"),
        Bind(machine, "/machine", read_only=True),
    )
    sandbox = await node.sandbox("pod")
    first = await node.runtime.start_container(
        sandbox.id, ContainerConfig("a", "busybox", command=("sleep", "3600"), binds=binds)
    )
    second = await node.runtime.start_container(
        sandbox.id, ContainerConfig("b", "busybox", command=("sleep", "3600"), binds=binds[2:3])
    )
    found: dict[str, Any] = {
        "files": await node.run(
            first, "sh", "-c", "cat /etc/app/app.conf /usr/share/nginx/only.conf; stat -c %a /etc/app/deep/key"
        ),
        "kept": await node.run(first, "sh", "-c", "test -d /usr/share/doc && test -e /etc/passwd && echo yes"),
        "read only": await node.run(
            first, "sh", "-c", "touch /etc/app/x 2>/dev/null || echo no; touch /machine/x 2>/dev/null || echo no"
        ),
        "shared": [
            await node.run(first, "sh", "-c", "echo hi > /data/deep/down/f; touch /made/x"),
            await node.run(second, "cat", "/data/deep/down/f"),
        ],
        "through a link": await node.run(first, "cat", "/run/data/f"),
        "scratch": await node.run(first, "sh", "-c", f"ls -A {node.machine.scratch} 2>/dev/null | wc -l"),
    }
    store.make("uid-1", "conf", Files({"app.conf": File(b"two")}))
    found["changed"] = await node.run(first, "sh", "-c", "cat /etc/app/app.conf; ls /etc/app /etc/app/deep")
    found["outside"] = [
        path
        for path in ("/data", "/made", "/machine", "/no", "/etc/app", "/usr/share/nginx/only.conf")
        if os.path.exists(path)
    ]
    for name, content in (("file", Host("/usr/share", "File")), ("missing", Host("/no/such", "Directory"))):
        try:
            store.make("uid-1", "x", content)
        except NodeError as error:
            found[name] = error.what
    await node.runtime.remove_sandbox(sandbox.id)
    store.remove("uid-1")
    found["left"] = os.listdir(os.path.join(node.machine.scratch, "pods"))
    return found


async def volumes_without_overlays(node: Node) -> Any:
    """The same where this machine gives us none; and what cannot be then."""
    found = await volumes(node)
    _, ident = await node.pod("web", "nginx")
    found["nginx"] = await node.run(ident, *_CURL, "http://localhost/", "--retry", "20", "--retry-connrefused")
    found["closed"] = await node.run(
        ident, "sh", "-c", "touch /opt/made 2>/dev/null || echo no; touch /etc/made && echo yes"
    )
    return found


async def ends(node: Node) -> Any:
    """How containers and sandboxes end."""
    found: dict[str, Any] = {}
    sandbox, ident = await node.pod(
        "polite", "busybox", "sh", "-c", "trap 'echo bye; exit 5' TERM; echo on; while :; do sleep 0.05; done"
    )
    await _said(node, ident, "on")
    await node.runtime.stop_container(ident, LIMIT)
    status = node.runtime.status(ident)
    assert status is not None
    found["polite"] = [status.code, status.reason, node.log(ident)]
    began = time.monotonic()
    deaf = await node.runtime.start_container(
        sandbox.id,
        ContainerConfig(
            "deaf", "busybox", command=("sh", "-c", "trap '' TERM; sleep 3600 & while :; do sleep 1; done")
        ),
    )
    await node.runtime.stop_container(deaf, 0.3)
    status = node.runtime.status(deaf)
    assert status is not None
    found["deaf"] = [status.code, status.signal, round(time.monotonic() - began, 1) >= 0.3]
    await node.runtime.stop_container(deaf, 5)
    alive = await node.runtime.start_container(
        sandbox.id, ContainerConfig("alive", "busybox", command=("sleep", "3600"))
    )
    os.kill(sandbox.pid, signal.SIGKILL)
    async with asyncio.timeout(LIMIT):
        while sandbox not in node.told:
            await asyncio.sleep(0.005)
    found["pause"] = [sandbox.state.value, node.runtime.known(alive), Path(f"/proc/{sandbox.pid}").exists()]
    try:
        await node.runtime.start_container(sandbox.id, ContainerConfig("late", "busybox", command=("true",)))
    except NodeError as error:
        found["not ready"] = error.what.replace(sandbox.id, "ID")
    await node.runtime.remove_sandbox(sandbox.id)
    found["removed"] = [node.runtime.get(sandbox.id) is None, node.runtime.status(alive) is None]
    found["told"] = [each.config.name for each in node.told if isinstance(each, ContainerStatus)]
    other = await node.sandbox("other")
    found["address"] = [sandbox.ip, other.ip]
    # A stranger in the pod's network, as a driver of port forwarding is.
    stranger = subprocess.Popen(["nsenter", "-t", str(other.pid), "-n", "sleep", "3600"])
    await _inside(other, stranger.pid)
    began = time.monotonic()
    await node.runtime.stop_sandbox(other.id)
    found["stranger"] = [stranger.wait(5), other.state.value]
    await node.runtime.remove_sandbox(other.id)
    host = await node.sandbox("host", host_network=True)
    here = await node.runtime.start_container(
        host.id, ContainerConfig("c", "busybox", command=("sh", "-c", "hostname; ls /sys/class/net"))
    )
    await node.end_of(here)
    found["host"] = [host.ip, node.log(here).split()]
    await node.runtime.remove_sandbox(host.id)
    found["alive"] = len([name for name in os.listdir("/proc") if name.isdigit()])
    found["logs"] = [path.name for path in Path(node.machine.scratch, "logs").rglob("*.log")]
    found["descriptors"] = len(os.listdir("/proc/self/fd"))
    return found


async def _said(node: Node, ident: str, word: str) -> None:
    async with asyncio.timeout(LIMIT):
        while word not in node.log(ident).split():
            await asyncio.sleep(0.005)


async def _inside(sandbox: Sandbox, pid: int) -> None:
    async with asyncio.timeout(LIMIT):
        while os.stat(f"/proc/{pid}/ns/net").st_ino != os.stat(sandbox.netns).st_ino:
            await asyncio.sleep(0.005)


async def pods(node: Node) -> Any:
    """Containers of one pod share their network, and have nothing else in common."""
    sandbox = await node.sandbox("pair", hostname="its-name")
    server = ContainerConfig("server", "python", command=("python", "-m", "http.server", "--bind", "::1", "8000"))
    await node.runtime.start_container(sandbox.id, server)
    echo = await node.runtime.start_container(
        sandbox.id, ContainerConfig("echo", "echo-server", env=(("PORT", "9000"),))
    )
    await node.until_listening(sandbox.ip, 9000)
    found: dict[str, Any] = {
        "six": await node.run(
            echo, *_CURL, "--retry", "20", "--retry-connrefused", "--retry-delay", "1", "http://[::1]:8000/"
        ),
        "four": await node.run(echo, *_CURL, "http://localhost:9000/"),
        "name": await node.run(echo, "sh", "-c", "hostname; grep its-name /etc/hosts | cut -f1"),
        "ip": sandbox.ip,
        "pause": Path(f"/proc/{sandbox.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(),
    }
    return found


async def many(node: Node) -> Any:
    """Twenty at once, and their figures."""
    began = time.monotonic()
    boxes = await asyncio.gather(*(node.sandbox(f"p{n}") for n in range(20)))
    made = time.monotonic()
    config = ContainerConfig("c", "busybox", command=("sleep", "3600"))
    await asyncio.gather(*(node.runtime.start_container(box.id, config) for box in boxes))
    started = time.monotonic()
    await asyncio.gather(*(node.runtime.remove_sandbox(box.id) for box in boxes))
    ended = time.monotonic()
    return {
        "addresses": len({box.ip for box in boxes}),
        "ms": [round(1000 * each / 20, 1) for each in (made - began, started - made, ended - started)],
        "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
        "state": [box.state is State.NOTREADY for box in boxes].count(True),
    }


async def postgres(node: Node) -> Any:
    """The machine's own PostgreSQL, as the image would be used."""
    env = (("POSTGRES_PASSWORD", "secret"), ("POSTGRES_DB", "shop"))
    sandbox, ident = await node.pod("db", "postgres:16", env=env)
    _, client = await node.pod("client", "busybox", "sleep", "3600", env=(("PGPASSWORD", "secret"),))
    try:
        await node.until_listening(sandbox.ip, 5432)
    except TimeoutError:
        return node.log(ident)
    query = ("psql", "-h", sandbox.ip, "-U", "postgres", "-d", "shop", "-At", "-c", "select 6 * 7")
    async with asyncio.timeout(LIMIT):
        while (answer := await node.run(client, *query))[0]:
            await asyncio.sleep(0.1)
    began = time.monotonic()
    await node.runtime.stop_container(ident, LIMIT)
    status = node.runtime.status(ident)
    assert status is not None
    return {"answer": answer, "code": status.code, "soon": time.monotonic() - began < LIMIT / 2}


async def kuard(node: Node) -> Any:
    """DNS queries from within a pod, by the form of its page."""
    sandbox, _ = await node.pod("kuard", "gcr.io/kuar-demo/kuard-amd64:1")
    _, client = await node.pod("client", "busybox", "sleep", "3600")
    await node.until_listening(sandbox.ip, 8080)
    await node.network.apply([service("nginx", "10.96.1.1")], [])
    url = f"http://{sandbox.ip}:8080/dns"
    found = {}
    for kind, name in (
        ("A", "nginx"),
        ("A", "nobody"),
        ("SRV", "nginx.default.svc.cluster.local"),
        ("A", "example.com"),
    ):
        _, page = await node.run(client, "curl", "-sS", "-m", "5", f"{url}?type={kind}&name={name}")
        found[f"{kind} {name}"] = page.partition("<pre>")[2].partition("</pre>")[0]
    return found
