"""``fairlead run``: what a command line asks for, and what is said where it asks for nothing."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.cli.forward import cluster_options
from fairlead.cli.main import main
from fairlead.cli.options import GLOBAL, HELP, RUN, SERVICES
from fairlead.cli.parse import Parsed, parse
from fairlead.cli.run_settings import run_settings
from fairlead.errors import ConfigError, MachineError, UsageError
from fairlead.model.events import Note
from fairlead.model.named import PortRule, ServicePattern
from fairlead.model.service_events import ServiceEvent
from fairlead.settings import ClusterOptions, RunSettings

Runner = Callable[[RunSettings, ClusterOptions, Callable[[ServiceEvent], None]], int]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Callable[[Runner], None]:
    """Puts a runner in the place of the real session."""

    def put(runner: Runner) -> None:
        module = types.ModuleType("fairlead.session.run")
        module.run = runner  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "fairlead.session.run", module)

    return put


def parsed(*words: str) -> Parsed:
    return parse(words, (*RUN, HELP, *GLOBAL))


def settings(*words: str) -> RunSettings:
    return run_settings(parsed(*words))


def test_a_command_and_nothing_else() -> None:
    assert settings("--", "make", "test", "-n", "--", "x") == RunSettings(command=("make", "test", "-n", "--", "x"))


def test_every_option(tmp_path: Path) -> None:
    assert settings(
        "-A", "-l", "app=web", "--field-selector", "metadata.name=x", "--cluster-domain", "corp", "--bare", "shop",
        "-x", "a,b", "--local", "web=3000", "--exclude", "a,b", "--only", "*.shop", "--wait", "5s", "--lanes", "3",
        "-n", "shop,pay", "--", "x",
    ) == RunSettings(
        namespaces=("shop", "pay"),
        all_namespaces=True,
        selector="app=web",
        field_selector="metadata.name=x",
        contexts=("a", "b"),
        cluster_domain="corp",
        bare="shop",
        local=(PortRule("web", "", 0, 3000),),
        exclude=(ServicePattern("a"), ServicePattern("b")),
        only=(ServicePattern("*", "shop"),),
        wait=5.0,
        lanes=3,
        command=("x",),
    )  # fmt: skip


def test_every_setting_has_an_option_and_each_is_that_of_services() -> None:
    assert {option.field for option in RUN} - {"config"} == set(RunSettings._fields) - {"command"}
    assert set(RUN) <= set(SERVICES)


def test_options_of_the_cluster_are_not_its_own() -> None:
    words = parsed("--kubeconfig", "f", "--user", "u", "-n", "a", "--context", "c", "--", "x")
    assert cluster_options(words.values) == ClusterOptions(kubeconfig="f", user="u")
    assert run_settings(words) == RunSettings(namespaces=("a",), contexts=("c",), command=("x",))


def test_a_file_of_a_team_may_say_more_than_is_wanted_here(tmp_path: Path) -> None:
    file = tmp_path / "services.yaml"
    file.write_text("namespace: [shop]\nmapping: ['80:8080']\nreserve: [api=127.9.9.9]\nlocal: [api=3000]\n")
    found = settings("--config", str(file), "-n", "pay", "--", "x")
    assert found.local == (PortRule("api", "", 0, 3000),)
    assert "pay" in found.namespaces
    with pytest.raises(ConfigError, match="cannot be read"):
        settings("--config", str(tmp_path / "none"), "--", "x")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "a command is missing (fairlead run -- COMMAND; for a shell: fairlead run -- bash)"),
        (["-n", "shop"], "a command is missing (fairlead run -- COMMAND; for a shell: fairlead run -- bash)"),
        (["--"], "a command is missing after -- (for example: fairlead run -- env)"),
        (["--", ""], "the command after -- is empty"),
        (["curl"], "the command stands after -- (put -- before it: fairlead run [options] -- curl ...)"),
        (["npm", "start"], "the command stands after -- (put -- before it: fairlead run [options] -- npm ...)"),
        # Options of the command, which are none of ours, or something else here.
        (["bash", "-c", "echo hi"], "the command stands after -- (put -- before it: fairlead run [options] -- bash"),
        (["ls", "-la"], "the command stands after -- (put -- before it: fairlead run [options] -- ls ...)"),
        (["curl", "-s", "http://web"], "the command stands after -- (put -- before it: fairlead run [options] -- curl"),
        (["./my program"], "the command stands after -- (put -- before it: fairlead run [options] -- './my program' "),
        (
            ["-n", "shop", "pay", "--", "make"],
            '"pay" is one word too many (for one service alone: --only pay; for a na',
        ),
        (["web", "--", "make"], '"web" is one word too many (for one service alone: --only web)'),
        (["--nonsense"], "unknown option --nonsense (--help lists the options)"),
        (["web", "--nonsense", "--", "make"], "unknown option --nonsense (--help lists the options)"),
        (["--onyl", "a", "--", "x"], "unknown option --onyl (did you mean --only?)"),
        (["--wait", "soon", "--", "x"], '--wait is a time, not "soon"'),
        (["--lanes", "0", "--", "x"], "--lanes is a number from 1 to 256"),
        (["--only=", "--", "x"], "option --only needs a value (for example --only=NAME)"),
        (["--local", "web", "--", "x"], '--local is SERVICE=PORT or SERVICE:PORT=LOCAL, not "web"'),
        (["--bare", "q", "-n", "a", "--", "x"], "--bare q is none of the namespaces (add -n q)"),
        (["-x", "a,b", "--server", "http://x", "--", "y"], "--server and several contexts exclude each other"),
        (["-x", "a,b", "--cluster", "c", "--", "y"], "--cluster and several contexts exclude each other"),
        # What services and kubefwd have, and this has not.
        (["--hosts-file", "x", "--", "y"], "unknown option --hosts-file (--help lists the options)"),
        (["--hosts-path", "x", "--", "y"], "unknown option --hosts-path (--help lists the options)"),
        (["-r", "a=b", "--", "y"], "unknown option -r (--help lists the options)"),
        (["--tui", "--", "y"], "unknown option --tui (--help lists the options)"),
        (["-o", "json", "--", "y"], "unknown option -o (--help lists the options)"),
        (["--dry-run", "--", "y"], "unknown option --dry-run (--help lists the options)"),
    ],
)
def test_what_is_wrong_is_one_line_and_a_code(
    capfd: pytest.CaptureFixture[str], session: Callable[[Runner], None], words: list[str], message: str
) -> None:
    def never(settings: RunSettings, options: ClusterOptions, tell: Callable[[ServiceEvent], None]) -> int:
        raise AssertionError("nothing is begun")

    session(never)
    assert main(["run", *words]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1


def test_an_error_is_that_of_the_command_line() -> None:
    with pytest.raises(UsageError):
        settings("web", "--", "x")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (MachineError("no user namespaces", remedy="get some"), 12, "error: no user namespaces (get some)\n"),
        (MachineError("two\nlines"), 12, "error: two lines\n"),
        (KeyboardInterrupt(), 130, ""),
        (ValueError("oops"), 70, "error: a bug of fairlead: ValueError: oops (with -v=4 the log shows where)\n"),
        (
            ExceptionGroup("", [MachineError("first"), MachineError("second")]),
            12,
            "error: first\n",
        ),
    ],
)
def test_what_ends_it_is_a_line_and_a_code(
    capfd: pytest.CaptureFixture[str],
    session: Callable[[Runner], None],
    error: BaseException,
    code: int,
    line: str,
) -> None:
    def fail(settings: RunSettings, options: ClusterOptions, tell: Callable[[ServiceEvent], None]) -> int:
        raise error

    session(fail)
    found = main(["run", "--", "x"])
    out, err = capfd.readouterr()
    assert (out, err.replace("\r", "")) == ("", line)
    assert found == code


def test_the_code_is_the_commands_and_standard_output_too(
    capfd: pytest.CaptureFixture[str], session: Callable[[Runner], None]
) -> None:
    seen: list[tuple[RunSettings, ClusterOptions]] = []

    def run(settings: RunSettings, options: ClusterOptions, tell: Callable[[ServiceEvent], None]) -> int:
        seen.append((settings, options))
        tell(Note("mind this", warning=True))
        return 42

    session(run)
    assert main(["run", "-n", "shop", "--user", "ada", "--", "make", "test"]) == 42
    out, err = capfd.readouterr()
    assert (out, err) == ("", "fairlead: Mind this\n")
    assert seen == [(RunSettings(namespaces=("shop",), command=("make", "test")), ClusterOptions(user="ada"))]


@pytest.mark.parametrize("words", [["run", "--help"], ["help", "run"], ["-h", "run"], ["run", "-n", "x", "-h"]])
def test_the_help(capfd: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(words) == 0
    out = capfd.readouterr().out
    for option in RUN:
        assert f"--{option.name}" in out
    assert "fairlead run [options] -- COMMAND..." in out
    assert "curl http://web" in out
    assert max(map(len, out.splitlines())) <= 100
    assert "--hosts-file" not in out
