"""Pods, and templates of pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fairlead.lab.registry import names, status
from fairlead.lab.registry.status import Cause
from fairlead.lab.registry.validation import containers, meta
from fairlead.lab.registry.validation.meta import one_of, texts
from fairlead.lab.registry.values import Object, same

_RESTART = ("Always", "OnFailure", "Never")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_FIRST = ("emptyDir", "hostPath")
"""Kinds of volumes that others have to stand aside for."""
_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_MAY_CHANGE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def check(pod: Object) -> Iterator[Cause]:
    """One that is new."""
    yield from check_spec(pod["spec"], "spec")
    if pod["spec"].get("ephemeralContainers"):
        yield status.not_allowed("spec.ephemeralContainers", "cannot be set on create")


def check_template(template: Object, field: str) -> Iterator[Cause]:
    """What pods are made from."""
    about = template.get("metadata", {})
    yield from meta.check_labels(about.get("labels"), f"{field}.labels")
    yield from meta.check_annotations(about.get("annotations"), f"{field}.annotations")
    yield from check_spec(template["spec"], f"{field}.spec")
    if template["spec"].get("ephemeralContainers"):
        why = "ephemeral containers not allowed in pod template"
        yield status.not_allowed(f"{field}.spec.ephemeralContainers", why)


def check_spec(spec: Object, field: str) -> Iterator[Cause]:
    """What a pod is asked to be."""
    volumes = {volume.get("name", "") for volume in spec.get("volumes", ())}
    yield from _volumes(spec.get("volumes", ()), f"{field}.volumes")
    main, init = spec.get("containers", ()), spec.get("initContainers", ())
    yield from containers.check(main, volumes, f"{field}.containers")
    yield from containers.check_init(init, main, volumes, f"{field}.initContainers")
    late = spec.get("ephemeralContainers", ())
    yield from containers.check_ephemeral(late, (*main, *init), volumes, f"{field}.ephemeralContainers")
    for kind in ("containers", "initContainers") if spec.get("hostNetwork") else ():
        yield from containers.check_shared_ports(spec.get(kind, ()), f"{field}.{kind}")
    yield from one_of(spec.get("restartPolicy"), _RESTART, f"{field}.restartPolicy")
    yield from one_of(spec.get("dnsPolicy"), _DNS, f"{field}.dnsPolicy")
    if spec.get("dnsPolicy") == "None":
        if "dnsConfig" not in spec:
            yield status.required(f"{field}.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None")
        elif not spec["dnsConfig"].get("nameservers"):
            why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield status.required(f"{field}.dnsConfig.nameservers", why)
    yield from containers.ids(spec.get("securityContext", {}), f"{field}.securityContext")
    yield from meta.check_labels(spec.get("nodeSelector"), f"{field}.nodeSelector")
    for name in ("serviceAccountName", "nodeName"):
        if spec.get(name):
            yield from texts(f"{field}.{name}", spec[name], names.subdomain(spec[name]))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline < 2**31:
        yield status.invalid(f"{field}.activeDeadlineSeconds", deadline, names.between(1, 2**31 - 1))
    for name in ("hostname", "subdomain"):
        if spec.get(name):
            yield from texts(f"{field}.{name}", spec[name], names.label(spec[name]))
    yield from _tolerations(spec.get("tolerations", ()), f"{field}.tolerations")
    for index, host in enumerate(spec.get("hostAliases", ())):
        place = f"{field}.hostAliases[{index}]"
        yield from meta.address(host.get("ip", ""), f"{place}.ip")
        for number, name in enumerate(host.get("hostnames", ())):
            yield from texts(f"{place}.hostnames[{number}]", name, names.subdomain(name))


def _volumes(volumes: Any, field: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        place, name = f"{field}[{index}]", volume.get("name", "")
        kinds = sorted((kind for kind in volume if kind != "name"), key=lambda kind: (kind not in _FIRST, kind))
        for kind in kinds[1:]:
            yield status.not_allowed(f"{place}.{kind}", "may not specify more than 1 volume type")
        for kind in kinds[:1]:
            yield from _volume(kind, volume[kind], f"{place}.{kind}")
        if not name:
            yield status.required(f"{place}.name")
        else:
            yield from texts(f"{place}.name", name, names.label(name))
        if name in seen:
            yield status.duplicate(f"{place}.name", name)
        seen.add(name)


def _volume(kind: str, source: Object, place: str) -> Iterator[Cause]:
    needed = {"secret": "secretName", "configMap": "name", "hostPath": "path", "persistentVolumeClaim": "claimName"}
    if kind in needed and not source.get(needed[kind]):
        yield status.required(f"{place}.{needed[kind]}")
    mode = source.get("defaultMode")
    if mode is not None and not 0 <= mode <= 0o777:
        yield status.invalid(f"{place}.defaultMode", mode, _MODE)
    if kind == "hostPath" and ".." in source.get("path", "").split("/"):
        yield status.invalid(f"{place}.path", source["path"], "must not contain '..'")
    if kind in ("secret", "configMap", "downwardAPI"):
        for index, item in enumerate(source.get("items", ())):
            here = f"{place}.items[{index}]"
            for name in ("path",) if kind == "downwardAPI" else ("key", "path"):
                if not item.get(name):
                    yield status.required(f"{here}.{name}")
            yield from containers.below(item.get("path", ""), f"{here}.path")


def _tolerations(tolerations: Any, field: str) -> Iterator[Cause]:
    for index, each in enumerate(tolerations):
        place, operator, value = f"{field}[{index}]", each.get("operator", ""), each.get("value", "")
        if each.get("key"):
            yield from texts(f"{place}.key", each["key"], names.key(each["key"]))
        elif operator != "Exists":
            why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            yield status.invalid(f"{place}.operator", operator, why)
        if "tolerationSeconds" in each and each.get("effect") != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            yield status.invalid(f"{place}.effect", each.get("effect", ""), why)
        if operator in ("", "Equal"):
            yield from texts(f"{place}.operator", value, names.label_value(value))
        elif operator == "Exists":
            if value:
                why = "value must be empty when `operator` is 'Exists'"
                yield status.invalid(f"{place}.operator", value, why)
        else:
            yield status.not_supported(f"{place}.operator", operator, ("Equal", "Exists"))
        if each.get("effect"):
            yield from one_of(each["effect"], _EFFECTS, f"{place}.effect")


def check_update(pod: Object, old: Object) -> Iterator[Cause]:
    """What may change of a pod: hardly anything."""
    spec, before = pod["spec"], old["spec"]
    yield from check_spec(spec, "spec")
    for kind in ("containers", "initContainers"):
        if len(spec.get(kind, ())) != len(before.get(kind, ())):
            yield status.not_allowed(f"spec.{kind}", "pod updates may not add or remove containers")
            return
    deadline, known = spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if known is not None and (deadline is None or deadline > known):
        why = "must be less than or equal to previous value"
        if deadline is None:
            why = "must not update from a positive integer to nil value"
        yield status.invalid("spec.activeDeadlineSeconds", deadline, why)
        return
    tolerations = [_without_time(each) for each in spec.get("tolerations", ())]
    if any(_without_time(each) not in tolerations for each in before.get("tolerations", ())):
        why = "existing toleration can not be modified except its tolerationSeconds"
        yield status.not_allowed("spec.tolerations", why)
    changed = _changed("spec", _fixed(spec), _fixed(before))
    if changed:
        yield status.not_allowed("spec", f"{_MAY_CHANGE}\n" + "\n".join(changed))


def _without_time(toleration: Object) -> Object:
    return {name: inner for name, inner in toleration.items() if name != "tolerationSeconds"}


def _fixed(spec: Object) -> Object:
    """All of a pod that never changes."""
    found = {**spec}
    for name in ("tolerations", "activeDeadlineSeconds"):
        found.pop(name, None)
    for kind in ("containers", "initContainers"):
        found[kind] = [{**container, "image": ""} for container in spec.get(kind, ())]
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        found["terminationGracePeriodSeconds"] = 1
    return found


def _changed(path: str, value: Any, old: Any) -> list[str]:
    """One line for each field that is another."""
    if same(value, old):
        return []
    if isinstance(value, dict) and isinstance(old, dict):
        names_ = sorted(value.keys() | old.keys())
        return [line for name in names_ for line in _changed(f"{path}.{name}", value.get(name), old.get(name))]
    if isinstance(value, list) and isinstance(old, list) and len(value) == len(old):
        pairs = enumerate(zip(value, old, strict=True))
        return [line for index, (new, was) in pairs for line in _changed(f"{path}[{index}]", new, was)]
    return [f"  {path}: was {old!r}, would be {value!r}"]


def check_ephemeral_update(pod: Object, old: Object) -> Iterator[Cause]:
    """The containers that ``kubectl debug`` adds: never changed, never removed."""
    yield from check_spec(pod["spec"], "spec")
    added = {each.get("name"): each for each in pod["spec"].get("ephemeralContainers", ())}
    for known in old["spec"].get("ephemeralContainers", ()):
        name = known["name"]
        if name not in added:
            why = f'existing ephemeral containers "{name}" may not be removed\n'
            yield status.not_allowed("spec.ephemeralContainers", why)
        elif not same(added[name], known):
            why = f'existing ephemeral containers "{name}" may not be changed\n'
            yield status.not_allowed("spec.ephemeralContainers", why)
