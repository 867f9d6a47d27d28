from __future__ import annotations

from typing import Any

import pytest
import yaml

from fairlead.errors import ConfigError, UsageError
from fairlead.model.named import PortRule, Reservation, ServicePattern
from fairlead.policy.services_config import from_file, merged, typed
from fairlead.settings import ServicesSettings

OPTIONS = {"namespace", "hosts-file", "kubeconfig", "context", "server", "token", "config"}

EVERYTHING = """\
namespace: [shop, pay]
all-namespaces: false
selector: app=web
field-selector: metadata.name!=x
only: ["web-*", api]
exclude: db.pay
bare: pay
cluster-domain: Corp.Example.
mapping:
- 80:8080
- api:443:8443
reserve: [api=127.9.9.9]
local: [web=3000, "web:443=3443"]
wait: 1m
lanes: 4
"""


def read(text: str) -> dict[str, Any]:
    return from_file(yaml.safe_load(text), text, "team.yaml", OPTIONS)


def test_all_that_a_file_can_set() -> None:
    values = read(EVERYTHING)
    assert ServicesSettings(**values) == ServicesSettings(
        namespaces=("shop", "pay"),
        selector="app=web",
        field_selector="metadata.name!=x",
        only=(ServicePattern("web-*"), ServicePattern("api")),
        exclude=(ServicePattern("db", "pay"),),
        bare="pay",
        cluster_domain="corp.example",
        mappings=(PortRule("", "", 80, 8080), PortRule("api", "", 443, 8443)),
        reserve=(Reservation("api", "127.9.9.9"),),
        local=(PortRule("web", "", 0, 3000), PortRule("web", "", 443, 3443)),
        wait=60.0,
        lanes=4,
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}"])
def test_an_empty_file(text: str) -> None:
    assert read(text) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("namespaces: [shop]", "team.yaml, line 1: there is no setting namespaces (did you mean namespace?)"),
        ("lanes: 4\n'80': 1", "team.yaml, line 2: there is no setting 80 (namespace, all-namespaces, selector, "),
        (
            "# a\n\nhosts-file: /etc/passwd",
            "team.yaml, line 3: a file cannot set hosts-file (give it on the command line)",
        ),
        ("kubeconfig: x", "team.yaml, line 1: a file cannot set kubeconfig (give it on the command line)"),
        ("context: x", "team.yaml, line 1: a file cannot set context (give it on the command line)"),
        ("server: x", "team.yaml, line 1: a file cannot set server (give it on the command line)"),
        ("token: x", "team.yaml, line 1: a file cannot set token (give it on the command line)"),
        ("command: [rm]", "team.yaml, line 1: a file cannot set command (give it on the command line)"),
        ("[shop]", "team.yaml is no mapping of settings (for example: namespace: [shop, pay])"),
        ("shop", "team.yaml is no mapping of settings (for example: namespace: [shop, pay])"),
        (
            "namespace: {a: b}",
            "team.yaml, line 1: namespace is text or a list of texts, and a mapping is none (put it in",
        ),
        ("namespace: [shop, 12]", "team.yaml, line 1: namespace is text or a list of texts, and 12 is none (put it in"),
        ("namespace: [Shop]", 'team.yaml, line 1: invalid namespace "Shop": it may have'),
        (
            "mapping: [22:22]",
            "team.yaml, line 1: mapping is text or a list of texts, and 1342 is none (put it in quotes)",
        ),
        ("mapping: [http:80]", 'team.yaml, line 1: --mapping is PORT:LOCAL or SERVICE:PORT:LOCAL, not "http:80" (for'),
        ("selector: [a]", "team.yaml, line 1: selector is text, not a list (put it in quotes)"),
        ("selector: null", "team.yaml, line 1: selector is text, not null (put it in quotes)"),
        ("bare: a.b", 'team.yaml, line 1: invalid namespace "a.b": it may have'),
        ("all-namespaces: 'yes'", 'team.yaml, line 1: all-namespaces is true or false, not "yes"'),
        ("lanes: many", 'team.yaml, line 1: lanes is a number, not "many"'),
        ("lanes: true", "team.yaml, line 1: lanes is a number, not true"),
        ("wait: 30", "team.yaml, line 1: wait is a time, not 30 ("),
        ("wait: -1s", "team.yaml, line 1: wait cannot be negative"),
        (
            "cluster-domain: a_b",
            'team.yaml, line 1: --cluster-domain is a DNS domain, not "a_b" (for example cluster.local)',
        ),
        ("reserve: [api=10.0.0.1]", "team.yaml, line 1: --reserve api=10.0.0.1: the address is not in 127.0.0.0/8 ("),
        ("local: [web]", "team.yaml, line 1: --local is SERVICE=PORT or "),
        ("only: ['[a]']", "team.yaml, line 1: --only is NAME or NAME.NAMESPACE, "),
        ("{lanes: x}", 'team.yaml, line 1: lanes is a number, not "x"'),
        ("only: a\nlanes: 4\n'only': b\n", "team.yaml, line 3: only is there already, in line 1 (keep one of them)"),
        ('{"only": "a",\n "only": "b"}', "team.yaml, line 2: only is there already, in line 1 (keep one of them)"),
        (f"lanes: {'x' * 99}", f'team.yaml, line 1: lanes is a number, not "{"x" * 39}...'),
    ],
)
def test_what_is_refused_in_one_sentence_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_values_of_a_later_source_replace() -> None:
    assert merged([{"lanes": 4, "wait": 1.0}, {"lanes": 8}]) == {"lanes": 8, "wait": 1.0}
    assert merged([]) == {}


def test_lists_add_up_and_the_last_word_on_a_subject_holds() -> None:
    first = typed(
        {
            "mappings": ["80:8080", "443:8443"],
            "local": ["web=3000", "web:443=3443"],
            "reserve": ["api=127.9.9.9", "db=127.9.9.8", "web=127.9.9.7"],
            "exclude": ["a", "b"],
        }
    )
    last = typed(
        {
            "mappings": ["443:9443", "api:80:8081"],
            "local": ["web=4000"],
            "reserve": ["api=127.1.1.1", "kafka=127.9.9.8"],
            "exclude": ["b", "c"],
        }
    )
    assert merged([first, last]) == typed(
        {
            "mappings": ["80:8080", "443:9443", "api:80:8081"],
            "local": ["web:443=3443", "web=4000"],
            "reserve": ["web=127.9.9.7", "api=127.1.1.1", "kafka=127.9.9.8"],
            "exclude": ["a", "b", "c"],
        }
    )


@pytest.mark.parametrize("given", [{"namespaces": ("pay",)}, {"all_namespaces": True}])
def test_which_namespaces_are_meant_is_said_in_one_place(given: dict[str, Any]) -> None:
    team = {"namespaces": ("shop", "web"), "all_namespaces": True, "bare": "shop", "lanes": 2}
    assert merged([team, given]) == {**given, "lanes": 2}
    assert merged([team, {"bare": "web"}]) == {**team, "bare": "web"}


def test_only_is_said_in_one_place() -> None:
    assert merged([typed({"only": ["a"]}), typed({"only": ["b"]})]) == typed({"only": ["b"]})


def test_a_namespace_that_is_named_twice() -> None:
    assert typed({"namespaces": ("b", "a", "b"), "contexts": ("x", "x")}) == {
        "namespaces": ("b", "a"),
        "contexts": ("x",),
    }


@pytest.mark.parametrize(
    "values", [{"namespaces": ["a.b"]}, {"bare": ""}, {"cluster_domain": "."}, {"cluster_domain": ""}]
)
def test_words_of_the_command_line_that_cannot_be_meant(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        typed(values)
