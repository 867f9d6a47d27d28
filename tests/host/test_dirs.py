from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from fairlead.errors import MachineError
from fairlead.host import dirs


def mode(path: str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_the_default_is_under_home(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path)}
    assert dirs.cache(env) == str(tmp_path / ".cache/fairlead")
    assert mode(dirs.cache(env)) == 0o700
    assert dirs.state(env) == str(tmp_path / ".local/state/fairlead")
    assert dirs.state({**env, "XDG_STATE_HOME": str(tmp_path / "s")}) == str(tmp_path / "s/fairlead")


def test_the_variable_wins_unless_relative(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "c")}
    assert dirs.cache(env) == str(tmp_path / "c/fairlead")
    assert dirs.cache({**env, "XDG_CACHE_HOME": "relative"}) == str(tmp_path / ".cache/fairlead")


def test_a_folder_that_is_there_is_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "c/fairlead").mkdir(parents=True)
    os.chmod(tmp_path / "c/fairlead", 0o755)
    assert mode(dirs.cache({"XDG_CACHE_HOME": str(tmp_path / "c")})) == 0o700


def test_what_is_no_folder_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "fairlead").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MachineError, match="not a folder of this user"):
        dirs.cache({"XDG_CACHE_HOME": str(tmp_path)})
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="cannot use the folder"):
        dirs.cache({"XDG_CACHE_HOME": str(tmp_path / "file")})
    with pytest.raises(MachineError, match="set HOME or XDG_CACHE_HOME"):
        dirs.cache({})


def test_there_is_a_runtime_folder_only_where_the_system_made_the_users(tmp_path: Path) -> None:
    assert dirs.runtime({"XDG_RUNTIME_DIR": str(tmp_path)}) == str(tmp_path / "fairlead")
    assert mode(str(tmp_path / "fairlead")) == 0o700
    for base in ("", "relative", str(tmp_path / "none")):
        assert dirs.runtime({"XDG_RUNTIME_DIR": base}) is None
    assert not (tmp_path / "none").exists()
