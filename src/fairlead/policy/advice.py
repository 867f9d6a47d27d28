"""What the server's words about a failed connection mean, and what to do about it.

The words come from the container runtime on the node, through the kubelet: containerd, CRI-O, or cri-dockerd and the
older dockershim, which ran socat in the pod's network namespace.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from fairlead.model.objects import Stopped
from fairlead.model.target import PodRef


class Advice(NamedTuple):
    """One sentence each; both "" where the words are not known."""

    meaning: str = ""
    remedy: str = ""


class _Known(NamedTuple):
    pattern: str
    """Groups it names fill the sentences: ``port``, ``program``."""
    meaning: str
    remedy: str


# What wraps the cause: layers of the runtime, and names that only the node knows.
_NOISE = (
    r"error forwarding port \d+ to pod \S*, uid : ",
    r"failed to execute portforward in network namespace \"[^\"]*\": ",
    r" inside namespace \"[^\"]*\"",
    r"rpc error: code = \w+ desc = ",
    r" \(?\"?/(?:var/)?run/netns/[^\s\"]*\"?\)?",
)
LOOKED_AT = 1024
"""Characters of the words that are compared with what is known: containerd says about 300, and a pod's node may say
anything, at a length that patterns with gaps would take minutes for."""
_LONG_ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


def _known(pattern: str, meaning: str, remedy: str) -> _Known:
    return _Known(pattern, meaning, remedy)


# The first that matches wins, so what is more special stands first: containerd wraps each cause in several layers.
_TABLE = (
    # dockershim, cri-dockerd: programs that have to be on the node.
    _known(
        r"unable to do port forwarding: (?P<program>socat|nsenter) not found",
        "the node has no {program}, which its container runtime needs to forward ports",
        "install {program} on the node (Debian, Ubuntu: apt-get install {package}), or use containerd or CRI-O there",
    ),
    _known(
        r"(?P<program>socat|nsenter)[\"']?: executable file not found",
        "the node has no {program}, which its container runtime needs to forward ports",
        "install {program} on the node (Debian, Ubuntu: apt-get install {package}), or use containerd or CRI-O there",
    ),
    # containerd: the sandbox is there, its network is not.
    _known(
        r"network namespace for sandbox .{0,200} is closed|network namespace path of sandbox .{0,200} is empty",
        "the pod's network is gone: the pod is ending, or its sandbox is being made anew",
        "try again when the pod is running again; kubectl describe pod shows its events",
    ),
    _known(
        r"sandbox container is not running|sandbox .{0,200} is not (running|ready)|is not running state",
        "the pod's sandbox does not run: the pod is ending, or is being made anew",
        "try again when the pod is running again; kubectl describe pod shows its events",
    ),
    _known(
        r"failed to find sandbox|could not find sandbox|podsandbox .{0,200}not found|sandbox .{0,200}not found"
        r"|no such container|container .{0,200} not found",
        "the node does not know this pod any more: it was deleted or made anew",
        "try again when the pod is running again; kubectl get pod -o wide shows where",
    ),
    _known(
        r"open /proc/\d+/ns/net: no such file|nsenter: cannot open /proc/\d+/ns/net",
        "the pod's network is gone: the pod is ending, or its sandbox is being made anew",
        "try again when the pod is running again; kubectl describe pod shows its events",
    ),
    # Nothing listens: containerd tries both families, CRI-O one dial of localhost, socat its own words.
    _known(
        r"localhost:(?P<port>\d+) inside namespace .{0,200}(connection refused|cannot assign requested address)",
        "nothing listens on port {port} in the pod",
        "does the program run by now, and listen on localhost or on all addresses?",
    ),
    _known(
        r"dial tcp[46]? \S+:(?P<port>\d+): connect: connection refused",
        "nothing listens on port {port} in the pod",
        "does the program run by now, and listen on localhost or on all addresses?",
    ),
    _known(
        r"socat\[\d+\].{0,200}connect\(.{0,200}:(?P<port>\d+).{0,200}connection refused"
        r"|socat\[\d+\].{0,200}connection refused",
        "nothing listens on port {port} in the pod",
        "does the program run by now, and listen on localhost (with socat on IPv4) or on all addresses?",
    ),
    _known(
        r"connection reset by peer|broken pipe",
        "the program in the pod broke the connection off",
        "its own log should tell why: kubectl logs",
    ),
    _known(
        r"i/o timeout|connection timed out",
        "the program in the pod, or the way to the node, did not answer in time",
        "",
    ),
    _known(
        r"timed out waiting for streams",
        "the node did not get both halves of the connection in time",
        "a proxy or load balancer between here and the API server may hold data back",
    ),
    _known(
        r"setns|operation not permitted|permission denied",
        "the node's container runtime may not enter the pod's network",
        "the node's security rules (AppArmor, SELinux, seccomp) or a rootless runtime forbid it: ask who runs the node",
    ),
    _known(
        r"maximum number of in-flight requests exceeded",
        "the node has too many port forwards, execs or attaches being set up at this moment",
        "try again in a minute",
    ),
)

_PACKAGES = {"socat": "socat", "nsenter": "util-linux"}


def explain(words: str, *, port: int) -> Advice:
    """The advice for the words that came for a connection to ``port`` of a pod."""
    start = words[:LOOKED_AT]
    for known in _TABLE:
        found = re.search(known.pattern, start, re.IGNORECASE | re.DOTALL)
        if found:
            named = {name: value for name, value in found.groupdict().items() if value}
            fields = {"port": str(port), **named}
            fields["package"] = _PACKAGES.get(fields.get("program", "").lower(), "")
            return Advice(known.meaning.format_map(fields), known.remedy.format_map(fields))
    return Advice()


def brief(words: str, limit: int) -> str:
    """The server's words on one line without what wraps them, cut to ``limit`` characters; empty only if they are."""
    plain = " ".join(words.split())
    short = plain
    for noise in _NOISE:
        short = re.sub(noise, "", short)
    short = _LONG_ID.sub(r"\1", short).strip() or plain
    return short if len(short) <= limit else short[: limit - 3].rstrip() + "..."


def explain_stopped(stopped: Stopped, pod: PodRef, refused: Advice) -> Advice:
    """The advice for a refused dial to a pod of which a container ended; ``refused`` is what its words alone mean."""
    how = ", ".join(word for word in (stopped.reason, f"exit code {stopped.exit_code}") if word)
    # The container that ended last is the previous one once the kubelet made another, or is about to.
    logs = f"kubectl logs -n {pod.namespace} {pod.name} -c {stopped.container}"
    remedy = f"its log should tell why: {logs}"
    if stopped.again:
        meaning = f"container {stopped.container} ended and was started again: {how}"
        return Advice(f"{refused.meaning}; {meaning}" if refused.meaning else meaning, f"{remedy} --previous")
    if stopped.waiting:
        return Advice(f"container {stopped.container} does not run: {stopped.waiting} ({how})", f"{remedy} --previous")
    return Advice(f"container {stopped.container} does not run: {how}", remedy)
