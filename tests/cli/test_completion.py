from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fairlead.cli import answers, completion
from fairlead.cli.answers import ClusterAnswers
from fairlead.cli.completion import DEFAULT, FOLDERS, NO_FILES, NO_SPACE, Candidates, suggest
from fairlead.cli.main import main
from fairlead.cli.parse import Parsed
from fairlead.cli.scripts import script

KINDS = [f"{kind}/" for kind in answers.KINDS]


class FakeAnswers:
    def __init__(self, parsed: Parsed) -> None:
        self.namespace = parsed.values.get("namespace", "default")

    def of_config(self, what: str) -> Candidates:
        return [(f"{what}-a", ""), (f"{what}-b", "")]

    def namespaces(self) -> Candidates:
        return [("default", ""), ("shop", "")]

    def names(self, kind: str) -> Candidates:
        names = (
            {"pod": ["web-1", "web-2", "db-0"], "svc": ["web"]} if self.namespace == "default" else {"pod": ["cart"]}
        )
        return [(name, "") for name in names.get(kind, [])]

    def ports(self, kind: str, name: str) -> Candidates:
        kind = kind.replace("service", "svc")
        return {"svc/web": [("80", "http"), ("http", "80")], "pod/web-1": [("8080", "")]}.get(f"{kind}/{name}", [])

    def services(self) -> Candidates:
        return [("web", ""), ("db", "")]


@pytest.mark.parametrize(
    ("words", "expected", "directive"),
    [
        ([], ["forward", "services", "run", "clean", "completion", "version", "help"], NO_FILES),
        (["sv"], ["svc", "svcs"], NO_FILES),
        (["se"], ["services"], NO_FILES),
        (["help", "sv"], ["svc", "svcs"], NO_FILES),
        (["fo"], ["forward"], NO_FILES),
        (["-n", "s"], ["shop"], NO_FILES),
        (["forward", "--namespace=s"], ["shop"], NO_FILES),
        (["forward", "--context", ""], ["context-a", "context-b"], NO_FILES),
        (["forward", "--cluster=cluster-b"], ["cluster-b"], NO_FILES),
        (["forward", "--user", "user-a"], ["user-a"], NO_FILES),
        (["forward", "-o", ""], ["text", "json"], NO_FILES),
        (["forward", "-o=j"], ["json"], NO_FILES),
        (["forward", "--kubeconfig", ""], [], DEFAULT),
        (["forward", "--cache-dir="], [], FOLDERS),
        (["forward", "--token", ""], [], NO_FILES),
        (["forward", "--st"], ["--sticky"], NO_FILES),
        (["forward", "--as-"], ["--as-uid", "--as-group", "--as-user-extra"], NO_FILES),
        (["--wa"], ["--wait"], NO_FILES),
        (["forward", ""], ["web-1", "web-2", "db-0", *KINDS], NO_FILES | NO_SPACE),
        (["forward", "web"], ["web-1", "web-2"], NO_FILES | NO_SPACE),
        (["-n", "shop", "forward", ""], ["cart", *KINDS], NO_FILES | NO_SPACE),
        (["forward", "pod/w"], ["pod/web-1", "pod/web-2"], NO_FILES),
        (["forward", "svc/"], ["svc/web"], NO_FILES),
        (["forward", "svc/web", ""], ["80", "http"], NO_FILES),
        (["forward", "svc/web", "ht"], ["http"], NO_FILES),
        (["forward", "svc/web", "8080:"], ["8080:80", "8080:http"], NO_FILES),
        (["forward", "svc/web", ":h"], [":http"], NO_FILES),
        (["forward", "svc/web", "-:"], ["-:80", "-:http"], NO_FILES),
        (["forward", "svc/web", "-n", "default", "--sticky", ""], ["80", "http"], NO_FILES),
        (["forward", "web-1", ""], ["8080"], NO_FILES),
        (["forward", "web-1", "8080", "sv"], ["svc/"], NO_FILES | NO_SPACE),
        (["forward", "web-1", "8080", "svc/"], ["svc/web"], NO_FILES),
        (["forward", "web-1", "8080", "svc/web", ""], ["80", "http"], NO_FILES),
        (["forward", "web-1", "80", "--", ""], [], DEFAULT),
        (["completion", ""], ["bash", "zsh", "fish"], NO_FILES),
        (["completion", "bash", ""], [], NO_FILES),
        (["help", "f"], ["forward"], NO_FILES),
        (["nonsense", ""], [], NO_FILES),
        (["services", ""], [], NO_FILES),
        (["clean", ""], [], NO_FILES),
        (["clean", "--hosts-file", ""], [], DEFAULT),
        (["svc", "--o"], ["--only", "--output"], NO_FILES),
        (["svc", "-n", "s"], ["shop"], NO_FILES),
        (["svc", "-n", "default,s"], ["default,shop"], NO_FILES),
        (["svc", "-x", "context-a,"], ["context-a,context-a", "context-a,context-b"], NO_FILES),
        (["svc", "--bare", "d"], ["default"], NO_FILES),
        (["svc", "--config", ""], [], DEFAULT),
        (["svc", "--only", ""], ["web", "db"], NO_FILES),
        (["svc", "--exclude=web,d"], ["web,db"], NO_FILES),
        (["svc", "--local", "w"], ["web="], NO_FILES | NO_SPACE),
        (["svc", "--local", "web=3"], [], NO_FILES | NO_SPACE),
        (["svc", "--reserve", ""], ["web=", "db="], NO_FILES | NO_SPACE),
        (["svc", "-m", "w"], ["web:"], NO_FILES | NO_SPACE),
        (["svc", "-m", "web:"], ["web:80:", "web:http:"], NO_FILES | NO_SPACE),
        (["svc", "-m", "web:80:1"], [], NO_FILES | NO_SPACE),
        (["svc", "-m", "80:"], [], NO_FILES | NO_SPACE),
        (["svc", "-v", "--dry"], ["--dry-run"], NO_FILES),
        (["version", ""], [], NO_FILES),
        (["ru"], ["run"], NO_FILES),
        (["run", ""], [], NO_FILES),
        (["run", "--o"], ["--only"], NO_FILES),
        (["run", "--l"], ["--local", "--lanes"], NO_FILES),
        (["run", "--h"], ["--help"], NO_FILES),
        (["run", "-n", "default,s"], ["default,shop"], NO_FILES),
        (["run", "-x", "context-a,"], ["context-a,context-a", "context-a,context-b"], NO_FILES),
        (["run", "--local", "w"], ["web="], NO_FILES | NO_SPACE),
        (["run", "--exclude", "d"], ["db"], NO_FILES),
        (["run", "--config", ""], [], DEFAULT),
        (["run", "-n", "shop", "--", ""], [], DEFAULT),
        (["run", "--", "curl", "--"], [], DEFAULT),
    ],
)
def test_what_may_come_next_on_a_command_line(words: list[str], expected: list[str], directive: int) -> None:
    found, told = suggest(words, FakeAnswers)
    assert ([word for word, _ in found], told) == (expected, directive)


