from __future__ import annotations

import pytest

from fairlead.model.named import GroupKey
from fairlead.policy.cluster_domain import is_cluster_dns, of_certificate, of_corefile


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


def test_the_cluster_s_own_dns_is_known_by_its_name() -> None:
    assert is_cluster_dns(GroupKey("c", "kube-system", "kube-dns"))
    assert is_cluster_dns(GroupKey("c", "openshift-dns", "dns-default"))
    assert not is_cluster_dns(GroupKey("c", "shop", "kube-dns"))
    assert not is_cluster_dns(GroupKey("c", "kube-system", "consul-dns"))
