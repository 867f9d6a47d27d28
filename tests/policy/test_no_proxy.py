"""The answers are those of Go's httpproxy, asked the same questions."""

from __future__ import annotations

import pytest

from fairlead.errors import ConfigError
from fairlead.policy.no_proxy import excepted, proxy_from_environment, proxy_hosts
from fairlead.policy.url import Url, parse_url

# host, port, NO_PROXY -> whether the host is reached without the proxy
TABLE = [
    ("api.example.com", 443, "", False),
    ("api.example.com", 443, "*", True),
    ("api.example.com", 443, "foo,*", True),
    ("api.example.com", 443, "example.com", True),
    ("example.com", 443, "example.com", True),
    ("notexample.com", 443, "example.com", False),
    ("api.example.com", 443, "EXAMPLE.com", True),
    ("API.Example.COM", 443, "example.com", True),
    ("api.example.com", 443, " foo , example.com ", True),
    ("api.example.com", 443, ".example.com", True),
    ("example.com", 443, ".example.com", False),
    ("example.com", 443, "*.example.com", False),
    ("api.example.com", 443, "*.example.com", True),
    ("api.example.com", 443, "*example.com", False),
    ("api.example.com", 443, "com", True),
    ("api.example.com", 443, "http://example.com", False),
    ("example.com.", 443, "example.com", False),
    ("api.example.com", 6443, "example.com:6443", True),
    ("api.example.com", 443, "example.com:6443", False),
    ("api.example.com", 443, ":443", False),
    ("host", 443, "ho*", False),
    ("10.0.0.5", 443, "10.0.0.5", True),
    ("10.0.0.5", 443, "10.0.0.0/8", True),
    ("10.0.0.5", 443, "0.0.0.0/0", True),
    ("10.0.0.5", 443, "10.0.0.0/33", False),
    ("10.0.0.5", 6443, "10.0.0.5:6443", True),
    ("10.0.0.5", 443, "10.0.0.5:6443", False),
    ("10.0.0.5", 443, "::ffff:10.0.0.5", True),
    ("::ffff:10.0.0.5", 443, "10.0.0.5", True),
    ("10.0.0.5", 443, "5", False),
    ("1.2.3.4.example.com", 443, "1.2.3.4", False),
    ("fd00::5", 443, "fd00::/8", True),
    ("fd00::5", 443, "fd00::5", True),
    ("fd00::5", 6443, "[fd00::5]:6443", True),
    ("fd00::5", 443, "[fd00::5]:6443", False),
    ("fd00::5", 443, "[fd00::5]", False),
    ("localhost", 443, "", True),
    ("sub.localhost", 443, "", False),
    ("localhost.", 443, "", False),
    ("127.0.0.1", 443, "", True),
    ("127.9.9.9", 443, "", True),
    ("::1", 443, "", True),
]


@pytest.mark.parametrize(("host", "port", "rules", "direct"), TABLE)
def test_no_proxy_excepts_what_go_excepts(host: str, port: int, rules: str, direct: bool) -> None:
    assert excepted(host, port, rules) is direct


def server(text: str) -> Url:
    return parse_url(text, what="the server", schemes=("https", "http"))


@pytest.mark.parametrize(
    ("url", "env", "proxy"),
    [
        ("https://a.test", {}, None),
        ("https://a.test", {"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        ("https://a.test", {"https_proxy": "http://p:3128"}, "http://p:3128"),
        ("https://a.test", {"HTTPS_PROXY": "http://up", "https_proxy": "http://low"}, "http://up"),
        ("https://a.test", {"HTTPS_PROXY": "", "https_proxy": "http://low"}, "http://low"),
        ("https://a.test", {"HTTP_PROXY": "http://p"}, None),
        ("http://a.test", {"HTTP_PROXY": "http://p", "HTTPS_PROXY": "http://s"}, "http://p"),
        ("https://a.test", {"HTTPS_PROXY": "p:3128"}, "http://p:3128"),
        ("https://a.test", {"HTTPS_PROXY": "socks5h://p"}, "socks5h://p"),
        ("https://a.test", {"HTTPS_PROXY": "http://p", "no_proxy": ".test"}, None),
        ("https://a.test", {"HTTPS_PROXY": "http://p", "NO_PROXY": "b", "no_proxy": ".test"}, "http://p"),
        ("https://localhost:6443", {"HTTPS_PROXY": "http://p"}, None),
        ("https://a.test", {"HTTPS_PROXY": "http://p", "ALL_PROXY": "http://all"}, "http://p"),
        ("https://a.test", {"ALL_PROXY": "http://all"}, None),
    ],
)
def test_which_variable_names_the_proxy_of_a_server(url: str, env: dict[str, str], proxy: str | None) -> None:
    found = proxy_from_environment(server(url), env)
    assert (found and str(found)) == proxy


def test_a_proxy_that_makes_no_sense_is_named_without_its_password() -> None:
    with pytest.raises(ConfigError, match="the proxy in HTTPS_PROXY") as caught:
        proxy_from_environment(server("https://a.test"), {"HTTPS_PROXY": "ftp://ada:s3cret@p"})
    assert "s3cret" not in str(caught.value)


def test_the_hosts_of_all_proxies() -> None:
    env = {"HTTP_PROXY": "http://one:3128", "https_proxy": "two:80", "ALL_PROXY": "socks5://u:p@three", "no_proxy": "x"}
    assert proxy_hosts({**env, "ftp_proxy": "gopher://four"}) == ["one", "two", "three"]
