"""Credential plugins are real programs here: shell scripts in a folder of the test."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fairlead.errors import CredentialsError
from fairlead.kit import process
from fairlead.kube import exec_plugin
from fairlead.kube.auth import Identity
from fairlead.kube.client import ApiServer
from fairlead.kube.config import ClusterConfig
from fairlead.kube.exec_plugin import PluginCredentials
from fairlead.kube.fetching import BACK_OFF
from fairlead.net import loop
from fairlead.policy.kubeconfig import Cluster, ExecPlugin, User
from fairlead.policy.url import parse_url
from tests.support.apiserver import Answer, Exchange, ScriptedServer, status
from tests.support.clusters import config_for
from tests.support.loop import run

V1 = "client.authentication.k8s.io/v1"


class At:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def script(folder: Path, text: str) -> str:
    path = folder / "plugin"
    path.write_text(f"#!/bin/sh\ncd {folder}\necho x >> runs\n{text}\n")
    path.chmod(0o755)
    return str(path)


def say(**fields: Any) -> str:
    return f"printf '%s' '{json.dumps({'apiVersion': V1, 'kind': 'ExecCredential', 'status': fields})}'"


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text().split()) if (folder / "runs").exists() else 0


def source(
    folder: Path,
    text: str,
    *,
    now: At | None = None,
    command: str = "",
    stdin_free: Callable[[], bool] = lambda: True,
    **fields: Any,
) -> PluginCredentials:
    plugin = ExecPlugin(**{
        "command": command or script(folder, text), "api_version": V1, "interactive_mode": "Never", **fields
    })  # fmt: skip
    server = parse_url("https://a.test", what="server", schemes=("https",))
    config = ClusterConfig(
        context="", namespace="", server=server, cluster=Cluster(server="https://a.test"), user=User(plugin=plugin),
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )  # fmt: skip
    return PluginCredentials(config, plugin, now=now or At(), stdin_free=stdin_free)


def test_one_run_for_all_who_ask(tmp_path: Path) -> None:
    async def main() -> None:
        plugin = source(tmp_path, say(token="t"))
        found = await asyncio.gather(*(plugin.identity() for _ in range(5)))
        assert {identity.authorization for identity in found} == {"Bearer t"}
        await plugin.identity()
        assert runs(tmp_path) == 1

    run(main())


def test_a_credential_is_used_until_it_expires(tmp_path: Path) -> None:
    async def main() -> None:
        now = At()
        plugin = source(tmp_path, say(token="t", expirationTimestamp="1970-01-01T00:01:00Z"), now=now)
        await plugin.identity()
        now.seconds = 59.9
        await plugin.identity()
        assert runs(tmp_path) == 1
        now.seconds = 60
        await plugin.identity()
        assert runs(tmp_path) == 2

    run(main())


def test_a_refusal_runs_it_once_however_many_were_refused(tmp_path: Path) -> None:
    async def main() -> None:
        plugin = source(tmp_path, "echo . >> n; " + 'printf \'{"apiVersion":"%s","kind":"ExecCredential",'
                        '"status":{"token":"t%s"}}\' ' + f"{V1} $(wc -l < n)")  # fmt: skip
        old = await plugin.identity()
        assert await plugin.refresh(old)
        assert (await plugin.identity()).authorization == "Bearer t2"
        assert await plugin.refresh(old)  # a slower request with the same old token
        assert (await plugin.identity()).authorization == "Bearer t2"
        assert runs(tmp_path) == 2

    run(main())


def test_a_refused_credential_is_fetched_anew(tmp_path: Path) -> None:
    """A 401 runs the plugin again; what it gives then counts."""

    async def handler(exchange: Exchange) -> Answer:
        good = exchange.seen.get("authorization") == "Bearer t2"
        return Answer() if good else status(401, "Unauthorized")

    async def main() -> None:
        plugin = source(tmp_path, "echo . >> n; " + 'printf \'{"apiVersion":"%s","kind":"ExecCredential",'
                        '"status":{"token":"t%s"}}\' ' + f"{V1} $(wc -l < n)")  # fmt: skip
        async with ScriptedServer(handler) as server, ApiServer(config_for(server), identity=plugin) as api:
            await api.get("/api")
            assert len(server.seen) == 2

    run(main())


def test_environment_arguments_and_information(tmp_path: Path) -> None:
    async def main() -> None:
        text = 'echo "$1|$A|$HOME|$KUBERNETES_EXEC_INFO" > told; ' + say(token="t")
        await source(tmp_path, text, args=("one",), env=(("A", "b"),)).identity()
        info = f'{{"kind":"ExecCredential","apiVersion":"{V1}","spec":{{"interactive":false}}}}'
        assert (tmp_path / "told").read_text().strip() == f"one|b|{tmp_path}|{info}"

    run(main())


def test_a_plugin_may_give_a_client_certificate(tmp_path: Path) -> None:
    async def main() -> None:
        found = await source(tmp_path, say(clientCertificateData="chain", clientKeyData="key")).identity()
        assert found.certificate is not None
        assert (found.authorization, found.certificate.chain, found.certificate.key) == ("", b"chain", b"key")

    run(main())


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("echo first >&2; echo 'please log in' >&2; exit 3", r"failed with exit code 3 \(run it by hand"),
        ("echo first >&2; printf 'please log in' >&2; exit 3", r"failed with exit code 3 \(run it by hand"),
        ("exit 1", r"failed with exit code 1 \(run it by hand"),
        ("kill -9 $$", "was ended by signal 9"),
        ("printf hu; echo sh", "not JSON"),
        (say(), "neither a token nor"),
        ("head -c 2000000 /dev/zero", "more than 1048576 bytes"),
    ],
)
def test_why_a_plugin_gave_no_credential(
    tmp_path: Path, text: str, what: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CredentialsError, match=what) as caught:
        run(source(tmp_path, text).identity())
    assert "hush" not in str(caught.value)
    if "log in" in text:
        # Where it said it; the error does not say it again.
        assert capfd.readouterr().err == "first\nplease log in\n"


@pytest.mark.parametrize("start", [asyncio.run, loop.run])
@pytest.mark.parametrize("where", [">/dev/null", "2>/dev/null", ""])
def test_what_a_plugin_leaves_behind_is_not_waited_for(tmp_path: Path, start: Any, where: str) -> None:
    """A login helper may hold on to either of its pipes."""
    began = time.monotonic()
    try:
        found = start(source(tmp_path, f"sleep 60 {where} & echo $! > pid; " + say(token="t")).identity())
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert found == Identity("Bearer t")
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("start", [asyncio.run, loop.run])
def test_a_plugin_that_never_stops_talking_is_ended(tmp_path: Path, start: Any) -> None:
    with pytest.raises(CredentialsError, match="more than 1048576 bytes"):
        start(source(tmp_path, "exec yes").identity())


def test_a_plugin_gets_the_descriptor_limit_that_was_promised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(process, "_inherited", (soft - 3, hard))
    run(source(tmp_path, "ulimit -n > limit; " + say(token="t")).identity())
    assert int((tmp_path / "limit").read_text()) == soft - 3


def test_a_stderr_that_nobody_reads_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    with open(read, "rb"), open(write, "w") as full:
        monkeypatch.setattr(sys, "stderr", full)
        found = run(source(tmp_path, "head -c 300000 /dev/zero >&2; " + say(token="t")).identity())
    assert found == Identity("Bearer t")


def test_a_plugin_runs_though_our_standard_streams_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as nobody:
        monkeypatch.setattr(sys, "stderr", nobody)
        assert run(source(tmp_path, "echo hi >&2; " + say(token="t")).identity()) == Identity("Bearer t")
    with open(os.devnull) as closed:
        pass
    monkeypatch.setattr(sys, "stdin", closed)
    for stream in (closed, None):
        monkeypatch.setattr(sys, "stderr", stream)
        found = source(tmp_path, "echo hi >&2; " + say(token="t"), interactive_mode="IfAvailable")
        assert run(found.identity()) == Identity("Bearer t")


def test_a_plugin_that_is_not_installed_has_its_hint_as_the_remedy() -> None:
    with pytest.raises(CredentialsError, match=r"no-such-login is not installed \(install it, or put it on PATH\)"):
        run(source(Path(), "", command="no-such-login").identity())
    with pytest.raises(CredentialsError, match=r"not installed \(apt install it\)"):
        run(source(Path(), "", command="./no-such-login", install_hint="apt\ninstall it").identity())


def test_program_that_cannot_run(tmp_path: Path) -> None:
    command = script(tmp_path, "")
    Path(command).write_bytes(b"\x7fELF nonsense")
    with pytest.raises(CredentialsError, match=r"cannot be used: cannot run .*plugin: Exec format error"):
        run(source(tmp_path, "", command=command).identity())


def test_questions_need_a_terminal(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="wants to ask questions, and standard input is not a terminal"):
        run(source(tmp_path, say(token="t"), interactive_mode="Always").identity())
    assert run(source(tmp_path, say(token="t"), interactive_mode="IfAvailable").identity()) == Identity("Bearer t")


def test_a_standard_input_that_is_in_use_is_not_given_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exec_plugin, "_terminal", lambda: True)
    plugin = source(tmp_path, "", interactive_mode="Always", stdin_free=lambda: False)
    with pytest.raises(CredentialsError, match="wants to ask questions, and standard input is in use"):
        run(plugin.identity())
    told = 'echo "$KUBERNETES_EXEC_INFO" > told; ' + say(token="t")
    run(source(tmp_path, told, interactive_mode="IfAvailable", stdin_free=lambda: False).identity())
    assert '"interactive":false' in (tmp_path / "told").read_text()


def test_a_run_that_failed_is_not_repeated_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        now = At()
        plugin = source(tmp_path, "echo no login >&2; exit 1", now=now)
        for _ in range(5):
            with pytest.raises(CredentialsError, match="failed with exit code 1"):
                await plugin.identity()
        assert runs(tmp_path) == 1
        now.seconds = BACK_OFF
        script(tmp_path, say(token="t"))
        assert await plugin.identity() == Identity("Bearer t")

    run(main())


def test_new_credentials_that_are_refused_too_are_not_replaced_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        now = At()
        plugin = source(tmp_path, say(token="t"), now=now)
        assert await plugin.refresh(await plugin.identity())
        for _ in range(5):
            assert not await plugin.refresh(await plugin.identity())
        assert runs(tmp_path) == 2
        now.seconds = BACK_OFF
        assert await plugin.refresh(await plugin.identity())
        await plugin.identity()
        assert runs(tmp_path) == 3

    run(main())


def test_path_of_the_user_counts_not_the_plugins(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    script(other, say(token="wrong"))
    with pytest.raises(CredentialsError, match="plugin is not installed"):
        run(source(tmp_path, "", command="plugin", env=(("PATH", str(other)),)).identity())


def test_cancelled_plugin_is_killed(tmp_path: Path) -> None:
    async def main() -> None:
        plugin = source(tmp_path, "echo $$ > pid; exec sleep 1000")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await plugin.identity()
        pid = int((tmp_path / "pid").read_text())
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    run(main())
