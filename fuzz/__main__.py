"""Run the fuzzers: ``python -m fuzz --help``."""

from __future__ import annotations

import argparse
import os
import re
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from fuzz.harness import CORPUS, HERE, check, engines
from fuzz.keep import keep

FOUND = HERE / ".found"
"""Inputs that did something new in earlier runs on this machine; ``--keep`` moves the best to the corpus."""
CRASHES = HERE / ".crashes"
MAX_INPUT = 200
"""Bytes of an input: about fifty steps."""
GRACE = 60.0
"""Seconds that an engine may take beyond its time before it counts as hung."""


def libfuzzer(name: str, *options: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fuzz.one", name, *options]
    return subprocess.run(
        command, cwd=HERE.parent, text=True, errors="replace", timeout=timeout, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def search(name: str, *, seconds: int, seed: int) -> bool:
    """Fuzz one engine; True if it kept to the invariant."""
    for folder in (FOUND / name, CORPUS / name, CRASHES):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        done = libfuzzer(
            name, f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={MAX_INPUT}", "-timeout=20",
            "-len_control=10", "-rss_limit_mb=1024", "-print_final_stats=1", f"-artifact_prefix={CRASHES}/{name}-",
            str(FOUND / name), str(CORPUS / name), timeout=seconds + GRACE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        print(f"{name:18} FAILED: one input takes it more than {GRACE:.0f} s", flush=True)
        return False
    facts = dict(re.findall(r"stat::(\w+):\s+(\d+)", done.stdout))
    if done.returncode == 0:
        runs, new = int(facts["number_of_executed_units"]), facts["new_units_added"]
        print(f"{name:18} ok: {runs} inputs, {runs // max(seconds, 1)}/s, {new} of them did something new", flush=True)
        return True
    crash = re.findall(r"Test unit written to (\S+)", done.stdout)
    print(f"{name:18} FAILED after {facts.get('number_of_executed_units', '?')} inputs")
    print("\n".join(line for line in done.stdout.splitlines() if not line.startswith(("#", "INFO:", "==", "stat::"))))
    for path in crash:
        print(f"again: {Path(sys.executable).name} -m fuzz --replay {os.path.relpath(path)}", flush=True)
    return False


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzz the protocol engines.")
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help=f"of {', '.join(engines())} (default: all)")
    parser.add_argument("--seconds", type=int, default=30, help="for each engine (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 31), help="of an earlier run, to repeat it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="engines at once (default: one a core)")
    parser.add_argument("--replay", metavar="FILE", type=Path, help="run one input alone")
    parser.add_argument("--keep", action="store_true", help="put what was found into the corpus, and end")
    options = parser.parse_args()
    names = options.engines or engines()
    if unknown := set(names) - set(engines()):
        parser.error(f"no such engine: {', '.join(sorted(unknown))}")
    if options.replay:
        name = max((name for name in engines() if options.replay.name.startswith(name)), key=len, default=names[0])
        check(name, options.replay.read_bytes())
        print(f"{name}: nothing wrong")
        return 0
    if options.keep:
        for name in names:
            print(f"{name:18} {keep(name, [CORPUS / name, FOUND / name])} inputs in the corpus", flush=True)
        return 0
    print(
        f"seed {options.seed}, {options.seconds} s for each of {len(names)} engines, {options.jobs} at once", flush=True
    )
    with ThreadPoolExecutor(options.jobs) as pool:
        kept = list(pool.map(partial(search, seconds=options.seconds, seed=options.seed), names))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
