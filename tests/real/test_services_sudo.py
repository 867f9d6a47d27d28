"""A user who types ``sudo fairlead svc``, as with other tools, or leaves the asking to us: the same run either way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support import podclient
from tests.support.privateetc import PASSWORD, USER, OnTerminal, PrivateEtc
from tests.support.world import Json, World

pytestmark = [pytest.mark.real, pytest.mark.node, pytest.mark.timeout(120)]

PLUGIN = """#!/bin/sh
echo "$(/usr/bin/id -u) $HOME" >> {home}/calls
/usr/bin/cat {home}/credential
"""
NO_SUDO = ("/usr/bin/env", "PATH=/nowhere")
START = """
import sys
sys.path[:0] = {paths}
from fairlead.__main__ import script
sys.exit(script())
"""


@pytest.fixture(scope="module")
def etc() -> Iterator[PrivateEtc]:
    with PrivateEtc() as made:
        yield made


@pytest.fixture(scope="module")
def home(etc: PrivateEtc, app: World, raw: Json, both: str) -> Path:
    """The user's, with a kubeconfig that is not where everybody has it, and a plugin for its credentials."""
    version = "client.authentication.k8s.io/v1"
    credential = {"apiVersion": version, "kind": "ExecCredential", "status": {"token": both}}
    plugin = etc.home / "plugin"
    run = {"apiVersion": version, "command": str(plugin), "interactiveMode": "Never"}
    context = {"cluster": raw["clusters"][0]["name"], "user": "u", "namespace": app.namespace}
    config: dict[str, Any] = {
        **raw,
        "users": [{"name": "u", "user": {"exec": run}}],
        "contexts": [{"name": "c", "context": context}],
        "current-context": "c",
    }
    written = {"credential": json.dumps(credential), "my.config": json.dumps(config)}
    for name, text in {**written, "plugin": PLUGIN.format(home=etc.home)}.items():
        path = etc.home / name
        path.write_text(text)
        path.chmod(0o700)
        os.chown(path, etc.uid, etc.gid)
    return etc.home


def start(etc: PrivateEtc, *before: str, options: Sequence[str] = ()) -> OnTerminal:
    """``svc``, whose lines are to be read here."""
    python = str(etc.folder / "python/bin" / Path(sys.executable).resolve().name)
    script = START.format(paths=[str(etc.home / "app"), sysconfig.get_path("purelib")])
    command = [*etc.as_user, *before, python, "-c", script, "svc", "-o", "json", *options]
    # Its own library, wherever it was built to look for one.
    env = {"KUBECONFIG": str(etc.home / "my.config"), "LD_LIBRARY_PATH": str(etc.folder / "python/lib")}
    return OnTerminal(command, etc.home, env)


def read_until(run: OnTerminal, name: str) -> list[Json]:
    """The events up to this one."""
    found: list[Json] = [run.read()]
    while found[-1]["event"] != name:
        found.append(run.read())
    return found


@pytest.mark.parametrize("by_sudo", [True, False])
def test_svc_with_the_users_own_things(etc: PrivateEtc, home: Path, by_sudo: bool) -> None:
    hosts = etc.path("/etc/hosts")
    before = hosts.read_bytes()
    (home / "calls").unlink(missing_ok=True)
    with start(etc, *(["sudo"] if by_sudo else [])) as run:
        run.wait_shown(f"password for {USER}" if by_sudo else f"password of {USER}")
        run.press(f"{PASSWORD}\n")
        events = read_until(run, "ready")
        assert any(event["event"] == "forwarding" and event["target"] == "app" for event in events), events
        curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "10", "http://app/pod"]
        done = subprocess.run([*etc.as_user, *curl], capture_output=True, text=True, check=False)
        assert done.stdout == "app", done.stderr
        assert set((home / "calls").read_text().splitlines()) == {f"{etc.uid} {home}"}
        run.press("\x03")
        assert read_until(run, "ended")[-1]["exit_code"] == 0
        run.process.wait(10)
    assert hosts.read_bytes() == before
    assert etc.not_the_users() == []
    assert (home / ".local/state/fairlead/addresses.json").is_file()
    kept = home / ".local/state/fairlead"
    assert (kept / "hosts.original").read_bytes() == before


def test_without_any_privilege(etc: PrivateEtc, home: Path) -> None:
    """High ports and a hosts file of one's own need nobody's leave; without them it says what can be done."""
    own = home / "hosts"
    own.write_text("127.0.0.1 localhost\n")
    os.chown(own, etc.uid, etc.gid)
    system = etc.path("/etc/hosts").read_bytes()
    high = ["-m", "80:18080", "-m", "81:18081"]
    with start(etc, *NO_SUDO, options=["--hosts-file", str(own), *high]) as run:
        read_until(run, "ready")
        (line,) = [line.split() for line in own.read_text().splitlines() if line.startswith("127.") and " app " in line]
        assert podclient.run(podclient.pod_of(18080, line[0])) == "app"
        run.process.send_signal(signal.SIGINT)
        assert read_until(run, "ended")[-1]["exit_code"] == 0
    assert own.read_text() == "127.0.0.1 localhost\n"
    assert etc.path("/etc/hosts").read_bytes() == system
    for options, words in ((["--hosts-file", str(own)], "port"), (high, "--hosts-file")):
        with start(etc, *NO_SUDO, options=options) as run:
            ended = read_until(run, "ended")[-1]
            assert ended["exit_code"] != 0
            assert words in ended["reason"]
    assert own.read_text() == "127.0.0.1 localhost\n"
    own.unlink()
