"""Read here or left to PyYAML, but never read differently."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from fairlead.policy.plain_yaml import parse

MINIKUBE = b"""\
apiVersion: v1
clusters:
- cluster:
    certificate-authority: /home/me/.minikube/ca.crt
    extensions:
    - extension:
        last-update: Sat, 21 Nov 2026 14:00:00 UTC
        provider: minikube.sigs.k8s.io
        version: v1.38.0
      name: cluster_info
    server: https://192.168.49.2:8443
  name: minikube
contexts:
- context:
    cluster: minikube
    user: minikube
  name: minikube
current-context: minikube
kind: Config
preferences: {}
users:
- name: minikube
  user:
    client-certificate: /home/me/.minikube/profiles/minikube/client.crt
    client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo=
"""
EKS = b"""\
# written by aws eks update-kubeconfig

users:
- name: arn:aws:eks:eu-west-1:000000000000:cluster/dev
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args:
      - --region
      - eu-west-1
      - "get-token"
      command: aws
      env: null
      interactiveMode: 'IfAvailable'
      provideClusterInfo: false
"""


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012 - as in kube.config
        first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def reference(text: bytes) -> Any:
    return yaml.load(text, Loader=_Loader)


@pytest.mark.parametrize("text", [MINIKUBE, EKS])
def test_what_tools_write_is_read_here(text: bytes) -> None:
    assert parse(text) == reference(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"# nothing\n",
        b"a: 1\n",
        b"a: 1e3\n",
        b"a: Yes\n",
        b"a: on\n",
        b"On: a\n",
        b"a: NULL\n",
        b"a: 0x1f\n",
        b"a: ~\n",
        b"a: b # c\n",
        b"a: b: c\n",
        b"a: b:\n",
        b"a:  b\n",
        b"a: b \n",
        b"a: b\r\n",
        b"a:\tb\n",
        b"a: |\n  b\n",
        b"a: b\n  c\n",
        b"a: b\n  c: d\n",
        b"a:\n    b: c\n  d: e\n",
        b"a:\n  b\n",
        b"a: b\n- c\n",
        b"- a: b\n  - c\n",
        b"- - a\n",
        b"-\n",
        b"-   a: b\n",
        b"---\na: b\n",
        b"a: b\n...\n",
        b"a: [b]\n",
        b"a: &b c\n",
        b"a: !!str b\n",
        b"<<: a\n",
        b"a: 'it''s'\n",
        b'a: "\\n"\n',
        b'a: "b\n  c"\n',
        b'"a": b\n',
        b"a: \xc3\xa4\n",
        b"\xef\xbb\xbfa: b\n",
        b"".join(b" " * depth + b"a:\n" for depth in range(60)),
        b"a" * 2000 + b": b\n",
        b"plain\n",
        b"#c\rb: d\n",
        b"a: b\n#\x85c: d\n",
        "a: b\n#\u2028c: d\n".encode(),
        b"a: b\n#\x07\n",
        b"a: b\n#\x7f\n",
        b"a: b\n\t\n",
        b"a:\n\tb: c\n",
    ],
)
def test_all_else_is_left_to_pyyaml(text: bytes) -> None:
    assert parse(text) is None


LINES = st.builds(
    lambda indent, item, body: " " * indent + item + body,
    st.integers(0, 6),
    st.sampled_from(["", "", "- ", "-", "- - "]),
    st.one_of(
        st.sampled_from(["", "a:", "b:", "#c", "yes:", "a : b", "a:b"]),
        st.builds("{}: {}".format, st.sampled_from("abc"), st.text("aZ0/-+.:# ,=_\"'\\{}[]()%@&*!|>~?`\t", max_size=6)),
        st.builds("{}: {}".format, st.sampled_from("abc"), st.sampled_from(["true", "Null", "oFF", "y", "{}", "[]"])),
        st.text("aZ0/-+.:# ,=_\"'{}[]", max_size=5),
    ),
)


@given(st.lists(LINES, max_size=8).map("\n".join))
@example("a:\n- b\n\n- c: d\n  e:\n  - f\ng:")
def test_what_it_reads_at_all_it_reads_as_the_yaml_library_does(text: str) -> None:
    found = parse(text.encode())
    if found is not None:
        assert found == reference(text.encode())


TREES = st.recursive(
    st.none() | st.booleans() | st.text("aZ0/-+.:# ,=_\"'", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab-/.1", max_size=4), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(["clusters", "users", "no"]), TREES, min_size=1))
def test_never_different_on_what_is_written_by_machine(tree: dict[str, Any]) -> None:
    text = yaml.safe_dump(tree, default_flow_style=False).encode()
    found = parse(text)
    if found is not None:
        assert found == reference(text) == tree
