from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fairlead.errors import ConfigError
from fairlead.kube.config import load_yaml
from fairlead.kube.persist import write_back

TEXT = """# mine, with comments
apiVersion: v1
users:
- name: other
  user: {token: keep}
- name: u
  user:
    auth-provider:
      name: oidc
      config:
        client-id: kube
        id-token: old-id   # replaced
        refresh-token: old-refresh
        when: 2026-11-21
"""
OLD = {"client-id": "kube", "id-token": "old-id", "refresh-token": "old-refresh"}
NEW = {"client-id": "kube", "id-token": "new-id", "refresh-token": "new-refresh"}


def test_only_the_tokens_change(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(TEXT)
    path.chmod(0o640)
    write_back(str(path), "u", OLD, NEW)
    assert path.read_text() == TEXT.replace("old-id", "new-id").replace("old-refresh", "new-refresh")
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["config"]


@pytest.mark.parametrize("old", ["", "old"])
def test_a_value_that_does_not_stand_there_once_is_written_anew(tmp_path: Path, old: str) -> None:
    """Missing, or ambiguous: "old" is part of the other token too."""
    path = tmp_path / "config"
    text = TEXT.replace("        id-token: old-id   # replaced\n", f"        id-token: {old}\n" if old else "")
    path.write_text(text)
    write_back(str(path), "u", {**OLD, "id-token": old}, {**OLD, "id-token": "new-id"})
    before, after = load_yaml(text.encode(), ""), load_yaml(path.read_bytes(), "")
    before["users"][1]["user"]["auth-provider"]["config"]["id-token"] = "new-id"
    assert after == before
    assert after["users"][1]["user"]["auth-provider"]["config"]["when"] == "2026-11-21"


@pytest.mark.parametrize(
    "token",
    ["8261947712345", "1e5", "null", "true", "0x10", "@x", "a:", "'a", "*a", "2026-11-21", "-", "{a", "#a", "a#b"],
)
def test_whatever_a_token_looks_like_it_is_read_back_as_it_is(tmp_path: Path, token: str) -> None:
    path = tmp_path / "config"
    path.write_text(TEXT)
    path.chmod(0o640)
    write_back(str(path), "u", OLD, {**OLD, "refresh-token": token})
    wanted = load_yaml(TEXT.encode(), "")
    wanted["users"][1]["user"]["auth-provider"]["config"]["refresh-token"] = token
    assert load_yaml(path.read_bytes(), "") == wanted
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_token_that_stands_elsewhere_is_not_replaced_there(tmp_path: Path) -> None:
    """The only place with that text is another user's."""
    path = tmp_path / "config"
    text = TEXT.replace("old-id ", "newer-id ").replace("keep", "old-id")
    path.write_text(text)
    write_back(str(path), "u", OLD, {**OLD, "id-token": "new-id"})
    wanted = load_yaml(text.encode(), "")
    wanted["users"][1]["user"]["auth-provider"]["config"]["id-token"] = "new-id"
    assert load_yaml(path.read_bytes(), "") == wanted


def test_a_kubeconfig_in_json_stays_json(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text('{"users": [{"name": "u", "user": {"auth-provider": {"config": {}}}}]}')
    write_back(str(path), "u", {}, {"id-token": "new"})
    assert path.read_text().startswith('{\n  "users"')
    write_back(str(path), "u", {"id-token": "new"}, {"id-token": 'a"b\\'})
    assert json.loads(path.read_text())["users"][0]["user"]["auth-provider"]["config"] == {"id-token": 'a"b\\'}


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text(TEXT)
    (tmp_path / "config").symlink_to("real")
    write_back(str(tmp_path / "config"), "u", OLD, NEW)
    assert (tmp_path / "config").is_symlink()
    assert "new-id" in (tmp_path / "real").read_text()


def test_what_stops_it_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(TEXT)
    with pytest.raises(ConfigError, match='no longer has the auth-provider of user "v"'):
        write_back(str(path), "v", {}, NEW)
    lock = tmp_path / "config.lock"
    lock.touch()
    with pytest.raises(ConfigError, match="is locked"):
        write_back(str(path), "u", OLD, NEW)
    assert lock.exists()
    lock.unlink()
    with pytest.raises(ConfigError, match="cannot be made: No such file"):
        write_back(str(tmp_path / "none" / "config"), "u", OLD, NEW)
    assert path.read_text() == TEXT
    assert os.listdir(tmp_path) == ["config"]
