"""``fairlead services``: words and a team's files to settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from fairlead.cli.common import check, command_of, only
from fairlead.cli.options import GLOBAL, SERVICES
from fairlead.errors import ConfigError, UsageError
from fairlead.policy.hostnames import bare_owner
from fairlead.policy.services_config import from_file, merged, typed
from fairlead.settings import Chosen, ServicesSettings

if TYPE_CHECKING:
    from fairlead.cli.parse import Parsed

MOST_BYTES = 1 << 20
"""Of a file of settings."""

_OF_ONE_CLUSTER = ("server", "cluster")


def services_settings(parsed: Parsed) -> ServicesSettings:
    """The settings of one run. Raises UsageError, or ConfigError for a file."""
    if parsed.words:
        raise one_too_many(parsed)
    settings = ServicesSettings(**values_of(parsed, ServicesSettings), command=command_of(parsed, "services"))
    check(settings)
    if not settings.hosts_file:
        raise UsageError("--hosts-file needs a file")
    check_choice(settings, parsed.values)
    return settings


def values_of(parsed: Parsed, settings: type[NamedTuple]) -> dict[str, Any]:
    """What the words and the files that they name say of the fields of ``settings``."""
    files = [_read(path) for path in parsed.values.get("config", ())]
    return only(settings._fields, merged([*files, typed(only(settings._fields, parsed.values))]))


def check_choice(settings: Chosen, values: dict[str, Any]) -> None:
    """Raise UsageError where no such services can be meant."""
    if settings.bare is not None and settings.namespaces:
        bare_owner(settings.namespaces, "", settings.bare, everywhere=settings.all_namespaces)
    for option in _OF_ONE_CLUSTER:
        if len(settings.contexts) > 1 and option in values:
            raise UsageError(f"--{option} and several contexts exclude each other", remedy="give one of them")


def one_too_many(parsed: Parsed) -> UsageError:
    """The first word that is no option's."""
    return UsageError(f'"{parsed.words[0]}" is one word too many', remedy=_meant(parsed))


def _meant(parsed: Parsed) -> str:
    """What a word that is no option's was probably to be."""
    word, names = parsed.words[0], {option.name for option in SERVICES}
    for option in SERVICES:
        values = parsed.values.get(option.field)
        for value in values if isinstance(values, tuple) else (values,):
            if option.short and f"{option.short}{value}" in names:  # as -namespace is -n with "amespace"
                return f"did you mean --{option.short}{value}, with two dashes?"
    kind, slash, name = word.partition("/")
    if slash and kind not in ("svc", "service", "services"):
        return f"other kinds: fairlead forward {word} PORT"
    one = f"for one service alone: --only {name or word}"
    if parsed.values.get("namespaces") and not slash:
        return f"{one}; for a namespace more: -n {','.join((*parsed.values['namespaces'], word))}"
    return one


def _read(path: str) -> dict[str, Any]:
    from fairlead.kube.config import read_yaml

    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"the config file {path} cannot be read: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise ConfigError(f"the config file {path} is larger than {MOST_BYTES >> 20} MiB")
    document = read_yaml(data, path, "the config file")
    return from_file(document, data.decode(errors="replace"), path, {option.name for option in (*GLOBAL, *SERVICES)})
