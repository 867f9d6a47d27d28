from __future__ import annotations

import pytest

from fairlead.policy.cluster_domain import of_certificate, of_corefile


@pytest.mark.parametrize(
    ("names", "domain"),
    [
        (
            ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"],
            "cluster.local",
        ),
        (["node-1", "Kubernetes.Default.svc.Corp.Example."], "corp.example"),
        (["kubernetes.default.svc", "api.example.com"], None),
        (["kubernetes.default.svc.*"], None),
        (["kubernetes.default.svc."], None),
        ([], None),
    ],
)
def test_of_the_certificate(names: list[str], domain: str | None) -> None:
    assert of_certificate(names) == domain


COREFILE = """.:53 {
    errors
    kubernetes corp.example in-addr.arpa ip6.arpa {
       pods insecure
    }
}
"""


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        (COREFILE, "corp.example"),
        (COREFILE.replace("corp.example", "Corp.Example."), "corp.example"),
        (".:53 {\n kubernetes {\n }\n}", None),
        (".:53 {\n # kubernetes x\n}", None),
        ("", None),
    ],
)
def test_of_the_dns_servers_configuration(text: str, domain: str | None) -> None:
    assert of_corefile(text) == domain
