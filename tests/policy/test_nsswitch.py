"""nsswitch.conf: where hosts are looked up inside."""

from __future__ import annotations

import pytest

from fairlead.policy.nsswitch import rewrite


@pytest.mark.parametrize(
    "sources",
    [
        "files dns",
        "files mdns4_minimal [NOTFOUND=return] dns myhostname mymachines",
        "files dns # resolve",
        "dns files",
    ],
)
def test_what_asks_files_and_dns_stays(sources: str) -> None:
    assert rewrite(f"passwd: files systemd\nhosts: {sources}\n") is None


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ("mymachines resolve [!UNAVAIL=return] files myhostname dns", "mymachines files myhostname dns"),
        ("files myhostname resolve [!UNAVAIL=return] dns", "files myhostname dns"),
        ("files resolve", "files dns"),
        ("mymachines resolve [!UNAVAIL=return] files myhostname", "mymachines files dns myhostname"),
        ("files resolve [!UNAVAIL=return] myhostname", "files dns myhostname"),
        ("resolve [ !UNAVAIL=return SUCCESS=continue ] [NOTFOUND=continue]files dns", "files dns"),
        ("files mdns4_minimal [NOTFOUND=return] resolve", "files mdns4_minimal [NOTFOUND=return] dns"),
        ("mdns4_minimal [NOTFOUND=return] resolve resolve", "files mdns4_minimal [NOTFOUND=return] dns"),
        ("dns[!UNAVAIL=return]", "files dns [!UNAVAIL=return]"),
        ("files", "files dns"),
        ("", "files dns"),
        ("resolve # the comment", "files dns # the comment"),
    ],
)
@pytest.mark.parametrize("head", ["hosts:", " hosts :"])
@pytest.mark.parametrize("end", ["\n", ""])
def test_lookups_are_led_to_files_and_dns(sources: str, expected: str, head: str, end: str) -> None:
    changed = rewrite(f"# NSS\npasswd: files resolve\n{head} {sources}{end}")
    assert changed == f"# NSS\npasswd: files resolve\n{head} {expected}{end}"
    assert rewrite(changed) is None


def test_without_a_file_or_a_line_the_default_will_do() -> None:
    assert rewrite(None) is None
    assert rewrite("passwd: files\n#hosts: resolve\n") is None
