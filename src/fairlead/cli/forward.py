"""``fairlead forward``: words to settings, settings to a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from fairlead.cli.common import check, command_of, only
from fairlead.errors import UsageError
from fairlead.model.events import Ended, Event
from fairlead.model.target import Local, PortSpec
from fairlead.policy.names import check_namespace
from fairlead.policy.portspec import parse_targets
from fairlead.settings import ClusterOptions, ForwardSettings

if TYPE_CHECKING:
    from fairlead.cli.parse import Parsed


class Runner(Protocol):
    """``fairlead.session.forward.run``: runs until the end and returns the exit code; tells what happens meanwhile."""

    def __call__(self, settings: ForwardSettings, options: ClusterOptions, tell: Callable[[Event], None]) -> int:
        """Run until the end."""


def run(parsed: Parsed, program: str) -> int:
    """Run one forward; the exit code. Its end is told here: in words, as the last event, and by the code."""
    from fairlead.cli import report
    from fairlead.cli.render import STDERR, Screen
    from fairlead.host.stdio import keep_places
    from fairlead.kit import log

    keep_places()
    screen = Screen(parsed.values.get("output", ""))
    log.setup(parsed.values.get("verbosity", 0), screen.say)
    reason = ""
    try:
        settings, options = _read(parsed)
        if any(port.local is Local.STDIO for port in ports_of(settings)):
            screen.kubectl_to = STDERR
        code = _session()(settings, options, screen.show)
    except KeyboardInterrupt:
        reason, code = "interrupted", 0
    except Exception as error:
        line, code = report.failure(error, like_kubectl=bool(parsed.values.get("exit_on_loss")))
        reason = line.removeprefix("error: ")
        screen.say(line)
    screen.show(Ended(reason, code))
    screen.finish()
    return code


def _session() -> Runner:
    from fairlead.session.forward import run

    return run


def _read(parsed: Parsed) -> tuple[ForwardSettings, ClusterOptions]:
    if parsed.error is not None:
        raise parsed.error
    settings, options = forward_settings(parsed), cluster_options(parsed.values)
    if options.namespace:
        check_namespace(options.namespace)
    return settings, options


def cluster_options(values: dict[str, Any]) -> ClusterOptions:
    """kubectl's global options out of all values."""
    return ClusterOptions(**only(ClusterOptions._fields, values))


def forward_settings(parsed: Parsed) -> ForwardSettings:
    """The settings of one run. Raises UsageError."""
    settings = ForwardSettings(
        targets=parse_targets(parsed.words),
        command=command_of(parsed, "forward svc/web :80"),
        **only(ForwardSettings._fields, parsed.values),
    )
    _check(settings)
    return settings


def _check(settings: ForwardSettings) -> None:
    check(settings)
    if not settings.addresses:
        raise UsageError("you must specify at least 1 address", remedy="for example --address=localhost")
    if settings.follow and settings.exit_on_loss:
        raise UsageError(
            "--follow and --exit-on-loss exclude each other", remedy="go on without the pod, or end with it"
        )
    _check_standard_streams(settings)
    _check_local_ports(settings)


def _check_standard_streams(settings: ForwardSettings) -> None:
    joined = sum(port.local is Local.STDIO for port in ports_of(settings))
    if joined > 1:
        raise UsageError("only one port can be joined to standard input and output")
    if joined and settings.output == "json":
        raise UsageError("-o json and LOCAL - both need standard output", remedy="choose one of them")
    if joined and settings.command:
        raise UsageError("a command and LOCAL - both need standard input", remedy="choose one of them")


def _check_local_ports(settings: ForwardSettings) -> None:
    seen: set[int] = set()
    for port in ports_of(settings):
        number = port.local
        if number is None and port.remote.isascii() and port.remote.isdigit():
            number = int(port.remote)
        if isinstance(number, int) and number in seen:
            raise UsageError(f"local port {number} is asked for twice", remedy="give each LOCAL once, or :REMOTE")
        if isinstance(number, int):
            seen.add(number)


def ports_of(settings: ForwardSettings) -> list[PortSpec]:
    """The ports of all targets."""
    return [port for target in settings.targets for port in target.ports]
