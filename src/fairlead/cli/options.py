"""The options, as tables: the parser, the help and the completion all read these.

Plain classes, since ``fairlead version`` reads them too and dataclasses alone would take a third of its time.
"""

from __future__ import annotations


class Option:
    """One option.

    ``kind`` is bool (where there is no value), text, int, level (a number that may be missing), duration, timeout,
    pod-running-timeout, list (repeatable) or csv (repeatable, comma separated).
    """

    __slots__ = ("complete", "field", "help", "kind", "name", "short", "value")

    def __init__(
        self,
        name: str,
        value: str,
        help: str,
        *,
        kind: str = "text",
        short: str = "",
        field: str = "",
        complete: str = "",
    ) -> None:
        self.name = name
        self.value = value
        """What stands for the value in the help; "" for a bool."""
        self.help = help
        self.kind = kind if value else "bool"
        self.short = short
        self.field = field or name.replace("-", "_")
        """Its name in the settings."""
        self.complete = complete
        """What completes its value: file, folder, context, cluster, user, namespace, service, service-port (followed by
        a colon), service-equals, or words separated by commas."""

    def __str__(self) -> str:
        return f"--{self.name}"


HELP = Option("help", "", "show this help", short="h")

GLOBAL = (
    Option("namespace", "NAME", "the namespace to look in", short="n", complete="namespace"),
    Option("context", "NAME", "the kubeconfig context to use", complete="context"),
    Option("cluster", "NAME", "the kubeconfig cluster to use", complete="cluster"),
    Option("user", "NAME", "the kubeconfig user to use", complete="user"),
    Option("kubeconfig", "FILE", "use this kubeconfig alone", complete="file"),
    Option("server", "URL", "the API server's address", short="s"),
    Option("token", "TOKEN", "a bearer token for the API server"),
    Option("username", "NAME", "a user name for basic authentication"),
    Option("password", "PASSWORD", "its password"),
    Option("as", "USER", "act as this user", field="as_user"),
    Option("as-uid", "UID", "act as the user with this uid"),
    Option("as-group", "GROUP", "act as a member of this group; may be repeated", kind="list", field="as_groups"),
    Option("as-user-extra", "KEY=VALUE", "extra data of the user to act as; may be repeated", kind="list"),
    Option("certificate-authority", "FILE", "the API server's certificate authority", complete="file"),
    Option("client-certificate", "FILE", "a client certificate", complete="file"),
    Option("client-key", "FILE", "its key", complete="file"),
    Option("tls-server-name", "NAME", "the name to expect in the API server's certificate"),
    Option("insecure-skip-tls-verify", "", "trust any API server: its certificate is not checked"),
    Option("request-timeout", "TIME", "the limit for one request to the API server; 0 is none", kind="timeout"),
    Option("disable-compression", "", "ask the API server for uncompressed answers"),
    Option("cache-dir", "FOLDER", "where discovery and token caches are kept", complete="folder"),
    Option(
        "v",
        "LEVEL",
        "log more: 4 decisions, 6 requests, 8 headers; -v alone is 1",
        kind="level",
        short="v",
        field="verbosity",
    ),
)

OUTPUT = Option("output", "FORMAT", "text or json", short="o", complete="text,json")

FORWARD = (
    Option("address", "ADDRESS", "listen here: IP addresses or localhost, comma separated; may be repeated (localhost)",
           kind="csv", field="addresses", complete="localhost,0.0.0.0"),
    Option("pod-running-timeout", "TIME", "at the start, wait this long for a pod (1m0s)", kind="pod-running-timeout"),
    Option("wait", "TIME", "later, a connection waits this long while nothing runs (30s)", kind="duration"),
    Option("sticky", "", "keep to one pod as long as it lives, as kubectl does"),
    Option("follow", "", "when pod/NAME can never come back, go on with its owner; other targets do that anyway"),
    Option("exit-on-loss", "", "end with the pod, as kubectl does, with its exit codes (0 and 1)"),
    Option("lanes", "COUNT", "connections to one pod that get an upgraded connection of their own (32)", kind="int"),
    Option("output", "FORMAT", "text, or json for one event a line on stdout (text)", short="o", complete="text,json"),
    Option("ready-file", "FILE", "write this file when ready, remove it at the end", complete="file"),
)  # fmt: skip

CLEAN = (Option("hosts-file", "FILE", "clean this file (/etc/hosts)", complete="file"),)

_CHOICE = (
    Option("namespace", "NAME", "the services of these namespaces, comma separated; may be repeated (the "
           "context's)", kind="csv", short="n", field="namespaces", complete="namespace"),
    Option("all-namespaces", "", "all namespaces, also those that are made later", short="A"),
    Option("selector", "LABELS", "only services with these labels, such as app=web,tier!=test", short="l"),
    Option("field-selector", "FIELDS", "only services with these fields, such as metadata.name=web"),
    Option("only", "NAME", "only these services: NAME or NAME.NAMESPACE, with * and ?; comma separated; may be "
           "repeated", kind="csv", complete="service"),
    Option("exclude", "NAME", "not these services, written as for --only", kind="csv", complete="service"),
    Option("context", "NAME", "the kubeconfig contexts to use, comma separated; may be repeated; names of those after "
           "the first end in the context's name", kind="csv", short="x", field="contexts", complete="context"),
    Option("bare", "NAMESPACE", "the namespace whose names stand alone (the context's, or the only one)",
           complete="namespace"),
    Option("cluster-domain", "DOMAIN", "the cluster's DNS domain (what the cluster says, else cluster.local)"),
)  # fmt: skip
"""``namespace`` and ``context`` stand before the global ones, which take one value, and so replace them."""

_OWN = Option("local", "NAME[:PORT]=LOCAL", "the service that I am working on: lead its name to port LOCAL of this "
              "machine; may be repeated", kind="list", complete="service-equals")  # fmt: skip
_CONFIG = Option("config", "FILE", "settings of a team, as YAML; may be repeated", kind="list", complete="file")
_WAIT = Option("wait", "TIME", "a connection waits this long while nothing runs behind its name (30s)", kind="duration")
_LANES = Option(
    "lanes", "COUNT", "connections to one pod that get an upgraded connection of their own (32)", kind="int"
)

SERVICES = (
    *_CHOICE,
    Option("mapping", "[NAME:]PORT:LOCAL", "listen on LOCAL for the service's PORT; may be repeated", kind="list",
           short="m", field="mappings", complete="service-port"),
    Option("reserve", "NAME=IP", "the loopback address for a name; may be repeated", kind="list",
           complete="service-equals"),
    _OWN,
    _CONFIG,
    Option("hosts-file", "FILE", "write the names to this file (/etc/hosts)", complete="file"),
    Option("dry-run", "", "say what would be served, and change nothing"),
    _WAIT,
    _LANES,
    Option("output", "FORMAT", "text, or json for one event a line on stdout (text)", short="o", complete="text,json"),
    Option("ready-file", "FILE", "write this file when ready, remove it at the end", complete="file"),
)  # fmt: skip

RUN = (*_CHOICE, _OWN, _CONFIG, _WAIT, _LANES)
