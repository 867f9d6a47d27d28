"""The help: of the program, and of one command."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fairlead.cli.commands import COMMANDS, Command, named
from fairlead.cli.options import GLOBAL, HELP, Option

if TYPE_CHECKING:
    from fairlead.cli.parse import Parsed

WIDTH = 100

EXAMPLES = (
    ("Ports 5000 and 6000 of a pod, on the same ports here", "forward pod/mypod 5000 6000"),
    ("The same, of a pod that a deployment runs", "forward deployment/mydeployment 5000 6000"),
    ("The same, of the pods behind a service", "forward service/myservice 5000 6000"),
    ("Port 5000 of the pod, on port 8888 here", "forward pod/mypod 8888:5000"),
    ("The same, reachable from other machines too", "forward --address 0.0.0.0 pod/mypod 8888:5000"),
    ("The same, on localhost and one address", "forward --address localhost,10.19.21.23 pod/mypod 8888:5000"),
    ("Port 5000 of the pod, on any free port here", "forward pod/mypod :5000"),
)
"""What people know from kubectl; each is run by a test."""

MORE_EXAMPLES = (
    ("Several targets in one run; ports may be named", "forward svc/web 8080:http deploy/db 5432"),
    ("Run a command when ready, end with its exit code", "forward svc/web :80 -- ./smoke-test.sh"),
    ("Standard input and output, for ssh's ProxyCommand", "forward pod/bastion -:22"),
)

ABOUT_FORWARD = """\
Listens on local ports and carries each connection to a port of a pod, through the API server;
nothing is installed in the cluster. TYPE is pod (may be left out for the first target), service,
deployment, replicaset, statefulset, daemonset, replicationcontroller or job, or a short name of
one. A port is REMOTE, LOCAL:REMOTE, or :REMOTE for any free local port; REMOTE is a number or the
name of a port.

Other than with kubectl port-forward:
- A failed connection ends that connection only, with one line that says why.
- It outlives the pod: the next one is found, and connections share the ready pods.
  --exit-on-loss ends with the pod, as kubectl does.
- If one of the ports cannot be bound, nothing is served (of localhost, ::1 may be missing).
- a:b:c is refused as a port.
- What follows -- is a command to run when ready; its environment has the ports.
- Exit codes tell what went wrong; Ctrl-C is 0: 1 pod lost, 2 command line, 3 kubeconfig, 4 no API
  server, 5 credentials, 6 rights, 7 no such object, 8 no such port, 9 local port, 10 nothing runs,
  11 refused by the API server, 12 this machine.
"""

SERVICES_EXAMPLES = (
    ("Every service of the context's namespace: then curl http://NAME works", "services"),
    ("Of two namespaces, and of all, also those that are made later", "services -n shop,pay"),
    ("", "services -A"),
    ("What would be served, and under which names; nothing is changed", "services -n shop --dry-run"),
    ("All but one, which runs on this machine, on port 3000", "services -n shop --local api=3000"),
    (
        "Port 80 of each service on 8080, the names in a file of my own: no root",
        "services -m 80:8080 --hosts-file hosts",
    ),
    ("Two clusters; names of the second end in its context's name", "services -x prod,staging"),
    ("Run a command when ready, end with its exit code", "services -n shop -- ./integration-test.sh"),
    ("What a team has agreed on", "services --config services.yaml"),
)

ABOUT_SERVICES = """\
Gives each service a loopback address (127.x.y.z) of its own, listens there on the service's own
ports, and writes its names to the hosts file, so that NAME, NAME.NAMESPACE, NAME.NAMESPACE.svc and
the full name work as they do in the cluster. Pods of a headless service have names too:
POD.SERVICE. All of it follows the cluster, until Ctrl-C; then nothing is left.

Connections go to the ready pods, through the API server; nothing is installed in the cluster.
What has no pod behind it (kubernetes, ExternalName, addresses by hand) and what is not TCP is named
with the reason: it needs the relay, which is not in this version.

The hosts file and ports below 1024 need root. fairlead runs as you and asks sudo by itself, once,
for a small helper alone; no sudo is needed before it. sudo "$(command -v fairlead)" svc does the
same, with your kubeconfig. Without root: --hosts-file FILE and -m PORT:LOCAL. What a killed run
leaves, the next run removes, or fairlead clean at once.

States: waiting (no pod is ready), ready (one is), proved (bytes came back), failing. On a terminal
the last line counts them; -v has a line for each change and each connection. Where nothing at all
is forwarded, it waits for what comes; with a command or --ready-file it ends with 10.
"""

RUN_EXAMPLES = (
    ("A request to a service by its name", "run -- curl http://web"),
    ("A shell that knows every service of two namespaces: web.shop, api.pay", "run -n shop,pay -- bash"),
    ("The tests against what runs in the cluster; ends with their exit code", "run -n shop -- make test"),
    ("What I work on, which others inside reach as api", "run -n shop --local api=3000 -- npm start"),
    ("Two clusters; names of the second end in its context's name", "run -x prod,staging -- psql -h db.staging"),
)

ABOUT_RUN = """\
Runs a program, with all that it starts, in a network of its own, which needs no root and changes
nothing on this machine. Inside, the names of services and pods have the addresses and ports that
they have in the cluster, in all the forms that the cluster's DNS knows; connections go to the pods
through the API server, and nothing is installed in the cluster. All of it follows the cluster.

