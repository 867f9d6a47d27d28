"""The command line: ``python -m bench``; docs/reference/bench.md describes what each row measures."""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import fairlead
from bench import door, peers, place, private, services, table
from bench.errors import BenchError
from bench.floor import Floor
from bench.measure import FloorPlayer, ForwarderPlayer, Player, Size
from bench.rows import ROWS, Row, check, choose
from fairlead.errors import FairleadError
from testbed.errors import TestbedError

PORT_FORWARD = ("--kubeconfig={kubeconfig}", "--namespace={namespace}", "pod/{pod}", "{ports}")


def main() -> int:
    """Measure what the command line asks for; return the exit code."""
    arguments = _parser().parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        return _run(arguments)
    except (BenchError, FairleadError, TestbedError) as error:
        _say(f"bench: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


def _stop(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Fairlead beside other forwarders.")
    add = parser.add_argument
    add("--rounds", type=_count, default=5, metavar="N", help="turns of each forwarder (default: %(default)s)")
    add("--seconds", type=float, default=2.0, metavar="S", help="about how long one measure takes (%(default)s)")
    add("--only", action="append", default=[], metavar="ROW", help="this row (or its group) alone; may be repeated")
    add("--peer", action="append", default=[], metavar="NAME=COMMAND", help="another forwarder; may be repeated")
    add("--json", type=Path, metavar="FILE", help="write all samples there")
    add("--kubeconfig", default="", metavar="FILE", help=f"a cluster of your own (also: {place.OWN_CLUSTER})")
    add("--image", default="", metavar="IMAGE", help="for the pod, with python3 and nginx; needed on your own cluster")
    add("--floor-lanes", type=_count, default=4, metavar="N", help="lanes of the floor client for bursts (%(default)s)")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if not 0 < number <= 100:
        raise argparse.ArgumentTypeError("a number from 1 to 100")
    return number


def _run(arguments: argparse.Namespace) -> int:
    check(arguments.only, (*ROWS, *services.ROWS, *private.ROWS))
    others = [peers.parse(text) for text in arguments.peer]
    if not 0 < arguments.seconds <= 60:
        raise BenchError("--seconds takes a number up to 60")
    # As after an installation: no figure is to contain the compiler.
    compileall.compile_dir(str(Path(fairlead.__file__).parent), quiet=1)
    report: dict[str, object] = {}
    failures: list[str] = []
    with ExitStack() as undo:
        kubeconfig, kubectl = undo.enter_context(place.cluster(arguments.kubeconfig, _say))
        rows = choose(arguments.only)
        if rows:
            with place.place(kubeconfig, kubectl, arguments.image) as where:
                results, failed = _forward(rows, where, others, arguments)
            failures += failed
            facts = {"rounds": arguments.rounds, "seconds": arguments.seconds, **_machine()}
            report |= table.as_json(rows, results, facts)
            print(table.render(rows, results), flush=True)
        bare = place.Place(kubeconfig, kubectl, "")
        rows = choose(arguments.only, services.ROWS)
        if rows:
            results, failed = services.measure(rows, bare, arguments.image, arguments.rounds, _say)
            failures += failed
            report["services"] = table.as_json(rows, results, {})
            print(table.render(rows, results), flush=True)
        rows = choose(arguments.only, private.ROWS)
        if rows:
            size = Size(arguments.seconds)
            results, failed = private.measure(rows, bare, arguments.image, size, arguments.rounds, _say)
            failures += failed
            report["run"] = table.as_json(rows, results, {})
            print(table.render(rows, results), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    for failure in failures:
        _say(f"bench: {failure}")
    return 1 if failures else 0


def _forward(
    rows: Sequence[Row], where: place.Place, others: Sequence[peers.Peer], arguments: argparse.Namespace
) -> tuple[table.Results, list[str]]:
    """The first table: port forwarding."""
    with ExitStack() as undo:
        players: list[Player] = []
        for peer in (_kubectl(where.kubectl), _fairlead(), *others):
            player = ForwarderPlayer(peer, where)
            undo.callback(player.close)
            players.append(player)
        entrance = door.find(where.kubeconfig, where.namespace, where.pod)
        players.append(FloorPlayer(Floor(entrance, arguments.floor_lanes)))
        return _measure(rows, players, Size(arguments.seconds), arguments.rounds)


def _kubectl(program: str) -> peers.Peer:
    return peers.Peer("kubectl", (program, "port-forward", *PORT_FORWARD), (program, "version", "--client"))


def _fairlead() -> peers.Peer:
    program = str(Path(sys.executable).with_name("fairlead"))
    return peers.Peer("fairlead", (program, "forward", *PORT_FORWARD), (program, "version"))


def _measure(
    rows: Sequence[Row], players: Sequence[Player], size: Size, rounds: int
) -> tuple[table.Results, list[str]]:
    """Row group by row group, in each of them round by round: what is compared is measured within seconds."""
    results = table.Results([player.name for player in players])
    failures = []
    for group in dict.fromkeys(row.group for row in rows):
        members = [row for row in rows if row.group == group]
        _turns(group, players, Size(min(0.3, size.seconds)))  # opens lanes, warms caches, sets sizes of sockets
        for number in range(rounds):
            results.load.setdefault(group, []).append(os.getloadavg()[0])
            figures, failed = _turns(group, players, size)
            for player in players:
                results.add(members, player.name, figures.get(player.name, {}))
            failures += [f"{group}, round {number + 1}: {words}" for words in failed]
            told = [f"{name} {table.brief(members[0], found)}" for name, found in figures.items() if found]
            _say(f"{group} {number + 1}/{rounds}: {', '.join(told)}; load {os.getloadavg()[0]:.1f}")
    return results, failures


def _turns(group: str, players: Sequence[Player], size: Size) -> tuple[dict[str, dict[str, float]], list[str]]:
    figures, failures = {}, []
    for player in players:
        try:
            figures[player.name] = player.turn(group, size)
        except (BenchError, FairleadError, TestbedError) as error:
            failures.append(str(error))
    return figures, failures


def _machine() -> dict[str, object]:
    return {
        "fairlead": fairlead.__version__,
        "python": platform.python_version(),
        "kernel": platform.release(),
        "cpus": len(os.sched_getaffinity(0)),
    }


if __name__ == "__main__":
    sys.exit(main())
