"""What a user of ``fairlead services`` may do wrong, or lack: one sentence for each, and a code."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest

from fairlead.cli.main import main
from fairlead.policy.hostsblock import Entry, replace
from tests.support.fakecluster import FakeCluster
from tests.support.services_user import DEAD, HIGH, User
from tests.support.serving import USUAL

Fails = Callable[..., str]


@pytest.fixture
def fails(user: User, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Fails:
    """What runs ``fairlead svc`` in this process, to an error: its one line, without what every error begins with."""
    for name in os.environ.keys() - user.env.keys():
        monkeypatch.delenv(name)
    for name, value in user.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(user.folder)

    def run(code: int, *words: str) -> str:
        assert main(["svc", f"--hosts-file={user.hosts}", *words]) == code
        out, err = capfd.readouterr()
        assert out == "" or out.startswith(("INFO[", "WARN[")), out
        assert err.startswith("error: "), err
        assert err.count("\n") == 1, err
        assert user.hosts.read_bytes() == USUAL
        return err.removeprefix("error: ").rstrip()

    return run


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["web"], 2, '"web" is one word too many (for one service alone: --only web)'),
        (["--"], 2, "a command is missing after -- (for example: fairlead services -- env)"),
        (["--", "no-such-program"], 12, "cannot run no-such-program: No such file or directory"),
        (["-o", "yaml"], 2, '-o is text or json, not "yaml"'),
        (["--lanes", "0"], 2, "--lanes is a number from 1 to 256"),
        (["--lanes", "many"], 2, '--lanes is a number, not "many"'),
        (["--wait", "long"], 2, '--wait is a time, not "long" (a duration has a unit, such as 5s, 1m30s or 1h)'),
        (["--dry-run=perhaps"], 2, '--dry-run is true or false, not "perhaps"'),
        (["-n", "Shop"], 2, 'invalid namespace "Shop": it may .*'),
        (["-n"], 2, "option --namespace needs a value (for example --namespace=NAME)"),
        (["-n", "shop", "--bare", "pay"], 2, "--bare pay is none of the namespaces (add -n pay)"),
        (["--cluster-domain", "a_b"], 2, '--cluster-domain is a DNS domain, not "a_b" (for example cluster.local)'),
        (["-m", "80"], 2, '.*PORT:LOCAL.*"80".*'),
        (["-m", "80:99999"], 2, ".*99999.*"),
        (["--reserve", "web"], 2, '--reserve is NAME=IP, not "web" (for example --reserve api=127.9.9.9)'),
        (["--reserve", "web=10.0.0.1"], 2, "--reserve web=10.0.0.1: the address is not in 127.0.0.0/8 .*"),
        (["--reserve", "web=127.0.0.1"], 2, "--reserve web=127.0.0.1: the system needs that address for itself .*"),
        (["--local", "web"], 2, '.*SERVICE=PORT.*"web".*'),
        (["--only", "a b"], 2, '.*--only.*"a b".*'),
        (["--hosts-file="], 2, "--hosts-file needs a file"),
        (
            ["--hosts-file=/no/such"],
            12,
            "cannot read /no/such: No such file or directory (make it first: touch /no/such)",
        ),
        (["--hosts-file=/"], 12, "/ is not a file"),
        (["--ready-file="], 2, "--ready-file needs a file"),
        (["--ready-file=/no/such/file"], 12, "cannot write /no/such/file: No such file or directory"),
        (["-x", "a,b", "--server=http://127.0.0.1:1"], 2, "--server and several contexts exclude each other .*"),
        (["-x", "nowhere"], 3, r'.*context.*"nowhere".*'),
        (["--kubeconfig=/no/such"], 3, ".*/no/such.*"),
        (["--server=http://127.0.0.1:1"], 4, r"the API server at http://127\.0\.0\.1:1 cannot be reached: .*"),
        (["--hosts-path=/tmp/h"], 2, r"unknown option --hosts-path \(here it is --hosts-file\)"),
        (["--nope"], 2, r"unknown option --nope \(--help lists the options\)"),
        (["--config", "none.yaml"], 3, "the config file none.yaml cannot be read: No such file or directory"),
    ],
)
def test_each_wrong_word_is_one_sentence_and_a_code(fails: Fails, words: list[str], code: int, text: str) -> None:
    line = fails(code, *words)
    assert line == text or re.fullmatch(text, line), line
    assert len(line) < 200, line


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("- shop", "team.yaml is no mapping of settings (for example: namespace: [shop, pay])"),
        ("namespce: shop", "team.yaml, line 1: there is no setting namespce (did you mean namespace?)"),
        ("only: [web]\nhosts-file: h", "team.yaml, line 2: a file cannot set hosts-file (give it on the command line)"),
        ("context: prod", "team.yaml, line 1: a file cannot set context (give it on the command line)"),
        ("command: [rm]", "team.yaml, line 1: a file cannot set command (give it on the command line)"),
        ("lanes: many", 'team.yaml, line 1: lanes is a number, not "many"'),
        ("mapping: [22:22]", r"team.yaml, line 1: mapping is text or a list of texts, and 1342 is none .*quotes.*"),
        ("wait: [1s]", "team.yaml, line 1: wait is a time, not a list .*"),
        ("{", ".*team.yaml.*"),
    ],
)  # fmt: skip
def test_each_problem_of_a_config_file_is_named_with_its_line(
    user: User, fails: Fails, content: str, text: str
) -> None:
    (user.folder / "team.yaml").write_text(content)
    line = fails(3, "--config", "team.yaml")
    assert line == text or re.fullmatch(text, line), line


@pytest.mark.parametrize(
    ("asked", "code", "words", "exit_code", "text"),
    [
        ("/namespaces/shpo ", 404, "no", 7, 'the namespace "shpo" does not exist; -n chooses another'),
        ("a%3D%3D", 400, "unable to parse", 2, r'--selector "a==": .*unable to parse.*'),
        ("/services", 403, 'User "somebody" cannot list resource "services"', 6, ".*list.*services.*"),
        ("/services", 401, "Unauthorized", 5, ".*"),
        ("/services", 500, "etcd is sad", 11, ".*etcd is sad.*"),
    ],
)  # fmt: skip
def test_what_the_api_server_refuses(
    cluster: FakeCluster, fails: Fails, asked: str, code: int, words: str, exit_code: int, text: str
) -> None:
    cluster.do(lambda: cluster.refusals.update({asked: (code, words)}))
    line = fails(exit_code, HIGH, *{7: ["-n", "shpo"], 2: ["-l", "a=="]}.get(exit_code, []))
    assert re.fullmatch(text, line), line


@pytest.mark.usefixtures("fails")
def test_without_rights_and_without_sudo_the_remedies_and_what_is_left_are_told(
    user: User, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """An ordinary user's view, whoever runs the tests: what the kernel would say is all that is made up."""
    user.hosts.write_bytes(replace(USUAL, DEAD, [Entry("127.4.4.4", ("db",))]))
    access = os.access
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(user.hosts) and access(path, mode))
    monkeypatch.setenv("PATH", str(user.folder))
    assert main(["svc", HIGH, f"--hosts-file={user.hosts}"]) == 12
    out, err = capfd.readouterr()
    left = r"hosts still has names of a killed run \(pid 4711\); fairlead clean --hosts-file \S+ removes them"
    assert re.search(left, out), out
    lacking = r"error: \S+/hosts may not be written by this user \(--hosts-file names another\)"
    assert re.match(lacking, err), err
