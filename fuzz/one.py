"""One engine under libFuzzer, in a process of its own: ``python -m fuzz.one ENGINE [libFuzzer options] [folders]``."""

from __future__ import annotations

import sys
from importlib import import_module

import atheris

with atheris.instrument_imports(include=["fairlead.protocol"]):
    from fuzz.harness import check

    import_module(f"fuzz.targets.{sys.argv[1]}")


def main() -> None:
    name = sys.argv[1]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], lambda data: check(name, data, everything=False))
    atheris.Fuzz()


main()
