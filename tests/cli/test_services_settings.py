from __future__ import annotations

import re
from pathlib import Path

import pytest

from fairlead.cli.forward import cluster_options
from fairlead.cli.options import GLOBAL, HELP, SERVICES
from fairlead.cli.parse import Parsed, parse
from fairlead.cli.services_settings import MOST_BYTES, services_settings
from fairlead.errors import ConfigError, FairleadError, UsageError
from fairlead.model.named import PortRule, Reservation, ServicePattern
from fairlead.policy.services_config import KEYS as FILE_KEYS
from fairlead.settings import ClusterOptions, ServicesSettings


def parsed(*words: str) -> Parsed:
    found = parse(words, (*SERVICES, HELP, *GLOBAL))
    if found.error is not None:
        raise found.error
    return found


def settings(*words: str) -> ServicesSettings:
    return services_settings(parsed(*words))


def test_nothing_said() -> None:
    assert settings() == ServicesSettings()


@pytest.mark.parametrize(
    "words", [["-n", "a", "-n", "b"], ["-n", "a,b"], ["--namespace=a", "-nb,a"], ["--namespace", "a,b", "-n="]]
)
def test_several_namespaces(words: list[str]) -> None:
    assert settings(*words).namespaces == ("a", "b")
    assert cluster_options(parsed(*words).values) == ClusterOptions()


def test_blanks_behind_commas_are_left_out() -> None:
    assert settings("-n", "shop, pay", "--only", "a ,b, ") == settings("-n", "shop,pay", "--only", "a,b")


@pytest.mark.parametrize("words", [["-x", "a", "-x", "b"], ["-x", "a,b"], ["--context", "a", "--context=b"]])
def test_several_contexts(words: list[str]) -> None:
    assert settings(*words).contexts == ("a", "b")
    assert cluster_options(parsed(*words).values) == ClusterOptions()


def test_every_option() -> None:
    assert settings(
        "-A", "-l", "app=web", "--field-selector", "metadata.name=x", "--cluster-domain", "corp", "--bare", "shop",
        "-m", "80:8080", "-m", "api:443:8443", "--reserve", "api=127.9.9.9", "--local", "web=3000", "--exclude", "a,b",
        "--only", "*.shop", "--hosts-file", "/tmp/h", "--dry-run", "--wait", "5s", "--lanes", "3", "-ojson",
        "--ready-file", "/tmp/r", "--", "make", "test",
    ) == ServicesSettings(
        all_namespaces=True,
        selector="app=web",
        field_selector="metadata.name=x",
        cluster_domain="corp",
        bare="shop",
        mappings=(PortRule("", "", 80, 8080), PortRule("api", "", 443, 8443)),
        reserve=(Reservation("api", "127.9.9.9"),),
        local=(PortRule("web", "", 0, 3000),),
        exclude=(ServicePattern("a"), ServicePattern("b")),
        only=(ServicePattern("*", "shop"),),
        hosts_file="/tmp/h",
        dry_run=True,
        wait=5.0,
        lanes=3,
        output="json",
        ready_file="/tmp/r",
        command=("make", "test"),
    )  # fmt: skip


def test_every_setting_has_an_option() -> None:
    assert {option.field for option in SERVICES} - {"config"} == set(ServicesSettings._fields) - {"command"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["web"], '"web" is one word too many (for one service alone: --only web)'),
        (["svc/web"], '"svc/web" is one word too many (for one service alone: --only web)'),
        (["deploy/web"], '"deploy/web" is one word too many (other kinds: fairlead forward deploy/web PORT)'),
        (
            ["-n", "shop", "pay"],
            '"pay" is one word too many (for one service alone: --only pay; for a namespace more: -n shop,pay)',
        ),
        (["-namespace", "shop"], '"shop" is one word too many (did you mean --namespace, with two dashes?)'),
        (["-local", "web=3000"], '"web=3000" is one word too many (did you mean --local, with two dashes?)'),
        (["--"], "a command is missing after -- (for example: fairlead services -- env)"),
        (["--", ""], "the command after -- is empty"),
        (["-n", "Shop"], 'invalid namespace "Shop": it may have'),
        (["-n", "shop,pay", "--bare", "web"], "--bare web is none of the namespaces (add -n web)"),
        (["-o", "yaml"], '-o is text or json, not "yaml"'),
        (["--lanes", "0"], "--lanes is a number from 1 to 256"),
        (["--hosts-file", ""], "--hosts-file needs a file"),
        (["--ready-file="], "--ready-file needs a file"),
        (["-x", "a,b", "--server", "https://x"], "--server and several contexts exclude each other"),
        (["--only", ""], "option --only needs a value (for example --only=NAME)"),
        (["--exclude= ,", "--exclude=web"], "option --exclude needs a value (for example --exclude=NAME)"),
        (["--local", ""], '--local is SERVICE=PORT or SERVICE:PORT=LOCAL, not "" (for example'),
        (["-m", ""], '--mapping is PORT:LOCAL or SERVICE:PORT:LOCAL, not "" (for example'),
        (["-m", "80"], '--mapping is PORT:LOCAL or SERVICE:PORT:LOCAL, not "80"'),
    ],
)
def test_what_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings(*words)
    assert str(caught.value).startswith(message)


