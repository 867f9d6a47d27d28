from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fairlead import errors
from fairlead.cli import codes, help
from fairlead.cli.main import main, program_name
from fairlead.cli.options import GLOBAL, SERVICES
from fairlead.cli.parse import parse
from fairlead.model.events import Event, Listening
from fairlead.settings import ClusterOptions, ForwardSettings

DOCS = Path(__file__).parent.parent.parent / "docs" / "reference"
Runner = Callable[[ForwardSettings, ClusterOptions, Callable[[Event], None]], int]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Callable[[Runner], None]:
    """Puts a runner in the place of the real session."""

    def put(runner: Runner) -> None:
        module = types.ModuleType("fairlead.session.forward")
        module.run = runner  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "fairlead.session.forward", module)

    return put


def fairlead(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fairlead", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["forwrd"], 2, 'error: unknown command "forwrd" (did you mean fairlead forward?)'),
        (["port-forward", "pod/x", "80"], 2, 'unknown command "port-forward" (did you mean fairlead forward?)'),
        (["qqq"], 2, 'unknown command "qqq" (fairlead --help lists the commands)'),
        (["-n", "x"], 2, "error: a command is missing (fairlead --help lists the commands)"),
        (["forward"], 2, "error: TYPE/NAME and list of ports are required"),
        (["forward", "pod/x", "1:2:3"], 2, "error: invalid port format '1:2:3'"),
        (["forward", "--exit-on-loss", "pod/x", "1:2:3"], 1, "error: invalid port format '1:2:3'"),
        (["forward", "--exit-on-loss=false", "pod/x", "1:2:3"], 2, "error: invalid port format '1:2:3'"),
        (["forward", "pod/x", "80", "--"], 2, "error: a command is missing after --"),
        (["forward", "pod/x", "80", "--lanes=0"], 2, "error: --lanes is a number from 1 to 256"),
        (["forward", "pod/x", "80", "-o", "yaml"], 2, 'error: -o is text or json, not "yaml"'),
        (["forward", "pod/x", "80", "--address="], 2, "error: you must specify at least 1 address"),
        (["forward", "pod/x", "-:80", "-:81"], 2, "error: only one port can be joined to standard input and output"),
        (["forward", "pod/x", "8080:80", "svc/y", "8080"], 2, "error: local port 8080 is asked for twice"),
        (["forward", "--exit-on-loss=1", "pod/x", "1:2:3"], 1, "error: invalid port format '1:2:3'"),
        (["forward", "--exit-on-loss", "--nonsense", "pod/x", "80"], 1, "error: unknown option --nonsense"),
        (["forward", "--nonsense", "pod/x", "80", "--exit-on-loss"], 1, "error: unknown option --nonsense"),
        (["forward", "--exit-on-loss", "pod/x", "80", "-n"], 1, "error: option --namespace needs a value"),
        (["forward", "--nonsense", "--help"], 2, "error: unknown option --nonsense"),
        (["forward", "pod/x", "-:80", "--", "x"], 2, "error: a command and LOCAL - both need standard input"),
        (["forward", "pod/x", "80", "--ready-file="], 2, "error: --ready-file needs a file"),
        (["forward", "pod/x", "80", "--follow", "--exit-on-loss"], 1, "error: --follow and --exit-on-loss exclude "),
        (["forward", "pod/x", "80", "--", ""], 2, "error: the command after -- is empty"),
        (
            ["forward", "-n", "a b/../x", "svc/web", "80"],
            2,
            "error: invalid namespace \"a b/../x\": [may not contain '/']",
        ),
        (["forward", "-n", "\udcff", "svc/web", "80"], 2, 'error: invalid namespace "\\udcff": it may have'),
        (["forward", "svc/\udcff", "80"], 2, 'error: invalid resource name "\\udcff": it may have'),
        (["-n", "shop", "svc/web", ":80"], 2, 'unknown command "svc/web" (did you mean fairlead forward svc/web?)'),
        (["version", "now"], 2, 'error: unexpected word "now" (fairlead version takes none)'),
        (["version", "-o", "yaml"], 2, 'error: -o is text or json, not "yaml"'),
        (["help", "qqq"], 2, 'error: no help for "qqq"'),
        (["completion", "tcsh"], 2, "error: the shell is bash, zsh or fish"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_a_code(
    capfd: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    assert main(words) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


def test_version_as_text_and_json(capfd: pytest.CaptureFixture[str]) -> None:
    assert [main(words) for words in (["version"], ["--version"], ["-n", "x", "version", "-o=json"])] == [0, 0, 0]
    lines = capfd.readouterr().out.splitlines()
    assert re.fullmatch(r"fairlead \d+\.\d+\.\d+ \(Python 3\.\d+\.\d+, linux-\w+\)", lines[0])
    assert lines[1] == lines[0]
    assert re.fullmatch(r'\{"v": 1, "version": "\d+\.\d+\.\d+", "python": "[\d.]+", "platform": "[^"]+"\}', lines[2])


@pytest.mark.parametrize("words", [[], ["--help"], ["help"], ["-h"]])
def test_the_programs_help_lists_commands_and_kubectls_options(
    capfd: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(words) == 0
    out = capfd.readouterr().out
    assert "\n  forward     " in out
    assert "both directions" not in out  # what is there leads to the cluster
    for option in ("-n, --namespace=NAME", "-s, --server=URL", "--as-user-extra=KEY=VALUE", "-v=LEVEL"):
        assert option in out


@pytest.mark.parametrize("words", [["forward", "--help"], ["help", "forward"], ["-h", "forward"]])
def test_the_help_of_a_command_fits_and_says_what_differs_from_kubectl(
    capfd: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(words) == 0
    out = capfd.readouterr().out
    assert "--pod-running-timeout=TIME" in out
    assert "Other than with kubectl port-forward" in out
    assert max(map(len, out.splitlines())) <= 110


@pytest.mark.parametrize("words", [["svc", "--help"], ["help", "svcs"], ["services", "-n", "shop", "-h"]])
def test_the_help_of_services_fits_and_is_found_by_its_short_names(
    capfd: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(words) == 0
    out = capfd.readouterr().out
    assert "Short: svc, svcs" in out
    for option in SERVICES:
        assert f"--{option.name}" in out
    assert max(map(len, out.splitlines())) <= 100
    for line in re.findall(r"^  fairlead (services .*)$", out, re.MULTILINE):
        if "[options]" not in line:
            assert parse(line.split()[1:], (*SERVICES, *GLOBAL)).error is None, line


def test_the_help_of_clean_fits(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["clean", "--help"]) == 0
    assert max(map(len, capfd.readouterr().out.splitlines())) <= 100


def test_the_help_of_completion_says_how_each_shell_loads_it(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "--help"]) == 0
    out, _ = capfd.readouterr()
    readme = (DOCS.parents[1] / "README.md").read_text()
    loads = re.findall(r"^  (.*fairlead completion (?:bash\)|zsh >|fish >).*)$", out, re.MULTILINE)
    assert len(loads) == 3
    assert all(load in readme for load in loads)


def test_started_by_kubectl_the_help_says_so() -> None:
    assert program_name("/home/x/bin/kubectl-fairlead") == "kubectl fairlead"
    assert {program_name(name) for name in ("/x/fairlead", "/x/__main__.py", "")} == {"fairlead"}


def test_settings_and_options_reach_the_session(session: Callable[[Runner], None]) -> None:
    seen: list[tuple[ForwardSettings, ClusterOptions]] = []

    def runner(settings: ForwardSettings, options: ClusterOptions, tell: Callable[[Event], None]) -> int:
        seen.append((settings, options))
        return 42

    session(runner)
    words = "-n shop --as jane forward svc/web 8080:http --sticky deploy/db 5432 --context=c -v4 --wait 5s -- run -n"
    assert main(words.split()) == 42
    settings, options = seen[0]
    assert [str(target) for target in settings.targets] == ["svc/web", "deploy/db"]
    assert (settings.sticky, settings.wait, settings.command) == (True, 5.0, ("run", "-n"))
    assert (settings.addresses, settings.pod_running_timeout, settings.lanes) == (("localhost",), 60.0, 32)
    assert options == ClusterOptions(namespace="shop", as_user="jane", context="c", verbosity=4)


def raising(error: BaseException) -> Runner:
    def runner(settings: ForwardSettings, options: ClusterOptions, tell: Callable[[Event], None]) -> int:
        raise error

    return runner


FORBIDDEN = errors.ForbiddenError("you may not create pods/portforward in shop", remedy="ask for the verb create")


@pytest.mark.parametrize(
    ("error", "words", "code", "line"),
    [
        (FORBIDDEN, [], 6, "error: you may not create pods/portforward in shop (ask for the verb create)\n"),
        (FORBIDDEN, ["--exit-on-loss"], 1, "error: you may not create pods/portforward in shop (ask"),
        (ExceptionGroup("several", [FORBIDDEN, errors.LostError("x")]), [], 6, "error: you may not create"),
        (errors.LostError("bad\x1b[31m\nwords"), [], 1, "error: bad [31m words\n"),
        (ValueError("oops"), [], 70, "error: a bug of fairlead: ValueError: oops (with -v=4 the log shows where)\n"),
        (ExceptionGroup("x", [FORBIDDEN, KeyError(1)]), ["--exit-on-loss"], 70, "error: a bug of fairlead: KeyError"),
        (KeyboardInterrupt(), [], 0, ""),
    ],
)
def test_what_a_session_raises_is_a_line_and_a_code(
    session: Callable[[Runner], None],
    capfd: pytest.CaptureFixture[str],
    error: BaseException,
    words: list[str],
    code: int,
    line: str,
) -> None:
    session(raising(error))
    assert main(["forward", "pod/x", "80", *words]) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(line)
    assert err.count("\n") == line.count("\n") or not line.endswith("\n")


def test_the_traceback_of_a_bug_is_in_the_log(
    session: Callable[[Runner], None], capfd: pytest.CaptureFixture[str]
) -> None:
    session(raising(ValueError("oops")))
    assert main(["forward", "pod/x", "80", "-v=4"]) == codes.INTERNAL
    assert "Traceback (most recent call last)" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("runner", "last"),
    [
        (raising(FORBIDDEN), '{"v":1,"event":"ended","reason":"you may not create pods/portforward in shop'),
        (raising(KeyboardInterrupt()), '{"v":1,"event":"ended","reason":"interrupted","exit_code":0}'),
        (lambda settings, options, tell: 143, '{"v":1,"event":"ended","reason":"","exit_code":143}'),
    ],
)
def test_the_last_json_line_is_the_end(
    session: Callable[[Runner], None], capfd: pytest.CaptureFixture[str], runner: Runner, last: str
) -> None:
    session(runner)
    main(["forward", "pod/x", "80", "-o", "json"])
    assert capfd.readouterr().out.splitlines()[-1].startswith(last)


@pytest.mark.parametrize(
    ("words", "reason", "code"),
    [
        ("-o json pod/x 80:", "remote port cannot be empty", 2),
        ("-o json", "TYPE/NAME and list of ports are required", 2),
        ("--nonsense pod/x 80 -ojson", "unknown option --nonsense", 2),
        ("-o json --lanes=x pod/x 80", "--lanes is a number", 2),
        ("-o json --exit-on-loss=t pod/x 80:", "remote port cannot be empty", 1),
        ("-o json pod/x -:80", "-o json and LOCAL - both need standard output", 2),
    ],
)
def test_a_wrong_command_line_is_the_last_event_too(
    capfd: pytest.CaptureFixture[str], words: str, reason: str, code: int
) -> None:
    assert main(["forward", *words.split()]) == code
    out, err = capfd.readouterr()
    (event,) = map(json.loads, out.splitlines())
    assert (event["event"], event["exit_code"]) == ("ended", code)
    assert event["reason"].startswith(reason)
    assert err == f"error: {event['reason']}\n"


def test_the_documented_exit_codes_are_the_codes() -> None:
    def leaves(kind: type[errors.FairleadError]) -> Iterator[type[errors.FairleadError]]:
        yield kind
        for each in kind.__subclasses__():
            yield from leaves(each)

    text = (DOCS / "exit-codes.md").read_text()
    documented = {int(code): name for code, name in re.findall(r"^\| (\d+) \| `?(\w*)`?", text, re.MULTILINE)}
    own = {kind.exit_code: kind.__name__ for kind in leaves(errors.FairleadError) if "exit_code" in vars(kind)}
    own[errors.LostError.exit_code] = "LostError"
    assert {code: name for code, name in documented.items() if name} == own
    assert {code for code, name in documented.items() if not name} == {
        0, 129, 143, codes.INTERNAL, codes.INTERRUPTED, codes.BROKEN_PIPE,
    }  # fmt: skip
    assert errors.__doc__ is not None
    listed = {int(code): name for name, code in re.findall(r"-- (\w+) +(\d+) ", errors.__doc__)}
    assert listed == own
    explained = help.ABOUT_FORWARD[help.ABOUT_FORWARD.index("Exit codes") :]
    assert {int(code) for code in re.findall(r"[:,]\s+(\d+) [a-z]", explained)} == own.keys()


def test_output_that_nobody_reads_is_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "fairlead", "--help"], stdout=write, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (codes.BROKEN_PIPE, b"")


@pytest.mark.parametrize("words", [["--help"], ["version"], ["completion", "bash"], ["-n", "x", "help", "forward"]])
def test_a_full_disk_is_no_bug(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "fairlead", *words]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (12, b"error: cannot write to standard output: No space left on device\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_traceback(closed: str) -> None:
    for words in ("version", "forward pod/x 1:2:3"):
        line = f'"$0" -m fairlead {words} {closed}'
        done = subprocess.run(["sh", "-c", line, sys.executable], capture_output=True, check=False, timeout=60)
        assert b"Traceback" not in done.stderr
        assert done.returncode == (0 if words == "version" else 2)


def test_started_as_a_module() -> None:
    done = fairlead("version")
    assert (done.returncode, done.stdout.partition(" ")[0], done.stderr) == (0, "fairlead", "")


def test_version_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "fairlead", "version"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    heavy = {"asyncio", "ssl", "socket", "yaml", "h11", "uvloop", "json", "dataclasses", "logging", "typing"}
    assert heavy & {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()} == set()


def test_listening_is_told_at_once(session: Callable[[Runner], None], capfd: pytest.CaptureFixture[str]) -> None:
    def runner(settings: ForwardSettings, options: ClusterOptions, tell: Callable[[Event], None]) -> int:
        tell(Listening("pod/x", "::1", 8080, 80))
        assert capfd.readouterr().out == "Forwarding from [::1]:8080 -> 80\n"
        return 0

    session(runner)
    assert main(["forward", "pod/x", "8080:80"]) == 0