def test_services_are_those_of_the_chosen_context_and_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def get(self: ClusterAnswers, path: str, *query: tuple[str, str]) -> dict[str, object]:
        asked.append(f"{self._options.context} {path}")
        namespace = path.split("/")[-2] if "namespaces" in path else "pay"
        return {"items": [{"metadata": {"name": "web", "namespace": namespace}}]}

    monkeypatch.setattr(ClusterAnswers, "_get", get)
    for words, found in (
        (["-n", "shop"], ["web"]),
        (["-n", "shop,pay"], ["web.shop", "web.pay"]),
        (["-A"], ["web.pay"]),
    ):
        line = ["svc", "-x", "prod,test", *words, "--only", ""]
        assert [word for word, _ in suggest(line, completion._cluster_of)[0]] == found
    assert asked == [
        "prod /api/v1/namespaces/shop/services",
        "prod /api/v1/namespaces/shop/services",
        "prod /api/v1/namespaces/pay/services",
        "prod /api/v1/services",
    ]


def test_the_shells_and_kubectl_are_answered_in_cobras_protocol(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["__complete", "comp"]) == 0
    assert capfd.readouterr() == ("completion\tprint the completion script of a shell\n:4\n", "")
    monkeypatch.setattr(sys, "argv", ["kubectl_complete-fairlead", "forward", "--fol"])
    assert completion.kubectl_main() == 0
    help_text = "when pod/NAME can never come back, go on with its owner; other targets do that anyway"
    assert capfd.readouterr().out == f"--follow\t{help_text}\n:4\n"


@pytest.mark.parametrize("words", [["forward", "--nonsense", ""], ["--nope", "x", ""], ["forward", "svc/web", ""]])
def test_what_fails_is_silent(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}]\n"
                      "contexts: [{name: a, context: {cluster: a}}]\ncurrent-context: a\n")  # fmt: skip
    monkeypatch.setenv("KUBECONFIG", str(config))
    assert main(["__complete", *words]) == 0
    assert capfd.readouterr() == (":4\n", "")


