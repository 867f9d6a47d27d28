"""Programs of all kinds, as they are, reach services by all their names and on their real ports."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from testbed import paths
from tests.support import clients, podapp
from tests.support.run_user import Inside, RunUser
from tests.support.world import Json, World, port

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
HTTP = podapp.BASE + podapp.HTTP
SOURCES = Path(next(iter(clients.__path__)))
POSTGRES = SOURCES / "postgres.py"
JDK = shutil.which("javac") is not None
NODE = shutil.which("node") is not None


@pytest.fixture(scope="module", autouse=True)
def web(app: World) -> World:
    """A StatefulSet with a headless service, and a database."""
    pods = app.workload("StatefulSet", "web", replicas=2, more={"podManagementPolicy": "Parallel"})
    spec: Json = app.pod_spec()
    spec["containers"][0] |= {
        "command": ["python3", "-c", POSTGRES.read_text()],
        "readinessProbe": {"tcpSocket": {"port": 5432}, "periodSeconds": 1},
    }
    headless = app.service("web", [port(HTTP, name="http")], clusterIP="None")
    app.start(headless, app.service("db", [port(5432)]), pods, app.pod("db", spec=spec))
    return app


def said(inside: Inside, *words: str | Path) -> str:
    """What a program that ends well prints."""
    code, out, err = inside.call("run", list(map(str, words)), limit=60)
    assert code == 0, (words, out, err)
    return str(out).strip()


def client(name: str, user: RunUser) -> Path:
    """A source that the user may read."""
    return Path(shutil.copy(SOURCES / name, user.folder))


@pytest.mark.parametrize(
    "host", ["app", "app.{}", "app.{}.svc", "app.{}.svc.cluster.local", "app.{}.svc.cluster.local."]
)
def test_curl_by_every_name(host: str, inside: Inside, app: World) -> None:
    assert said(inside, "curl", "-sS", f"http://{host.format(app.namespace)}/pod") == "app"


def test_curl_by_address(inside: Inside, app: World) -> None:
    """The service's, and its pod's."""
    service, pod = app.get("service", "app")["spec"]["clusterIP"], app.get("pod", "app")["status"]["podIP"]
    assert inside.call("addresses", "app") == [service]
    assert said(inside, "curl", "-sS", f"http://{service}/pod") == "app"
    assert said(inside, "curl", "-sS", f"http://{pod}:{HTTP}/pod") == "app"


def test_curl_to_a_headless_service_and_its_pods(inside: Inside, app: World) -> None:
    pods = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in app.pods("web")}
    assert inside.call("addresses", "web") == sorted(pods.values())
    assert said(inside, "curl", "-sS", f"http://web:{HTTP}/pod") in pods
    for name, address in pods.items():
        for form in (f"{name}.web", f"{name}.web.{app.namespace}", f"{name}.web.{app.namespace}.svc.cluster.local"):
            assert inside.call("addresses", form) == [address]
        assert said(inside, "curl", "-sS", f"http://{name}.web:{HTTP}/pod") == name


def test_psql(inside: Inside, app: World, user: RunUser) -> None:
    """Where there is none, a client that says the same."""
    for number, name in enumerate(("db", f"db.{app.namespace}")):
        query = f"select {number + 41}"
        if shutil.which("psql"):
            found = said(inside, "psql", "-At", "-h", name, "-U", "ann", "-d", "ann", "-c", query)
        else:
            found = said(inside, user.python, client("postgres.py", user), name, query)
        assert found == str(number + 41)


def test_a_static_go_binary(inside: Inside, app: World, user: RunUser) -> None:
    """It has no C library that looks names up, nor one that anything could be loaded into."""
    program = shutil.copy(built("client.go", "client", "go", "build", "-trimpath", "-o", "client"), user.folder)
    urls = ("http://app/pod", f"http://web-1.web.{app.namespace}:{HTTP}/pod")
    srv = f"web.{app.namespace}.svc.cluster.local"
    first, second, *records = said(inside, program, *urls, srv).splitlines()
    assert (first, second) == ("app", "web-1")
    assert sorted(records) == [f"web-{number}.{srv}. {HTTP}" for number in range(2)]


@pytest.mark.parametrize("program", [program for program, there in (("node", NODE), ("java", JDK)) if there])
def test_programs_with_sockets_of_their_own(program: str, inside: Inside, user: RunUser) -> None:
    """Node and Java, where they are."""
    if program == "java":
        shutil.copy(built("Client.java", "Client.class", "javac", "-d", "."), user.folder)
        words: list[str | Path] = ["java", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1", "-cp", user.folder, "Client"]
    else:
        words = ["node", client("client.mjs", user)]
    assert said(inside, *words, "http://app/pod", f"http://web-0.web:{HTTP}/pod").split() == ["app", "web-0"]


def built(name: str, product: str, *compiler: str) -> Path:
    """What a compiler makes of a source in its folder, once for each content."""
    source = SOURCES / name
    folder = paths.tool("run-client", hashlib.sha256(source.read_bytes()).hexdigest()[:16])
    if not (folder / product).exists():
        assert shutil.which(compiler[0]), f"this test needs {compiler[0]}, as the testbed does"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as unfinished:
            env = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}
            subprocess.run([*compiler, source], check=True, env=env, cwd=unfinished)
            os.replace(Path(unfinished, product), folder / product)
    return folder / product


def test_a_service_by_its_port_alone(inside: Inside, app: World) -> None:
    """A port that the service does not have is none: reset, as told."""
    address = app.get("service", "app")["spec"]["clusterIP"]
    assert inside.call("greeting", address, 82) == "ECONNRESET"
    inside.wait_line("port 82")