Everything else is as outside: user, folder, environment, terminal, files; the laptop's own network
and names; what listens on its localhost. A port that the program opens is on the laptop's localhost
under the same number. It ends with the program, with the program's exit code. Programs that the
command leaves running when it succeeds have the network until they end; when it fails, they are
ended.

Different inside: a connection may succeed and then be reset where outside it is refused; ping, raw
sockets, setuid programs such as sudo, and abstract Unix sockets do not work; UDP services of the
cluster need the relay, which is not in this version.

It takes Linux with user namespaces, ip (iproute2) and nft (nftables). Where they are forbidden, it
says what allows them.
"""

ABOUT_CLEAN = """\
A run undoes all at its end, and its helper does when the run is killed. Where both were killed,
names stay in the hosts file and lead to this machine itself. The next run with the same rights
removes them; this does it at once. What a run that lives has written stays. sudo is asked for where
there is something to remove and this user may not.

  fairlead clean
"""

ABOUT_COMPLETION = """\
fairlead forward <TAB> then offers kinds, names and ports of the cluster, fairlead svc --only <TAB>
its services. To load it:

  # bash, in ~/.bashrc
  source <(fairlead completion bash)

  # zsh, once
  fairlead completion zsh > "${fpath[1]}/_fairlead"

  # fish, once
  fairlead completion fish > ~/.config/fish/completions/fairlead.fish
"""


def run(parsed: Parsed, program: str) -> int:
    """Print the help; the words may name a command."""
    if not parsed.words:
        print(of_program(program), end="")
        return 0
    command = named(parsed.words[0])
    if command is None or len(parsed.words) > 1:
        from fairlead.errors import UsageError

        raise UsageError(f'no help for "{" ".join(parsed.words)}"', remedy=f"{program} help lists the commands")
    print(of_command(command, program), end="")
    return 0


def of_program(program: str) -> str:
    """The commands."""
    lines = ["Fairlead joins a laptop and a Kubernetes cluster: today from the laptop to the cluster.", "", "Commands:"]
    lines += [f"  {', '.join((command.name, *command.aliases)):<21}{command.summary}" for command in COMMANDS]
    lines += ["", "Usage:", f"  {program} COMMAND [options]", f"  {program} COMMAND --help"]
    lines += ["", "Options of every command:", *_table(GLOBAL)]
    return "\n".join(lines) + "\n"


def of_command(command: Command, program: str) -> str:
    """One command: what it does, examples, options."""
    lines = [command.summary[0].upper() + command.summary[1:] + ".", ""]
    if command.name == "forward":
        lines += [ABOUT_FORWARD, "Examples:", *_examples(program, (*EXAMPLES, *MORE_EXAMPLES))]
    if command.name == "services":
        lines += [ABOUT_SERVICES, "Examples:", *_examples(program, SERVICES_EXAMPLES)]
    if command.name == "run":
        lines += [ABOUT_RUN, "Examples:", *_examples(program, RUN_EXAMPLES)]
    if command.name == "clean":
        lines += [ABOUT_CLEAN.replace("fairlead clean", f"{program} clean")]
    if command.name == "completion":
        lines += [ABOUT_COMPLETION]
    lines += ["Usage:", f"  {program} {command.name} {command.usage}", ""]
    if command.aliases:
        lines += [f"Short: {', '.join(command.aliases)}", ""]
    lines += ["Options:", *_table((*command.options, HELP)), ""]
    lines += [f"Options of every command, as kubectl has them: {program} --help lists them."]
    return "\n".join(lines) + "\n"


def _examples(program: str, examples: Iterable[tuple[str, str]]) -> list[str]:
    lines = []
    for comment, line in examples:
        if comment:
            lines += ["", f"  # {comment}"]
        lines.append(f"  {program} {line}")
    return [*lines[1:], ""]


def _table(options: tuple[Option, ...]) -> list[str]:
    lines = []
    for option in options:
        if option.name == option.short:
            spelled = f"-{option.short}"
        else:
            spelled = (f"-{option.short}, " if option.short else "    ") + f"--{option.name}"
        left = f"  {spelled}{'=' + option.value if option.value else ''}"
        text = textwrap.wrap(option.help, WIDTH - 36)
        lines += [f"{left:<35} {text[0]}", *(" " * 36 + line for line in text[1:])]
    return lines
