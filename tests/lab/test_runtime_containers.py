"""Containers as real processes, on a node of their own."""

from __future__ import annotations

import shutil

import pytest

from fairlead.lab.runtime.logs import MOST_LINE
from tests.support.labuser import LabUser

pytestmark = pytest.mark.lab


def test_what_a_container_is_and_sees(lab_user: LabUser) -> None:
    found = lab_user.found("containers")
    well = {"code": 0, "signal": 0, "reason": "Completed"}
    logs = {name: each["log"] for name, each in found.items() if isinstance(each, dict)}
    codes = {name: each["code"] for name, each in found.items() if isinstance(each, dict) and each["code"]}
    assert sorted(logs["well"].split()) == ["err", "out"]
    assert {**found["well"], "log": ""} == {**well, "log": ""}
    assert codes == {"badly": 3, "again": 2}
    assert found["badly"]["reason"] == "Error"
    assert sorted(logs["killed"].split()) == ["137", "Killed"]
    assert logs["env"] == "1 12\n12"
    assert logs["folder"] == "/data/deep"
    assert logs["who"].split() == ["0", "pod", "/root", "pod", "pod"]
    assert logs["first"] == "1"
    assert logs["writes"] == "all"
    assert "No such file" in logs["again"]
    assert logs["read only"].splitlines()[-1] == "none"
    assert logs["terminal"].split() == ["/dev/console", "0", "0", "xterm"]
    assert logs["user"].split() == ["1234", "77", "1234"]
    assert logs["devices"].split() == ["3", "/dev/shm:", "/run:"]
    assert logs["links"].split() == ["eth0", "lo"]
    assert logs["late"] == "", "what is left of a container ends with its first process"
    path = "failed to start the container: exec: "
    assert found["no such program"] == ["RunContainerError", f'{path}"/no/such": no such file or directory']
    assert found["not in the path"] == [
        "RunContainerError",
        f'{path}"no-such-program": executable file not found in $PATH',
    ]
    assert found["not a program"] == ["RunContainerError", f'{path}"/etc/passwd": permission denied']
    assert found["no image"][0] == "ErrImagePull"
    assert found["no name"][0] == "InvalidImageName"
    assert found["outside"] == []
    assert found["known"] == []


def test_exec_and_attach(lab_user: LabUser) -> None:
    found = lab_user.found("streams")
    assert found["exec"] == [4, "hello\n"]
    assert found["input"] == [0, "some words"]
    assert found["terminal"][0] == 0
    assert sorted(found["terminal"][1].split("\r\n")) == ["", "/dev/pts/0", "0 0", "abc", "read abc"]
    assert found["killed"] == 137
    assert found["processes"][1].strip() == "4"
    assert found["none"] == 'failed to exec in container: exec: "no-such-program": executable file not found in $PATH'
    assert found["sync"][0] == 0
    assert sorted(found["sync"][1].split()) == ["a", "b"]
    assert found["late"] is True
    assert found["size"] == "33 101\r\n"
    assert found["left"] == [137, ""]
    assert found["attached"] == [[137, "got one\ngot two\n"]] * 2
    assert found["log"] == "got one\ngot two"
    assert found["over"] == "container ID is not running"
    assert found["once"] == [0, "the only input"]
    assert found["nobody"] == []


def test_a_client_that_does_not_read_holds_the_container_back(lab_user: LabUser) -> None:
    found = lab_user.found("flood")
    assert found["before"] < 1_000_000
    assert found["seen"] == 3_000_001
    assert found["written"] == 3_000_000
    assert found["parts"] == 3_000_000 // MOST_LINE + 1
    assert found["last"] == "F"


@pytest.mark.parametrize("scenario", ["volumes", "volumes_without_overlays"])
def test_volumes(lab_user: LabUser, scenario: str) -> None:
    found = lab_user.found(scenario)
    assert found["files"] == [0, "oneone400\n"]
    assert found["kept"] == [0, "yes\n"]
    assert found["read only"] == [0, "no\nno\n"]
    assert found["shared"] == [[0, ""], [0, "hi\n"]]
    assert found["through a link"] == [0, "hi\n"]
    assert found["scratch"] == [0, "0\n"]
    assert found["changed"] == [0, "two/etc/app:\napp.conf\ndeep\n\n/etc/app/deep:\n"]
    assert found["outside"] == []
    assert found["file"] == "hostPath type check failed: /usr/share is not a file"
    assert found["missing"] == "hostPath type check failed: /no/such is not a directory"
    assert found["left"] == ["machine"]
    if "nginx" in found:
        assert found["nginx"] == [0, "200"]
        assert found["closed"] == [0, "no\nyes\n"]


def test_how_containers_and_sandboxes_end(lab_user: LabUser) -> None:
    found = lab_user.found("ends")
    assert found["polite"] == [5, "Error", "on\nbye"]
    assert found["deaf"] == [137, 9, True]
    assert found["pause"] == ["NOTREADY", True, False]
    assert found["not ready"] == "the sandbox ID is not ready"
    assert found["removed"] == [True, True]
    assert found["told"] == ["polite", "deaf", "alive"]
    assert found["address"] == ["10.244.0.2", "10.244.0.3"]
    assert found["stranger"] == [-9, "NOTREADY"]
    links = [link for link in found["host"].pop() if not link.startswith("veth")]
    assert found["host"] + links == ["192.0.2.2", "lab-node", "cni0", "lo"]
    assert found["alive"] == 2
    assert found["logs"] == []


def test_containers_of_one_pod(lab_user: LabUser) -> None:
    found = lab_user.found("pods")
    assert found["six"] == [0, "200"]
    assert found["four"] == [0, "200"]
    assert found["name"][1].split() == ["its-name", found["ip"]]
    assert found["pause"] == "pause infinity "


def test_twenty_pods(lab_user: LabUser) -> None:
    found = lab_user.found("many")
    assert found["addresses"] == found["state"] == 20
    assert found["processes"] == 2


def test_dns_queries_of_kuard(lab_user: LabUser) -> None:
    found = lab_user.found("kuard")
    assert "A\t10.96.1.1" in found["A nginx"]
    assert "10.96.1.1" in found["SRV nginx.default.svc.cluster.local"]
    assert "status: REFUSED" in found["A example.com"]
    assert "status: REFUSED" in found["A nobody"], "the name itself is asked for last"


@pytest.mark.skipif(not shutil.which("postgres"), reason="postgres is not installed")
def test_postgres(lab_user: LabUser) -> None:
    found = lab_user.found("postgres")
    assert found == {"answer": [0, "42\n"], "code": 0, "soon": True}
