from __future__ import annotations

import re
import time

import pytest

from fairlead.model.objects import Stopped
from fairlead.model.target import PodRef
from fairlead.policy import advice as advice_module
from fairlead.policy.advice import Advice, brief, explain, explain_stopped

CONTAINERD = (
    "error forwarding port 8080 to pod 4f1c, uid : failed to execute portforward in network namespace "
    '"/var/run/netns/cni-1": '
)
SOCAT = "error forwarding port 8080 to pod 4f1c, uid : "


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        (
            f'{CONTAINERD}failed to connect to localhost:8080 inside namespace "4f1c", IPv4: '
            "dial tcp4 127.0.0.1:8080: connect: connection refused IPv6 "
            "dial tcp6 [::1]:8080: connect: connection refused ",
            "nothing listens on port 8080 in the pod",
        ),
        (
            f'{CONTAINERD}failed to connect to localhost:8080 inside namespace "4f1c", IPv4: '
            "dial tcp4 127.0.0.1:8080: connect: connection refused IPv6 "
            "dial tcp6: address localhost: no suitable address found",
            "nothing listens on port 8080 in the pod",
        ),
        (
            f"{CONTAINERD}failed to dial 8080: dial tcp 127.0.0.1:8080: connect: connection refused",
            "nothing listens on port 8080 in the pod",
        ),
        (
            f"{SOCAT}exit status 1: 2020/05/12 09:00:00 socat[31] E connect(5, "
            "AF=2 127.0.0.1:8080, 16): Connection refused",
            "nothing listens on port 8080 in the pod",
        ),
        (
            f"{SOCAT}unable to do port forwarding: socat not found.",
            "the node has no socat, which its container runtime needs to forward ports",
        ),
        (
            f"{SOCAT}unable to do port forwarding: nsenter not found.",
            "the node has no nsenter, which its container runtime needs to forward ports",
        ),
        (
            f'{CONTAINERD}network namespace for sandbox "4f1c" is closed',
            "the pod's network is gone: the pod is ending, or its sandbox is being made anew",
        ),
        (
            "error forwarding port 80 to pod 4f1c, uid : network namespace path of sandbox 4f1c is empty",
            "the pod's network is gone: the pod is ending, or its sandbox is being made anew",
        ),
        (
            "rpc error: code = Unknown desc = sandbox container is not running",
            "the pod's sandbox does not run: the pod is ending, or is being made anew",
        ),
        (
            'error forwarding port 80 to pod 4f1c, uid : failed to find sandbox "4f1c" in store: not found',
            "the node does not know this pod any more: it was deleted or made anew",
        ),
        (
            f"{SOCAT}exit status 1: nsenter: cannot open /proc/4947/ns/net: No such file or directory",
            "the pod's network is gone: the pod is ending, or its sandbox is being made anew",
        ),
        (
            f"{SOCAT}exit status 1: nsenter: reassociate to namespace 'ns/net' failed: Operation not permitted",
            "the node's container runtime may not enter the pod's network",
        ),
        (
            f"{CONTAINERD}readfrom tcp4 127.0.0.1:1->127.0.0.1:80: read: connection reset by peer",
            "the program in the pod broke the connection off",
        ),
        (
            "(conn=&{}, request=7) timed out waiting for streams",
            "the node did not get both halves of the connection in time",
        ),
        (
            "rpc error: code = ResourceExhausted desc = maximum number of in-flight requests exceeded",
            "the node has too many port forwards, execs or attaches being set up at this moment",
        ),
    ],
)
def test_known_words_are_explained(words: str, meaning: str) -> None:
    advice = explain(words, port=8080)
    assert advice.meaning == meaning
    assert advice.remedy
    assert "{" not in advice.remedy


def test_the_remedy_for_a_missing_program_names_its_package() -> None:
    assert "apt-get install socat" in explain("unable to do port forwarding: socat not found.", port=1).remedy
    assert "apt-get install util-linux" in explain("unable to do port forwarding: nsenter not found.", port=1).remedy