def test_a_bare_namespace_that_only_the_cluster_can_judge() -> None:
    assert settings("--bare", "web").bare == "web"
    assert settings("--bare", "web", "-A", "-n", "shop").bare == "web"


def test_the_command_line_wins_over_files_and_a_later_file_over_an_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("namespace: [shop]\nlanes: 4\nwait: 5s\nmapping: ['80:8080', '443:8443']\n")
    (tmp_path / "b").write_text("# ours\nlanes: 5\nmapping:\n- 80:8081\n")
    files = ["--config", str(tmp_path / "a"), "--config", str(tmp_path / "b")]
    found = settings("-n", "pay", "--wait", "9s", "-m", "443:9443", *files)
    assert found == ServicesSettings(
        namespaces=("pay",),
        lanes=5,
        wait=9.0,
        mappings=(PortRule("", "", 80, 8081), PortRule("", "", 443, 9443)),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hosts-file: /tmp/x", ", line 1: a file cannot set hosts-file (give it on the command line)"),
        ("dry-run: true", ", line 1: a file cannot set dry-run (give it on the command line)"),
        ("v: 8", ", line 1: a file cannot set v (give it on the command line)"),
        ("namespace: [", " is not valid YAML at line "),
        ("x" * (MOST_BYTES + 1), " is larger than 1 MiB"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "team.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        settings("--config", str(tmp_path / "team.yaml"))
    assert message in str(caught.value)
    assert "kubeconfig" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FairleadError, match=r"^the config file .*none cannot be read: No such file or directory$"):
        settings("--config", str(tmp_path / "none"))


def test_the_documented_file_is_a_file_of_settings(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs/reference/services.md").read_text()
    (tmp_path / "team.yaml").write_text(text.split("```yaml\n")[1].split("```")[0])
    found = settings("--config", str(tmp_path / "team.yaml"))
    assert (found.namespaces, found.mappings) == (("shop", "pay"), (PortRule("", "", 80, 8080),))


def test_the_documentation_names_all_that_a_file_can_set() -> None:
    text = (Path(__file__).parents[2] / "docs/reference/services.md").read_text()
    listed = text.split("It can set ")[1].split(". Anything")[0]
    assert re.findall(r"`([a-z-]+)`", listed) == list(FILE_KEYS)


def test_the_documentation_names_every_option() -> None:
    text = (Path(__file__).parents[2] / "docs/reference/services.md").read_text()
    table = text.split("## Options")[1].split("\n## ")[0]
    listed = re.findall(r"`--([a-z-]+)`", "".join(re.findall(r"^\|(.*?)\|", table, re.MULTILINE)))
    assert sorted(listed) == sorted(option.name for option in SERVICES)


def test_links_between_pages_lead_somewhere() -> None:
    root = Path(__file__).parents[2]
    for page in (*root.glob("docs/**/*.md"), root / "README.md", root / "CONTRIBUTING.md"):
        for link, part in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text()):
            leads_to = page.parent / link if link else page
            assert leads_to.exists(), f"{page}: {link}"
            if part:
                headings = re.findall(r"^#+ (.*)$", leads_to.read_text(), re.MULTILINE)
                slugs = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
                assert part in slugs, f"{page}: {link}#{part}"
