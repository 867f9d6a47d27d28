"""What containers are started with: command lines, environment, files, logs."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from fairlead.lab.runtime.argv import command_line, environment, expand
from fairlead.lab.runtime.config import NodeError
from fairlead.lab.runtime.layout import Entry, File, Folder, Layer, Link, Shown, escaped, layout, mount_points
from fairlead.lab.runtime.logs import MOST_LINE, Lines
from fairlead.lab.runtime.pod_names import hosts, resolv
from fairlead.lab.runtime.root import Bind
from fairlead.lab.runtime.variables import service_variables, variables
from fairlead.lab.runtime.volumes import Empty, Host, Sources, binds, content
from fairlead.lab.runtime.volumes import File as VolumeFile

NOW = "2026-01-02T03:04:05.000006000Z"
SERVICE = {
    "metadata": {"name": "my-web"},
    "spec": {"clusterIP": "10.96.0.20", "ports": [{"port": 80, "name": "http-x"}, {"port": 53, "protocol": "UDP"}]},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "1"),
        ("$(A)$(B)", "12"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$(NO)", "$(NO)"),
        ("$A ${A}", "$A ${A}"),
        ("$(A", "$(A"),
        ("50$", "50$"),
        ("$$", "$"),
    ],
)
def test_references(text: str, expected: str) -> None:
    assert expand(text, {"A": "1", "B": "2"}) == expected


def test_variables_refer_to_those_before() -> None:
    assert environment([("A", "1"), ("B", "$(A)-$(C)"), ("C", "3"), ("A", "$(A)2")]) == {
        "A": "12",
        "B": "1-$(C)",
        "C": "3",
    }


@pytest.mark.parametrize(
    ("command", "args", "expected"),
    [
        ((), (), ["entry", "default $(A)"]),
        (("mine", "$(A)"), (), ["mine", "1"]),
        ((), ("mine $(A)",), ["entry", "mine 1"]),
        (("a",), ("b",), ["a", "b"]),
    ],
)
def test_command_lines(command: tuple[str, ...], args: tuple[str, ...], expected: list[str]) -> None:
    assert command_line(command, args, ("entry",), ("default $(A)",), {"A": "1"}) == expected


# -- the root --

TREE: dict[str, list[Entry]] = {
    "/": [
        Entry("bin", "link", "usr/bin"), Entry("usr", "dir"), Entry("etc", "dir"), Entry("root", "dir", open=False),
        Entry("tmp", "dir"), Entry("notes", "file"), Entry("proc", "dir"),
    ],
    "/etc": [Entry("hosts", "file"), Entry("ssl", "dir")],
    "/usr": [Entry("bin", "dir"), Entry("share", "dir")],
    "/usr/share": [Entry("man", "dir"), Entry("doc", "dir")],
}  # fmt: skip


def test_whole_folders_are_layers() -> None:
    assert layout(TREE.__getitem__, ["/", "/proc"]) == [
        Link("/bin", "usr/bin"),
        Layer("/etc"),
        File("/notes"),
        Folder("/root"),
        Layer("/usr"),
    ]


def test_folders_with_mounts_in_them_are_made_anew() -> None:
    parts = layout(TREE.__getitem__, ["/", "/etc/hosts"])
    assert parts[1:4] == [Folder("/etc"), File("/etc/hosts"), Layer("/etc/ssl")]


def test_what_is_closed_is_empty() -> None:
    parts = layout(TREE.__getitem__, ["/"], closed=["/usr/share/doc"])
    assert parts[-4:] == [Layer("/usr/bin"), Folder("/usr/share"), Folder("/usr/share/doc"), Layer("/usr/share/man")]


def test_without_overlays_folders_are_made_anew_only_where_something_is_missing() -> None:
    parts = layout(TREE.__getitem__, ["/"], overlays=False, needed=["/usr/share/nginx/html"])
    assert parts == [
        Link("/bin", "usr/bin"),
        Shown("/etc"),
        File("/notes"),
        Folder("/root"),
        Folder("/usr"),
        Shown("/usr/bin"),
        Folder("/usr/share"),
        Shown("/usr/share/doc"),
        Shown("/usr/share/man"),
    ]


def test_mount_points_and_paths_as_options() -> None:
    line = r"24 27 0:6 / /mnt/a\040b rw,relatime - tmpfs tmpfs rw"
    assert mount_points(line) == ["/mnt/a b"]
    assert escaped("/a:b,c\\d") == "/a\\:b\\,c\\\\d"


# -- logs --


def test_lines_of_two_streams() -> None:
    lines = Lines()
    assert lines.feed(1, b"one\ntw", NOW) == f"{NOW} stdout F one\n".encode()
    assert lines.feed(2, b"err\n", NOW) == f"{NOW} stderr F err\n".encode()
    assert lines.feed(1, b"o\n\n", NOW) == f"{NOW} stdout F two\n{NOW} stdout F \n".encode()


def test_a_last_line_without_its_end() -> None:
    lines = Lines()
    assert lines.feed(1, b"rest", NOW) == b""
    assert lines.feed(1, b"", NOW) == f"{NOW} stdout F rest\n".encode()
    assert lines.feed(1, b"", NOW) == b""


@pytest.mark.parametrize("step", [1, 1000, MOST_LINE, 3 * MOST_LINE])
def test_a_long_line_in_parts(step: int) -> None:
    lines, text, out = Lines(), b"x" * (2 * MOST_LINE + 5) + b"\n", b""
    for at in range(0, len(text), step):
        out += lines.feed(1, text[at : at + step], NOW)
    tags = [line.split(b" ")[2:] for line in out.splitlines()]
    assert [(tag, len(part)) for tag, part in tags] == [(b"P", MOST_LINE), (b"P", MOST_LINE), (b"F", 5)]


# -- names --


def pod(**spec: Any) -> dict[str, Any]:
    meta = {"name": "web-1", "namespace": "shop", "uid": "u-1", "labels": {"app": "web", "b": 'say "x"'}}
    containers = [{"name": "c", "resources": {"limits": {"cpu": "1500m", "memory": "64Mi"}}}]
    return {"metadata": meta, "spec": {"containers": containers, "nodeName": "lab", **spec}}


def test_hosts_of_a_pod() -> None:
    assert hosts(pod()) == b"{ip}\tweb-1\n"
    assert hosts(pod(hostname="a", subdomain="s")) == b"{ip}\ta.s.shop.svc.cluster.local\ta\n"
    assert hosts(pod(hostNetwork=True, hostAliases=[{"ip": "10.0.0.9", "hostnames": ["x", "y"]}])) == (
        b"\n# Of hostAliases:\n10.0.0.9\tx\ty\n"
    )


def test_resolv_conf() -> None:
    first = "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"
    assert resolv(pod()).decode() == first
    assert resolv(pod(hostNetwork=True)) == b"nameserver 10.96.0.10\n"
    assert resolv(pod(hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet")).decode() == first
    own = {
        "nameservers": ["10.0.0.9"],
        "searches": ["x.y"],
        "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
    }
    assert resolv(pod(dnsPolicy="None", dnsConfig=own)) == b"search x.y\nnameserver 10.0.0.9\noptions ndots:2 edns0\n"


# -- environment and volumes --

OBJECTS = {
    ("ConfigMap", "conf"): {"data": {"a": "1", "b": "2"}, "binaryData": {"raw": base64.b64encode(b"\0\1").decode()}},
    ("Secret", "sec"): {"data": {"key": base64.b64encode(b"hush").decode()}},
}


def find(kind: str, name: str) -> Any:
    return OBJECTS.get((kind, name))


def found(*env: dict[str, Any], env_from: Any = (), services: Any = ()) -> dict[str, str]:
    container = {"name": "c", "env": list(env), "envFrom": list(env_from), **pod()["spec"]["containers"][0]}
    return dict(variables(pod(), container, "10.244.0.7", find, services, {"cpu": "2"}))


def test_variables_from_all_over() -> None:
    assert found(
        {"name": "PLAIN", "value": "x"},
        {"name": "CONF", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "a"}}},
        {"name": "SEC", "valueFrom": {"secretKeyRef": {"name": "sec", "key": "key"}}},
        {"name": "GONE", "valueFrom": {"secretKeyRef": {"name": "no", "key": "key", "optional": True}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        {"name": "MEM", "valueFrom": {"resourceFieldRef": {"resource": "requests.memory", "divisor": "1Mi"}}},
        env_from=[{"configMapRef": {"name": "conf"}, "prefix": "P_"}, {"secretRef": {"name": "no", "optional": True}}],
    ) == {
        "P_a": "1", "P_b": "2", "P_raw": "\0\1", "PLAIN": "x", "CONF": "1", "SEC": "hush", "IP": "10.244.0.7",
        "APP": "web", "CPU": "2", "MEM": "64",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"configMapKeyRef": {"name": "no", "key": "a"}}, 'configmap "no" not found'),
        ({"configMapKeyRef": {"name": "conf", "key": "z"}}, "couldn't find key z in ConfigMap shop/conf"),
        ({"fieldRef": {"fieldPath": "status.phase"}}, "unsupported fieldPath: status.phase"),
    ],
)
def test_variables_that_are_nowhere(source: dict[str, Any], message: str) -> None:
    with pytest.raises(NodeError, match=message) as caught:
        found({"name": "X", "valueFrom": source})
    assert caught.value.reason == "CreateContainerConfigError"


def test_services_as_variables() -> None:
    told = dict(service_variables(SERVICE))
    assert told["MY_WEB_SERVICE_HOST"] == "10.96.0.20"
    assert told["MY_WEB_SERVICE_PORT"] == told["MY_WEB_SERVICE_PORT_HTTP_X"] == "80"
    assert told["MY_WEB_PORT_53_UDP"] == "udp://10.96.0.20:53"
    assert found(services=[SERVICE])["MY_WEB_PORT_80_TCP_ADDR"] == "10.96.0.20"


def volume(**source: Any) -> Any:
    return content(
        pod(), {"name": "v", **source}, Sources(find, lambda audience, seconds: f"token-{audience}", "10.244.0.7")
    )


def test_volumes() -> None:
    assert volume(emptyDir={}) == Empty()
    assert volume(hostPath={"path": "/x", "type": "File"}) == Host("/x", "File")
    assert volume(configMap={"name": "conf", "defaultMode": 0o400}).files["raw"] == VolumeFile(b"\0\1", 0o400)
    some = volume(secret={"secretName": "sec", "items": [{"key": "key", "path": "a/b", "mode": 0o600}]})
    assert some.files == {"a/b": VolumeFile(b"hush", 0o600)}
    assert volume(configMap={"name": "no", "optional": True}).files == {}


def test_a_projected_volume() -> None:
    sources = [
        {"serviceAccountToken": {"path": "token", "audience": "me"}},
        {"configMap": {"name": "conf", "items": [{"key": "a", "path": "conf/a"}]}},
        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    ]
    assert volume(projected={"sources": sources, "defaultMode": 0o644}).files == {
        "token": VolumeFile(b"token-me"),
        "conf/a": VolumeFile(b"1"),
        "labels": VolumeFile(b'app="web"\nb="say \\"x\\""'),
    }


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"configMap": {"name": "no"}}, 'failed for volume "v" : configmap "no" not found'),
        ({"secret": {"secretName": "sec", "items": [{"key": "z", "path": "z"}]}}, "non-existent secret key: z"),
        ({"configMap": {"name": "conf", "items": [{"key": "a", "path": "../a"}]}}, "leads out of the volume"),
        ({"nfs": {"server": "x", "path": "/"}}, "is of the type nfs, which fairlead lab does not have"),
    ],
)
def test_volumes_that_cannot_be(source: dict[str, Any], message: str) -> None:
    with pytest.raises(NodeError, match=message):
        volume(**source)


def test_mounts() -> None:
    container = {
        "volumeMounts": [
            {"name": "data", "mountPath": "/data/"},
            {"name": "conf", "mountPath": "/etc/app.conf", "subPath": "app.conf"},
            {"name": "data", "mountPath": "logs", "subPathExpr": "$(POD)", "readOnly": True},
        ]
    }
    paths = {"data": "/s/data", "conf": "/s/conf"}
    assert binds(container, paths, {"conf"}, {"POD": "p1"}) == [
        Bind("/s/data", "/data"),
        Bind("/s/conf/app.conf", "/etc/app.conf", True),
        Bind("/s/data/p1", "/logs", True),
    ]
    with pytest.raises(NodeError, match="leads out of volume"):
        binds({"volumeMounts": [{"name": "data", "mountPath": "/x", "subPath": "../.."}]}, paths, (), {})
    with pytest.raises(NodeError, match='volume "no" is not among'):
        binds({"volumeMounts": [{"name": "no", "mountPath": "/x"}]}, paths, (), {})
