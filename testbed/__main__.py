"""The command line: ``python3 -m testbed build|up|down|status|shell|packages``."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from testbed import build, cluster, control, images, leftovers, machine, paths, versions
from testbed.cluster import Cluster
from testbed.errors import TestbedError


def main() -> int:
    """Do what the command line says; return the exit code."""
    arguments = _parser().parse_args()
    try:
        code: int = arguments.act(arguments)
    except TestbedError as error:
        print(f"testbed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m testbed", description="A real one-node Kubernetes for tests.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, act: object, words: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=words, description=words)
        added.set_defaults(act=act)
        return added

    def named(added: argparse.ArgumentParser) -> argparse.ArgumentParser:
        added.add_argument("--name", default="dev", help="the cluster's name (default: %(default)s)")
        return added

    added = command("build", _build, "Build programs and images that are not in the cache.")
    choices = [program.name for program in versions.PROGRAMS + versions.OPTIONAL]
    added.add_argument("--only", action="append", choices=choices, metavar="NAME", help=f"one of {', '.join(choices)}")
    added = named(command("up", _up, "Start a cluster, or find it running, and print where its kubeconfig is."))
    added.add_argument(
        "--ca-key-usage",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="give the cluster's authority a key-usage extension, or leave it out: users have both",
    )
    added.add_argument("--kubeconfig", type=Path, metavar="FILE", help="write a copy of the kubeconfig there")
    added.add_argument("--foreground", action="store_true", help="end the cluster with this command")
    named(command("down", _down, "End a cluster and remove all it left, also after a crash."))
    command("status", _status, "List the clusters that run.")
    added = named(command("shell", _shell, "A shell, or COMMAND, with KUBECONFIG and kubectl set up."))
    added.add_argument("--node", action="store_true", help="inside the node")
    added.add_argument("command", nargs="*", metavar="COMMAND")
    command("packages", _packages, "Print the Debian packages that are needed.")
    return parser


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _build(arguments: argparse.Namespace) -> int:
    if arguments.only:
        programs = [build.named(name) for name in arguments.only]
        build.build(programs, _say)
        for program in programs:
            print(build.path_of(program))
        return 0
    build.build(versions.PROGRAMS, _say)
    images.make(_say)
    print(paths.cache())
    return 0


def _up(arguments: argparse.Namespace) -> int:
    cluster.check_name(arguments.name)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    state = paths.state(arguments.name)
    if leftovers.running(state) and state.ready.exists() and not arguments.foreground:
        up = Cluster.attach(arguments.name)
    else:
        up = Cluster.start(arguments.name, ca_key_usage=arguments.ca_key_usage, keep=not arguments.foreground, say=_say)
    if arguments.kubeconfig:
        shutil.copyfile(up.kubeconfig, arguments.kubeconfig)
        arguments.kubeconfig.chmod(0o600)
    print(arguments.kubeconfig or up.kubeconfig, flush=True)
    if arguments.foreground:
        with up:
            _say("it ends with this command (Ctrl-C)")
            while leftovers.running(state):
                time.sleep(0.5)
    return 0


def _down(arguments: argparse.Namespace) -> int:
    cluster.check_name(arguments.name)
    machine.check()
    began = time.monotonic()
    if leftovers.down(paths.state(arguments.name)):
        _say(f"cluster {arguments.name} is gone ({time.monotonic() - began:.1f} s)")
    else:
        _say(f"there is no cluster {arguments.name}")
    return 0


def _status(_arguments: argparse.Namespace) -> int:
    for up in cluster.running():
        print(f"{up.name}  {up.server}  up {cluster.age(up):.0f} s  {up.kubeconfig}")
    return 0


def _shell(arguments: argparse.Namespace) -> int:
    up = Cluster.attach(arguments.name)
    environment = {**os.environ, "KUBECONFIG": str(up.kubeconfig)}
    environment["NO_PROXY"] = environment["no_proxy"] = up.network.node
    environment["PATH"] = f"{up.kubectl.parent}:{build.binary('ctr').parent}:{machine.path()}"
    environment[cluster.VARIABLE] = up.name
    argv = arguments.command or [os.environ.get("SHELL", "/bin/sh")]
    if arguments.node:
        argv = control.command(paths.state(up.name), argv)
    if not arguments.command:
        _say(f"cluster {up.name}: {shlex.join(['kubectl', 'get', 'pods', '-A'])}")
    return subprocess.run(argv, env=environment, check=False).returncode


def _packages(_arguments: argparse.Namespace) -> int:
    print("\n".join(machine.packages()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