def test_contexts_are_read_from_the_kubeconfig(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("contexts: [{name: a, context: {}}, {name: b, context: {}}]\n")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    main(["__complete", "--context", ""])
    assert capfd.readouterr().out == "a\nb\n:4\n"


# --- real shells: a stand-in answers what the tables above show, the script hands it to the shell ---

STAND_IN = """#!/bin/sh
shift
for last; do :; done
case "$*" in
"") printf 'forward\\tabout\\ncompletion\\n:4\\n' ;;
for) printf 'forward\\tforward ports\\n:4\\n' ;;
"forward we") printf 'web-1\\nweb-2\\npod/\\n:6\\n' ;;
"forward sv") printf 'svc/\\n:6\\n' ;;
"forward svc/web 8080:h") printf '8080:http\\t80\\n:4\\n' ;;
"forward --namespace=sh") printf 'shop\\n:4\\n' ;;
"forward --kubeconfig fi") printf ':0\\n' ;;
*) printf ':4\\n' ;;
esac
"""

CASES = [
    ("fairlead for", "fairlead forward "),
    ("fairlead forward sv", "fairlead forward svc/"),
    ("fairlead forward we", "fairlead forward web-"),
    ("fairlead forward svc/web 8080:h", "fairlead forward svc/web 8080:http "),
    ("fairlead forward --namespace=sh", "fairlead forward --namespace=shop "),
    ("fairlead forward --kubeconfig fi", "fairlead forward --kubeconfig file.yaml "),
    ("fairlead forward nothing", "fairlead forward nothing"),
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a stand-in for fairlead on PATH, and one file to complete."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "fairlead").write_text(STAND_IN)
    (tmp_path / "bin" / "fairlead").chmod(0o755)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "file.yaml").write_text("")
    for shell in completion.SHELLS:
        (tmp_path / shell).write_text(script(shell))
    return tmp_path


class Terminal:
    """A shell on a terminal of its own, as a person would have it."""

    def __init__(self, words: list[str], place: Path) -> None:
        env = {
            "PATH": f"{place / 'bin'}:/usr/bin:/bin",
            "HOME": str(place / "home"),
            "TERM": "dumb",
            "LC_ALL": "C.UTF-8",
        }
        self._ours, theirs = pty.openpty()
        self._child = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, env=env, cwd=place / "home", start_new_session=True
        )
        os.close(theirs)
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, text: str, seconds: float = 10.0) -> bool:
        """Read until ``text`` was seen since the last ``type``."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            if not select.select([self._ours], [], [], max(end - time.monotonic(), 0))[0]:
                return False
            try:
                self.seen += os.read(self._ours, 65536).decode(errors="replace")
            except OSError:
                return False
        return True

    def close(self) -> None:
        os.close(self._ours)
        self._child.kill()
        self._child.wait()


def test_bash_completes(place: Path) -> None:
    setup = f"PS1='>'; bind 'set enable-bracketed-paste off'; source {place}/bash"
    check_all(["bash", "--norc", "--noprofile", "-i"], setup, place)


@pytest.mark.skipif(not shutil.which("zsh"), reason="no zsh here")
def test_zsh_completes(place: Path) -> None:
    setup = "PS1='>'; unsetopt zle_bracketed_paste 2>/dev/null; unset zle_bracketed_paste; "
    check_all(["zsh", "-f", "-i"], f"{setup}autoload -U compinit; compinit -u -D; source {place}/zsh", place)


def check_all(shell: list[str], setup: str, place: Path) -> None:
    """Type every case in a terminal with this shell."""
    terminal = Terminal(shell, place)
    try:
        terminal.type(f"{setup}; echo UP$((1+1))\r")
        assert terminal.wait_for("UP2"), terminal.seen
        for typed, expected in CASES:
            check(terminal, typed, expected)
    finally:
        terminal.close()


def check(terminal: Terminal, typed: str, expected: str) -> None:
    """Type, press TAB, and then make the line an argument of echo that shows what it has become."""
    terminal.seen = ""
    terminal.type(f"{typed}\t")
    # The dot shows a blank before it; Ctrl-A goes to the start of the line.
    terminal.type(".'\x01echo '|\r")
    assert terminal.wait_for(f"\n|{expected}."), terminal.seen


@pytest.mark.skipif(not shutil.which("fish"), reason="no fish here")
def test_fish_completes(place: Path) -> None:
    """Fish answers ``complete -C`` as it would a TAB: each candidate for the last word, a tab, its description."""
    env = {"PATH": f"{place / 'bin'}:/usr/bin:/bin", "HOME": str(place / "home"), "LC_ALL": "C.UTF-8"}
    lines = [f"source {place}/fish", *(f"complete -C {typed!r}; echo ---" for typed, _ in CASES)]
    words = ["fish", "--no-config", "-c", "\n".join(lines)]
    done = subprocess.run(words, capture_output=True, text=True, env=env, cwd=place / "home", check=True)
    for (typed, expected), answer in zip(CASES, done.stdout.split("---\n")[:-1], strict=True):
        found = [line.partition("\t")[0] for line in answer.splitlines()]
        head, _, last = typed.rpartition(" ")
        wanted = [word for word in found if word.startswith(expected.removeprefix(f"{head} ").rstrip())]
        assert wanted or expected == typed, (typed, found)
        assert expected != typed or not found
        assert all(word.startswith(last) or "/" in word for word in found)


def test_the_command_itself_is_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, mode in (("curly", 0o755), ("curl", 0o755), ("curtain", 0o644), ("psql", 0o755)):
        (tmp_path / name).touch(mode)
    monkeypatch.setenv("PATH", f"{tmp_path / 'missing'}:{tmp_path}")
    for command in ("run", "services"):
        assert suggest([command, "--", "cur"], FakeAnswers) == ([("curl", ""), ("curly", "")], DEFAULT)
    for words in (["run", "--", ""], ["run", "--", "./cur"], ["run", "--", "curl", "cur"], ["run", "--", "--", "cur"]):
        assert suggest(words, FakeAnswers) == ([], DEFAULT)
