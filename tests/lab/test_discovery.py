"""What the server says there is."""

from __future__ import annotations

import pytest

from fairlead.lab.registry import discovery
from fairlead.lab.registry.kinds import INGRESS, KINDS, NAMESPACE, POD, Kind

Told = tuple[str, str, bool, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]


def by_older_form() -> set[Told]:
    found = set()
    for group, version in discovery.group_versions():
        for entry in (discovery.api_resources(group, version) or {})["resources"]:
            other = (entry.get("group") or group, entry.get("version") or version)
            found.add(
                (
                    f"{group}/{entry['name']}", entry["kind"], entry["namespaced"], "/".join(other),
                    tuple(entry["verbs"]), tuple(entry.get("shortNames", ())), tuple(entry.get("categories", ())),
                )
            )  # fmt: skip
    return found


def by_newer_form() -> set[Told]:
    found = set()
    items = [item for core in (True, False) for item in discovery.aggregated(core=core, form="v2")["items"]]
    for item in items:
        group = item["metadata"].get("name", "")
        for version in item["versions"]:
            for entry in version["resources"]:
                is_namespaced = entry["scope"] == "Namespaced"
                parts = entry.get("subresources", ())
                for each in (entry, *parts):
                    kind = each["responseKind"]
                    other = (kind["group"] or group, kind["version"] or version["version"])
                    name = entry["resource"] + (f"/{each['subresource']}" if "subresource" in each else "")
                    found.add(
                        (
                            f"{group}/{name}", kind["kind"], is_namespaced, "/".join(other), tuple(each["verbs"]),
                            tuple(each.get("shortNames", ())), tuple(each.get("categories", ())),
                        )
                    )  # fmt: skip
    return found


def test_both_forms_say_the_same() -> None:
    assert by_older_form() == by_newer_form()


def test_all_kinds_are_told_of() -> None:
    told = {name: kind for name, kind, *_ in by_newer_form()}
    for kind in KINDS:
        assert told[f"{kind.group}/{kind.plural}"] == kind.kind
        assert all(f"{kind.group}/{kind.plural}/{name}" in told for name in kind.subresources)
    assert len(told) == sum(1 + len(kind.subresources) for kind in (*KINDS, *discovery.REVIEWS))


def test_groups() -> None:
    groups = discovery.api_groups()["groups"]
    names = [group["name"] for group in groups]
    assert "" not in names
    assert names == list(dict.fromkeys(names))
    assert all(group["preferredVersion"] in group["versions"] for group in groups)
    assert discovery.api_group("apps") == {"kind": "APIGroup", "apiVersion": "v1", **groups[names.index("apps")]}
    assert discovery.api_group("batch") is None
    assert discovery.api_group("") is None
    assert discovery.api_resources("apps", "v2") is None
    assert discovery.api_resources("batch", "v1") is None


@pytest.mark.parametrize(
    ("kind", "without"),
    [(POD, set()), (NAMESPACE, {"deletecollection"}), (INGRESS, set())],
)
def test_verbs(kind: Kind, without: set[str]) -> None:
    usual = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
    assert set(discovery.verbs(kind)) == usual - without


def test_scale_is_of_another_group() -> None:
    resources = (discovery.api_resources("apps", "v1") or {})["resources"]
    scale = next(each for each in resources if each["name"] == "deployments/scale")
    assert (scale["group"], scale["version"], scale["kind"]) == ("autoscaling", "v1", "Scale")
    assert scale["verbs"] == ["get", "patch", "update"]


def test_the_version_says_what_it_is() -> None:
    version = discovery.version("arm64")
    assert version["gitVersion"].startswith("v1.36.")
    assert version["gitVersion"].endswith("+fairlead-lab")
    assert (version["major"], version["minor"], version["platform"]) == ("1", "36", "linux/arm64")
