"""The table of versions and the go.mod files say the same, and neither knows this machine."""

from __future__ import annotations

import re

import pytest

from testbed import paths
from testbed.versions import OPTIONAL, PROGRAMS, Program

MODULES = {
    "kubernetes": "k8s.io/kubernetes",
    "kubectl-1.30": "k8s.io/kubernetes",
    "etcd": "go.etcd.io/etcd/server/v3",
    "containerd": "github.com/containerd/containerd/v2",
    "coredns": "github.com/coredns/coredns",
}


@pytest.mark.parametrize("program", PROGRAMS + OPTIONAL, ids=lambda program: program.name)
def test_go_mod_has_the_version(program: Program) -> None:
    if program.tool not in MODULES:
        return
    text = (paths.SOURCE / "go" / program.tool / "go.mod").read_text()
    assert f"{MODULES[program.tool]} v{program.version}" in text


@pytest.mark.parametrize("program", PROGRAMS + OPTIONAL, ids=lambda program: program.name)
def test_each_program_is_in_the_tools_file(program: Program) -> None:
    folder = paths.SOURCE / "go" / program.tool
    if program.package == ".":
        assert "func main()" in (folder / "main.go").read_text()
    else:
        assert f'"{program.package}"' in (folder / "tools.go").read_text()


def test_programs_have_distinct_files() -> None:
    files = [(program.tool, program.version, program.binary) for program in PROGRAMS + OPTIONAL]
    assert len(set(files)) == len(files)


def test_every_staging_module_has_the_version_of_its_kubernetes() -> None:
    for tool, version in (("kubernetes", PROGRAMS[0].version), ("kubectl-1.30", OPTIONAL[0].version)):
        text = (paths.SOURCE / "go" / tool / "go.mod").read_text()
        replaced = re.findall(r"^\t(\S+) => (\S+) (\S+)$", text, re.MULTILINE)
        assert len(replaced) > 20
        assert {(new, wanted) for _old, new, wanted in replaced} == {
            (old, f"v0.{version[2:]}") for old, _, _ in replaced
        }
