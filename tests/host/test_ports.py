from __future__ import annotations

import os
import sys
from pathlib import Path

from fairlead.host.ports import low_port_remedy


def test_the_remedy_for_a_low_port_has_the_commands(tmp_path: Path) -> None:
    (tmp_path / "sys/net/ipv4").mkdir(parents=True)
    (tmp_path / "sys/net/ipv4/ip_unprivileged_port_start").write_text("443\n")
    words = low_port_remedy(80, proc=str(tmp_path))
    assert words.startswith("choose a local port from 443")
    assert "sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80" in words
    assert f"sudo setcap cap_net_bind_service=+ep {os.path.realpath(sys.executable)}" in words
    assert "security rule" in low_port_remedy(8080, proc=str(tmp_path))
    assert low_port_remedy(80, proc=str(tmp_path / "none")).startswith("choose a local port from 1024")
