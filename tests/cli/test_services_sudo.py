"""``sudo fairlead services``: what the words name is read as the user who typed them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fairlead.cli.main import main
from fairlead.host import privilege
from fairlead.host.privilege import Invoker


@pytest.mark.parametrize("words", [[], ["--hosts-file=mine"], ["--dry-run"]])
def test_no_file_is_read_before_roots_rights_are_given_up(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "services.yaml"
    asked: list[tuple[str, bool]] = []

    def become(user: Invoker, env: Any, hosts_file: str, *, with_helper: bool) -> None:
        asked.append((hosts_file, with_helper))
        config.write_text("nonsense: true\n")  # until now there was nothing to read

    monkeypatch.setattr(privilege, "invoker", lambda env: Invoker(1000, 1000, "ann", "/home/ann"))
    monkeypatch.setattr(privilege, "become", become)
    assert main(["services", f"--config={config}", *words]) == 3
    assert "nonsense" in capfd.readouterr().err
    assert asked == [("mine" if words[:1] == ["--hosts-file=mine"] else "/etc/hosts", words != ["--dry-run"])]
