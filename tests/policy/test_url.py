from __future__ import annotations

import pytest

from fairlead.errors import ConfigError
from fairlead.policy.url import Url, basic, encode_query, parse_url, quote, redact, unquote


def parsed(text: str, default_scheme: str = "") -> Url:
    return parse_url(text, what="the server", schemes=("https", "http", "socks5"), default_scheme=default_scheme)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://a.test", ("https", "a.test", 443, "", "a.test")),
        ("HTTPS://A.test:6443/", ("https", "a.test", 6443, "", "A.test:6443")),
        ("http://127.0.0.1:80/k8s/c/", ("http", "127.0.0.1", 80, "/k8s/c", "127.0.0.1:80")),
        ("https://[fd00::1]", ("https", "fd00::1", 443, "", "[fd00::1]")),
        ("https://[fd00::1]:6443/x?y=z#w", ("https", "fd00::1", 6443, "/x", "[fd00::1]:6443")),
        ("https://a.test?y=z/w", ("https", "a.test", 443, "", "a.test")),
        ("https://a.test:", ("https", "a.test", 443, "", "a.test:")),
        ("https://a_b-1.test.", ("https", "a_b-1.test.", 443, "", "a_b-1.test.")),
        ("https://[fe80::1%25eth0]", ("https", "fe80::1%25eth0", 443, "", "[fe80::1%25eth0]")),
        ("https://a/b c\r\n\u00fc/%20(x)", ("https", "a", 443, "/b%20c%0D%0A%C3%BC/%20(x)", "a")),
        ("socks5://p", ("socks5", "p", 1080, "", "p")),
    ],
)
def test_the_parts_of_a_server_address(text: str, expected: tuple[str, str, int, str, str]) -> None:
    url = parsed(text)
    assert (url.scheme, url.host, url.port, url.path, url.authority) == expected


def test_user_and_password_are_read_and_never_shown() -> None:
    url = parsed("http://ada:s3%2Fcr%40t@p:3128")
    assert (url.username, url.password, url.address) == ("ada", "s3/cr@t", "p:3128")
    assert "s3" not in repr(url)
    assert "s3" not in str(url)


def test_address_and_default_scheme() -> None:
    assert parsed("https://[::1]:1").address == "[::1]:1"
    assert str(parsed("a.test:8080", "http")) == "http://a.test:8080"
    assert parsed("https://a").secure
    assert not parsed("http://a").secure


@pytest.mark.parametrize(
    "text",
    ["", "a.test", "ftp://a.test", "https://", "https://:443", "https://a:99999", "https://a:0", "https://a:x",
     "https://[::1", "https://[::1]x", "https://a:b:c", "https://[]", "https://[a b]", "https://a..b:6443", "https://.a",
     "https://..", "https://" + 64 * "a", "https://a\r\nX: y", "https://a b", "https://b\u00fccher.test",
     "https://a%0a", "https://\u212a"],
)  # fmt: skip
def test_what_is_no_server_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="the server"):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://ada:pw@p", "http://ada:xxxxx@p"),
        ("http://p:1", "http://p:1"),
        ("http://ada@p", "http://ada@p"),
        ("ada:pw@p", "ada:xxxxx@p"),
    ],
)
def test_a_password_is_crossed_out(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_text_is_encoded_for_paths_queries_and_headers() -> None:
    assert quote("a b/c&d=ü~") == "a%20b%2Fc%26d%3D%C3%BC~"
    assert quote("a/b", safe=b"/") == "a/b"
    assert encode_query([("a", "1"), ("b c", "x,y")]) == "a=1&b%20c=x%2Cy"
    assert unquote("a%20b%zz%C3%BC%") == "a b%zzü%"
    assert basic("ada", "pw") == "Basic YWRhOnB3"
