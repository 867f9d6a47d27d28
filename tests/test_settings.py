from __future__ import annotations

from fairlead.settings import RunSettings, ServicesSettings


def test_commands_with_names_agree_in_what_is_left_unsaid() -> None:
    run, services = RunSettings(), ServicesSettings()
    for name in RunSettings._fields:
        assert getattr(run, name) == getattr(services, name), name