def test_the_port_of_the_words_wins() -> None:
    assert explain("dial tcp 127.0.0.1:81: connect: connection refused", port=80).meaning.endswith("port 81 in the pod")


@pytest.mark.parametrize("words", ["", "something new", "port 80"])
def test_unknown_words_are_left_to_speak_for_themselves(words: str) -> None:
    assert explain(words, port=80) == Advice()


ID = "5121203f" * 8
REFUSED = (
    f"error forwarding port 9000 to pod {ID}, uid : failed to execute portforward in network namespace "
    f'"/var/run/netns/cni-b4c0efe2-3a9b-ee5a-37ab-0f3cb0b0a1a5": failed to connect to localhost:9000 inside namespace '
    f'"{ID}", IPv4: dial tcp4 127.0.0.1:9000: connect: connection refused IPv6 dial tcp6 [::1]:9000: connect: '
    "connection refused "
)


@pytest.mark.parametrize(
    ("words", "short"),
    [
        (
            REFUSED,
            "failed to connect to localhost:9000, IPv4: dial tcp4 127.0.0.1:9000: connect: connection refused "
            "IPv6 dial tcp6 [::1]:9000: connect: connection refused",
        ),
        (f'network namespace for sandbox "{ID}" is closed', 'network namespace for sandbox "5121203f5121" is closed'),
        ("rpc error: code = Unknown desc = sandbox container is not running", "sandbox container is not running"),
        ("something\n new", "something new"),
        ("error forwarding port 1 to pod x, uid : ", "error forwarding port 1 to pod x, uid :"),
        ("", ""),
    ],
)
def test_brief_leaves_out_what_wraps_the_cause(words: str, short: str) -> None:
    assert brief(words, 160) == short


def test_brief_has_a_limit() -> None:
    assert brief("x" * 1000, 160) == "x" * 157 + "..."


@pytest.mark.parametrize(
    ("stopped", "meaning", "logs"),
    [
        (
            Stopped("c", "Error", 3, "CrashLoopBackOff"),
            "container c does not run: CrashLoopBackOff (Error, exit code 3)",
            "kubectl logs -n ns crash -c c --previous",
        ),
        (
            Stopped("c", "OOMKilled", 137, ""),
            "container c does not run: OOMKilled, exit code 137",
            "kubectl logs -n ns crash -c c",
        ),
        (
            Stopped("c", "Error", 3, "", again=True),
            "nothing listens; container c ended and was started again: Error, exit code 3",
            "kubectl logs -n ns crash -c c --previous",
        ),
        (Stopped("c", "", 0, ""), "container c does not run: exit code 0", "kubectl logs -n ns crash -c c"),
    ],
)
def test_a_container_that_does_not_run(stopped: Stopped, meaning: str, logs: str) -> None:
    advice = explain_stopped(stopped, PodRef("ns", "crash", "1"), Advice("nothing listens", "does it run?"))
    assert advice == Advice(meaning, f"its log should tell why: {logs}")


def test_no_pattern_has_a_gap_without_bound() -> None:
    for known in advice_module._TABLE:
        assert not re.search(r"\.[*+]", known.pattern), known.pattern


@pytest.mark.parametrize(
    "unit",
    [
        "socat[1]connect(:1",
        "sandbox ",
        "network namespace for sandbox ",
        ' ("/run/netns/',
        "localhost:1 inside namespace ",
        "dial tcp 1:1",
        "container ",
        "rpc error: code = ",
        'failed to execute portforward in network namespace "',
    ],
)
def test_hostile_words_are_read_at_once(unit: str) -> None:
    words = (unit * (16 * 1024))[: 16 * 1024]
    began = time.process_time()
    explain(words, port=80)
    brief(words, 300)
    assert time.process_time() - began < 1.0
